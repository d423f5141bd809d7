"""How the package is built, in figures: ``python -m benchmarks.structure``.

``python -m benchmarks.structure names`` prints the names that its modules define, one a line, for a person to read.
The figures are no part of the benchmarks' page: they change with each module, and not with the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.graph import circles, grouped, limited, longest_chain
from benchmarks.page import Section, Table
from benchmarks.source import Definition, Package, is_dunder

ROOT = Path(__file__).parent.parent / "airflow_dingtalk_calendar"
EMULATOR = "emulator"
MAX_LINES, SHOWN_FILES, IMPORT_RUNS = 300, 10, 9
TEXT = """Read from the source. Every import counts, also in a function or for types only; `from package import name`
imports the module that the name is from. A package's own `__init__.py` that defines nothing is part of no circle.
A chain goes from a module to one that it imports, and so on; a circle is one link of it. Packages are the folders and
modules directly in the package, or in the emulator.

Shared names: functions and classes at the top of a module, private ones too, whose name another module gives to one
of its own; `main` and Python's own names do not count, names that are imported are not defined. One-word names:
functions and methods whose name has no underscore but at its ends."""
PATCH_TEXT = """The second `hook.patch_event` of a process, traced while the emulator runs in another process. Only
frames of the package count; the innermost says which module the call is in. A change is counted whenever a call, a
return, a generator that goes on or one that yields leads to another module."""
IMPORT_TEXT = """Added to a process that has parsed a DAG with Airflow alone, each in processes forked from there;
medians of {runs}."""


class Part(NamedTuple):
    """Some modules of the package, which are in a folder of it or, if it is empty, directly in it."""

    package: Package
    names: set[str]
    folder: str = ""

    @property
    def inner(self) -> set[str]:
        """The modules without the folder's own ``__init__.py``."""
        return self.names - {self.folder}

    def place(self, name: str) -> str:
        """Return the folder or module, directly in this one's folder, that a module is in or is."""
        return name.removeprefix(f"{self.folder}.").split(".", 1)[0]


def main(arguments: list[str]) -> int:
    """Print the figures, or the names."""
    if arguments not in ([], ["names"]):
        sys.stderr.write("usage: python -m benchmarks.structure [names]\n")
        return 2
    package = Package(ROOT)
    if arguments:
        print("\n".join(listed_names(package)))
    else:
        print(*(str(section) for section in (source_section(package), patch_section(), import_section())), sep="\n\n")
    return 0


def listed_names(package: Package) -> Iterator[str]:
    """List the names of each module, those of modules in full and those of classes as far as they are public."""
    for module in package.modules.values():
        for one in dict.fromkeys(module.definitions()):
            if "." not in one.name or not one.last.startswith("_"):
                yield f"{one.module or '__init__'}\t{one.kind}\t{one.name}"


def source_section(package: Package) -> Section:
    """Measure what the source shows."""
    everything = set(package.modules)
    emulator = {name for name in everything if name.split(".", 1)[0] == EMULATOR}
    parts = {
        "whole": Part(package, everything),
        "without the emulator": Part(package, everything - emulator),
        "emulator": Part(package, emulator, EMULATOR),
    }
    columns = [figures(part) for part in parts.values()]
    tables = [
        Table(("", *parts), [(name, *(column[name] for column in columns)) for name in columns[0]]),
        Table(("longest files", "lines"), longest_files(package)),
        Table(("longest chains", "links", "from the top down"), list(chain_rows(parts))),
        Table(("circle of", "files"), [(len(nodes), ", ".join(nodes)) for nodes in circles(package.graph)]),
        Table(("shared name", "modules"), list(shared_rows(parts["whole"]))),
    ]
    return Section("Structure", TEXT, tables)


def figures(part: Part) -> dict[str, object]:
    """Count what there is of each kind."""
    graph = limited(part.package.graph, part.names)
    top, shared = top_definitions(part), shared_names(part)
    functions = named_functions(part)
    sharing = sum(map(len, shared.values()))
    return {
        "files": len(part.names),
        "modules directly in it": len(root_modules(part)),
        f"files over {MAX_LINES} lines": sum(part.package.modules[name].lines > MAX_LINES for name in part.names),
        "links of the longest chain between packages": len(longest_chain(package_graph(part))),
        "links of the longest chain between files": len(longest_chain(graph)),
        "files in circles": sum(map(len, circles(graph))),
        "packages in circles": sum(map(len, circles(package_graph(part)))),
        "functions and classes of modules": len(top),
        "of them, with a name of another module's": f"{sharing} ({share(sharing, len(top))})",
        "names of that kind": len(shared),
        "functions and methods": len(functions),
        "of them, with a name of one word": share(sum(map(is_one_word, functions)), len(functions)),
    }


