"""Names of modules, files and objects in pages, docstrings and strings are those of something that is there."""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from importlib import import_module
from itertools import product
from pathlib import Path

import pytest

from benchmarks.source import Module, Package, is_dunder
from tests.markdown import FENCE

ROOT = Path(__file__).parent.parent.parent
NAME = "airflow_dingtalk_calendar"
PACKAGE = Package(ROOT / NAME)
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for folder in ("docs", "tests", "scripts", "benchmarks") for page in (ROOT / folder).rglob("*.md")),
    ]
)
SOURCES = sorted(
    path
    for folder in (NAME, "benchmarks", "dags_examples", "docs", "scripts", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
FILE = re.compile(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|md|sh|txt|toml|json|yaml)|(?:[\w.-]+/)+)`")
# A name in full, also one in a regular expression: with escaped dots, and with alternatives in brackets.
FULL_NAME = re.compile(rf"\b{NAME}((?:\.(?:\w+|\(\w+(?:\|\w+)*\)))+)")
ROLE = re.compile(r":(?:mod|func|class|meth|attr|data|exc):`[!~]?([\w.]+)`")
# Files that pages tell their readers to make.
OF_READERS = {"move_review.py"}


def path_of(path: Path) -> str:
    """Return the path of a file in the project."""
    return path.relative_to(ROOT).as_posix()


@cache
def all_files() -> frozenset[str]:
    """Return the names of the project's own files."""
    folders = (NAME, "benchmarks", "dags_examples", "docs", "scripts", "tests")
    return frozenset(path.name for folder in folders for path in (ROOT / folder).rglob("*.*"))


def is_there(name: str, page: Path) -> bool:
    """Return whether a file or folder is in the project, in the package or beside the page; a mere name, anywhere."""
    found = any((folder / name).exists() for folder in (ROOT, PACKAGE.root, page.parent))
    return found or ("/" not in name and name in all_files())


def full_names(text: str) -> set[str]:
    """Find the names of the package's modules and objects that a text has in full."""
    found = set()
    for dotted in FULL_NAME.findall(text.replace("\\.", ".")):
        parts = [part.strip("()").split("|") for part in dotted[1:].split(".")]
        found |= {".".join([NAME, *choice]) for choice in product(*parts)}
    return found


def exists(name: str) -> bool:
    """Return whether a module of the package or an object of one is there, by its full name."""
    package, *parts = name.split(".")
    prefixes = (".".join(parts[:count]) for count in range(len(parts), -1, -1))
    found = next(prefix for prefix in prefixes if prefix in PACKAGE.modules)
    rest = parts[found.count(".") + 1 if found else 0 :]
    return package == NAME and (not rest or defines(PACKAGE.modules[found], rest))


def defines(module: Module, parts: list[str]) -> bool:
    """Return whether a module has a name, and a class, if it is one, or a base of it, a member."""
    first, *rest = parts
    if is_dunder(first):
        return True
    return (first in names_in(module) or bool(PACKAGE.source_of(module.name, first))) and members() >= set(rest)


def names_in(module: Module) -> set[str]:
    """Return the names at the top of a module, and what it imports anywhere."""
    nodes = [node for node in ast.walk(module.tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    imported = {alias.asname or alias.name for node in nodes for alias in node.names}
    return imported | {one.name for one in module.definitions() if "." not in one.name}


def members_in(module: Module) -> set[str]:
    """Return the members that the classes of a module have, or give their instances."""
    nodes = (node for node in ast.walk(module.tree) if isinstance(node, ast.Attribute))
    return {node.attr for node in nodes if isinstance(node.ctx, ast.Store)} | {
        one.last for one in module.definitions() if "." in one.name
    }


@cache
def members() -> frozenset[str]:
    """Return the members of all classes of the package: a class may have its own from any that it inherits."""
    return frozenset(name for module in PACKAGE.modules.values() for name in members_in(module))


def is_known(target: str, path: Path) -> bool:
    """Return whether what a role names is there: in full, from a package that the file is in, or in the file itself."""
    if target.startswith("."):
        folders = [folder for folder in path.parents if folder.is_relative_to(PACKAGE.root)]
        return any(exists(f"{path_of(folder).replace('/', '.')}{target}") for folder in folders)
    if exists(target) or is_elsewhere(target):
        return True
    module, (first, *rest) = Module(path, path.stem), target.split(".")
    known = members_in(module) | (members() if PACKAGE.root in path.parents else set())
    return (first in names_in(module) and known >= set(rest)) or target in known


def is_elsewhere(target: str) -> bool:
    """Return whether a full name is that of something of the tests, the benchmarks or Python."""
    module, _, name = target.rpartition(".")
    if (ROOT / f"{target.replace('.', '/')}.py").exists():
        return True
    if (file := ROOT / f"{module.replace('.', '/')}.py").exists():
        return name in names_in(Module(file, module))
    return module.split(".")[0] in sys.stdlib_module_names and hasattr(import_module(module), name)


@pytest.mark.parametrize("page", PAGES, ids=path_of)
def test_files_that_pages_name_are_there(page: Path) -> None:
    """A page names no module, folder or other file that was moved or removed."""
    named = set(FILE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))) - OF_READERS
    assert sorted(name for name in named if not is_there(name, page)) == []


@pytest.mark.parametrize("path", [*PAGES, *SOURCES], ids=path_of)
def test_full_names_are_there(path: Path) -> None:
    """A module or object whose full name is written anywhere, as in a logger's name, is there."""
    assert sorted(name for name in full_names(path.read_text(encoding="utf-8")) if not exists(name)) == []


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if ROLE.search(path.read_text(encoding="utf-8"))], ids=path_of
)
def test_references_of_docstrings_are_there(path: Path) -> None:
    """What a docstring refers to is there."""
    assert sorted(name for name in ROLE.findall(path.read_text(encoding="utf-8")) if not is_known(name, path)) == []


def test_dead_names_are_noticed() -> None:
    """The checks above distinguish what is there from what is not."""
    page = ROOT / "docs" / "architecture.md"
    assert is_there("emulator/settings.py", page)
    assert not is_there("emulator/nothing.py", page)
    assert full_names(rf'r"{NAME}\.(api|nothing)\.call"') == {f"{NAME}.api.call", f"{NAME}.nothing.call"}
    assert exists(f"{NAME}.exceptions.DingTalkError")
    assert not exists(f"{NAME}.exceptions.NoError")
    assert not exists(f"{NAME}.nothing")
    assert is_known("~.settings.EmulatorSettings".lstrip("~"), PACKAGE.root / "emulator" / "server.py")
    assert not is_known(".settings.Nothing", PACKAGE.root / "emulator" / "server.py")
    assert not is_known("nothing_of_the_kind", page.parent / "conf.py")
