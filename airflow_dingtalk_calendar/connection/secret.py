"""Text that does not show itself."""

from __future__ import annotations


class Secret(str):
    """A secret: text like any other, but hidden where objects are shown, as in tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
