"""The trigger that reports changes, against DingTalk on loopback; time is made here and Airflow's store is a dict."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from typing import Any
from urllib.parse import parse_qsl

import pytest
from airflow.triggers import base

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as ChangesTrigger
from airflow_dingtalk_calendar.watch.changes import DEFAULT_FIELDS
from airflow_dingtalk_calendar.watch.error_wait import ERROR_WAIT
from airflow_dingtalk_calendar.watch.watcher import NAP_SECONDS, NAPS, CalendarWatcher
from tests.conftest import DATA, EVENT, ORGANIZER, event

Step = Callable[[], object]
HOUR = 3600.0
LATER = {
    "start": {"dateTime": "2027-03-02T12:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-02T13:00:00+08:00", "timeZone": "Asia/Shanghai"},
}
airflow_3 = pytest.mark.skipif(not hasattr(base, "BaseEventTrigger"), reason="Airflow 2 has no watchers")


class Killed(BaseException):
    """The triggerer is gone."""


class Store:
    """Airflow's state store of one asset: JSON values of limited size."""

    @property
    def _by_name(self) -> dict[str, Any]:
        return {"asset": self}

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.broken = False

    async def aget(self, key: str, default: Any = None) -> Any:
        assert not self.broken
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        assert not self.broken
        assert value is not None
        assert len(json.dumps(value)) < 65_536
        self.values[key] = json.dumps(value)


class Triggerer:
    """Runs a trigger, with something happening in each pause between two polls, until nothing happens any more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        self.pauses: list[float] = []
        self.naps = 0
        self.dies_in_nap = 0
        self._steps: Iterator[Step] = iter(())
        monkeypatch.setattr(CalendarWatcher, "sleep", staticmethod(self._sleep))
        monkeypatch.setattr(CalendarWatcher, "clock", staticmethod(lambda: self.now))

    def run(self, *steps: Step, store: Any = None, **options: Any) -> list[dict[str, Any]]:
        """Run until the steps are used up and what they led to was reported; return the changes."""
        trigger = ChangesTrigger(**{"union_id": ORGANIZER, **options})
        trigger.asset_state_store = store
        reported: list[dict[str, Any]] = []
        self._steps = iter(steps)
        with suppress(Killed):
            asyncio.run(self._collect(trigger, reported))
        return reported

    async def _collect(self, trigger: ChangesTrigger, reported: list[dict[str, Any]]) -> None:
        async for one in trigger.run():
            reported += json.loads(json.dumps(one.payload))["changes"]

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        if seconds == NAP_SECONDS:
            self.naps += 1
            if self.naps == self.dies_in_nap:
                raise Killed
            return
        self.pauses.append(seconds)
        step = next(self._steps, None)
        if step is None:
            raise Killed
        step()


@pytest.fixture
def triggerer(monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator) -> Triggerer:
    """A triggerer whose time is made here."""
    return Triggerer(monkeypatch)


@pytest.fixture
def store() -> Store:
    """The state store of the watched asset."""
    return Store()


def edit(dingtalk: Emulator, event_id: str = EVENT, union_id: str = ORGANIZER, **fields: Any) -> Step:
    """Make the step in which somebody patches an event, or cancels it."""

    def step() -> None:
        with DingTalkCalendarHook() as hook:
            if fields.get("status") == "cancelled":
                hook.delete_event(union_id, event_id)
            else:
                hook.patch_event(union_id, event_id, fields)

    return step


def nothing() -> None:
    """Let an interval pass."""


def calls(dingtalk: Emulator) -> int:
    """Count the requests of the trigger."""
    return sum(request["action"] == "ListEvents" for request in dingtalk.requests)


def what(reported: list[dict[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Return what was reported."""
    return [(one["kind"], one["event_id"], one["fields"]) for one in reported]


