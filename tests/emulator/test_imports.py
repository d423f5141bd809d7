"""What the emulator's modules import: nothing from the rest of the distribution, and nothing in a circle."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import airflow_dingtalk_calendar.emulator

ROOT = Path(airflow_dingtalk_calendar.emulator.__file__).parent
SOURCES = sorted(ROOT.rglob("*.py"))
ALLOWED = {*sys.stdlib_module_names, "starlette", "uvicorn", "h11"}


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_imports_nothing_from_the_rest_of_the_distribution(source: Path) -> None:
    """Only the standard library, starlette, uvicorn, h11 and its own modules."""
    folders = len(source.relative_to(ROOT).parts)
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert {name.name.split(".")[0] for name in node.names} <= ALLOWED
        if isinstance(node, ast.ImportFrom):
            assert 1 <= node.level <= folders or (node.level == 0 and str(node.module).split(".")[0] in ALLOWED)


def imported_modules(source: Path) -> Iterator[Path]:
    """Yield the emulator's files that one of them imports; those for type checkers count."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = source.parents[node.level - 1].joinpath(*(node.module or "").split("."))
            files = [package / f"{alias.name}.py" for alias in node.names]
            yield from [file if file.exists() else package.with_suffix(".py") for file in files]


def test_imports_make_no_circle() -> None:
    """Whoever reads a module finds what it is built on without coming back to it."""
    imported = {source: set(imported_modules(source)) for source in SOURCES}
    assert {file for files in imported.values() for file in files} <= set(SOURCES)
    TopologicalSorter(imported).prepare()  # raises CycleError, which names the circle
