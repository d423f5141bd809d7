"""What each kind of fault does to a request: one function and one row of the table for each kind."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..errors import Answer, Problem, Refusal
from .exchange import Exchange

Act = Callable[[Exchange, Mapping[str, Any]], Awaitable[None]]


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


#: Their parameters, and what they are for, stand in :mod:`~..state.fault_rules`.
FAULT_ACTIONS: dict[str, Act] = {
    "error": _error,
    "applied_error": _applied_error,
    "html": _html,
    "body": _body,
    "redirect": _redirect,
    "processing": _processing,
    "expire_tokens": _expire_tokens,
    "hang": _hang,
    "apply_then_hang": _apply_then_hang,
    "reset": _reset,
    "apply_then_reset": _apply_then_reset,
    "close": _close,
    "truncated": _truncated,
    "raw": _raw,
    "drip": _drip,
}
