"""The hook's clock: how it reads the time and waits, which others may replace."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import Interrupted, TransportError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import EVENT, ORGANIZER


def test_with_clock_waits_in_the_way_that_is_given(dingtalk: Emulator, naps: list[float]) -> None:
    """A hook with another sleep waits with it, and the one that it was made of as before."""
    dingtalk.fault(kind="reset", action="GetEvent", times=1)
    mine: list[float] = []
    with DingTalkCalendarHook() as hook:
        other = hook.with_clock(replace(hook.clock, monotonic=lambda: sum(mine), sleep=mine.append))
        assert other.get_event(ORGANIZER, EVENT)["id"] == EVENT
        assert mine
        assert not naps
        slept = len(mine)
        dingtalk.fault(kind="reset", action="GetEvent", times=1)
        hook.get_event(ORGANIZER, EVENT)
        assert naps
        assert len(mine) == slept


def test_with_clock_reaches_coroutines(dingtalk: Emulator, naps: list[float]) -> None:
    """Coroutines wait with the clock that is given, too."""
    mine: list[float] = []

    async def nap(seconds: float) -> None:
        mine.append(seconds)

    async def check() -> None:
        async with DingTalkCalendarHook() as hook:
            await hook.with_clock(replace(hook.clock, monotonic=lambda: sum(mine), asleep=nap)).aget_event(
                ORGANIZER, EVENT
            )

    dingtalk.fault(kind="reset", action="GetEvent", times=1)
    asyncio.run(check())
    assert mine
    assert not naps


def test_with_clock_shares_token_and_sockets(dingtalk: Emulator) -> None:
    """Both hooks use one token and one connection, which closing the first closes, and which then opens anew."""
    with DingTalkCalendarHook() as hook:
        other = hook.with_clock(hook.clock)
        hook.get_event(ORGANIZER, EVENT)
        other.get_event(ORGANIZER, EVENT)
        assert other.get_conn() is hook.get_conn()
        assert other._http is hook._http
    assert hook._http._sync_client is None
    assert other._http._sync_client is None
    assert other.get_event(ORGANIZER, EVENT)["id"] == EVENT
    other.close()
    assert dingtalk.effects["calls"] == {"GetEvent": 3}
    assert [request["action"] for request in dingtalk.requests].count("GetAccessToken") == 1


def test_a_sleep_may_end_a_call(dingtalk: Emulator) -> None:
    """What a sleep raises to end the work leaves the failure that was waited for."""

    def give_up(_: float) -> None:
        raise Interrupted

    dingtalk.fault(kind="reset", action="GetEvent", times=4)
    with DingTalkCalendarHook() as hook, pytest.raises(TransportError):
        hook.with_clock(replace(hook.clock, sleep=give_up)).get_event(ORGANIZER, EVENT)
    assert [request["action"] for request in dingtalk.requests].count("GetEvent") == 1
