"""Watchers that share one poll of a calendar, against DingTalk on loopback, in Airflow's own shared streams."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow has shared streams from 3.3 on")

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as ChangesTrigger
from airflow_dingtalk_calendar.watch import delivery
from airflow_dingtalk_calendar.watch.error_wait import ERROR_WAIT
from airflow_dingtalk_calendar.watch.hub import CalendarHub, CalendarKey, find_hub
from airflow_dingtalk_calendar.watch.watcher import CalendarWatcher
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.stream_triggerer import AssetStore, StreamTriggerer, Watcher

HOUR = 3600.0
FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"fields": ["location"]},
    {"summary_pattern": "^Review"},
    {"organizer_id": "somebody-else"},
    {"fields": ["summary", "attendees"]},
)
Play = Callable[[StreamTriggerer], Awaitable[None]]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> Callable[[Play], None]:
    """Run a scene in a triggerer."""

    def run(scene: Play) -> None:
        async def within() -> None:
            async with StreamTriggerer(monkeypatch) as triggerer:
                await scene(triggerer)

        asyncio.run(within())

    return run


def edit(event_id: str = EVENT, **fields: Any) -> None:
    """Change an event as a person does."""
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, event_id, fields)


def calls(dingtalk: Emulator) -> list[dict[str, str]]:
    """Return the queries of the calls that list the calendar."""
    return [dict(parse_qsl(one["query"])) for one in dingtalk.requests if one["action"] == "ListEvents"]


def hub() -> CalendarHub:
    """Return the hub of the watched calendar."""
    return find_hub(CalendarKey("dingtalk_default", ORGANIZER, "primary"))


def number_of(watcher: Watcher) -> int:
    """Return how many polls ago the saved position was taken first."""
    (head,) = [json.loads(value) for key, value in watcher.store.values.items() if key.count("/") == 1]
    return int(head["number"])


# -- one poll ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("watchers", [1, 25])
def test_any_number_of_watchers_makes_the_calls_of_one(
    play: Callable[[Play], None], dingtalk: Emulator, watchers: int
) -> None:
    """25 watchers with 5 kinds of filters take 4 calls for 4 polls, as one does, and each reports what it wants."""
    dingtalk.reset({**DATA, "events": [event("a", summary="Review"), event("b")]})

    async def scene(triggerer: StreamTriggerer) -> None:
        started = [triggerer.add(**FILTERS[number % 5], interval=HOUR + number) for number in range(watchers)]
        await triggerer.advance(60)
        edit("a", location="Room 2")
        await triggerer.advance(HOUR + 60)
        edit("b", location="Room 3")
        await triggerer.advance(HOUR + 60)
        edit("b", summary="Retitled")
        await triggerer.advance(HOUR + 60)
        both = [("updated", "a", ["location"]), ("updated", "b", ["location"])]
        wanted = [both, both, both[:1], [], [("updated", "b", ["summary"])]]
        assert [watcher.changes for watcher in started] == [wanted[number % 5] for number in range(watchers)]
        assert {number_of(watcher) for watcher in started} == {3}

    play(scene)
    assert len(calls(dingtalk)) == 4


def test_what_is_asked_for_follows_who_watches(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """The shortest interval and the most attendees count, as long as whoever wants them is there."""

    async def scene(triggerer: StreamTriggerer) -> None:
        triggerer.add(interval=HOUR)
        await triggerer.advance(60)
        hasty = triggerer.add(interval=60, fields=["attendees"])
        await triggerer.advance(300)
        await triggerer.remove(hasty)
        await triggerer.advance(HOUR)

    play(scene)
    asked = [(one["maxAttendees"], "syncToken" in one) for one in calls(dingtalk)]
    assert asked == [("1", False), ("100", False), ("100", True), *[("100", True)] * 4, ("1", True)]


def test_other_calendars_and_connections_have_polls_of_their_own() -> None:
    """Only connection, person and calendar make a stream; Airflow's parameters say nothing else."""
    one = ChangesTrigger(union_id=ORGANIZER).shared_stream_key()
    assert one == ChangesTrigger(union_id=ORGANIZER, interval=60, fields=["location"]).shared_stream_key()
    others = ({"union_id": "x"}, {"calendar_id": "x"}, {"dingtalk_conn_id": "x"})
    assert one not in {ChangesTrigger(**{"union_id": ORGANIZER, **other}).shared_stream_key() for other in others}


