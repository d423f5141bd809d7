"""What each kind of fault does to a request: one function and one row of the table for each kind."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..errors import ApiError, HttpResponse, Refusal
from .exchange import HttpExchange

FaultAction = Callable[[HttpExchange, Mapping[str, Any]], Awaitable[None]]


def _build_error_response(exchange: HttpExchange, given: Mapping[str, Any]) -> HttpResponse:
    body = {name: value for name, value in given.items() if name not in ("status", "headers")}
    return HttpResponse(given["status"], {"requestid": exchange.request_id, **body}, given["headers"])


async def _send_error(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(_build_error_response(exchange, given))


async def _apply_then_send_error(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.execute_call()
    await exchange.send_response(_build_error_response(exchange, given))


async def _send_html(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(
        HttpResponse(given["status"], str(given["body"]), {"content-type": "text/html; charset=utf-8"})
    )


async def _send_body(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(HttpResponse(given["status"], given["body"], given["headers"]))


async def _apply_then_send_body(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    """Answer as the fault says what took effect; a call that is refused is refused, whatever it was to be answered."""
    answer = await exchange.execute_call()
    if answer.status == 200:
        answer = HttpResponse(given["status"], given["body"], given["headers"])
    await exchange.send_response(answer)


async def _apply_with_other_id(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    answer = await exchange.execute_call()
    if answer.status == 200 and isinstance(answer.body, dict) and "id" in answer.body:
        answer = HttpResponse(answer.status, {**answer.body, "id": given["id"]}, answer.headers)
    await exchange.send_response(answer)


async def _send_redirect(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(HttpResponse(given["status"], "", {"location": given["location"]}))


async def _send_processing(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(ApiError(Refusal.IDEMPOTENCY_PROCESSING).as_response(exchange.request_id))


async def _expire_tokens_then_apply(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    exchange.store.expire_tokens()
    await exchange.send_response(await exchange.execute_call())


async def _hang_then_apply(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.pause(given["seconds"])
    await exchange.send_response(await exchange.execute_call())


async def _apply_then_hang(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    answer = await exchange.execute_call()
    await exchange.pause(given["seconds"])
    await exchange.send_response(answer)


async def _reset_connection(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.reset_connection()


async def _apply_then_reset(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.execute_call()
    await exchange.reset_connection()


async def _close_connection(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.write_and_close(b"")


async def _truncate_response(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(await exchange.execute_call(), share=0.5)


async def _write_raw_bytes(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.write_and_close(base64.b64decode(given["base64"]) or given["text"].encode())


async def _drip_response(exchange: HttpExchange, given: Mapping[str, Any]) -> None:
    await exchange.send_response(await exchange.execute_call(), interval=given["interval"])


#: Their parameters, and what they are for, stand in :mod:`~airflow_dingtalk_calendar.emulator.state.fault_rules`.
FAULT_ACTIONS: dict[str, FaultAction] = {
    "error": _send_error,
    "applied_error": _apply_then_send_error,
    "html": _send_html,
    "body": _send_body,
    "applied_body": _apply_then_send_body,
    "other_id": _apply_with_other_id,
    "redirect": _send_redirect,
    "processing": _send_processing,
    "expire_tokens": _expire_tokens_then_apply,
    "hang": _hang_then_apply,
    "apply_then_hang": _apply_then_hang,
    "reset": _reset_connection,
    "apply_then_reset": _apply_then_reset,
    "close": _close_connection,
    "truncated": _truncate_response,
    "raw": _write_raw_bytes,
    "drip": _drip_response,
}
