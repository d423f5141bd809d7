"""DingTalk's side of HTTP: reads a request, and lets the first fault rule that hits it, or its endpoint, answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect, Request

from ..state.store import Store
from .exchange import Exchange, Gone
from .fault_actions import FAULT_ACTIONS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class DingTalk:
    """The ASGI application; its state is the store's."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        exchange = Exchange(self.store, scope, receive, send, body)
        try:
            await _respond(exchange)
        except Gone:
            await exchange.abort()


async def _respond(exchange: Exchange) -> None:
    """Answer, in the way the first fault rule that hits wants it."""
    rule = exchange.store.faults.next(exchange.entry["action"] or "")
    if rule is None:
        await exchange.send(await exchange.execute())
    else:
        exchange.entry["fault"] = rule.kind
        await FAULT_ACTIONS[rule.kind](exchange, rule.parameters)