def test_changes_are_reported_from_the_first_start_on(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """What was there before is not reported; each later change is, once, in one call per poll."""
    reported = triggerer.run(
        edit(dingtalk, location="Room 2"),
        nothing,
        edit(dingtalk, **LATER),
        edit(dingtalk, summary="Retitled"),
        edit(dingtalk, status="cancelled"),
        store=store,
    )
    assert what(reported) == [
        ("updated", EVENT, ["location"]),
        ("updated", EVENT, ["start", "end"]),
        ("deleted", EVENT, []),
    ]
    assert len({one["change_id"] for one in reported}) == 3
    assert calls(dingtalk) == 6
    assert set(triggerer.pauses) == {HOUR}


@pytest.mark.parametrize(("interval", "level"), [(3600, logging.INFO), (300, logging.WARNING)])
def test_what_it_costs_is_said(
    triggerer: Triggerer, store: Store, caplog: pytest.LogCaptureFixture, interval: float, level: int
) -> None:
    """At its start a watcher says how many calls a month it will make; more than an organisation has is a warning."""
    with caplog.at_level(logging.INFO):
        triggerer.run(store=store, interval=interval)
    said = [one for one in caplog.records if "metered calls a month" in one.message]
    assert [(one.levelno, str(int(720 * 3600 / interval)) in one.message) for one in said] == [(level, True)]


def test_a_new_event_is_reported(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """A new event comes with the ids that a DAG needs to patch it."""

    def create() -> None:
        with DingTalkCalendarHook() as hook:
            hook.create_event(ORGANIZER, {"summary": "New", **LATER})

    (reported,) = triggerer.run(create, store=store)
    assert reported["kind"] == "created"
    assert reported["event_id"] in dingtalk.store.events
    assert reported["organizer_id"] == reported["union_id"] == ORGANIZER
    assert reported["calendar_id"] == "primary"
    assert "New" not in json.dumps(reported)


def test_a_restart_loses_nothing_and_repeats_nothing(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """What changed while the triggerer was away is reported afterwards, and what was reported before is not."""
    assert len(triggerer.run(edit(dingtalk, location="Room 2"), store=store)) == 1
    edit(dingtalk, location="Room 3")()
    triggerer.now += 2 * HOUR
    assert what(triggerer.run(store=store)) == [("updated", EVENT, ["location"])]
    triggerer.now += 2 * HOUR
    assert triggerer.run(store=store) == []


def test_a_restart_waits_for_the_rest_of_the_interval(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """However often the triggerer starts, a poll is made once per interval."""
    triggerer.run(store=store)
    triggerer.now -= HOUR  # the pause that was cut short
    for _ in range(5):
        triggerer.now += 60.0
        before = len(triggerer.pauses)
        triggerer.run(store=store)
        assert triggerer.pauses[before] < HOUR
        triggerer.now -= triggerer.pauses[before]
    assert calls(dingtalk) == 1


@pytest.mark.parametrize("nap", [1, NAPS, NAPS + 1])
def test_killed_before_it_has_saved_it_reports_again(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, nap: int
) -> None:
    """A change whose position was not saved yet comes again under the same name, whatever the DAG wrote meanwhile."""
    triggerer.run(store=store)
    triggerer.dies_in_nap = nap
    triggerer.now += HOUR
    edit(dingtalk, location="Room 2")()
    (first,) = triggerer.run(store=store)
    edit(dingtalk, summary="Retitled by the DAG that it started")()
    triggerer.dies_in_nap = 0
    triggerer.now += HOUR
    again = triggerer.run(store=store)
    if nap <= NAPS:
        assert [{**one, "update_time": None} for one in again] == [{**first, "update_time": None}]
    else:
        assert again == []


def test_the_position_is_saved_after_airflow_had_time_to_store(
    triggerer: Triggerer, store: Store, dingtalk: Emulator
) -> None:
    """Nothing is saved before the naps, and without a change there are none."""
    triggerer.run(nothing, nothing, store=store)
    assert triggerer.naps == 0
    before = dict(store.values)
    triggerer.dies_in_nap = NAPS
    triggerer.now += HOUR
    edit(dingtalk, location="Room 2")()
    assert len(triggerer.run(store=store)) == 1
    assert store.values == before


@pytest.mark.parametrize("rejects", ["emulator", "fault"])
def test_a_refused_sync_token_costs_a_full_pass_and_no_flood(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, rejects: str
) -> None:
    """When DingTalk refuses the syncToken, the calendar is listed anew and only differences are reported."""
    events = [event(f"event-{number:03}") for number in range(250)]
    dingtalk.reset({**DATA, "events": events})

    def lose_tokens() -> None:
        edit(dingtalk, "event-007", location="Room 2")()
        edit(dingtalk, "event-008", summary="Retitled")()
        edit(dingtalk, "event-009", status="cancelled")()
        del dingtalk.store.events["event-010"]
        if rejects == "emulator":
            dingtalk.store.list_pages.clear()
        else:
            dingtalk.fault(
                kind="error", action="ListEvents", status=400, code="invalidParameter.syncToken", message="x"
            )

    reported = triggerer.run(lose_tokens, nothing, store=store)
    assert sorted(what(reported)) == [
        ("deleted", "event-009", []),
        ("deleted", "event-010", []),
        ("updated", "event-007", ["location"]),
    ]
    assert calls(dingtalk) == 3 + 1 + 3 + 1


def test_without_a_sync_token_each_poll_is_a_full_pass(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A service that gives no syncToken costs more calls, and nothing is reported wrongly."""

    def no_token() -> None:
        body = {"events": [dingtalk.event(EVENT)]}
        dingtalk.fault(kind="body", action="ListEvents", body=body, times=2)

    reported = triggerer.run(no_token, nothing, edit(dingtalk, location="Room 2"), store=store)
    assert what(reported) == [("updated", EVENT, ["location"])]
    assert "DingTalk has given no syncToken" in caplog.text


def test_filters_and_fields_reach_the_events(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """Only the named fields of the events that pass are reported."""
    dingtalk.reset({**DATA, "events": [event("a", summary="Review"), event("b")]})

    def change() -> None:
        for event_id in "ab":
            edit(dingtalk, event_id, location="Room 2", description="x")()

    reported = triggerer.run(change, store=store, summary_pattern="^Rev", fields=["description"])
    assert what(reported) == [("updated", "a", ["description"])]


def test_attendees_are_asked_for_when_they_are_watched(triggerer: Triggerer, dingtalk: Emulator) -> None:
    """Answers are as small as possible: no attendees but one, unless they are watched."""
    triggerer.run()
    triggerer.run(fields=["attendees"])
    asked = [dict(parse_qsl(request["query"])) for request in dingtalk.requests if request["action"] == "ListEvents"]
    assert [one["maxAttendees"] for one in asked] == ["1", "100"]
    assert {one["showDeleted"] for one in asked} == {"true"}


# -- errors -----------------------------------------------------------------------------------------------------


def test_what_passes_by_itself_is_waited_out(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """A busy or unreachable service ends nothing: a warning, and the change is reported at the next poll."""

    def fail() -> None:
        edit(dingtalk, location="Room 2")()
        dingtalk.fault(kind="reset", action="ListEvents", times=4)

    assert what(triggerer.run(fail, nothing, store=store)) == [("updated", EVENT, ["location"])]
    assert triggerer.pauses == [HOUR] * 3
    (record,) = [one for one in caplog.records if one.levelno >= logging.WARNING and "Poll failed" in one.message]
    assert record.levelno == logging.WARNING


def test_a_wait_that_dingtalk_asks_for_is_kept(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """If DingTalk asks for a longer wait than the interval, it gets it."""
    busy = {"status": 429, "code": "Throttling.User", "message": "slow down", "headers": {"Retry-After": "240"}}
    step = lambda: dingtalk.fault(kind="error", action="ListEvents", **busy)  # noqa: E731
    triggerer.run(step, nothing, store=store, interval=60)
    assert triggerer.pauses == [60.0, 240.0, 60.0]


def test_what_a_person_has_to_fix_is_logged_and_retried(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, connect: Callable[..., None], caplog: Any
) -> None:
    """A wrong secret is an error with the remedy, tried again after an hour; once it is fixed, nothing was lost."""

    def break_it() -> None:
        edit(dingtalk, location="Room 2")()
        dingtalk.store.expire_tokens()
        connect(password="another-secret-altogether")

    reported = triggerer.run(break_it, nothing, lambda: connect(), nothing, store=store, interval=60)
    assert triggerer.pauses == [60.0, ERROR_WAIT, ERROR_WAIT, 60.0, 60.0]
    assert what(reported) == [("updated", EVENT, ["location"])]
    errors = [one.message for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 2
    assert "Check login (app key) and password (app secret)" in errors[0]
    assert "another-secret-altogether" not in caplog.text


def test_a_missing_connection_ends_nothing(
    triggerer: Triggerer, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, connect: Any, caplog: Any
) -> None:
    """Whatever goes wrong is logged, because Airflow would start a trigger that ended again and again."""
    monkeypatch.delenv("AIRFLOW_CONN_DINGTALK_DEFAULT")
    assert triggerer.run(lambda: connect(), edit(dingtalk, location="Room 2"), fields=["location"]) != []
    assert "Changes are not reported while this error persists" in caplog.text


def test_a_position_that_cannot_be_saved_is_saved_later(triggerer: Triggerer, dingtalk: Emulator, store: Store) -> None:
    """While the store fails nothing further is reported, and nothing twice."""

    def fail() -> None:
        edit(dingtalk, location="Room 2")()
        store.broken = True

    def fix() -> None:
        edit(dingtalk, location="Room 3")()
        store.broken = False

    reported = triggerer.run(nothing, fail, nothing, fix, nothing, nothing, store=store)
    assert what(reported) == [("updated", EVENT, ["location"])] * 2
    assert len({one["change_id"] for one in reported}) == 2


def test_a_position_that_is_not_whole_is_taken_anew(
    triggerer: Triggerer, dingtalk: Emulator, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """If part of the position has been deleted, that is said, and there is no flood."""
    triggerer.run(store=store)
    del store.values[next(key for key in store.values if key.count("/") == 3)]
    triggerer.now += HOUR
    assert what(triggerer.run(edit(dingtalk, location="Room 2"), store=store)) == [("updated", EVENT, ["location"])]
    assert "changes since its last poll are lost" in caplog.text


def test_without_a_store_the_position_is_in_memory(
    triggerer: Triggerer, dingtalk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Before Airflow 3.3 changes are reported as long as the triggerer runs, which one warning says."""
    reported = triggerer.run(edit(dingtalk, location="Room 2"), edit(dingtalk, location="Room 3"))
    assert what(reported) == [("updated", EVENT, ["location"])] * 2
    assert triggerer.naps == 0
    assert [one.levelno for one in caplog.records if "in memory only" in one.message] == [logging.WARNING]
    edit(dingtalk, location="Room 4")()
    assert triggerer.run() == []


def test_one_trigger_for_several_assets_keeps_its_position_with_each(triggerer: Triggerer, dingtalk: Emulator) -> None:
    """Watchers with the same parameters share a trigger; either asset's store is enough to go on from."""

    class Both:
        def __init__(self, **stores: Store) -> None:
            self._by_name = stores

    one, other = Store(), Store()
    triggerer.run(nothing, store=Both(one=one, other=other))
    assert one.values == other.values
    edit(dingtalk, location="Room 2")()
    triggerer.now += HOUR
    assert len(triggerer.run(store=Both(new=Store(), other=other))) == 1
    triggerer.now += HOUR
    assert triggerer.run(store=Both(one=one, other=other)) == []  # the newer position counts


def test_an_airflow_that_hides_its_assets_loses_nothing(
    triggerer: Triggerer, dingtalk: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Where Airflow's private name for them is gone, one asset's position is kept, and a warning says which is not."""

    class Nameless(Store):
        _by_name = None  # type: ignore[assignment]

    store = Nameless()
    triggerer.run(nothing, store=store)
    edit(dingtalk, location="Room 2")()
    triggerer.now += HOUR
    assert len(triggerer.run(store=store)) == 1
    assert "with a different interval" in caplog.text


def test_two_watchers_of_one_asset_do_not_disturb_each_other(
    triggerer: Triggerer, dingtalk: Emulator, store: Store
) -> None:
    """Each combination of parameters has a position of its own; another interval goes on from the same."""
    triggerer.run(store=store)
    edit(dingtalk, location="Room 2")()
    triggerer.now += HOUR
    assert triggerer.run(store=store, fields=["location"]) == []
    triggerer.now += HOUR
    assert len(triggerer.run(store=store, interval=60)) == 1


def test_it_can_be_cancelled_at_any_moment(
    dingtalk: Emulator, store: Store, caplog: pytest.LogCaptureFixture, triggerer: Triggerer
) -> None:
    """A shutdown in the middle of a call, or of a pause, ends the trigger without an error in the log."""
    dingtalk.fault(kind="hang", action="ListEvents", seconds=30)

    async def cancelled() -> None:
        trigger = ChangesTrigger(union_id=ORGANIZER)
        trigger.asset_state_store = store
        async with aclosing(trigger.run()) as events:
            waiting = asyncio.ensure_future(anext(events))
            while not calls(dingtalk):  # noqa: ASYNC110  # the emulator is in another thread
                await asyncio.sleep(0.01)  # the emulator is in another thread
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    asyncio.run(asyncio.wait_for(cancelled(), 5))
    assert [one for one in caplog.records if one.levelno >= logging.WARNING] == []
    assert store.values == {}


# -- what Airflow stores ----------------------------------------------------------------------------------------


def test_serialized_it_is_the_same_again() -> None:
    """Class and parameters come back from JSON, hold no secret, and do not depend on how they were written."""
    options = {"union_id": ORGANIZER, "summary_pattern": "x", "organizer_id": "o", "series_master_id": "s"}
    path, kwargs = ChangesTrigger(**options, fields=("end", "start"), interval=dt.timedelta(minutes=5)).serialize()
    assert path == "airflow_dingtalk_calendar.triggers.changes.DingTalkCalendarChangesTrigger"
    assert (
        kwargs
        == json.loads(json.dumps(kwargs))
        == {
            **options,
            "calendar_id": "primary",
            "fields": ["start", "end"],
            "interval": 300.0,
            "dingtalk_conn_id": "dingtalk_default",
        }
    )
    assert ChangesTrigger(**kwargs).serialize() == (path, kwargs)
    assert ChangesTrigger(**options, fields=["start", "end"], interval=300).serialize() == (path, kwargs)
    assert ChangesTrigger(union_id="x").serialize()[1]["fields"] == list(DEFAULT_FIELDS)


def test_wrong_parameters_are_refused_when_airflow_reads_the_dag_file() -> None:
    """All problems come at once, at serialization; making the object, as the triggerer does too, never fails."""
    wrong = ChangesTrigger(union_id=" ", fields=["titel"], summary_pattern="(", interval=0)
    with pytest.raises(InvalidInputError) as error:
        wrong.serialize()
    assert [path for path, _ in error.value.problems] == ["union_id", "fields", "summary_pattern", "interval"]


@airflow_3
def test_airflow_knows_it_again() -> None:
    """What Airflow has stored has the hash of what the DAG file says, so the trigger stays as it is."""
    from airflow.models.trigger import Trigger

    try:
        from airflow.serialization.encoders import encode_trigger
    except ImportError:  # before Airflow 3.2
        from airflow.serialization.serialized_objects import (  # type: ignore[attr-defined,no-redef]
            _encode_trigger as encode_trigger,
        )

    encoded = encode_trigger(ChangesTrigger(union_id=ORGANIZER))
    again = encode_trigger(ChangesTrigger(union_id=ORGANIZER, interval=3600))
    row = Trigger(classpath=encoded["classpath"], kwargs=encoded["kwargs"])
    hashes = {
        base.BaseEventTrigger.hash(path, kwargs)
        for path, kwargs in (
            (encoded["classpath"], encoded["kwargs"]),
            (again["classpath"], again["kwargs"]),
            (row.classpath, row.kwargs),
        )
    }
    assert len(hashes) == 1
