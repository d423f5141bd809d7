"""Fault rules: which requests are hit, and by what.

A rule is ``action`` (``"*"`` for any), ``skip`` (so many matching requests pass first), ``times`` (so many are hit
then, ``None`` for ever), ``kind``, and the parameters of its kind, which :mod:`~..web.fault_actions` lists. Rules are
asked in the order they were added, and a request hit by one is not seen by those after it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..settings import nearest
from ..web.fault_actions import KINDS


@dataclass
class Rule:
    """A fault rule and how much of it is left."""

    kind: str
    action: str
    skip: int
    times: int | None
    parameters: dict[str, Any]

    def hits(self, action: str) -> bool:
        """Tell whether a request is hit, and count it."""
        if self.action not in ("*", action) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """Return the rule with the counts that remain."""
        return {"kind": self.kind, "action": self.action, "skip": self.skip, "times": self.times, **self.parameters}


@dataclass
class Faults:
    """The rules in force."""

    rules: list[Rule] = field(default_factory=list)

    def add(self, actions: Mapping[str, Any], *rules: Mapping[str, Any]) -> None:
        """Add rules.

        :param actions: the actions there are.
        :raises ValueError: for a rule that could never do anything, naming what is wrong; then none is added.
        """
        self.rules += [_rule(actions, **rule) for rule in rules]

    def next(self, action: str) -> Rule | None:
        """Return the rule that hits this request, if any."""
        return next((rule for rule in self.rules if rule.hits(action)), None)


def _rule(
    actions: Mapping[str, Any],
    /,
    *,
    kind: str = "",
    action: str = "*",
    skip: int = 0,
    times: int | None = 1,
    **parameters: Any,
) -> Rule:
    if kind not in list(KINDS):
        raise ValueError(nearest(str(kind), KINDS, "kind of fault"))
    if action not in ["*", *actions]:
        raise ValueError(nearest(str(action), actions, "action"))
    for name, value in (("skip", skip), ("times", 0 if times is None else times)):
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} is a number from 0 up, not {value!r}")
    return Rule(kind, action, skip, times, _checked(kind, parameters))


def _checked(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    known = KINDS[kind].parameters
    for name, value in given.items():
        if name not in known and not KINDS[kind].open:
            raise ValueError(nearest(name, known, f"parameter of {kind}"))
        if name in _VALID and not _VALID[name](value):
            raise ValueError(f"{name} cannot be {value!r}")
    return {**known, **given}


def _is_status(value: Any) -> bool:
    return isinstance(value, int) and 200 <= value <= 599


def _is_seconds(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 10**6


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_header(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _are_headers(value: Any) -> bool:
    # A wrong length is what "truncated" and "raw" are for; h11 refuses to write one.
    return (
        isinstance(value, dict)
        and all(_is_header(part) for pair in value.items() for part in pair)
        and not {"content-length", "transfer-encoding"} & {name.lower() for name in value}
    )


def _is_base64(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


_VALID: dict[str, Callable[[Any], bool]] = {
    "status": _is_status,
    "seconds": _is_seconds,
    "interval": _is_seconds,
    "headers": _are_headers,
    "location": _is_header,
    "code": _is_text,
    "message": _is_text,
    "text": _is_text,
    "base64": _is_base64,
}
