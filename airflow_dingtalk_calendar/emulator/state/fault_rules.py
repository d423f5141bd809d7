"""Fault rules: which requests and pushes are hit, and by what.

A rule is ``action`` (``"*"`` for any request; a name for requests that the gateway lets through to that action, so none
that it refuses for want of a valid token), ``skip`` (so many matching requests pass first), ``times`` (so many are hit
then, ``None`` for all), ``kind``, and the parameters of its kind. Rules are asked in the order they were added, and a
request hit by one is not seen by those after it.

Two actions are of Stream mode: ``StreamConnect``, a WebSocket that is opened with a good ticket, and ``StreamPush``, an
event on its way to a connection. They have to be named, because ``"*"`` is about requests; only the last three kinds,
which are of pushes alone, mean them by ``"*"``, too. Their seconds are those of the emulator's clock.

A kind named ``apply...`` or ``applied...``, ``other_id``, ``truncated`` and ``drip`` apply the request for real,
so the ledger is accurate.

=====================  ==========================================================================================
``error``              answers ``status``, ``code``, ``message``, ``headers``, and any further member given, instead
``applied_error``      the same after applying the request
``html``               answers ``status`` and ``body`` as an HTML page, as the edge does for a banned address
``body``               answers ``status``, ``headers`` and ``body``: JSON, or a string as it is
``applied_body``       the same after applying the request
``other_id``           applies it, and answers ``id`` in place of the event's own, as the page's sample seems to
``redirect``           answers ``status`` (302) to ``location``
``processing``         answers that a request with this client token is still being processed
``expire_tokens``      all tokens issued so far expire, then the request is treated as any other
``hang``               waits ``seconds``, then applies it; the client token is not taken meanwhile
``apply_then_hang``    the other way round
``reset``              resets the connection (TCP RST) before anything is done
``apply_then_reset``   and after everything is done
``close``              closes the connection properly, without an answer
``truncated``          sends half of the answer it announced, then closes
``raw``                writes ``text``, or the bytes in ``base64``, to the socket as they are, then closes
``drip``               sends the answer's body byte by byte, each after ``interval`` seconds
``duplicate``          pushes the event twice, in the same frame
``out_of_order``       pushes the event after the next one on the same connection
``garbage``            pushes ``text`` in the place of the event
=====================  ==========================================================================================

With ``StreamConnect``, ``hang`` accepts the WebSocket after ``seconds`` only, ``close`` closes it at once after
accepting it, and ``reset`` resets the connection in the handshake. With ``StreamPush``, ``hang`` and ``drip`` are slow,
and whatever follows on that connection waits; ``close``, ``reset``, ``truncated`` (half a frame) and ``raw`` end the
connection and with it the push, which comes again in its time.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..settings import unknown_name_message

#: The actions of Stream mode that a fault can hit.
STREAM_ACTIONS = ("StreamConnect", "StreamPush")


@dataclass(frozen=True)
class FaultKind:
    """The properties of one kind of fault.

    :param parameters: default per parameter; a value given must be of the default's type.
    :param open_ended: whether further parameters are welcome, as members of the error body.
    :param on_requests: whether it can hit requests.
    :param on_stream: the actions of Stream mode that it can hit.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    open_ended: bool = False
    on_requests: bool = True
    on_stream: tuple[str, ...] = ()

    def can_hit(self, action: str) -> bool:
        """Return whether it can hit an action."""
        return action in self.on_stream if action in STREAM_ACTIONS else self.on_requests

    def hits_unnamed(self, action: str) -> bool:
        """Return whether a rule that names no action is about this one."""
        return self.can_hit(action) and (action in STREAM_ACTIONS) != self.on_requests


_PUSH = ("StreamPush",)
_ERROR_PARAMETERS = {"status": 500, "code": "internalError", "message": "Internal error", "headers": {}}
_BODY_PARAMETERS = {"status": 200, "body": "", "headers": {}}
_HTML_PARAMETERS = {"status": 503, "body": "<html><body><h1>503 Service Unavailable</h1></body></html>"}

FAULT_KINDS: dict[str, FaultKind] = {
    "error": FaultKind(_ERROR_PARAMETERS, open_ended=True),
    "applied_error": FaultKind(_ERROR_PARAMETERS, open_ended=True),
    "html": FaultKind(_HTML_PARAMETERS),
    "body": FaultKind(_BODY_PARAMETERS),
    "applied_body": FaultKind(_BODY_PARAMETERS),
    "other_id": FaultKind({"id": "another-event"}),
    "redirect": FaultKind({"status": 302, "location": "/elsewhere"}),
    "processing": FaultKind(),
    "expire_tokens": FaultKind(),
    "hang": FaultKind({"seconds": 3600.0}, on_stream=STREAM_ACTIONS),
    "apply_then_hang": FaultKind({"seconds": 3600.0}),
    "reset": FaultKind(on_stream=STREAM_ACTIONS),
    "apply_then_reset": FaultKind(),
    "close": FaultKind(on_stream=STREAM_ACTIONS),
    "truncated": FaultKind(on_stream=_PUSH),
    "raw": FaultKind({"text": "", "base64": ""}, on_stream=_PUSH),
    "drip": FaultKind({"interval": 0.01}, on_stream=_PUSH),
    "duplicate": FaultKind(on_requests=False, on_stream=_PUSH),
    "out_of_order": FaultKind(on_requests=False, on_stream=_PUSH),
    "garbage": FaultKind({"text": "not a frame"}, on_requests=False, on_stream=_PUSH),
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
        """Return whether a request is hit, and count it."""
        named = self.action == action and admitted
        if self.times == 0 or not (FAULT_KINDS[self.kind].hits_unnamed(action) if self.action == "*" else named):
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
    known = dict.fromkeys([*actions, *STREAM_ACTIONS])
    if action not in ["*", *known]:
        raise ValueError(unknown_name_message(str(action), known, "action"))
    if action != "*" and not FAULT_KINDS[kind].can_hit(action):
        raise ValueError(f"{kind} cannot hit {action}")
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
    "id": _is_string,
    "text": _is_string,
    "base64": _is_base64_text,
}
