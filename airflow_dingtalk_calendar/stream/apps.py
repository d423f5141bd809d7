"""The apps whose pushes this process receives: one connection for each, whichever connection ids lead to it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import quote

from airflow_dingtalk_calendar.api.stream import StreamTicket, open_stream_connection
from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork
from airflow_dingtalk_calendar.client.websocket import WebSocket, open_websocket
from airflow_dingtalk_calendar.connection.hosts import find_endpoint_problem
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import DingTalkError, UnexpectedAnswerError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.deliveries import PushListener
from airflow_dingtalk_calendar.stream.reconnect import ERROR_RETRY
from airflow_dingtalk_calendar.stream.session import AppStream
from airflow_dingtalk_calendar.stream.tasks import end_tasks

log = logging.getLogger(__name__)

Connect = Callable[[], DingTalkCalendarHook]


class AppStreams:
    """The connections of a process: one for each event loop, host and app key."""

    def __init__(self) -> None:
        self.clear()
        clear_after_fork(self)

    def clear(self) -> None:
        """Forget all connections; in a forked process they are the parent's."""
        self._streams: dict[tuple[asyncio.AbstractEventLoop, str, str], AppStream] = {}

    @asynccontextmanager
    async def listen(self, listener: PushListener, connect: Connect) -> AsyncIterator[AppStream]:
        """Receive an app's pushes for as long as the block lasts.

        :param connect: makes a hook; for each connection a new one, which reads Airflow's connection again.
        :raises DingTalkError: when the connection cannot be read.
        """
        async with connect() as hook:
            settings = await hook.aget_conn()
        place = (asyncio.get_running_loop(), settings.base_url, settings.app_key)
        stream = self._streams.setdefault(place, AppStream(hook.clock))
        stream.add_listener(listener, partial(open_stream, connect))
        try:
            yield stream
        finally:
            if not any(one is not listener for one in stream.listeners):
                self._streams.pop(place, None)  # before anything is waited for: who comes now gets another one
            await stream.remove_listener(listener)

    @asynccontextmanager
    async def keep_listening(self, listener: PushListener, connect: Connect) -> AsyncIterator[None]:
        """Have somebody listen for as long as the block lasts, whether or not Airflow's connection can be read now."""
        task = asyncio.create_task(self.listen_forever(listener, connect), name="dingtalk-stream-listener")
        try:
            yield
        finally:
            await end_tasks(task)

    async def listen_forever(self, listener: PushListener, connect: Connect) -> None:
        """Have somebody listen until this is cancelled; an error of Airflow's connection is logged and waited out."""
        while True:
            try:
                async with self.listen(listener, connect):
                    await asyncio.Event().wait()
            except DingTalkError as error:  # of the connection in Airflow, which a person has to correct
                log.error("Pushes are not received until this is fixed; retrying in %.0f s: %s", ERROR_RETRY, error)
            except Exception:
                log.exception("Pushes are not received while this error persists; retrying in %.0f s:", ERROR_RETRY)
            await DingTalkCalendarHook.clock.asleep(ERROR_RETRY)


APP_STREAMS = AppStreams()


async def open_stream(connect: Connect) -> WebSocket:
    """Open a WebSocket of Stream mode: a ticket by HTTP, good for one connection, and then the connection.

    :raises DingTalkError: when there is none to be had.
    """
    async with connect() as hook:
        settings = await hook.aget_conn()
        ticket = await hook.arun(open_stream_connection(settings.app_key, settings.app_secret))
    return await open_websocket(_stream_address(ticket, settings), settings)


def _stream_address(ticket: StreamTicket, settings: ConnectionSettings) -> Secret:
    if problem := find_endpoint_problem(ticket.endpoint, settings.base_url):
        raise UnexpectedAnswerError(
            f"answered with an endpoint that {problem}; nothing was sent there.",
            action="OpenConnection",
            hint="Check the connection's host, and what stands between the triggerer and DingTalk.",
        )
    joint = "&" if "?" in ticket.endpoint else "?"
    return Secret(f"{ticket.endpoint}{joint}ticket={quote(ticket.ticket, safe='')}")
