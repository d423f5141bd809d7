"""Fault rules: which requests are hit, and by what.

A rule is ``action`` (``"*"`` for any request; a name for requests that the gateway lets through to that action, so none
that it refuses for want of a valid token), ``skip`` (so many matching requests pass first), ``times`` (so many are hit
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

from ..settings import unknown_name_message


@dataclass(frozen=True)
class FaultKind:
    """What can be said of one kind of fault.

    :param parameters: default per parameter; a value given must be of the default's type.
    :param open_ended: whether further parameters are welcome, as members of the error body.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    open_ended: bool = False


_ERROR_PARAMETERS = {"status": 500, "code": "internalError", "message": "Internal error", "headers": {}}
_HTML_PARAMETERS = {"status": 503, "body": "<html><body><h1>503 Service Unavailable</h1></body></html>"}

FAULT_KINDS: dict[str, FaultKind] = {
    "error": FaultKind(_ERROR_PARAMETERS, open_ended=True),
    "applied_error": FaultKind(_ERROR_PARAMETERS, open_ended=True),
    "html": FaultKind(_HTML_PARAMETERS),
    "body": FaultKind({"status": 200, "body": "", "headers": {}}),
    "redirect": FaultKind({"status": 302, "location": "/elsewhere"}),
    "processing": FaultKind(),
    "expire_tokens": FaultKind(),
    "hang": FaultKind({"seconds": 3600.0}),
    "apply_then_hang": FaultKind({"seconds": 3600.0}),
    "reset": FaultKind(),
    "apply_then_reset": FaultKind(),
    "close": FaultKind(),
    "truncated": FaultKind(),
    "raw": FaultKind({"text": "", "base64": ""}),
    "drip": FaultKind({"interval": 0.01}),
}


@dataclass
class FaultRule:
    """A fault rule and how much of it is left."""

    kind: str
    action: str
    skip: int
    times: int | None
    parameters: dict[str, Any]

    def count_hit(self, action: str, admitted: bool) -> bool:
        """Tell whether a request is hit, and count it."""
        if not (self.action == "*" or (self.action == action and admitted)) or self.times == 0:
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
class FaultRules:
    """The rules in force."""

    rules: list[FaultRule] = field(default_factory=list)

    def add_rules(self, actions: Mapping[str, Any], *rules: Mapping[str, Any]) -> None:
        """Add rules.

        :param actions: the actions there are.
        :raises ValueError: for a rule that could never do anything, naming what is wrong; then none is added.
        """
        self.rules += [_build_fault_rule(actions, **rule) for rule in rules]

    def match_rule(self, action: str, admitted: bool) -> FaultRule | None:
        """Return the rule that hits this request, if any.

        :param admitted: whether the gateway lets the request through to its action.
        """
        return next((rule for rule in self.rules if rule.count_hit(action, admitted)), None)


def _build_fault_rule(
    actions: Mapping[str, Any],
    /,
    *,
    kind: str = "",
    action: str = "*",
    skip: int = 0,
    times: int | None = 1,
    **parameters: Any,
) -> FaultRule:
    if kind not in list(FAULT_KINDS):
        raise ValueError(unknown_name_message(str(kind), FAULT_KINDS, "kind of fault"))
    if action not in ["*", *actions]:
        raise ValueError(unknown_name_message(str(action), actions, "action"))
    for name, value in (("skip", skip), ("times", 0 if times is None else times)):
        if not isinstance(value, int) or value < 0:
            raise ValueError(f"{name} is a number from 0 up, not {value!r}")
    return FaultRule(kind, action, skip, times, _check_parameters(kind, parameters))


def _check_parameters(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    known = FAULT_KINDS[kind].parameters
    for name, value in given.items():
        if name not in known and not FAULT_KINDS[kind].open_ended:
            raise ValueError(unknown_name_message(name, known, f"parameter of {kind}"))
        if name in _PARAMETER_CHECKS and not _PARAMETER_CHECKS[name](value):
            raise ValueError(f"{name} cannot be {value!r}")
    return {**known, **given}


def _is_http_status(value: Any) -> bool:
    return isinstance(value, int) and 200 <= value <= 599


def _is_duration(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < 10**6


def _is_string(value: Any) -> bool:
    return isinstance(value, str)


def _is_header_text(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable()


def _is_header_map(value: Any) -> bool:
    # A wrong length is what "truncated" and "raw" are for; h11 refuses to write one.
    return (
        isinstance(value, dict)
        and all(_is_header_text(part) for pair in value.items() for part in pair)
        and not {"content-length", "transfer-encoding"} & {name.lower() for name in value}
    )


def _is_base64_text(value: Any) -> bool:
    try:
        return isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except (binascii.Error, ValueError):
        return False


_PARAMETER_CHECKS: dict[str, Callable[[Any], bool]] = {
    "status": _is_http_status,
    "seconds": _is_duration,
    "interval": _is_duration,
    "headers": _is_header_map,
    "location": _is_header_text,
    "code": _is_string,
    "message": _is_string,
    "text": _is_string,
    "base64": _is_base64_text,
}
