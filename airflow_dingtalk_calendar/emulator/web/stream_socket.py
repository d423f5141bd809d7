"""One WebSocket of Stream mode: does with its socket what the gateway wants, and hands over what the client sends."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs

from ..accounts.stream_tickets import STREAM_PATH
from ..state.store import EmulatorStore
from ..stream.connections import OutgoingItem, StreamConnection
from .exchange import reset_transport

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

# The longest sleep before asking the gateway again: a clock that tests have injected moves without a word.
_MAX_SLEEP = 0.2


class StreamApplication:
    """The ASGI application of all WebSockets; its state is the store's."""

    def __init__(self, store: EmulatorStore) -> None:
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one WebSocket until it ends.

        How DingTalk refuses a ticket that is wrong, used or too old is not documented; here the handshake gets a 403.
        """
        await receive()
        loop, wake = asyncio.get_running_loop(), asyncio.Event()

        def wake_from_any_thread() -> None:
            with suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(wake.set)

        connection = self.store.stream.open_connection(_read_stream_ticket(scope), wake_from_any_thread)
        if connection is None:
            await send({"type": "websocket.close"})
        else:
            await StreamSocket(self.store, connection, scope, receive, send, wake).serve()


class StreamSocket:
    """A connection with its socket."""

    def __init__(
        self,
        store: EmulatorStore,
        connection: StreamConnection,
        scope: Scope,
        receive: Receive,
        send: Send,
        wake: asyncio.Event,
    ) -> None:
        self.stream, self.connection, self.wake = store.stream, connection, wake
        self.receive, self.send = receive, send
        self.transport = cast("asyncio.Transport", scope["state"]["transport"])

    async def serve(self) -> None:
        """Read and write until the client has gone."""
        writer = asyncio.create_task(self._write())
        try:
            await self._read()
        finally:
            self.stream.drop_connection(self.connection)
            writer.cancel()

    async def _read(self) -> None:
        while (message := await self.receive())["type"] != "websocket.disconnect":
            self.stream.receive(self.connection, message.get("text"))

    async def _write(self) -> None:
        while True:
            self.wake.clear()
            items, seconds = self.stream.take_due(self.connection)
            for item in items:
                with suppress(OSError, RuntimeError):  # the client has disconnected, which the reader notices
                    await self._perform(item)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), min(seconds, _MAX_SLEEP))

    async def _perform(self, item: OutgoingItem) -> None:
        if item.kind == "accept":
            await self.send({"type": "websocket.accept"})
        elif item.kind == "text":
            await self.send({"type": "websocket.send", "text": item.payload})
        elif item.kind == "raw":
            self.transport.write(cast("bytes", item.payload))
        elif item.kind == "close":
            await self.send({"type": "websocket.close", "code": 1000})
        elif item.kind == "cut":
            self.transport.close()
        else:
            reset_transport(self.transport)


def _read_stream_ticket(scope: Scope) -> str:
    values = parse_qs(scope["query_string"].decode("ascii", "replace")).get("ticket", [""])
    return values[0] if scope["path"] == STREAM_PATH else ""
