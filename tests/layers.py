"""The rules of the package's structure, as functions that find what breaks them.

The rows are those of the table of the architecture page whose first column is ``row``:

* The number says how high a module stands; the same number may stand in several lines.
* The second column names modules by their path in the package, without ending (``plans/rows``). ``client/`` names every
  module in the folder, with its ``__init__.py``, but those that a longer name stands for.
* The third says what they may use beside the package: a word of ``FORBIDDEN``. ``standard library`` is about what is
  imported with the module; its functions may import other things when they are called.

An ``__init__.py`` that defines nothing needs no row.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.graph import circles
from benchmarks.source import Module, Package

MAX_ROOT_MODULES, MAX_LINES = 8, 300
EMULATOR = "emulator"
# What would make the emulator no second reading of DingTalk's contract, or need Airflow.
FOREIGN_TO_EMULATOR = {"airflow", "pydantic", "httpx"}
CLOCKS = {"now", "today", "utcnow"}
NETWORK_AND_CLOCK = {
    *("httpx", "httpx2", "httpcore", "requests", "urllib.request", "http.client", "websockets"),
    *("socket", "ssl", "time", "asyncio", "subprocess"),
}
# What modules must not use, by the word for it; from the one that may use everything to the one that may use least.
FORBIDDEN = {
    "anything": frozenset[str](),
    "no Airflow": frozenset({"airflow"}),
    "pure": frozenset({"airflow", *NETWORK_AND_CLOCK}),
    "standard library": frozenset({"airflow", *NETWORK_AND_CLOCK}),
}

WITHOUT_CLOCK = ("pure", "standard library")


class Row(NamedTuple):
    """A line of the table."""

    number: int
    names: tuple[str, ...]
    use: str

    @property
    def strictness(self) -> int:
        """How little its modules may use."""
        return list(FORBIDDEN).index(self.use)


class Layout(NamedTuple):
    """A package, and the rows that it is to have."""

    package: Package
    rows: list[Row]

    @property
    def names(self) -> list[str]:
        """All modules but the emulator's."""
        return [name for name in self.package.modules if not in_emulator(name)]

    def row_of(self, name: str) -> Row | None:
        """Return the row of a module: that of the longest name that stands for it."""
        place = place_of(self.package.modules[name], self.package)
        found = [(len(entry), row) for row in self.rows for entry in row.names if stands_for(entry, place)]
        return max(found, default=(0, None), key=lambda pair: pair[0])[1]

    def needs_row(self, name: str) -> bool:
        """Return whether a module defines or does something, and is not only the face of a folder."""
        return not self.package.modules[name].is_face


def read_rows(page: str) -> list[Row]:
    """Read the table of a page."""
    table = page.partition("\n| row |")[2].split("\n\n", 1)[0]
    lines = re.findall(r"^\| (\d+) \| (.*?) \| (.*?) \|$", table, re.MULTILINE)
    return [Row(int(number), tuple(re.findall(r"`([^`]+)`", names)), use) for number, names, use in lines]


def place_of(module: Module, package: Package) -> str:
    """Return the path of a module in its package, without ending."""
    return module.path.relative_to(package.root).with_suffix("").as_posix()


def stands_for(entry: str, place: str) -> bool:
    """Return whether a name of the table means a module."""
    return place == entry or (entry.endswith("/") and place.startswith(entry))


def in_emulator(name: str) -> bool:
    """Return whether a module is one of the emulator's."""
    return name.split(".", 1)[0] == EMULATOR


def imports_going_up(layout: Layout) -> Iterator[str]:
    """Find imports of a module that stands higher, or that may use more than the one that imports it."""
    for name in layout.names:
        if (own := layout.row_of(name)) is None:
            continue
        for imported in sorted(layout.package.graph[name]):
            its = None if in_emulator(imported) else layout.row_of(imported)
            if its and its.number < own.number:
                yield f"{name} (row {own.number}) imports {imported} (row {its.number})"
            elif its and its.strictness < own.strictness:
                yield f"{name} ({own.use}) imports {imported} ({its.use})"


