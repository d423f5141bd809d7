"""What wakes the polls of a calendar whose changes are pushed: pushes in bursts, connections, and the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from airflow_dingtalk_calendar.stream.deliveries import PushDeliveries, PushDelivery
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


class Polls:
    """What polls a calendar when it is asked to; remembers when.

    :ivar found: what the next poll finds.
    """

    def __init__(self, time: VirtualTime) -> None:
        self.time = time
        self.made: list[float] = []
        self.found: list[str] = []
        self.waker = CalendarWaker("lin", "primary", self.poll, time.clock)

    def poll(self) -> None:
        """Poll the calendar, and notify the waker of what was found."""
        self.made.append(self.time.now)
        self.waker.note_poll(self.time.now, self.found)
        self.found = []


def play(scenario: Callable[[VirtualTime, CalendarWaker, Polls], Awaitable[None]]) -> None:
    """Let a scenario happen."""

    async def run() -> None:
        time = VirtualTime()
        polls = Polls(time)
        await scenario(time, polls.waker, polls)
        await polls.waker._stop()

    asyncio.run(run())


def push(waker: CalendarWaker, union_id: str = "lin") -> list[str]:
    """Push a change; return how it was answered."""
    answers: list[str] = []
    change = replace(PUSH, change_id=f"{union_id} {id(answers)}", union_ids=(union_id,))
    PushDeliveries().receive(change, answers.append, [waker])
    return answers


def test_a_push_wakes_a_poll_soon() -> None:
    """A push is acknowledged at once, and there is a poll seconds after it, not at the end of the interval."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        await time.pass_by(100)
        assert push(waker) == ["SUCCESS"]
        await time.pass_by(100)
        assert polls.made == [100 + QUIET_SECONDS]

    play(scenario)


def test_a_burst_is_one_poll() -> None:
    """Pushes that follow each other are waited for, but not forever."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        for _ in range(3):
            push(waker)
            await time.pass_by(1)
        await time.pass_by(100)
        assert len(polls.made) == 1
        for _ in range(60):
            push(waker)
            await time.pass_by(1)
        await time.pass_by(LONGEST_BURST)
        assert len(polls.made) == 1 + 60 / LONGEST_BURST

    play(scenario)


def test_another_calendar_wakes_nobody() -> None:
    """A push about others is acknowledged and nothing more."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        await time.pass_by(1)
        assert push(waker, union_id="chen") == ["SUCCESS"]
        await time.pass_by(100)
        assert polls.made == []

    play(scenario)


def test_a_connection_wakes_a_poll() -> None:
    """What happened while there was none is polled for at once."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        await time.pass_by(5)
        waker.note_connected()
        await time.pass_by(1)
        assert polls.made == [5]

    play(scenario)


def test_silence_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A change that a poll finds, and that no push has announced or announces soon, is one warning for good."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        waker.note_connected()
        for _ in range(3):
            await time.pass_by(HOUR, step=60)
            polls.found = ["an-event"]
            polls.poll()
            await time.pass_by(PUSH_GRACE)

    play(scenario)
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.WARNING] == [SILENCE_TEXT]


@pytest.mark.parametrize("case", ["announced before", "announced soon after", "changed before the connection"])
def test_what_is_no_silence(caplog: pytest.LogCaptureFixture, case: str) -> None:
    """A push that comes about when the poll does is not missing, nor is one from before the connection."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        if case != "changed before the connection":
            waker.note_connected()
        await time.pass_by(HOUR, step=60)
        if case == "announced before":
            push(waker)
            await time.pass_by(0)
        if case == "changed before the connection":
            polls.found = ["an-event"]
            waker.note_connected()
        polls.found = ["an-event"]
        polls.poll()
        if case == "announced soon after":
            push(waker)
        await time.pass_by(2 * PUSH_GRACE)

    play(scenario)
    assert not [one for one in caplog.records if one.levelno == logging.WARNING]


def test_what_is_remembered_is_bounded() -> None:
    """However many events are announced between two polls, memory is not."""

    async def scenario(time: VirtualTime, waker: CalendarWaker, polls: Polls) -> None:
        for number in range(MAX_ANNOUNCED + 100):
            waker.receive_push(_settled(str(number)))
        assert len(waker._silence._announced) == MAX_ANNOUNCED

    play(scenario)


def _settled(event_id: str) -> PushDelivery:
    return PushDelivery(replace(PUSH, event_id=event_id), [], lambda status: None)
