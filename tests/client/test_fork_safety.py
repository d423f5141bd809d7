"""Processes that are forked from one that has used a hook: each has connections, tokens and locks of its own."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar.client import fork_safety
from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER
from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.client.transport import Transport
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, EVENT, ORGANIZER, event

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
IDS = [f"event-{number}" for number in range(5)]


def forked(work: Callable[[], None]) -> Callable[[], int]:
    """Do something in a child; return how to wait for its exit code, 0 if it did not fail."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(1)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def own_sockets(hook: DingTalkCalendarHook) -> set[Any]:
    """Return the addresses from which a hook's connections come."""
    pool = hook._http._client._transport._pool  # type: ignore[attr-defined]
    return {one._connection._network_stream.get_extra_info("client_addr") for one in pool.connections}


def get_all(hook: DingTalkCalendarHook, times: int) -> None:
    """Read the events; each answer is the one to its own question."""
    for number in range(times):
        event_id = IDS[number % len(IDS)]
        assert hook.get_event(ORGANIZER, event_id)["id"] == event_id


def test_a_hook_that_was_used_before_the_fork(dingtalk: Emulator) -> None:
    """Parent and children use one hook at the same time: none has a socket of another's, none gets another's answer."""
    dingtalk.reset({**DATA, "events": [event(event_id) for event_id in IDS]})
    with DingTalkCalendarHook() as hook:
        get_all(hook, 1)
        parents = own_sockets(hook)

        def work() -> None:
            get_all(hook, 50)
            assert own_sockets(hook).isdisjoint(parents)

        children = [forked(work) for _ in range(4)]
        get_all(hook, 50)
        assert [wait() for wait in children] == [0] * 4
        assert own_sockets(hook) == parents
    assert dingtalk.effects["tokens_issued"] == 5


def test_a_hook_that_coroutines_used_before_the_fork(dingtalk: Emulator) -> None:
    """A child's event loop has connections of its own, and the parent's go on."""

    async def get(hook: DingTalkCalendarHook) -> None:
        assert (await hook.aget_event(ORGANIZER, EVENT))["id"] == EVENT

    async def parent() -> None:
        async with DingTalkCalendarHook() as hook:
            await get(hook)

            def work() -> None:
                asyncio._set_running_loop(None)
                assert hook._http._async_clients == {}
                asyncio.run(get(hook))

            wait = forked(work)
            assert await asyncio.to_thread(wait) == 0
            await get(hook)

    asyncio.run(parent())


@pytest.mark.parametrize("held", ["client", "token cache", "rate limiter"])
def test_locks_that_another_thread_holds(dingtalk: Emulator, held: str) -> None:
    """A fork while another thread holds a lock leaves the child none that is never released."""
    hook = DingTalkCalendarHook()
    hook.prepare()
    lock = {"client": hook._http._lock, "token cache": TOKEN_CACHE._lock, "rate limiter": RATE_LIMITER._lock}[held]
    locked, over = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            locked.set()
            over.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait()

    def work() -> None:
        import signal

        signal.alarm(10)  # rather than to wait forever
        hook.get_event(ORGANIZER, EVENT)

    try:
        assert forked(work)() == 0
    finally:
        over.set()
        thread.join()
    hook.close()


def test_a_fork_in_the_middle_of_a_fetch(dingtalk: Emulator) -> None:
    """A child of a process that is just fetching a token does not wait for the parent's fetch."""
    dingtalk.configure(service_time=0.5)
    claim = TOKEN_CACHE.claim_fetch(DingTalkCalendarHook().get_conn().identity)
    assert claim.leads

    def work() -> None:
        import signal

        signal.alarm(10)
        DingTalkCalendarHook().get_event(ORGANIZER, EVENT)

    assert forked(work)() == 0
    assert not claim.done.done()


def test_hooks_are_not_kept_for_forks() -> None:
    """What is cleared after a fork is held weakly."""
    before = len(fork_safety._instances)
    transport = Transport(ConnectionSettings("key", "secret"))
    gone = weakref.ref(transport)
    assert len(fork_safety._instances) == before + 1
    del transport
    gc.collect()
    assert gone() is None
    assert len(fork_safety._instances) <= before


def test_event_loops_are_not_kept(dingtalk: Emulator) -> None:
    """A hook that serves one event loop after another keeps no client of those that have ended."""
    hook = DingTalkCalendarHook()
    for _ in range(3):
        asyncio.run(hook.aget_event(ORGANIZER, EVENT))
    assert len(hook._http._async_clients) == 1
