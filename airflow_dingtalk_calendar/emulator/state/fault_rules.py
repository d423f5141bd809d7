"""Fault rules: which requests are hit, and by what.

A rule is ``action`` (``"*"`` for any), ``skip`` (so many matching requests pass first), ``times`` (so many are hit
then, ``None`` for ever), ``kind``, and the parameters of its kind. Rules are asked in the order they were added, and a
request hit by one is not seen by those after it.

A kind named ``apply...`` or ``applied...``, ``truncated`` and ``drip`` carry the request out for real, so the ledger
tells the truth.

=====================  ==========================================================================================
``error``              answers ``status``, ``code``, ``message``, ``headers``, and any further member given, instead
``applied_error``      the same after carrying it out
``html``               answers ``status`` and ``body`` as an HTML page, as the edge does for a banned address
``body``               answers ``status``, ``headers`` and ``body``: JSON, or a string as it is
``redirect``           answers ``status`` (302) to ``location``
``processing``         answers that a request with this client token is still being processed
``expire_tokens``      all tokens issued so far expire, then the request is treated as any other
``hang``               waits ``seconds``, then carries it out; the client token is not taken meanwhile
``apply_then_hang``    the other way round
``reset``              resets the connection (TCP RST) before anything is done
``apply_then_reset``   and after everything is done
``close``              closes the connection properly, without an answer
``truncated``          sends half of the answer it announced, then closes
``raw``                writes ``text``, or the bytes in ``base64``, to the socket as they are, then closes
``drip``               sends the answer's body byte by byte, each after ``interval`` seconds
=====================  ==========================================================================================
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..settings import nearest


@dataclass(frozen=True)
class Kind:
    """What can be said of one kind of fault.

    :param parameters: default per parameter; a value given must be of the default's type.
    :param open: whether further parameters are welcome, as members of the error body.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    open: bool = False


_ERROR = {"status": 500, "code": "internalError", "message": "Internal error", "headers": {}}
_HTML = {"status": 503, "body": "<html><body><h1>503 Service Unavailable</h1></body></html>"}

KINDS: dict[str, Kind] = {
    "error": Kind(_ERROR, open=True),
    "applied_error": Kind(_ERROR, open=True),
    "html": Kind(_HTML),
    "body": Kind({"status": 200, "body": "", "headers": {}}),
    "redirect": Kind({"status": 302, "location": "/elsewhere"}),
    "processing": Kind(),
    "expire_tokens": Kind(),
    "hang": Kind({"seconds": 3600.0}),
    "apply_then_hang": Kind({"seconds": 3600.0}),
    "reset": Kind(),
    "apply_then_reset": Kind(),
    "close": Kind(),
    "truncated": Kind(),
    "raw": Kind({"text": "", "base64": ""}),
    "drip": Kind({"interval": 0.01}),
}


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
