"""The package is built as the architecture page says. Small packages that break a rule show that this is noticed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from benchmarks import structure
from benchmarks.graph import longest_chain
from benchmarks.source import Package
from benchmarks.tracing import Trace
from tests import layers
from tests.layers import CHECKS, Layout, is_of, read_rows

ROOT = Path(__file__).parent.parent.parent
HTTP_MODULES = {"client.transport", "client.limits"}
PAGE = """# A page

| row | modules | beside the package |
|---|---|---|
| 1 | `tasks/`, `command` | anything |
| 2 | `client/wire` | no Airflow |
| 2 | `client/` | pure |
| 3 | `plans/rows`, `models/` | pure |
| 4 | `form` | standard library |

| row | of another table |
|---|---|
| 5 | `nothing` |
"""
FILES: dict[str, str | None] = {
    "__init__": "__version__ = '1'",
    "tasks/__init__": "",
    "tasks/patch": "import airflow\nfrom house.client import flow\nfrom house.plans import Rows",
    "command": "import time\nfrom house import __version__, models",
    "client/__init__": '"""Calls."""',
    "client/wire": "import httpx\nfrom house.client import flow",
    "client/flow": "from house.models import Event",
    "plans/__init__": "_NAMES = {'Rows': 'rows'}\ndef __getattr__(name): ...",
    "plans/rows": "from ..models import Event\nclass Rows: ...",
    "models/__init__": "from house.models.event import Event",
    "models/event": "import pydantic, house.form\nclass Event: ...",
    "form": "import typing",
    "emulator/__init__": "from .server import Emulator",
    "emulator/server": "import socket\nclass Emulator: ...",
}
Build = Callable[[Mapping[str, str | None]], Package]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Write a package of the files above, of which some are changed, added or left out."""

    def package(changes: Mapping[str, str | None]) -> Package:
        for name, text in {**FILES, **changes}.items():
            if text is not None:
                path = tmp_path / "house" / f"{name}.py"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return Package(tmp_path / "house")

    return package


def problems(package: Package, page: str = PAGE) -> list[str]:
    """Find what breaks any rule."""
    return [problem for check in CHECKS for problem in check(Layout(package, read_rows(page)))]


@pytest.fixture(scope="module")
def layout() -> Layout:
    """The package itself, and the table of the architecture page."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    return Layout(Package(ROOT / "airflow_dingtalk_calendar"), read_rows(page))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_package_keeps_the_rules(layout: Layout, check: Callable[[Layout], Iterator[str]]) -> None:
    """Imports go down only, and what else the architecture page says of the package's structure is so."""
    assert list(check(layout)) == []


def test_few_modules_name_the_http_library(layout: Layout) -> None:
    """Changing the HTTP library is a change in one module, and in the one that bounds its waits."""
    uses = {name: layout.package.foreign_imports(name) for name in layout.names}
    assert {name for name in uses if any(is_of(one, {"httpx", "httpcore"}) for one in uses[name])} == HTTP_MODULES


def test_a_package_that_keeps_the_rules_has_no_problems(build: Build) -> None:
    """What the rules allow is not complained of."""
    assert problems(build({})) == []


def test_a_function_may_import_what_its_module_may_not(build: Build) -> None:
    """What loads nothing but the standard library may import more once it is needed, if a pure module may."""
    assert problems(build({"form": "def f():\n import pydantic"})) == []
    assert problems(build({"form": "def f():\n import airflow"})) == ["form (standard library) uses airflow"]


BREACHES = {
    "an import up": (
        {"plans/rows": "from house import command\nclass Rows: ..."},
        ["plans.rows (row 3) imports command (row 1)"],
    ),
    "an import up in a function": (
        {"plans/rows": "class Rows:\n def f(self):\n  import house.command"},
        ["plans.rows (row 3) imports command (row 1)"],
    ),
    "an import up for types only": (
        {"plans/rows": "if TYPE_CHECKING:\n from .. import command\nclass Rows: ..."},
        ["plans.rows (row 3) imports command (row 1)"],
    ),
    "an import up through a lazy face": (
        {
            "tasks/__init__": "_NAMES = {'Patch': 'patch'}\ndef __getattr__(name): ...",
            "tasks/patch": "class Patch: ...",
            "plans/rows": "from house.tasks import Patch\nclass Rows: ...",
        },
        ["plans.rows (row 3) imports tasks.patch (row 1)"],
    ),
    "an import of what may use more": (
        {"client/wire": "import httpx", "client/flow": "from house.client import wire"},
        ["client.flow (pure) imports client.wire (no Airflow)"],
    ),
    "a module without a row": ({"plans/undo": "import typing"}, ["plans.undo has no row"]),
    "a face without a row": (
        {"tasks/patch": "from house import plans"},
        ["tasks.patch imports plans as a whole, which has no row"],
    ),
    "a row without a module": (
        {"command": None},
        ["command is in the table, and nowhere else"],
    ),
    "a circle": (
        {"client/flow": "import house.client.wire"},
        ["client.flow (pure) imports client.wire (no Airflow)", "a circle: client.flow, client.wire"],
    ),
    "a circle for types only": (
        {"models/event": "if TYPE_CHECKING:\n from .place import Place", "models/place": "from .event import Event"},
        ["a circle: models.event, models.place"],
    ),
    "a circle through a lazy face": (
        {
            "models/__init__": "def __getattr__(name): return {'Event': '.event', 'Place': ('house.models.place', 1)}",
            "models/event": "def f():\n from house.models import Place",
            "models/place": "from house.models import Event",
        },
        ["a circle: models.event, models.place"],
    ),
    "a circle in the emulator": (
        {"emulator/server": "from .pages import Page", "emulator/pages": "from .server import Emulator"},
        ["a circle: emulator.pages, emulator.server"],
    ),
    "sleeping in a pure module": (
        {"client/flow": "def f():\n from time import sleep"},
        ["client.flow (pure) uses time", "client.flow (pure) uses time.sleep"],
    ),
    "a clock in a pure module": (
        {"client/flow": "import datetime\ndatetime.datetime.now()"},
        ["client.flow (pure) uses now()"],
    ),
    "Airflow below the hooks": (
        {"client/wire": "import httpx\nif TYPE_CHECKING:\n import airflow.sdk"},
        ["client.wire (no Airflow) uses airflow.sdk"],
    ),
    "a library where none is to be": ({"form": "import pydantic"}, ["form (standard library) uses pydantic"]),
    "the emulator imports the rest": (
        {"emulator/server": "from house import form"},
        ["emulator.server imports form"],
    ),
    "the rest imports the emulator": (
        {"command": "def f():\n from house.emulator import Emulator"},
        ["command imports emulator.server"],
    ),
    "the emulator imports Airflow": (
        {"emulator/server": "import airflow.sdk"},
        ["emulator.server imports airflow.sdk"],
    ),
    "a file of 301 lines": ({"form": "\n" * 301}, ["form has 301 lines"]),
    "a folder without a face": (
        {"tasks/more/patch": "", "emulator/web/app": ""},
        ["emulator/web/ has no __init__.py", "tasks/more/ has no __init__.py"],
    ),
}


