"""Watchers whose polls DingTalk's pushes wake, on Airflow's own shared streams, against the emulator's gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow shares streams from 3.3 on")

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.wakes import SILENCE_TEXT, WOKEN_RETRY
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.faults.conftest import SCHEDULES
from tests.stream.test_session import OTHER, waits
from tests.stream_triggerer import StreamTriggerer

__all__ = ["waits"]  # a fixture
HOUR = 3600.0
Play = Callable[[StreamTriggerer], Awaitable[None]]


def play(monkeypatch: pytest.MonkeyPatch, scene: Play) -> None:
    """Run a scene in a triggerer, whose time the package goes by."""

    async def within() -> None:
        async with StreamTriggerer(monkeypatch) as triggerer:
            clock = replace(DingTalkBaseHook.clock, time=lambda: triggerer.now)
            monkeypatch.setattr(DingTalkBaseHook, "clock", clock)
            await scene(triggerer)

    asyncio.run(within())


def edit(event_id: str = EVENT, **fields: Any) -> None:
    """Change an event as a person does."""
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, event_id, fields)


def polls(dingtalk: Emulator) -> int:
    """Count the calls that list the calendar."""
    return sum(one["action"] == "ListEvents" for one in dingtalk.requests)


async def begin(triggerer: StreamTriggerer, dingtalk: Emulator, number: int = 1, **options: Any) -> list[Any]:
    """Start watchers of the calendar; go on once they are connected and have their positions."""
    started = [triggerer.add(source="stream", **options) for _ in range(number)]
    await triggerer.run_until(lambda: dingtalk.connections() and all(one.store.values for one in started))
    await quiet(triggerer, dingtalk)
    return started


async def quiet(triggerer: StreamTriggerer, dingtalk: Emulator) -> None:
    """Go on until nothing happens any more, sockets included."""
    seen = -1
    while seen != (seen := len(dingtalk.requests)):
        await triggerer.settle()
        for _ in range(20):
            await asyncio.sleep(0.001)


def test_a_push_wakes_one_poll_for_all_watchers(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> None:
    """Seconds after a change all watchers of a calendar report it, polling ones too, with one call; fields as ever."""

    async def scene(triggerer: StreamTriggerer) -> None:
        started = await begin(triggerer, dingtalk, 3)
        polling = triggerer.add()
        await quiet(triggerer, dingtalk)
        before, began = polls(dingtalk), triggerer.now
        edit(location="Room 2")
        await triggerer.run_until(lambda: all(one.reported for one in [*started, polling]))
        assert triggerer.now - began < 10
        assert polls(dingtalk) == before + 1
        assert {tuple(map(str, one.changes)) for one in [*started, polling]} == {
            (str(("updated", EVENT, ["location"])),)
        }
        assert dingtalk.pushed_events()[0]["status"] == "acknowledged"
        assert len(dingtalk.connections()) == 1

    play(monkeypatch, scene)


def test_what_changed_without_a_connection_is_found(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> None:
    """A new connection is followed by a poll, so that a push that was lost is no lost change."""

    async def scene(triggerer: StreamTriggerer) -> None:
        (watcher,) = await begin(triggerer, dingtalk)
        dingtalk.fault(action="OpenConnection", kind="error", status=503, times=8)
        dingtalk.store.stream.reset()
        edit(location="Room 2")
        await triggerer.run_until(lambda: watcher.reported)
        assert [one["status"] for one in dingtalk.pushed_events()] == ["lost"]

    play(monkeypatch, scene)


def test_a_push_is_acknowledged_when_its_wake_is_noted(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> None:
    """What is durable is the position: killed before anything is stored, the triggerer reports it afterwards."""

    async def scene(triggerer: StreamTriggerer) -> None:
        (watcher,) = await begin(triggerer, dingtalk)
        triggerer.stores = False
        edit(location="Room 2")
        await triggerer.run_until(lambda: triggerer.pending)
        assert dingtalk.pushed_events()[0]["status"] == "acknowledged"
        await triggerer.kill()
        assert watcher.reported == []
        triggerer.start_all()
        await triggerer.run_until(lambda: watcher.reported)
        assert watcher.changes == [("updated", EVENT, ["location"])]

    play(monkeypatch, scene)


def test_a_poll_that_fails_is_made_again_soon(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> None:
    """What a push has announced does not wait for the safety poll when DingTalk is busy for a moment."""

    async def scene(triggerer: StreamTriggerer) -> None:
        (watcher,) = await begin(triggerer, dingtalk)
        began = triggerer.now
        dingtalk.fault(action="ListEvents", kind="error", status=503, times=4)
        edit(location="Room 2")
        await triggerer.run_until(lambda: dingtalk.store.faults.rules[-1].times == 0)
        await triggerer.advance(WOKEN_RETRY + 5)
        assert len(watcher.reported) == 1
        assert triggerer.now - began < 2 * WOKEN_RETRY

    play(monkeypatch, scene)


@pytest.mark.parametrize(("single", "interval"), [(False, HOUR), (True, 24 * HOUR)])
def test_silence_is_found_by_the_safety_poll_and_said(
    monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, single: bool, interval: float
) -> None:
    """A change that no push announces is found after an hour, or a day, and a warning names the console's setting."""

    async def scene(triggerer: StreamTriggerer) -> None:
        (watcher,) = await begin(triggerer, dingtalk, single_consumer=single)
        dingtalk.fault(action="StreamPush", kind="garbage")
        await triggerer.advance(interval / 2)
        edit(location="Room 2")
        await triggerer.advance(interval / 4)
        assert watcher.reported == []
        assert SILENCE_TEXT not in caplog.text
        await triggerer.advance(interval / 2)
        await triggerer.run_until(lambda: SILENCE_TEXT in caplog.text)
        assert len(watcher.reported) == 1

    play(monkeypatch, scene)
    assert sum(SILENCE_TEXT in one.getMessage() for one in caplog.records if one.levelno == logging.WARNING) == 1


