"""What can happen to a request instead of an answer, one function and one row of the table for each kind.

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
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Answer, Problem, Refusal

if TYPE_CHECKING:
    from .app import Exchange


Act = Callable[["Exchange", Mapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Kind:
    """What one kind of fault does, and its parameters with their defaults.

    :param act: what it does to an exchange.
    :param parameters: default per parameter; a value given must be of the default's type.
    :param open: whether further parameters are welcome, as members of the error body.
    """

    act: Act
    parameters: dict[str, Any] = field(default_factory=dict)
    open: bool = False


def _error_answer(exchange: Exchange, given: Mapping[str, Any]) -> Answer:
    body = {name: value for name, value in given.items() if name not in ("status", "headers")}
    return Answer(given["status"], {"requestid": exchange.request_id, **body}, given["headers"])


async def _error(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(_error_answer(exchange, given))


async def _applied_error(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.execute()
    await exchange.send(_error_answer(exchange, given))


async def _html(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(Answer(given["status"], str(given["body"]), {"content-type": "text/html; charset=utf-8"}))


async def _body(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(Answer(given["status"], given["body"], given["headers"]))


async def _redirect(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(Answer(given["status"], "", {"location": given["location"]}))


async def _processing(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(Problem(Refusal.PROCESSING).answer(exchange.request_id))


async def _expire_tokens(exchange: Exchange, given: Mapping[str, Any]) -> None:
    exchange.store.expire_tokens()
    await exchange.send(await exchange.execute())


async def _hang(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.pause(given["seconds"])
    await exchange.send(await exchange.execute())


async def _apply_then_hang(exchange: Exchange, given: Mapping[str, Any]) -> None:
    answer = await exchange.execute()
    await exchange.pause(given["seconds"])
    await exchange.send(answer)


async def _reset(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.abort()


async def _apply_then_reset(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.execute()
    await exchange.abort()


async def _close(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.write(b"")


async def _truncated(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(await exchange.execute(), share=0.5)


async def _raw(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.write(base64.b64decode(given["base64"]) or given["text"].encode())


async def _drip(exchange: Exchange, given: Mapping[str, Any]) -> None:
    await exchange.send(await exchange.execute(), interval=given["interval"])


_ERROR = {"status": 500, "code": "internalError", "message": "Internal error", "headers": {}}
_HTML = {"status": 503, "body": "<html><body><h1>503 Service Unavailable</h1></body></html>"}

KINDS: dict[str, Kind] = {
    "error": Kind(_error, _ERROR, open=True),
    "applied_error": Kind(_applied_error, _ERROR, open=True),
    "html": Kind(_html, _HTML),
    "body": Kind(_body, {"status": 200, "body": "", "headers": {}}),
    "redirect": Kind(_redirect, {"status": 302, "location": "/elsewhere"}),
    "processing": Kind(_processing),
    "expire_tokens": Kind(_expire_tokens),
    "hang": Kind(_hang, {"seconds": 3600.0}),
    "apply_then_hang": Kind(_apply_then_hang, {"seconds": 3600.0}),
    "reset": Kind(_reset),
    "apply_then_reset": Kind(_apply_then_reset),
    "close": Kind(_close),
    "truncated": Kind(_truncated),
    "raw": Kind(_raw, {"text": "", "base64": ""}),
    "drip": Kind(_drip, {"interval": 0.01}),
}
