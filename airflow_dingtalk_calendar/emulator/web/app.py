"""DingTalk's side of HTTP: reads a request, and lets the first fault rule that hits it, or its endpoint, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request

from ..gateway.admission import can_admit
from ..state.store import EmulatorStore
from .exchange import HttpExchange, StateResetError
from .fault_actions import FAULT_ACTIONS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class DingTalkApplication:
    """The ASGI application; its state is the store's."""

    def __init__(self, store: EmulatorStore) -> None:
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        exchange = HttpExchange(self.store, scope, receive, send, body)
        try:
            await _respond_with_faults(exchange)
        except StateResetError:
            await exchange.reset_connection()


async def _respond_with_faults(exchange: HttpExchange) -> None:
    """Answer, in the way the first fault rule that hits wants it."""
    call, faults = exchange.call, exchange.store.faults
    rule = faults.match_rule(call.endpoint.action if call else "", call is not None and can_admit(exchange.store, call))
    if rule is None:
        await exchange.send_response(await exchange.execute_call())
    else:
        exchange.log_entry["fault"] = rule.kind
        await FAULT_ACTIONS[rule.kind](exchange, rule.parameters)