@pytest.mark.parametrize(("changes", "found"), BREACHES.values(), ids=BREACHES)
def test_a_breach_is_found(build: Build, changes: dict[str, str | None], found: list[str]) -> None:
    """Whatever breaks a rule is named, and nothing else."""
    assert problems(build(changes)) == found


def test_a_ninth_module_is_found(build: Build) -> None:
    """Eight modules directly in the package are as many as it may have; private ones do not count."""
    six, page = {f"m{number}": "" for number in range(6)}, PAGE.replace("`form`", "`form`, `m`, `_n`")
    page = page.replace("`m`", ", ".join(f"`{name}`" for name in six))
    assert problems(build({**six, "_n": "", "form": "\n" * 300}), page) == []
    (problem,) = layers.too_many_root_modules(Layout(build({**six, "m6": ""}), []))
    assert problem == "9 modules directly in the package: command, form, m0, m1, m2, m3, m4, m5, m6"


def test_a_module_with_two_rows_is_found(build: Build) -> None:
    """A module stands in one row."""
    line = "| 4 | `form` | standard library |"
    assert problems(build({}), PAGE.replace(line, f"{line}\n{line.replace('4', '5')}")) == ["form has several rows"]


def test_a_name_from_a_face_is_one_from_its_module(build: Build) -> None:
    """An import of what a face shows leads to the module that defines it, imported or lazily loaded."""
    graph = build({}).graph
    assert graph["tasks.patch"] == {"client.flow", "plans.rows"}
    assert graph["client.flow"] == graph["plans.rows"] == {"models.event"}
    assert graph["command"] == {"models"}
    assert longest_chain(graph) == [["client.wire"], ["client.flow"], ["models.event"], ["form"]]


def test_shared_names_are_found(build: Build) -> None:
    """Functions and classes of several modules that have one name are found, private ones too; methods are not."""
    package = build(
        {"form": "def main(): ...\ndef _read(): ...\nRows = 1", "command": "def main(): ...\ndef _read(): ..."}
    )
    part = structure.Part(package, set(package.modules))
    assert structure.shared_names(part) == {"_read": ["command", "form"]}
    assert structure.figures(part)["of them, with a name of another module's"] == "2 (40.0%)"


def test_names_are_listed_one_a_line(build: Build) -> None:
    """The list has what modules define, private or not, and the public members of classes."""
    package = build({"form": "import time\nA, _B = 1, 2\nclass C:\n d: int\n def _e(self): ...\n def f(self): ..."})
    lines = [line.split("\t")[1:] for line in structure.listed_names(package) if line.startswith("form\t")]
    assert lines == [["constant", "A"], ["constant", "_B"], ["class", "C"], ["attribute", "C.d"], ["method", "C.f"]]


def test_changes_of_module_are_counted(tmp_path: Path) -> None:
    """Calls, returns and generators lead from one module to another; what other code does in between does not."""
    code = {
        "a": "def a():\n list(map(len, 'b'))\n return list(b())",
        "b": "def b():\n yield c()\n yield 2",
        "c": "def c(): ...",
    }
    names: dict[str, Any] = {}
    for name, text in code.items():
        exec(compile(text, str(tmp_path / f"{name}.py"), "exec"), names)  # noqa: S102  # our own text
    trace = Trace(tmp_path)
    sys.setprofile(trace)
    try:
        names["a"]()
    finally:
        sys.setprofile(None)
    assert trace.calls == {"a": 1, "b": 3, "c": 1}
    assert trace.changes == 8  # into b and c and back twice, into b and back, and once more to its end
