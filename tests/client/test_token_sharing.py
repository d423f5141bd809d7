"""Threads, event loops and processes that use one app when its token ends, whatever a new token does to older ones."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.client.test_auth import (
    GRANT_VARIABLE,
    TICKET,
    TICKET_VARIABLE,
    Connect,
    authorized,
    dingtalk,
    sign_in,
    stored,
)
from tests.conftest import EVENT, ORGANIZER

__all__ = ["dingtalk", "sign_in", "stored"]  # fixtures

TOKEN_ACTIONS = {
    "app": "GetAccessToken",
    "unified": "GetToken",
    "corp_app": "GetCorpAccessToken",
    "user": "GetUserToken",
}
MANY = int(os.environ.get("TOKEN_CALLERS", "10"))


@pytest.fixture(params=["valid", "invalid"])
def earlier(request: pytest.FixtureRequest, dingtalk: Emulator) -> str:
    """What becomes of a third-party app's earlier tokens."""
    dingtalk.configure(earlier_corp_tokens=request.param)
    return str(request.param)


def fetches(dingtalk: Emulator, auth_type: str) -> int:
    """Count the tokens that were asked for."""
    return [one["action"] for one in dingtalk.requests].count(TOKEN_ACTIONS[auth_type])


def write_from_everywhere(hook: DingTalkCalendarHook, rounds: int) -> int:
    """Patch from many threads and coroutines at the same time; return how many writes there were."""

    async def coroutine(number: int) -> None:
        for turn in range(rounds):
            await hook.apatch_event(ORGANIZER, EVENT, {"summary": f"c{number} {turn}"})

    async def coroutines() -> None:
        async with hook:
            await asyncio.gather(*(coroutine(number) for number in range(MANY)))

    def thread(number: int) -> None:
        for turn in range(rounds):
            hook.patch_event(ORGANIZER, EVENT, {"summary": f"t{number} {turn}"})

    with ThreadPoolExecutor(MANY + 1) as pool:
        done = [pool.submit(asyncio.run, coroutines()), *(pool.submit(thread, number) for number in range(MANY))]
        assert [one.result(60) for one in done] == [None] * (MANY + 1)
    return 2 * MANY * rounds


@pytest.mark.parametrize("auth_type", TOKEN_ACTIONS)
@pytest.mark.parametrize("ending", ["refused", "over"])
def test_threads_and_coroutines_over_an_expiry(
    dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], earlier: str, auth_type: str, ending: str
) -> None:
    """When the token ends, many threads and coroutines go on: nobody fails, and one fetch serves them all."""
    stored[TICKET_VARIABLE] = TICKET
    sign_in(auth_type, max_qps=1000)
    if auth_type == "user":
        stored[GRANT_VARIABLE] = authorized(dingtalk).dump()
    with DingTalkCalendarHook() as hook:
        hook.get_event(ORGANIZER, EVENT)
        before = fetches(dingtalk, auth_type)
        dingtalk.store.expire_tokens()
        if ending == "over":
            TOKEN_CACHE.clear()
            if auth_type == "user":
                stored[GRANT_VARIABLE] = json.dumps({**json.loads(stored[GRANT_VARIABLE]), "good_until": 0})
        written = write_from_everywhere(hook, 3)
    assert len(dingtalk.effects["updates"]) == written
    assert fetches(dingtalk, auth_type) == before + 1


@contextmanager
def slow_fetch(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[threading.Event, threading.Event]]:
    """Have a fetch of a token wait; yields the events that it has begun, and that it may go on."""
    fetching, may_end = threading.Event(), threading.Event()
    real = DingTalkBaseHook._drive

    def drive(self: Any, steps: Any) -> Any:
        if getattr(steps, "__name__", "") == "_lead_fetch":
            fetching.set()
            assert may_end.wait(30)
        return real(self, steps)

    monkeypatch.setattr(DingTalkBaseHook, "_drive", drive)
    try:
        yield fetching, may_end
    finally:
        may_end.set()


async def _in_asgiref(hook: DingTalkCalendarHook) -> Any:
    return await sync_to_async(hook.get_event)(ORGANIZER, EVENT)


async def _in_pool(hook: DingTalkCalendarHook) -> Any:
    return await asyncio.to_thread(hook.get_event, ORGANIZER, EVENT)


async def _in_loop(hook: DingTalkCalendarHook) -> Any:
    return await hook.aget_event(ORGANIZER, EVENT)