def root_modules(part: Part) -> list[str]:
    """Return the modules that are directly in the folder, without private ones and ``__init__.py``."""
    places = {part.package.modules[name].path for name in part.names}
    folder = part.package.root / part.folder
    return sorted(path.stem for path in places if path.parent == folder and not path.stem.startswith("_"))


def longest_files(package: Package) -> list[tuple[str, int]]:
    """Return the longest files, and every file that is too long."""
    sizes = sorted(((module.lines, name) for name, module in package.modules.items()), reverse=True)
    return [(name, lines) for at, (lines, name) in enumerate(sizes) if at < SHOWN_FILES or lines > MAX_LINES]


def package_graph(part: Part) -> dict[str, set[str]]:
    """Return which folders and modules of the part's folder import which."""
    return grouped(limited(part.package.graph, part.inner), part.place)


def chain_rows(parts: Mapping[str, Part]) -> Iterator[tuple[str, int, str]]:
    """Write out the longest chains."""
    for name, part in parts.items():
        graphs = {"packages": package_graph(part), "files": limited(part.package.graph, part.names)}
        for kind, graph in graphs.items():
            chain = longest_chain(graph)
            links = (nodes[0] if len(nodes) == 1 else f"(circle of {len(nodes)})" for nodes in chain)
            yield f"{name}: {kind}", len(chain), " → ".join(links)


def top_definitions(part: Part) -> set[tuple[str, str]]:
    """Return the names of functions and classes at the top of modules, each with its module."""
    found = (one for one in definitions(part) if one.kind in ("function", "class") and "." not in one.name)
    return {(one.name, one.module) for one in found if one.name != "main" and not is_dunder(one.name)}


def shared_names(part: Part) -> dict[str, list[str]]:
    """Return the names that several modules give to functions or classes of their own, with these modules."""
    by_name = groupby(sorted(top_definitions(part)), key=lambda pair: pair[0])
    modules = {name: [module for _, module in pairs] for name, pairs in by_name}
    return {name: found for name, found in modules.items() if len(found) > 1}


def shared_rows(part: Part) -> Iterator[tuple[str, str]]:
    """Write out the shared names, those of the most modules first."""
    for name, modules in sorted(shared_names(part).items(), key=lambda pair: -len(pair[1])):
        yield name, ", ".join(modules)


def named_functions(part: Part) -> list[str]:
    """Return the names of all functions and methods but Python's own."""
    found = (one.last for one in definitions(part) if one.kind in ("function", "method"))
    return [name for name in found if not is_dunder(name)]


def definitions(part: Part) -> Iterable[Definition]:
    """Find what the modules define."""
    return (one for name in sorted(part.names) for one in part.package.modules[name].definitions())


def is_one_word(name: str) -> bool:
    """Tell whether a name has no underscore but at its ends."""
    return "_" not in name.strip("_")


def share(some: int, of: int) -> str:
    """Write a part as percent."""
    return f"{some / of:.1%}" if of else "0%"


def patch_section() -> Section:
    """Trace one patch, in a process of its own."""
    from benchmarks.emulated import alone, dingtalk

    with dingtalk() as service:
        service.connect()
        traced = alone("tracing:trace_patch")
    calls = sorted(traced["calls"].items(), key=lambda pair: -pair[1])
    totals = [
        ("modules visited", len(calls)),
        ("packages visited", len({name.split(".", 1)[0] for name, _ in calls})),
        ("calls", sum(count for _, count in calls)),
        ("changes of module", traced["changes"]),
    ]
    return Section("One patch", PATCH_TEXT, [Table(("", "number"), totals), Table(("module", "calls"), calls)])


def import_section() -> Section:
    """Measure what importing the operators takes, as :mod:`benchmarks.importing` does."""
    from airflow_dingtalk_calendar.get_provider_info import get_provider_info
    from benchmarks.emulated import alone
    from benchmarks.importing import BASH, STATEMENTS

    modules = [name for entry in get_provider_info()["operators"] for name in entry["python-modules"]]
    statements = {
        "operators.event": f"import {ROOT.name}.operators.event",
        "all operators": f"import {', '.join(modules)}",
        BASH: STATEMENTS[BASH],
    }
    runs = alone("importing:rounds", IMPORT_RUNS, statements)
    middle = {name: [float(median(run[name][i] for run in runs)) for i in range(3)] for name in statements}
    rows = [(name, ms, int(count), mb) for name, (ms, count, mb) in middle.items()]
    table = Table(("import", "ms", "modules", "MB"), rows)
    return Section("Importing the operators", IMPORT_TEXT.format(runs=IMPORT_RUNS), [table])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
