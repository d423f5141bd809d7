"""Imports go down only, the lower layers are pure, and the emulator stands apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "airflow_dingtalk_calendar"
ROOT = Path(__file__).parent.parent / PACKAGE

# From the ground up; a module may import its own layer and those below.
LAYERS = [
    {
        "",
        "exceptions",
        "fields",
        "moments",
        "parts",
        "rules",
        "recurrence",
        "body",
        "reading",
        "models",
        "form",
        "get_provider_info",
        "secret",
        "hosts",
    },
    {
        "answers",
        "api",
        "auth",
        "compare",
        "flow",
        "identity",
        "changes",
        "keeping",
        "pace",
        "retry",
        "settings",
        "grants",
        "steps",
        "edits",
        "merging",
        "timing",
        "applying",
        "diff",
        "plan",
        "results",
        "conditions",
        "watch",
    },
    {"hooks"},
    {"triggers"},
    {"operators", "sensors", "authorize", "retry_policy"},
]
PURE = LAYERS[0] | LAYERS[1]
# What a pure module cannot do: talk to Airflow, the network, or a clock.
IMPURE = {"airflow", "httpx", "httpx2", "requests", "urllib.request", "socket", "ssl", "time", "asyncio", "subprocess"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if "emulator" not in path.parts)


def part(name: str) -> str:
    """Name the part of the package that a module belongs to."""
    return name.removeprefix(PACKAGE).lstrip(".").split(".")[0]


def imports(path: Path) -> Iterator[str]:
    """Name every module that a file imports, also within functions."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def own(path: Path) -> str:
    """Name the part that a file belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py").removeprefix("__init__")


def level(name: str) -> int:
    """Return the layer of a part."""
    return next(index for index, names in enumerate(LAYERS) if name in names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    """No module imports one of a layer above its own, nor the emulator."""
    used = {part(name) for name in imports(path) if name.startswith(f"{PACKAGE}.")}
    known = set().union(*LAYERS)
    assert "emulator" not in used
    assert {name for name in used & known if level(name) > level(own(path))} == set()


@pytest.mark.parametrize("path", [path for path in MODULES if own(path) in PURE], ids=lambda path: path.name)
def test_lower_layers_are_pure(path: Path) -> None:
    """Below the hooks nothing imports Airflow, sockets, sleeping or a clock."""
    assert {name for name in imports(path) if name in IMPURE or name.split(".")[0] == "airflow"} == set()


def test_few_modules_name_the_http_library() -> None:
    """Changing the HTTP library is a change in one module, and in the one that bounds its waits."""
    naming = [path.name for path in MODULES if any(name.startswith(("httpx", "httpcore")) for name in imports(path))]
    assert naming == ["deadline.py", "transport.py"]


@pytest.mark.parametrize("path", sorted((ROOT / "emulator").glob("*.py")), ids=lambda path: path.name)
def test_the_emulator_stands_apart(path: Path) -> None:
    """The emulator is a second reading of DingTalk's contract and shares no code with the first."""
    foreign = {name for name in imports(path) if name.split(".")[0] in (PACKAGE, "airflow", "pydantic", "httpx")}
    assert {name for name in foreign if not name.startswith(f"{PACKAGE}.emulator")} == set()