def test_the_last_watcher_closes_the_connection(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> None:
    """As long as one watcher is woken by pushes there is a connection, and after that none."""

    async def scene(triggerer: StreamTriggerer) -> None:
        first, second = await begin(triggerer, dingtalk, 2)
        await triggerer.remove(first)
        edit(location="Room 2")
        await triggerer.run_until(lambda: second.reported)
        await triggerer.remove(second)
        await triggerer.run_until(lambda: not dingtalk.connections())

    play(monkeypatch, scene)


STEPS = st.one_of(
    st.tuples(st.sampled_from(["room", "title"]), st.sampled_from([EVENT, OTHER]), st.integers(0, 3)),
    st.sampled_from([("kill",), ("lose",), ("disconnect",), ("wait",), ("later",)]),
    st.sampled_from(["reset", "close", "garbage", "duplicate", "truncated"]).map(lambda kind: ("fault", kind)),
)


@SCHEDULES
@given(steps=st.lists(STEPS, max_size=10), unconnected=st.sampled_from(["lost", "kept"]))
def test_every_change_that_lasts_is_reported(
    dingtalk: Emulator, waits: list[float], steps: list[tuple[Any, ...]], unconnected: str
) -> None:
    """Whatever happens to pushes, connection and triggerer, an event whose watched fields differ is reported."""
    dingtalk.reset({**DATA, "events": [event(), event(OTHER)]}, stream_unconnected=unconnected)

    async def scene(triggerer: StreamTriggerer) -> None:
        (watcher,) = await begin(triggerer, dingtalk)
        for step in steps:
            await _take_step(step, triggerer, dingtalk)
        dingtalk.store.faults.rules.clear()
        await triggerer.advance(HOUR + 120)
        reported = {one["event_id"] for one in watcher.reported}
        for event_id in (EVENT, OTHER):
            if dingtalk.event(event_id)["location"] != event()["location"]:
                assert event_id in reported
        for one in watcher.reported:
            assert set(one["fields"]) == {"location"}

    with pytest.MonkeyPatch.context() as monkeypatch:
        play(monkeypatch, scene)


async def _take_step(step: tuple[Any, ...], triggerer: StreamTriggerer, dingtalk: Emulator) -> None:
    match step:
        case ("room", event_id, number):
            edit(event_id, location=f"Room {number}")
        case ("title", event_id, number):
            edit(event_id, summary=f"Title {number}")
        case ("kill",):
            await triggerer.kill()
            triggerer.start_all()
        case ("lose",):
            dingtalk.store.stream.reset()
        case ("disconnect",):
            dingtalk.disconnect_all()
        case ("fault", kind):
            dingtalk.fault(action="StreamPush", kind=kind)
        case ("wait",):
            await quiet(triggerer, dingtalk)
        case ("later",):
            await triggerer.advance(300)
