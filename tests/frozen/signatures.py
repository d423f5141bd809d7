"""Public import paths, signatures, methods and class attributes, and what the commands print as help."""

from __future__ import annotations

import builtins
import datetime as dt
import inspect
import io
import re
import runpy
import sys
import warnings
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from typing import Any

import pytest

from tests.frozen.names import COMMANDS, PACKAGE, all_names, modules_of, public

# Names in annotations that mean the same wherever they stand; an annotation with any other is left out.
_KNOWN = {
    *dir(builtins),
    *("Any", "Callable", "Collection", "Iterable", "Iterator", "Literal", "Mapping", "Self", "Sequence"),
    *("dt.date", "dt.datetime", "dt.time", "dt.timedelta", "re.Pattern"),
    *all_names(),
}
_KINDS = {"POSITIONAL_ONLY": ", positional only", "KEYWORD_ONLY": ", keyword only"}
_STARS = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
_PLAIN = (str, int, float, bool, tuple, list, dict, dt.timedelta, type(None))


def collect() -> dict[str, Any]:
    """Describe each public name and command."""
    named = {name: {"modules": modules_of(name), **_described(public(name))} for name in all_names()}
    return {"names": named, "commands": {f"python -m {PACKAGE}.{name}": _help(name) for name in COMMANDS}}


def _described(thing: Any) -> dict[str, Any]:
    if inspect.isclass(thing):
        return _class(thing)
    return {"parameters": _parameters(thing)} if callable(thing) else {"type": type(thing).__name__}


def _class(kind: type) -> dict[str, Any]:
    bases = [base.__name__ for base in kind.__mro__ if base in (kind, *kind.__bases__)][1:]
    shown = {"bases": bases} if issubclass(kind, (Exception, tuple)) else {}
    fields = {"fields": _fields(kind)} if hasattr(kind, "model_fields") else {"init": _parameters(kind.__init__)}
    return {**shown, **fields, "attributes": _attributes(kind), "methods": _methods(kind)}


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """Return the public members that are of this package and not of what it builds on."""
    ours = [one for one in kind.__mro__ if one.__module__.startswith(PACKAGE)]
    names = {name for one in ours for name in vars(one) if not name.startswith(("_", "model_"))}
    return ((name, inspect.getattr_static(kind, name)) for name in sorted(names))


def _attributes(kind: type) -> dict[str, str]:
    return {name: repr(value) for name, value in _members(kind) if isinstance(value, _PLAIN)}


def _methods(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in _members(kind):
        if isinstance(member, property):
            found[name] = "property, writable" if member.fset else "property"
        elif isinstance(member, (classmethod, staticmethod)):
            found[name] = [type(member).__name__, *_parameters(member.__func__)]
        elif inspect.isfunction(member):
            found[name] = [*_manner(member), *_parameters(member)]
    return found


def _manner(function: Any) -> list[str]:
    """Say what a call of a function gives, if not a value."""
    if inspect.iscoroutinefunction(function):
        return ["coroutine"]
    return ["asynchronous generator"] if inspect.isasyncgenfunction(function) else []


def _fields(kind: Any) -> list[str]:
    return [
        f"{name}, {field.alias}{', required' if field.is_required() else ''}"
        for name, field in kind.model_fields.items()
    ]


def _parameters(function: Any) -> list[str]:
    return [_parameter(one) for one in inspect.signature(function).parameters.values()]


def _parameter(one: inspect.Parameter) -> str:
    kind, text = one.kind.name, _annotation(one.annotation)
    default = "" if one.default is inspect.Parameter.empty else f" = {one.default!r}"
    return f"{_STARS.get(kind, '')}{one.name}{f': {text}' if text else ''}{default}{_KINDS.get(kind, '')}"


def _annotation(given: Any) -> str:
    """Return an annotation as it is written, if it names nothing that is internal."""
    text = given if isinstance(given, str) else "" if given is inspect.Parameter.empty else given.__name__
    names = re.findall(r"[A-Za-z_][\w.]*", re.sub(r"(['\"]).*?\1", "", text))
    return text if set(names) <= _KNOWN else ""


def _help(name: str) -> str:
    """Return what a command says to ``--help``, without its line breaks: they depend on Python and the terminal."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(said), suppress(SystemExit), warnings.catch_warnings():
        patch.setattr(sys, "argv", [name, "--help"])
        patch.setenv("COLUMNS", "100")
        warnings.simplefilter("ignore")  # a test may have imported the module before
        runpy.run_module(f"{PACKAGE}.{name}", run_name="__main__", alter_sys=True)
    return " ".join(said.getvalue().split())