def modules_without_row(layout: Layout) -> Iterator[str]:
    """Find modules that no row names, or that are imported without being in one, and names for nothing or too much."""
    for name in layout.names:
        if layout.row_of(name) is None and layout.needs_row(name):
            yield f"{name or '__init__'} has no row"
        for imported in sorted(layout.package.graph[name]):
            if not in_emulator(imported) and layout.row_of(imported) is None and layout.package.graph[imported]:
                yield f"{name} imports {imported} as a whole, which has no row"
    places = [place_of(layout.package.modules[name], layout.package) for name in layout.names]
    entries = [entry for row in layout.rows for entry in row.names]
    for entry in sorted(set(entries)):
        if not any(stands_for(entry, place) for place in places):
            yield f"{entry} is in the table, and nowhere else"
        if entries.count(entry) > 1:
            yield f"{entry} has several rows"


def import_circles(layout: Layout) -> Iterator[str]:
    """Find modules that import each other, in the emulator too."""
    for nodes in circles(layout.package.graph):
        yield f"a circle: {', '.join(nodes)}"


def forbidden_uses(layout: Layout) -> Iterator[str]:
    """Find what modules use beside the package and must not."""
    for name in layout.names:
        if row := layout.row_of(name):
            found = {one for one in layout.package.foreign_imports(name) if is_of(one, FORBIDDEN[row.use])}
            if row.use == "standard library":
                loaded = layout.package.foreign_imports(name, at_import=True)
                found |= {one for one in loaded if not is_standard(one)}
            if row.use in WITHOUT_CLOCK:
                found |= set(clock_calls(layout.package.modules[name]))
            yield from (f"{name} ({row.use}) uses {one}" for one in sorted(found))


def emulator_crossings(layout: Layout) -> Iterator[str]:
    """Find what the emulator imports of the rest, the rest of the emulator, or the emulator of what we send with."""
    graph = layout.package.graph
    for name in graph:
        across = (imported for imported in sorted(graph[name]) if in_emulator(imported) != in_emulator(name))
        yield from (f"{name} imports {imported}" for imported in across)
    for name in filter(in_emulator, graph):
        found = (one for one in layout.package.foreign_imports(name) if is_of(one, FOREIGN_TO_EMULATOR))
        yield from (f"{name} imports {one}" for one in sorted(found))


def too_many_root_modules(layout: Layout) -> Iterator[str]:
    """Find more modules directly in the package than a reader takes in."""
    files = sorted(path.stem for path in layout.package.root.glob("*.py") if not path.stem.startswith("_"))
    if len(files) > MAX_ROOT_MODULES:
        yield f"{len(files)} modules directly in the package: {', '.join(files)}"


def long_files(layout: Layout) -> Iterator[str]:
    """Find files that are too long."""
    for name, module in layout.package.modules.items():
        if module.lines > MAX_LINES:
            yield f"{name} has {module.lines} lines"


def folders_without_init(layout: Layout) -> Iterator[str]:
    """Find folders that Python takes for namespace packages, because they have no ``__init__.py``."""
    root = layout.package.root
    above = {parent for module in layout.package.modules.values() for parent in module.path.parents}
    for folder in sorted(one for one in above if one.is_relative_to(root)):
        if not (folder / "__init__.py").exists():
            yield f"{folder.relative_to(root).as_posix()}/ has no __init__.py"


CHECKS: tuple[Callable[[Layout], Iterator[str]], ...] = (
    imports_going_up,
    modules_without_row,
    import_circles,
    forbidden_uses,
    emulator_crossings,
    too_many_root_modules,
    long_files,
    folders_without_init,
)


def is_of(name: str, packages: frozenset[str] | set[str]) -> bool:
    """Return whether a name is that of one of some modules, or of something in it."""
    return any(f"{name}.".startswith(f"{package}.") for package in packages)


def is_standard(name: str) -> bool:
    """Return whether a module, or something in it, is of the standard library."""
    return name.split(".", 1)[0] in sys.stdlib_module_names


def clock_calls(module: Module) -> Iterator[str]:
    """Find where a module asks the clock."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{node.func.attr}()"
