"""What wakes the checks of a calendar whose changes are pushed: pushes in bursts, connections, and the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from airflow_dingtalk_calendar.stream.deliveries import PushDeliveries
from airflow_dingtalk_calendar.stream.pushes import CalendarPush
from airflow_dingtalk_calendar.stream.wakes import (
    LONGEST_BURST,
    MAX_ANNOUNCED,
    PUSH_GRACE,
    QUIET_SECONDS,
    SILENCE_TEXT,
    CalendarWaker,
)
from tests.virtual_clock import VirtualTime

HOUR = 3600.0
PUSH = CalendarPush("c1", "updated", "an-event", ("lin",), "primary", None, "user")
Scenario = Callable[[VirtualTime, CalendarWaker], Awaitable[None]]


class Checks:
    """Checks a calendar whenever it is time to; remembers when, and why."""

    def __init__(self, time: VirtualTime, waker: CalendarWaker) -> None:
        self.time, self.waker = time, waker
        self.made: list[tuple[float, str]] = []
        self.found: list[str] = []
        self.task = asyncio.ensure_future(self._check())

    async def _check(self) -> None:
        while True:
            reason = await self.waker.wait(HOUR)
            self.made.append((self.time.now, reason))
            self.waker.note_check(reason, self.found)
            self.found = []


def play(scenario: Callable[[VirtualTime, CalendarWaker, Checks], Awaitable[None]]) -> None:
    """Let a scenario happen, beside checks."""

    async def run() -> None:
        time = VirtualTime()
        waker = CalendarWaker("lin", "primary", time.clock)
        checks = Checks(time, waker)
        await scenario(time, waker, checks)
        checks.task.cancel()

    asyncio.run(run())


def push(waker: CalendarWaker, event_id: str = "an-event", union_id: str = "lin") -> list[str]:
    """Push a change; return how it was answered."""
    answers: list[str] = []
    change = replace(PUSH, change_id=f"{event_id} {union_id} {id(answers)}", event_id=event_id, union_ids=(union_id,))
    PushDeliveries().receive(change, answers.append, [waker])
    return answers


def test_a_push_wakes_a_check_soon() -> None:
    """A push is acknowledged at once, and there is a check seconds after it, not at the end of the interval."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        await time.pass_by(100)
        assert push(waker) == ["SUCCESS"]
        await time.pass_by(100)
        assert checks.made == [(100 + QUIET_SECONDS, "push")]

    play(scenario)


def test_a_burst_is_one_check() -> None:
    """Pushes that follow each other are waited for, but not for ever."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        for _ in range(3):
            push(waker)
            await time.pass_by(1)
        await time.pass_by(100)
        assert len(checks.made) == 1
        for _ in range(60):
            push(waker)
            await time.pass_by(1)
        await time.pass_by(LONGEST_BURST)
        assert len(checks.made) == 1 + 60 / LONGEST_BURST

    play(scenario)


def test_another_calendar_wakes_nobody() -> None:
    """A push about others is acknowledged and nothing more."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        await time.pass_by(1)
        assert push(waker, union_id="chen") == ["SUCCESS"]
        await time.pass_by(100)
        assert checks.made == []

    play(scenario)


def test_a_connection_wakes_a_check() -> None:
    """What happened while there was none is looked for at once."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        await time.pass_by(5)
        waker.note_connected()
        await time.pass_by(1)
        assert checks.made == [(5, "connected")]

    play(scenario)


def test_without_pushes_there_is_a_safety_check() -> None:
    """What no push tells of is found after the interval."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        await time.pass_by(2 * HOUR, step=60)
        assert checks.made == [(HOUR, "time"), (2 * HOUR, "time")]

    play(scenario)


def test_silence_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A safety check that finds a change that no push has announced, or announces soon, is one warning for good."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        for _ in range(3):
            checks.found = ["an-event"]
            await time.pass_by(HOUR, step=60)
            await time.pass_by(PUSH_GRACE)

    play(scenario)
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == [SILENCE_TEXT]


@pytest.mark.parametrize("late", [False, True], ids=["before the check", "soon after it"])
def test_an_announced_change_is_no_silence(caplog: pytest.LogCaptureFixture, late: bool) -> None:
    """A push that came in the same minute as the check is not missing."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        await time.pass_by(HOUR - 1, step=60)
        checks.found = ["an-event"]
        if not late:
            waker._announced.add("an-event")
        await time.pass_by(2)
        assert checks.made == [(HOUR, "time")]
        if late:
            push(waker)
        await time.pass_by(2 * PUSH_GRACE)

    play(scenario)
    assert not [one for one in caplog.records if one.levelno == logging.WARNING]


def test_what_is_remembered_is_bounded() -> None:
    """However many events are announced between two checks, memory is not."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, checks: Checks) -> None:
        for number in range(MAX_ANNOUNCED + 100):
            waker.receive_push(_settled(str(number)))
        assert len(waker._announced) == MAX_ANNOUNCED

    play(scenario)


def _settled(event_id: str):  # type: ignore[no-untyped-def]
    from airflow_dingtalk_calendar.stream.deliveries import PushDelivery

    return PushDelivery(replace(PUSH, event_id=event_id), [], lambda status: None)
