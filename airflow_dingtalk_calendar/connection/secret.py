"""Keeping secrets out of what is shown: out of representations, and out of the variables of tracebacks.

Some error trackers, and Python itself when it is asked to, show the local variables of each frame of a traceback.
So a secret is a :class:`Secret` wherever a frame of ours holds it; and where another library takes it apart into
plain text, the frames of that library are cut off with :class:`hide_frames`.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any


class Secret(str):
    """A secret: text like any other, but hidden where objects are shown, as in tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"

    def strip(self, chars: str | None = None, /) -> Secret:
        """Strip it; what is left is a secret, too."""
        return Secret(super().strip(chars))


def hide_strings(value: Any) -> Any:
    """Copy a JSON value; each text in it that is not a key is a secret in the copy."""
    if isinstance(value, dict):
        return {key: hide_strings(member) for key, member in value.items()}
    if isinstance(value, list):
        return [hide_strings(member) for member in value]
    return Secret(value) if isinstance(value, str) else value


class hide_frames:  # noqa: N801  # a context manager, like contextlib's
    """Cut the frames within the block off every exception that leaves it, and off what caused that exception.

    Types and messages stay. The tracebacks end at the ``with`` statement, for below it another library holds secrets
    in variables of its own.
    """

    def __enter__(self) -> None:
        self._handled = sys.exc_info()[1]  # what the caller is handling already has nothing to do with the block

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        seen = {id(self._handled)}
        left: list[BaseException | None] = [error]
        while left:
            one = left.pop()
            if one is not None and id(one) not in seen:
                seen.add(id(one))
                one.__traceback__ = None
                left += [one.__cause__, one.__context__]
