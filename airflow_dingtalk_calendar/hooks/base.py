"""The base of the hook: it reads the connection and sends calls; it knows no endpoint.

What threads and coroutines do differently stands here and in :mod:`~airflow_dingtalk_calendar.client.transport`,
nowhere else. What an attempt consists of stands once, in :mod:`airflow_dingtalk_calendar.client.request_flow`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from copy import copy
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook
from asgiref.sync import sync_to_async

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.call_counter import CallCounter
from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.client.effects import (
    AwaitFetch,
    Effect,
    FetchToken,
    LogError,
    SendRequest,
    Sleep,
)
from airflow_dingtalk_calendar.client.request_flow import CallSession, run_call
from airflow_dingtalk_calendar.connection.secret import hide_frames
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings, parse_connection
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.airflow_steps import perform_in_airflow
from airflow_dingtalk_calendar.hooks.metrics import make_counter

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.client.transport import Transport

T = TypeVar("T")


class DingTalkBaseHook(BaseHook):
    """Send calls with the app of an Airflow connection.

    The connection is read and the first socket opened at the first call. Use it as a context manager
    (``with``, or ``async with``) to have its sockets closed at the end.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    :ivar clock: how it reads the time and waits; see :meth:`with_clock`.
    """

    conn_name_attr = "dingtalk_conn_id"
    default_conn_name = "dingtalk_default"
    conn_type = "dingtalk"
    hook_name = "DingTalk"

    clock = Clock(time.monotonic, time.time, time.sleep, asyncio.sleep)

    def __init__(self, dingtalk_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dingtalk_conn_id = dingtalk_conn_id
        self._settings: ConnectionSettings | None = None

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Find a connection; outside of a task in Airflow's database, too, where Airflow 3 itself does not search.

        :param conn_id: its id.
        :raises AirflowNotFoundException: when Airflow has none of this id.
        """
        try:
            return super().get_connection(conn_id)
        except AirflowNotFoundException:
            if (found := airflow_compat.find_connection(conn_id)) is None:
                raise
            return found

    def get_conn(self) -> ConnectionSettings:
        """Read and check the connection, once.

        :raises InvalidConnectionError: naming the field that is wrong.
        """
        if self._settings is None:
            with hide_frames():
                self._settings = parse_connection(self.get_connection(self.dingtalk_conn_id))
        return self._settings

    async def aget_conn(self) -> ConnectionSettings:
        """Like :meth:`get_conn`, for coroutines."""
        if self._settings is None:
            from airflow.providers.common.compat.connection import get_async_connection

            with hide_frames():
                self._settings = parse_connection(await get_async_connection(self.dingtalk_conn_id, hook=self))
        return self._settings

    def prepare(self) -> None:
        """Read the connection and make the HTTP client, before several threads share this hook."""
        self.call_counter  # noqa: B018  # made on first access
        self._http.prepare()

    def with_clock(self, clock: Clock) -> Self:
        """Return a hook with another clock, which shares everything else with this one.

        It is prepared for several threads, and closing this hook closes what it opened.

        :param clock: often this hook's own but for a member: ``replace(hook.clock, sleep=nap)``.
        """
        self.prepare()
        other = copy(self)
        other.clock = clock
        return other

    def close(self) -> None:
        """Close the sockets that :meth:`run` opened."""
        if transport := self.__dict__.pop("_transport", None):
            transport.close()

    async def aclose(self) -> None:
        """Close the sockets that :meth:`arun` opened in this event loop."""
        if transport := self.__dict__.get("_transport"):
            await transport.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    @cached_property
    def call_counter(self) -> CallCounter:
        """What counts the metered calls of this hook, and of those made from it by :meth:`with_clock`."""
        return make_counter()

    # -- sending calls --------------------------------------------------------------------------------------

    def run(self, call: api.Call[T]) -> T:
        """Send a call: token, rate limit, request, retries. One metered call for each time it is sent.

        :param call: made by a function of :mod:`airflow_dingtalk_calendar.api`.
        :raises RequestError: one of its classes, see :mod:`airflow_dingtalk_calendar.exceptions`.
        """
        session = CallSession(self.get_conn(), not _is_loop_running(), self.clock, counter=self.call_counter)
        return self._drive(run_call(call, session))

    async def arun(self, call: api.Call[T]) -> T:
        """Like :meth:`run`, for coroutines."""
        session = CallSession(await self.aget_conn(), True, self.clock, counter=self.call_counter)
        return await self._adrive(run_call(call, session))

    def pages(self, call: api.Call[api.Json]) -> Iterator[api.Json]:
        """Send a call that lists, page by page; only one page is in memory. One metered call for each.

        A list may shift while it is read, so that one event or person is on two pages: of an event, the copy with the
        later ``updateTime`` is the newer one.

        :param call: of the first page, made by a function of :mod:`airflow_dingtalk_calendar.api`.
        :raises UnexpectedAnswerError: when the service repeats a page token, which would never end.
        """
        following: api.Call[api.Json] | None = call
        seen: set[str] = set()
        while following:
            page = self.run(following)
            yield page
            following = api.next_page(call, page, seen)

    async def apages(self, call: api.Call[api.Json]) -> AsyncIterator[api.Json]:
        """Like :meth:`pages`, for coroutines."""
        following: api.Call[api.Json] | None = call
        seen: set[str] = set()
        while following:
            page = await self.arun(following)
            yield page
            following = api.next_page(call, page, seen)

    def follow(self, calls: Generator[api.Call[Any], Any, T]) -> T:
        """Send calls of which each is made from the answers before it, and return their result.

        An error goes to the generator, which may know what to do about it.

        :param calls: yields calls, receives the answer of each, and returns the result.
        """
        return self._drive(calls)

    async def afollow(self, calls: Generator[api.Call[Any], Any, T]) -> T:
        """Like :meth:`follow`, for coroutines."""
        return await self._adrive(calls)

    def _drive(self, steps: Generator[Effect | api.Call[Any], Any, T]) -> T:
        proceed: Callable[[], Effect | api.Call[Any]] = partial(next, steps)
        while True:
            try:
                step = proceed()
            except StopIteration as end:
                return cast("T", end.value)
            try:
                proceed = partial(steps.send, self._perform(step))
            except BaseException as error:
                # Interrupts, too: the generator has to give up its place in the queue, and a fetch that others wait
                # for.
                proceed = partial(steps.throw, error)

    async def _adrive(self, steps: Generator[Effect | api.Call[Any], Any, T]) -> T:
        proceed: Callable[[], Effect | api.Call[Any]] = partial(next, steps)
        while True:
            try:
                step = proceed()
            except StopIteration as end:
                return cast("T", end.value)
            try:
                proceed = partial(steps.send, await self._aperform(step))
            except BaseException as error:
                proceed = partial(steps.throw, error)

    def _perform(self, step: Effect | api.Call[Any]) -> Any:
        match step:
            case api.Call():
                return self.run(step)
            case SendRequest(call, headers):
                return self._http.send(call, headers)
            case FetchToken(steps):
                return self._drive(steps)
            case AwaitFetch(done):
                return done.result()
            case Sleep(seconds):
                return self.clock.sleep(seconds)
            case LogError(text):
                return self.log.error(text)
            case _:
                return perform_in_airflow(step)

    async def _aperform(self, step: Effect | api.Call[Any]) -> Any:
        match step:
            case api.Call():
                return await self.arun(step)
            case SendRequest(call, headers):
                return await self._http.asend(call, headers)
            case FetchToken(steps):
                return await self._fetch_in_thread(steps)
            case AwaitFetch(done):
                # shielded: one that stops waiting must not cancel the fetch of the others
                return await asyncio.shield(asyncio.wrap_future(done))
            case Sleep(seconds):
                return await self.clock.asleep(seconds)
            case _:
                raise TypeError(f"{type(step).__name__} is a step of a fetch, and fetches are for threads")

    async def _fetch_in_thread(self, steps: Generator[Effect, Any, T]) -> T:
        """Run a fetch in a thread of its own, so that threads may wait for it without waiting for this loop.

        asgiref's threads, because masking on Airflow 3.0 has to find its way back to this event loop.
        """

        async def fetch() -> T:
            with closing(_OneThread()) as thread:
                return await sync_to_async(self._drive_apart, thread_sensitive=False, executor=thread)(steps)

        return await asyncio.shield(asyncio.ensure_future(fetch()))

    def _drive_apart(self, steps: Generator[Effect, Any, T]) -> T:
        """Perform steps with sockets that are closed at the end, whatever else uses this hook."""
        apart = copy(self)
        apart.__dict__.pop("_transport", None)
        with apart:
            return apart._drive(steps)

    @property
    def _http(self) -> Transport:
        transport: Transport | None = self.__dict__.get("_transport")
        if transport is None:
            from airflow_dingtalk_calendar.client.transport import Transport

            # of two threads that come first, both go on with the same one
            transport = self.__dict__.setdefault("_transport", Transport(self.get_conn()))
        return transport


class _OneThread(ThreadPoolExecutor):
    """An executor of one thread, which ends by itself after its work."""

    def __init__(self) -> None:
        super().__init__(1, thread_name_prefix="dingtalk-token")

    def close(self) -> None:
        # Waiting would block the event loop; the thread ends with its work.
        self.shutdown(wait=False)


def _is_loop_running() -> bool:
    """Whether this thread runs an event loop, which waiting here would block."""
    return asyncio._get_running_loop() is not None