@pytest.mark.parametrize("waiter", [_in_asgiref, _in_pool, _in_loop])
@pytest.mark.parametrize("auth_type", ["app", "corp_app"])
def test_waiting_for_a_coroutines_fetch(
    dingtalk: Emulator,
    sign_in: Connect,
    stored: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    waiter: Callable[[DingTalkCalendarHook], Any],
    auth_type: str,
) -> None:
    """Any number of threads of a loop's executors may wait for a coroutine of that loop that fetches."""
    stored[TICKET_VARIABLE] = TICKET
    sign_in(auth_type)

    async def all_at_once() -> None:
        async with DingTalkCalendarHook() as hook:
            await hook.aget_conn()
            with slow_fetch(monkeypatch) as (fetching, may_end):
                leader = asyncio.create_task(hook.aget_event(ORGANIZER, EVENT))
                assert await asyncio.to_thread(fetching.wait, 30)
                others = [asyncio.create_task(waiter(hook)) for _ in range(40)]
                await asyncio.sleep(0.1)
                may_end.set()
                await asyncio.wait_for(asyncio.gather(leader, *others), 30)
            hook.close()

    asyncio.run(all_at_once())
    assert fetches(dingtalk, auth_type) == 1


def test_a_call_that_blocks_its_event_loop(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A synchronous call inside a coroutine does not wait for a fetch of its own event loop."""

    async def blocking() -> None:
        async with DingTalkCalendarHook() as hook:
            leader = asyncio.create_task(hook.aget_event(ORGANIZER, EVENT))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            hook.get_event(ORGANIZER, EVENT)
            hook.close()
            await leader

    asyncio.run(blocking())


def test_a_cancelled_coroutine_loses_no_grant(
    dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh goes on to the Variable when the coroutine that needed it is cancelled."""
    sign_in("user")
    grant = json.loads(authorized(dingtalk).dump())
    stored[GRANT_VARIABLE] = json.dumps({**grant, "good_until": 0})
    dingtalk.configure(service_time=0.3)

    async def cancel() -> None:
        async with DingTalkCalendarHook() as hook:
            task = asyncio.create_task(hook.aget_event(ORGANIZER, EVENT))
            await asyncio.sleep(0)
            await asyncio.sleep(0.1)  # the refresh is on its way
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(cancel())
    for _ in range(300):
        if json.loads(stored[GRANT_VARIABLE])["refresh_token"] != grant["refresh_token"]:
            break
        threading.Event().wait(0.01)
    with DingTalkCalendarHook() as hook:
        assert hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    assert fetches(dingtalk, "user") == 2


# -- several processes ----------------------------------------------------------------------------------------

WORKER = """
import sys, time
from dataclasses import replace
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

union_id, event_id, speed = sys.argv[1:]
nap = lambda seconds: time.sleep(seconds / float(speed))
DingTalkCalendarHook.clock = replace(DingTalkCalendarHook.clock, sleep=nap)
hook = DingTalkCalendarHook()
print("> ready", flush=True)
for line in sys.stdin:
    try:
        for _ in range(int(line)):
            hook.get_event(union_id, event_id)
        print("> done", flush=True)
    except Exception as error:
        print(">", error, flush=True)
"""

Worker = subprocess.Popen[str]
EXPIRIES = int(os.environ.get("TOKEN_EXPIRIES", "15"))
PROCESSES = int(os.environ.get("TOKEN_PROCESSES", "2"))


@pytest.fixture
def workers(dingtalk: Emulator, sign_in: Connect, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Worker]]:
    """Processes that share a third-party app whose new tokens end the older ones."""
    dingtalk.configure(earlier_corp_tokens="invalid")
    monkeypatch.setenv(f"AIRFLOW_VAR_{TICKET_VARIABLE.upper()}", TICKET)
    sign_in("corp_app", max_qps=1000)
    command = [sys.executable, "-c", WORKER, ORGANIZER, EVENT, "5"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        yield [
            stack.enter_context(subprocess.Popen(command, env=dict(os.environ), **pipes))  # type: ignore[call-overload]
            for _ in range(PROCESSES)
        ]


def next_line(worker: Worker) -> str:
    """Read what a worker says next, between the lines of Airflow's log."""
    assert worker.stdout
    said = next((line for line in worker.stdout if line.startswith("> ")), "> nothing")
    return said.removeprefix("> ").strip()


def test_processes_that_end_each_others_tokens(dingtalk: Emulator, workers: list[Worker]) -> None:
    """Processes whose new tokens end those of the others: over many expiries no call fails."""
    assert [next_line(worker) for worker in workers] == ["ready"] * PROCESSES
    failures = []
    for _ in range(EXPIRIES):
        dingtalk.store.expire_tokens()
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("3\n")
            worker.stdin.flush()
        failures += [said for said in map(next_line, workers) if said != "done"]
    calls = [one["action"] for one in dingtalk.requests]
    refused = [one for one in dingtalk.requests if one["action"] == "GetEvent" and one["status"] == 400]
    print(f"{PROCESSES} processes, {EXPIRIES} expiries: {len(failures)} failures, ", end="")  # noqa: T201
    print(f"{calls.count('GetCorpAccessToken')} tokens, {len(refused)} of {calls.count('GetEvent')} refused")  # noqa: T201
    assert failures == []
    assert refused, "they never met"
