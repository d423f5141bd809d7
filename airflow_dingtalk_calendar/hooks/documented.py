"""What an endpoint takes, returns and costs is documented once, where its call is made."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import TypeVar

Methods = TypeVar("Methods", bound=type)


def document_methods(*sources: ModuleType) -> Callable[[Methods], Methods]:
    """Give each method the docstring of the function that makes its call.

    :param sources: modules with those functions; ``get_event`` or ``get_event_call`` is that of ``get_event`` and of
        its twin for coroutines, ``aget_event``.
    """

    def document(methods: Methods) -> Methods:
        for name, method in vars(methods).items():
            if isinstance(method, FunctionType) and not name.startswith("_"):
                method.__doc__ = _find_call(name, sources).__doc__
        return methods

    return document


def _find_call(name: str, sources: tuple[ModuleType, ...]) -> FunctionType:
    names = (name, f"{name}_call", name.removeprefix("a"), f"{name.removeprefix('a')}_call")
    found = (getattr(source, one, None) for source in sources for one in names)
    return next(one for one in found if isinstance(one, FunctionType))
