"""A package as its source shows it: its modules, what they define, what they import. Nothing of it is imported.

A module is named by its dotted path within the package (``hooks.base``), the package's own ``__init__.py`` by an empty
name. Every import counts, also in a function or under ``TYPE_CHECKING``:

* ``from package import module`` and ``import package.module`` import the module;
* ``from package import name`` imports the module that the name is from, where ``package/__init__.py`` is a face;
* what a module imports from the face of a package that it is in is resolved in the same way, but the face as a whole is
  no import of it, so that a face is never part of a circle with its own modules only because it is their face.

A face is an ``__init__.py`` that defines no public name. It may import names, or resolve them lazily with
``__getattr__``; then a literal of the face says where they are: ``{"Name": "module"}``, where the value may be relative
to the package, start with a dot, be the absolute name, or be a tuple that begins with one of these.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


class Definition(NamedTuple):
    """A name that a module defines; ``name`` has the class before a dot if it is a member of one."""

    module: str
    kind: str
    name: str

    @property
    def last(self) -> str:
        """The name itself."""
        return self.name.rpartition(".")[2]


class Module:
    """A file."""

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self.text.splitlines())

    @cached_property
    def is_face(self) -> bool:
        """Whether it is an ``__init__.py`` that defines no public name."""
        return self.path.name == "__init__.py" and all(one.name.startswith("_") for one in self.definitions())

    def definitions(self) -> Iterator[Definition]:
        """Find the module-level names that it defines, and the members of its classes."""
        for node in statements(self.tree):
            yield from (Definition(self.name, kind, name) for kind, name in bound_names(node, "constant"))
            if isinstance(node, ast.ClassDef):
                for member in statements(node):
                    for kind, name in bound_names(member, "attribute"):
                        kind = "method" if kind == "function" else kind
                        yield Definition(self.name, kind, f"{node.name}.{name}")


class Package:
    """All modules of a folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, root.name
        found = (Module(path, self.module_name(path)) for path in sorted(root.rglob("*.py")))
        self.modules = {module.name: module for module in found}

    def module_name(self, path: Path) -> str:
        """Return the dotted name of a file within the package."""
        parts = path.relative_to(self.root).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def graph(self) -> dict[str, set[str]]:
        """Which modules of the package each module imports."""
        return {name: self._own_imports(module) for name, module in self.modules.items()}

    def foreign_imports(self, name: str, *, at_import: bool = False) -> set[str]:
        """Return the modules and names of other packages that a module imports.

        :param at_import: whether only what is imported with the module counts, and not what its functions import.
        """
        module = self.modules[name]
        nodes = statements(module.tree) if at_import else ast.walk(module.tree)
        targets = {target for one in imports(module, self.name, nodes) for target in one.targets}
        return {target for target in targets if self._inside(target) is None}

    def source_of(self, face: str, name: str) -> str | None:
        """Return the module that a face has a name from, if the face shows it."""
        module = self.modules[face]
        for one in imports(module, self.name):
            if name in one.names and (source := self._inside(one.base)) is not None:
                return self._resolve(source, name)
        return self._lazy_names(module).get(name)

    def _own_imports(self, module: Module) -> set[str]:
        found: set[str] = set(self._lazy_names(module).values())
        for one in imports(module, self.name):
            if (base := self._inside(one.base)) is not None:
                found |= {self._resolve(base, name) for name in one.names} if one.names else {base}
        around = {face for face in enclosing(module.name) if self._has_face(face)}
        return {name for name in found - around - {module.name} if name in self.modules}

    def _resolve(self, base: str, name: str) -> str:
        """Return the module that ``from base import name`` imports."""
        if (submodule := f"{base}.{name}".strip(".")) in self.modules:
            return submodule
        return (self.source_of(base, name) if self._has_face(base) else None) or base

    def _has_face(self, name: str) -> bool:
        return name in self.modules and self.modules[name].is_face

    def _inside(self, name: str) -> str | None:
        """Return the name of a module within the package; None for one of another package."""
        return name.removeprefix(self.name).removeprefix(".") if f"{name}.".startswith(f"{self.name}.") else None

    def _lazy_names(self, module: Module) -> dict[str, str]:
        """Read the literals of a face that say where the names are that it resolves lazily."""
        if not module.is_face:
            return {}
        pairs = (
            (key.value, self._submodule(module.name, value))
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Dict)
            for key, value in zip(node.keys, node.values, strict=True)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
        )
        return {name: found for name, found in pairs if found}

    def _submodule(self, face: str, value: ast.expr) -> str | None:
        """Return the module that a value of such a literal names."""
        if isinstance(value, ast.Tuple) and value.elts:
            value = value.elts[0]
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str)):
            return None
        given = value.value
        inside = self._inside(given) if self._inside(given) is not None else f"{face}.{given.strip('.')}".strip(".")
        return inside if inside in self.modules else None


class Import(NamedTuple):
    """One ``import``: of a module, or of names from it."""

    base: str
    names: tuple[str, ...] = ()

    @property
    def targets(self) -> set[str]:
        """All that it may import: the module, and what has a name in it."""
        return {self.base, *(f"{self.base}.{name}" for name in self.names)}


def imports(module: Module, package: str, nodes: Iterable[ast.AST] | None = None) -> Iterator[Import]:
    """Find the imports of a file, or those among some of its nodes, with relative names made absolute."""
    for node in ast.walk(module.tree) if nodes is None else nodes:
        if isinstance(node, ast.Import):
            yield from (Import(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = [*_parents(module, package, node.level), *filter(None, [node.module])]
            yield Import(".".join(base), tuple(alias.name for alias in node.names))


def _parents(module: Module, package: str, level: int) -> list[str]:
    """Return the package that the dots of a relative import mean."""
    if not level:
        return []
    parts = f"{package}.{module.name}".strip(".").split(".")
    up = level - (module.path.name == "__init__.py")
    return parts[: len(parts) - up]


def enclosing(name: str) -> list[str]:
    """Return the packages that a module is in, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts))]


def statements(node: ast.Module | ast.ClassDef | ast.If | ast.Try | ast.With) -> Iterator[ast.stmt]:
    """Find the statements of a module or class, also those that stand under a condition."""
    blocks = (getattr(node, name, []) for name in ("body", "orelse", "finalbody"))
    handlers = (handler.body for handler in getattr(node, "handlers", []))
    for statement in (one for block in (*blocks, *handlers) for one in block):
        if isinstance(statement, ast.If | ast.Try | ast.With):
            yield from statements(statement)
        else:
            yield statement


def bound_names(node: ast.stmt, kind: str) -> Iterator[tuple[str, str]]:
    """Find the kinds and names that a statement defines; an assignment is of the given kind, an import defines none."""
    if isinstance(node, DEFINITIONS):
        yield ("class" if isinstance(node, ast.ClassDef) else "function"), node.name
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = (one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
        yield from ((kind, name) for name in names if not is_dunder(name))


def is_dunder(name: str) -> bool:
    """Tell whether a name is Python's."""
    return name.startswith("__") and name.endswith("__")
