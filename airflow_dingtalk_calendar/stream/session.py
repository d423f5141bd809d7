"""One app's connection to Stream mode: it is opened again and again, and whatever comes over it never ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Protocol

from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.exceptions import DingTalkError
from airflow_dingtalk_calendar.stream.deliveries import PushDeliveries, PushListener
from airflow_dingtalk_calendar.stream.frames import (
    AckStatus,
    StreamFrame,
    parse_frame,
    write_acknowledgement,
    write_pong,
)
from airflow_dingtalk_calendar.stream.pushes import is_calendar_change, parse_push
from airflow_dingtalk_calendar.stream.reconnect import ReconnectPolicy
from airflow_dingtalk_calendar.stream.tasks import end_tasks

log = logging.getLogger(__name__)

# Without a frame for so long a connection is replaced: how often DingTalk sends its ping is not documented.
MAX_SILENCE = 3600.0
# The service closes a connection 10 seconds after its "disconnect"; one that it does not close is closed here.
LAST_FRAMES = 30.0
MAX_UNSENT = 2048  # answers; a service that takes none of them in has a connection that is of no use


class Socket(Protocol):
    """An open WebSocket; its methods raise a :class:`DingTalkError` once it has ended."""

    async def receive(self) -> str | bytes:
        """Wait for the next message."""

    async def send(self, text: str) -> None:
        """Send a message."""

    async def close(self) -> None:
        """End it."""


OpenSocket = Callable[[], Awaitable[Socket]]


class AppStream:
    """The connection of one app, for everybody in this process who listens.

    :ivar deliveries: the events under way.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._listeners: dict[PushListener, OpenSocket] = {}
        self._policy = ReconnectPolicy()
        self._loop: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self.deliveries = PushDeliveries()

    @property
    def listeners(self) -> Iterable[PushListener]:
        """The receivers of pushes."""
        return tuple(self._listeners)

    def add_listener(self, listener: PushListener, open_socket: OpenSocket) -> None:
        """Add a receiver of pushes; the first one opens the connection.

        :param open_socket: opens a connection with what Airflow's connection says at that moment.
        """
        self._listeners[listener] = open_socket
        if self._serving:
            listener.note_connected()
        if self._loop is None:
            self._loop = asyncio.create_task(self._stay_connected(), name="dingtalk-stream")

    async def remove_listener(self, listener: PushListener) -> bool:
        """Let somebody go; what was left undone comes again. Return whether it was the last, so that all is closed."""
        self._listeners.pop(listener, None)
        self.deliveries.release(listener)
        if self._listeners:
            return False
        await end_tasks(*filter(None, [self._loop]))  # first, since it opens connections
        await end_tasks(*self._serving)
        return True

    async def _stay_connected(self) -> None:
        while True:
            try:
                socket = await self._next_opener()()
            except Exception as error:
                await self._clock.asleep(self._log_failure(error))
                continue
            self._note_connected()
            began = self._clock.monotonic()
            await self._serve_until_replaced(socket)
            await self._clock.asleep(self._policy.next_wait(self._clock.monotonic() - began))

    def _next_opener(self) -> OpenSocket:
        """Take the connection ids of an app in turn, so that a wrong one does not keep the others from their pushes."""
        openers = list(self._listeners.values())
        return openers[self._policy.attempt % len(openers)]

    async def _serve_until_replaced(self, socket: Socket) -> None:
        """Serve a connection until another one is to be opened; the old one continues beside it until it is closed."""
        replaced = asyncio.Event()
        task = asyncio.create_task(self._serve(socket, replaced), name="dingtalk-stream-connection")
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        await replaced.wait()

    async def _serve(self, socket: Socket, replaced: asyncio.Event) -> None:
        outbox: asyncio.Queue[str] = asyncio.Queue(MAX_UNSENT)
        tasks = [
            asyncio.create_task(step) for step in (self._read(socket, outbox, replaced), _send_all(socket, outbox))
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            log.info("A connection of Stream mode has ended: %s", _describe_endings(tasks))
        finally:
            replaced.set()
            await end_tasks(*tasks)
            await socket.close()

    async def _read(self, socket: Socket, outbox: asyncio.Queue[str], replaced: asyncio.Event) -> None:
        limit = MAX_SILENCE
        with suppress(TimeoutError):
            while True:
                async with asyncio.timeout(limit):
                    frame = parse_frame(await socket.receive())
                if frame.kind == "disconnect":
                    limit = LAST_FRAMES
                    replaced.set()
                else:
                    self._take_frame(frame, outbox)

    def _take_frame(self, frame: StreamFrame, outbox: asyncio.Queue[str]) -> None:
        if frame.kind == "ping":
            outbox.put_nowait(write_pong(frame))
        elif frame.kind == "event":
            self._take_event(frame, outbox)
        else:
            log.debug("A frame was left out: %s", frame.kind)

    def _take_event(self, frame: StreamFrame, outbox: asyncio.Queue[str]) -> None:
        push = parse_push(frame) if is_calendar_change(frame) else None
        if push is None:  # it would come again and again
            log.debug("An event was left out: it is not about a calendar, or names no event.")
            outbox.put_nowait(write_acknowledgement(frame.message_id, "SUCCESS"))
            return

        def answer(status: AckStatus) -> None:
            with suppress(asyncio.QueueFull):  # it is pushed again, and known by then
                outbox.put_nowait(write_acknowledgement(frame.message_id, status))

        self.deliveries.receive(push, answer, self.listeners)

    def _note_connected(self) -> None:
        if self._policy.recover():
            log.warning("Connected to Stream mode again.")
        else:
            log.info("Connected to Stream mode.")
        for listener in self.listeners:
            listener.note_connected()

    def _log_failure(self, error: Exception) -> float:
        """Say once why there is no connection; return the seconds until the next try."""
        level, seconds = self._policy.level(error), self._policy.wait_after(error)
        unknown = None if isinstance(error, DingTalkError) else error
        log.log(level, "No connection to Stream mode, retrying in %.0f s: %s", seconds, error, exc_info=unknown)
        return seconds


def _describe_endings(tasks: Iterable[asyncio.Task[None]]) -> str:
    errors = [error for task in tasks if task.done() and (error := task.exception())]
    return "; ".join(str(error) if isinstance(error, DingTalkError) else type(error).__name__ for error in errors) or (
        "nothing came over it for too long."
    )


async def _send_all(socket: Socket, outbox: asyncio.Queue[str]) -> None:
    while True:
        await socket.send(await outbox.get())
