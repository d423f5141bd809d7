"""Imports go down only, the lower layers are pure, and the emulator stands apart."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "airflow_dingtalk_calendar"
ROOT = Path(__file__).parent.parent / PACKAGE
PAGE = (ROOT.parent / "docs" / "architecture.md").read_text(encoding="utf-8").split("## Where to change what", 1)[0]


def rows(text: str) -> list[list[str]]:
    """Read which modules and folders the rows of a table name, without their endings."""
    cells = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    return [[name.rstrip("/") for name in re.findall(r"`([\w/]+)", cell)] for cell in cells]


# From the top down; a module may import those of its own row and those below.
ROWS = rows(PAGE)
PURE = {name for row in rows(PAGE.split("## What is pure", 1)[1]) for name in row}
# What a pure module cannot do: talk to Airflow, the network, or a clock.
IMPURE = {"airflow", "httpx", "httpx2", "requests", "urllib.request", "socket", "ssl", "time", "asyncio", "subprocess"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if "emulator" not in path.parts)


def imports(path: Path) -> Iterator[str]:
    """Name every module that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def row(place: str) -> int | None:
    """Return the row of a module, by its path without ending or by its folder's; None for one without code."""
    names = {place, place.split("/", maxsplit=1)[0]}
    return next((index for index, row in enumerate(ROWS) if names.intersection(row)), None)


def place(path: Path) -> str:
    """Name a file by its path in the package, without ending."""
    return path.relative_to(ROOT).with_suffix("").as_posix()


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_imports_go_down(path: Path) -> None:
    """No module imports one of a row above its own, nor the emulator."""
    own = {name.removeprefix(f"{PACKAGE}.").replace(".", "/") for name in imports(path) if name.startswith(PACKAGE)}
    assert not [name for name in own if name.startswith("emulator")]
    mine = row(place(path))
    if mine is not None:
        assert [name for name in own if (its := row(name)) is not None and its < mine] == []


def test_every_module_has_a_row() -> None:
    """The page names each module, or the folder that it is in, except those without code."""
    assert [place(path) for path in MODULES if row(place(path)) is None] == ["__init__", "hooks/__init__"]


@pytest.mark.parametrize("path", [path for path in MODULES if place(path).split("/")[0] in PURE], ids=place)
def test_lower_layers_are_pure(path: Path) -> None:
    """Below the hooks nothing imports Airflow, sockets, sleeping or a clock."""
    assert {name for name in imports(path) if name in IMPURE or name.split(".")[0] == "airflow"} == set()


def test_few_modules_name_the_http_library() -> None:
    """Changing the HTTP library is a change in one module, and in the one that bounds its waits."""
    naming = [path.name for path in MODULES if any(name.startswith(("httpx", "httpcore")) for name in imports(path))]
    assert naming == ["deadline.py", "transport.py"]


@pytest.mark.parametrize("path", sorted((ROOT / "emulator").rglob("*.py")), ids=lambda path: path.name)
def test_the_emulator_stands_apart(path: Path) -> None:
    """The emulator is a second reading of DingTalk's contract and shares no code with the first."""
    foreign = {name for name in imports(path) if name.split(".")[0] in (PACKAGE, "airflow", "pydantic", "httpx")}
    assert {name for name in foreign if not name.startswith(f"{PACKAGE}.emulator")} == set()