def test_a_watcher_that_comes_late_gets_a_poll_of_its_own(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """It has its first position at once, and the others lose nothing and report nothing twice."""

    async def scene(triggerer: StreamTriggerer) -> None:
        first = triggerer.add()
        await triggerer.advance(60)
        edit(location="Room 2")
        late = triggerer.add(fields=["location"])
        await triggerer.advance(60)
        assert number_of(late) == 0
        edit(location="Room 3")
        await triggerer.advance(HOUR)
        assert [one["fields"] for one in first.reported] == [["location"]] * 2
        assert [one["fields"] for one in late.reported] == [["location"]]

    play(scene)


def test_a_watcher_goes_while_others_run(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """What it has reported is saved, the others go on, and when it comes back it reports what it missed."""

    async def scene(triggerer: StreamTriggerer) -> None:
        stays, goes = triggerer.add(), triggerer.add(fields=["location"])
        await triggerer.advance(60)
        await triggerer.remove(goes)
        edit(location="Room 2")
        await triggerer.advance(HOUR)
        triggerer.watchers.append(goes)
        triggerer.start(goes)
        await triggerer.advance(HOUR)
        assert [len(stays.reported), len(goes.reported)] == [1, 1]

    play(scene)


def test_a_restart_costs_no_call_before_its_time(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """However often the triggerer starts, the calendar is polled once per interval."""

    async def scene(triggerer: StreamTriggerer) -> None:
        triggerer.add()
        triggerer.add(fields=["location"])
        await triggerer.advance(60)
        for _ in range(5):
            await triggerer.kill()
            triggerer.start_all()
            await triggerer.advance(60)
        assert len(calls(dingtalk)) == 1
        await triggerer.advance(HOUR)
        assert len(calls(dingtalk)) == 2

    play(scene)


def test_positions_of_different_polls_go_on_together(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """Watchers whose positions are apart are listed for once each, and share their calls from then on."""

    async def scene(triggerer: StreamTriggerer) -> None:
        apart = [triggerer.add(), triggerer.add(fields=["location"])]
        await triggerer.advance(60)
        apart[1].store.broken = True
        edit(location="Room 2")
        await triggerer.advance(HOUR)
        await triggerer.kill()
        apart[1].store.broken = False
        edit(location="Room 3")
        triggerer.now += HOUR
        triggerer.start_all()
        await triggerer.advance(60)
        assert len(calls(dingtalk)) == 4
        assert [len(watcher.reported) for watcher in apart] == [2, 2]
        await triggerer.advance(HOUR)
        assert len(calls(dingtalk)) == 5

    play(scene)


def test_a_position_of_a_watcher_by_itself_is_read(
    play: Callable[[Play], None], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``run`` has saved, in this version or an older one, is where the shared poll begins."""

    async def scene(triggerer: StreamTriggerer) -> None:
        monkeypatch.setattr(CalendarWatcher, "clock", staticmethod(lambda: triggerer.now))
        alone = ChangesTrigger(union_id=ORGANIZER)
        store = alone.asset_state_store = AssetStore()  # type: ignore[assignment]
        watching = alone._make_watcher()
        await watching.poll_calendar()
        await watching.save_position()
        edit(location="Room 2")
        triggerer.now += HOUR
        watcher = Watcher(0, {})
        watcher.store = store  # type: ignore[assignment]
        triggerer.watchers.append(watcher)
        triggerer.start(watcher)
        await triggerer.advance(60)
        assert watcher.changes == [("updated", EVENT, ["location"])]

    play(scene)


# -- positions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [False, True], ids=["before it was stored", "before the position was saved"])
def test_killed_in_between_it_reports_again(play: Callable[[Play], None], dingtalk: Emulator, stored: bool) -> None:
    """No change is lost; one that was stored already comes again under the same name, whatever else was edited."""

    async def scene(triggerer: StreamTriggerer) -> None:
        watchers = [triggerer.add(), triggerer.add(fields=["location"])]
        await triggerer.advance(60)
        edit(location="Room 2")
        triggerer.stores, triggerer.confirms = stored, False
        triggerer.now += HOUR
        await triggerer.run_until(lambda: triggerer.pending == 2 or sum(len(one.reported) for one in watchers) == 2)
        await triggerer.kill()
        edit(summary="Retitled by the DAG that it started")
        triggerer.start_all()
        await triggerer.advance(60)
        for watcher in watchers:
            assert [one["fields"] for one in watcher.reported] == [["location"]] * (2 if stored else 1)
            assert len({one["change_id"] for one in watcher.reported}) == 1
        await triggerer.advance(HOUR)
        assert [len(watcher.reported) for watcher in watchers] == [2 if stored else 1] * 2

    play(scene)


def test_nothing_is_saved_before_all_is_stored(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """As long as a change is not stored, the position stays; no time has to pass afterwards."""

    async def scene(triggerer: StreamTriggerer) -> None:
        watcher = triggerer.add()
        await triggerer.advance(60)
        edit(location="Room 2")
        triggerer.stores = False
        triggerer.now += HOUR
        await triggerer.run_until(lambda: triggerer.pending == 1)
        assert number_of(watcher) == 0
        triggerer.stores, now = True, triggerer.now
        await triggerer.run_until(lambda: number_of(watcher) == 1)
        assert triggerer.now == now

    play(scene)


def test_a_watcher_whose_changes_are_not_stored_fails_alone(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """It is reported again after a restart; the others have their positions saved, and report nothing twice."""

    async def scene(triggerer: StreamTriggerer) -> None:
        well, poor = triggerer.add(), triggerer.add(fields=["location"])
        await triggerer.advance(60)
        edit(location="Room 2")
        triggerer.forgets = {poor.number}
        triggerer.now += HOUR
        await triggerer.run_until(lambda: poor.failures)
        await triggerer.settle()
        assert [type(error).__name__ for error in poor.failures] == ["AckTimeout"]
        await triggerer.advance(HOUR)
        assert (len(well.reported), len(poor.reported)) == (1, 1)

    play(scene)


def test_many_changes_are_delivered_in_parts(
    play: Callable[[Play], None], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is one asset event, and begins when the one before was stored; the position is saved after the last."""
    monkeypatch.setattr(delivery, "PART_LENGTH", 10)
    dingtalk.reset({**DATA, "events": [event(f"e{number:02}") for number in range(35)]})

    async def scene(triggerer: StreamTriggerer) -> None:
        watcher = triggerer.add()
        await triggerer.advance(60)
        for number in range(35):
            edit(f"e{number:02}", location="Room 2")
        triggerer.stores = False
        triggerer.now += HOUR
        for reported in (10, 20, 30, 35):
            await triggerer.run_until(lambda: triggerer.pending == 1)
            assert number_of(watcher) == 0
            triggerer.stores = True
            triggerer._database()
            triggerer.stores = False
            assert len(watcher.reported) == reported
        triggerer.stores = True
        await triggerer.settle()
        assert len({one["change_id"] for one in watcher.reported}) == 35
        assert number_of(watcher) == 1

    play(scene)


def test_a_store_that_fails_is_its_watchers_affair(
    play: Callable[[Play], None], dingtalk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """While one watcher's position cannot be saved, it reports nothing further; the others go on."""

    async def scene(triggerer: StreamTriggerer) -> None:
        well, poor = triggerer.add(), triggerer.add(fields=["location"])
        await triggerer.advance(60)
        poor.store.broken = True
        for room in (2, 3):
            edit(location=f"Room {room}")
            await triggerer.advance(HOUR)
        assert (len(well.reported), len(poor.reported)) == (2, 1)
        poor.store.broken = False
        await triggerer.advance(2 * HOUR)
        assert (len(well.reported), len(poor.reported)) == (2, 2)

    play(scene)
    assert "Changes are not reported while this error persists" in caplog.text


def test_a_watcher_that_cannot_compare_keeps_its_position(
    play: Callable[[Play], None], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error while it compares is logged and ends nothing; the changes come with the next poll."""
    follow = delivery.follow_listing

    async def scene(triggerer: StreamTriggerer) -> None:
        well, poor = triggerer.add(), triggerer.add(fields=["location"])
        await triggerer.advance(60)
        edit(location="Room 2")
        monkeypatch.setattr(
            delivery, "follow_listing", lambda watch, *rest: follow(watch, *rest) if len(watch.fields) > 1 else 1 / 0
        )
        await triggerer.advance(HOUR)
        assert (len(well.reported), poor.reported, poor.failures) == (1, [], [])
        monkeypatch.setattr(delivery, "follow_listing", follow)
        await triggerer.advance(HOUR)
        assert (len(well.reported), len(poor.reported)) == (1, 1)

    play(scene)
    assert "Changes are not reported while this error persists" in caplog.text


# -- errors and wake-ups ----------------------------------------------------------------------------------------


def test_a_wait_that_dingtalk_asks_for_is_kept_whoever_comes(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """Neither a new watcher nor a wake-up shortens it, and afterwards there is the poll that was asked for."""
    busy = {"status": 429, "code": "Throttling.User", "message": "slow down", "headers": {"Retry-After": "900"}}

    async def scene(triggerer: StreamTriggerer) -> None:
        watcher = triggerer.add(interval=60)
        await triggerer.advance(30)
        edit(location="Room 2")
        dingtalk.fault(kind="error", action="ListEvents", **busy)
        await triggerer.advance(60)
        made = len(calls(dingtalk))
        triggerer.add(interval=60, fields=["location"])
        hub().ask_poll()
        await triggerer.advance(800)
        assert len(calls(dingtalk)) == made
        await triggerer.advance(100)
        assert len(watcher.reported) == 1

    play(scene)


def test_wrong_credentials_are_said_once(
    play: Callable[[Play], None], dingtalk: Emulator, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """One error for all watchers, tried again every hour; once it is fixed, nothing was lost."""

    async def scene(triggerer: StreamTriggerer) -> None:
        watchers = [triggerer.add(interval=60), triggerer.add(interval=60, fields=["location"])]
        await triggerer.advance(30)
        edit(location="Room 2")
        dingtalk.store.expire_tokens()
        connect(password="another-secret-altogether")
        await triggerer.advance(3 * ERROR_WAIT)
        connect()
        await triggerer.advance(ERROR_WAIT)
        assert [len(watcher.reported) for watcher in watchers] == [1, 1]

    with caplog.at_level(logging.INFO):
        play(scene)
    errors = [one.message for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "Check login (app key) and password (app secret)" in errors[0]
    assert "another-secret-altogether" not in caplog.text


def test_what_passes_by_itself_ends_no_watcher(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """An unreachable service is waited out, and nothing is lost."""

    async def scene(triggerer: StreamTriggerer) -> None:
        watcher = triggerer.add()
        await triggerer.advance(60)
        edit(location="Room 2")
        dingtalk.fault(kind="reset", action="ListEvents", times=4)
        await triggerer.advance(3 * HOUR)
        assert (len(watcher.reported), watcher.failures) == (1, [])

    play(scene)


def test_a_poll_can_be_asked_for(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """Who knows of a change has the calendar polled at once; asked several times, it is one poll."""

    async def scene(triggerer: StreamTriggerer) -> None:
        watcher = triggerer.add()
        await triggerer.advance(60)
        edit(location="Room 2")
        for _ in range(3):
            hub().ask_poll()
        await triggerer.settle()
        assert len(watcher.reported) == 1
        await triggerer.advance(60)
        assert len(calls(dingtalk)) == 2

    play(scene)


def test_a_refused_sync_token_is_a_whole_list_for_all(play: Callable[[Play], None], dingtalk: Emulator) -> None:
    """When DingTalk does not take the syncToken any more, one list of the calendar serves every watcher."""
    dingtalk.reset({**DATA, "events": [event("a"), event("b")]})

    async def scene(triggerer: StreamTriggerer) -> None:
        watchers = [triggerer.add(), triggerer.add(fields=["location"])]
        await triggerer.advance(60)
        edit("a", location="Room 2")
        del dingtalk.store.events["b"]
        dingtalk.store.list_pages.clear()
        await triggerer.advance(HOUR)
        for watcher in watchers:
            assert watcher.changes == [("updated", "a", ["location"]), ("deleted", "b", [])]

    play(scene)
    assert len(calls(dingtalk)) == 3


def test_without_shared_streams_a_watcher_polls_by_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If an Airflow has other shared streams than these, that is said, and Airflow calls ``run``."""
    for module in ("airflow.triggers.shared_stream", "airflow_dingtalk_calendar.watch.producer"):
        monkeypatch.setitem(sys.modules, module, None)
    assert ChangesTrigger(union_id=ORGANIZER).shared_stream_key() is None
    assert "each watcher polls the calendar by itself" in caplog.text
