"""The base of the hook: it reads the connection and carries out calls; it knows no endpoint.

What threads and coroutines do differently stands here and in :mod:`~airflow_dingtalk_calendar.client.transport`,
nowhere else. What an attempt consists of stands once, in :mod:`airflow_dingtalk_calendar.client.request_flow`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook, mask_secret
from asgiref.sync import sync_to_async

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.effects import (
    AwaitFetch,
    Effect,
    LogError,
    MaskSecret,
    ReadVariable,
    SendRequest,
    Sleep,
    WriteVariable,
)
from airflow_dingtalk_calendar.client.request_flow import CallSession, run_call
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings, parse_connection
from airflow_dingtalk_calendar.hooks import airflow_compat

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.client.transport import Transport

T = TypeVar("T")


class DingTalkBaseHook(BaseHook):
    """Carry out calls with the app of an Airflow connection.

    The connection is read and the first socket opened at the first call. Use it as a context manager
    (``with``, or ``async with``) to have its sockets closed at the end.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    """

    conn_name_attr = "dingtalk_conn_id"
    default_conn_name = "dingtalk_default"
    conn_type = "dingtalk"
    hook_name = "DingTalk"

    # Time, for tests to replace.
    _clock = staticmethod(time.monotonic)
    _wall_clock = staticmethod(time.time)
    _sleep = staticmethod(time.sleep)
    _asleep = staticmethod(asyncio.sleep)

    def __init__(self, dingtalk_conn_id: str = default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dingtalk_conn_id = dingtalk_conn_id
        self._settings: ConnectionSettings | None = None

    @classmethod
    def get_connection(cls, conn_id: str) -> Any:
        """Find a connection; outside of a task in Airflow's database, too, where Airflow 3 itself does not look.

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
            self._settings = parse_connection(self.get_connection(self.dingtalk_conn_id))
        return self._settings

    async def aget_conn(self) -> ConnectionSettings:
        """Read and check the connection like :meth:`get_conn`, from a coroutine."""
        if self._settings is None:
            from airflow.providers.common.compat.connection import get_async_connection

            connection = await get_async_connection(self.dingtalk_conn_id, hook=self)
            self._settings = parse_connection(connection)
        return self._settings

    def prepare(self) -> None:
        """Read the connection and make the HTTP client, before several threads share this hook."""
        self._http.prepare()

    def close(self) -> None:
        """Close the sockets that :meth:`run` opened."""
        if transport := self.__dict__.pop("_http", None):
            transport.close()

    async def aclose(self) -> None:
        """Close the sockets that :meth:`arun` opened in this event loop."""
        if transport := self.__dict__.get("_http"):
            await transport.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # -- carrying out calls ---------------------------------------------------------------------------------

    def run(self, call: api.Call[T]) -> T:
        """Carry out a call: token, pace, request, retries. One metered call for each time it is sent.

        :param call: made by a function of :mod:`airflow_dingtalk_calendar.api`.
        :raises RequestError: one of its classes, see :mod:`airflow_dingtalk_calendar.exceptions`.
        """
        session = CallSession(self.get_conn(), None, self._clock, self._wall_clock)
        return self._drive(run_call(call, session))

    async def arun(self, call: api.Call[T]) -> T:
        """Carry out a call like :meth:`run`, from a coroutine."""
        session = CallSession(await self.aget_conn(), asyncio.get_running_loop(), self._clock, self._wall_clock)
        return await self._adrive(run_call(call, session))

    def pages(self, call: api.Call[api.Json]) -> Iterator[api.Json]:
        """Carry out a call that lists, page by page; only one page is in memory. One metered call for each.

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
        """Carry out a call that lists like :meth:`pages`, from a coroutine."""
        following: api.Call[api.Json] | None = call
        seen: set[str] = set()
        while following:
            page = await self.arun(following)
            yield page
            following = api.next_page(call, page, seen)

    def follow(self, calls: Generator[api.Call[Any], Any, T]) -> T:
        """Carry out calls of which each is made from the answers before it, and return what they come to.

        An error goes to the generator, which may know what to do about it.

        :param calls: yields calls, is sent what each came to, and returns the result.
        """
        return self._drive(calls)

    async def afollow(self, calls: Generator[api.Call[Any], Any, T]) -> T:
        """Carry out calls like :meth:`follow`, from a coroutine."""
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
            case AwaitFetch(done):
                return done.result()
            case Sleep(seconds):
                return self._sleep(seconds)
            case MaskSecret(secret):
                return mask_secret(secret)
            case ReadVariable(name):
                return airflow_compat.read_variable(name)
            case WriteVariable(name, value):
                return airflow_compat.write_variable(name, value)
            case LogError(text):
                return self.log.error(text)

    async def _aperform(self, step: Effect | api.Call[Any]) -> Any:
        match step:
            case api.Call():
                return await self.arun(step)
            case SendRequest(call, headers):
                return await self._http.asend(call, headers)
            case AwaitFetch(done):
                # shielded: one that stops waiting must not cancel the fetch of the others
                return await asyncio.shield(asyncio.wrap_future(done))
            case Sleep(seconds):
                return await self._asleep(seconds)
            case MaskSecret(secret):
                return await airflow_compat.mask_secret_async(secret)
            case _:  # Variables have no calls for coroutines on all supported versions
                return await sync_to_async(self._perform)(step)

    @cached_property
    def _http(self) -> Transport:
        from airflow_dingtalk_calendar.client.transport import Transport

        return Transport(self.get_conn())
