"""What costs how many metered calls: the table in docs/costs.md, by the emulator's account."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, SAMPLE
from airflow_dingtalk_calendar.exceptions import TransportError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.plans import cancel_occurrence, split_series, swap_room
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.conftest import event as an_event
from tests.markdown import Page, codes
from tests.operators.test_all_operators import (
    WRITING,
    AddAttendees,
    AddRooms,
    Batch,
    Create,
    Delete,
    Get,
    List,
    RemoveAttendees,
    RemoveRooms,
    Ti,
    execute,
)
from tests.triggers.test_changes import Store, Triggerer, nothing

TABLE = {row[0]: row[1] for row in Page("docs/costs.md").table("what")}
THE_YEAR = {"time_min": "2027-01-01T00:00:00Z", "time_max": "2027-12-01T00:00:00Z"}
NOTHING = next(row for row in TABLE if "dry_run" in row)

Action = Callable[[], Any]


def cell(words: str) -> str:
    """Return what the table says of the row that begins so."""
    (found,) = (calls for row, calls in TABLE.items() if row.startswith(words))
    return found


def patch(ti: Ti | None = None, **arguments: Any) -> Any:
    """Execute the patch operator."""
    given = {"patch": {"summary": "New"}, "retries": 2, **arguments}
    return Patch(task_id="t", union_id=ORGANIZER, event_id=EVENT, **given).execute({"ti": ti or Ti()})  # type: ignore[typeddict-item]


def cost(dingtalk: Emulator, action: Action) -> int:
    """Count the metered calls of an action."""
    before = sum(dingtalk.effects["calls"].values())
    action()
    return int(sum(dingtalk.effects["calls"].values())) - before


@pytest.fixture
def dingtalk(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with a room and many events; a call is tried once."""
    events = [an_event(), *(an_event(f"event{index}") for index in range(100))]
    users = [{**one, "userId": one["unionId"]} for one in DATA["users"]]
    rooms = [{"roomId": "room-1", "displayName": "Room 1"}]
    dingtalk.reset({**DATA, "users": users, "rooms": rooms, "events": events})
    connection = dingtalk.connection()
    connection["extra"]["max_attempts"] = 1
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(connection))
    return dingtalk


@pytest.mark.parametrize("kind", [Patch, Get, Create, Delete, AddRooms, RemoveRooms])
def test_one_call(dingtalk: Emulator, kind: Any) -> None:
    """What concerns one event, or its rooms, is one call."""
    row = "booking" if kind in (AddRooms, RemoveRooms) else "patching"
    assert cost(dingtalk, patch if kind is Patch else partial(execute, kind)) == int(cell(row))


@pytest.mark.parametrize("kind", [AddAttendees, RemoveAttendees])
def test_people(dingtalk: Emulator, kind: Any) -> None:
    """So many people as the table says fit into a call, and one more takes another."""
    size = int(cell("adding or removing").removeprefix("1 for each "))
    people = [f"iiP{number}" for number in range(size + 1)]
    assert cost(dingtalk, partial(execute, kind, attendees=people[:size])) == 1
    assert cost(dingtalk, partial(execute, kind, attendees=people)) == 2


@pytest.mark.parametrize("options", [{}, {"expand": True}])
def test_lists(dingtalk: Emulator, options: dict[str, Any]) -> None:
    """So many events as the table says fit into a call; filters of ours save none, DingTalk's do."""
    size = int(cell("listing").removeprefix("1 for each ").split()[0])
    assert cost(dingtalk, partial(execute, List, **THE_YEAR, **options, summary_contains="no such title")) == 2
    execute(Delete)
    assert len(execute(List, **THE_YEAR, **options)) == size
    assert cost(dingtalk, partial(execute, List, **THE_YEAR, **options)) == 1


def test_free_times(dingtalk: Emulator) -> None:
    """So many people and rooms as the table says fit into a call."""
    assert cell("`find_free_times`") == "1 for each 20 people, 1 for each 5 rooms"
    people, rooms = [f"iiP{number}" for number in range(21)], [f"room-{number}" for number in range(6)]
    window = {"start_time": "2027-03-02T00:00:00Z", "end_time": "2027-03-03T00:00:00Z", "timezone": "UTC"}
    with DingTalkCalendarHook() as hook:
        for crowd, places, calls in ((people[:20], rooms[:5], 2), (people, rooms, 4)):
            search = partial(hook.find_free_times, ORGANIZER, crowd, duration=3600, room_ids=places, **window)
            assert cost(dingtalk, search) == calls


def test_what_the_hooks_methods_say() -> None:
    """Each method of the hook says that it is one call, but for those that the table names as free."""
    methods = {name: getattr(api, name).__doc__ for name in api.__all__ if hasattr(DingTalkCalendarHook, f"a{name}")}
    methods["patch_event"] = DingTalkCalendarHook.patch_event.__doc__
    free = {name for name, text in methods.items() if "Not metered" in text}
    assert free == {name for name in codes(NOTHING) if name != "dry_run"}
    assert {name for name, text in methods.items() if "One metered call" in text} == methods.keys() - free
    assert cell("a method of the hook").startswith("1;")


def test_an_answer_that_lacks_something(dingtalk: Emulator) -> None:
    """Reading once more what an answer did not have costs a call, for a write and for a list."""
    assert cell("an answer that lacks").startswith("1 more")
    dingtalk.fault(kind="applied_body", action="PatchEvent", body={})
    assert cost(dingtalk, patch) == 2
    dingtalk.fault(kind="applied_body", action="ListEvents", body={})
    assert cost(dingtalk, partial(execute, List, **THE_YEAR, summary_contains="no such title")) == 3


def test_a_read_before(dingtalk: Emulator) -> None:
    """Reading first costs a call, which saves none when there is something to change."""
    assert cell("`skip_if_unchanged=True`") == "1 to read; 1 more if there is something to change"
    assert cost(dingtalk, partial(patch, skip_if_unchanged=True)) == 2
    assert cost(dingtalk, partial(patch, skip_if_unchanged=True)) == 1


@pytest.mark.parametrize(("changes", "more"), [({"summary": "New"}, 1), ({"online_meeting": True}, 2)])
def test_a_retry(dingtalk: Emulator, changes: dict[str, Any], more: int) -> None:
    """A retry costs its call, and with a video meeting the check whether there is one."""
    assert cell("a retry that") == "1 more; 2 with `online_meeting`, and when it creates an event"
    dingtalk.fault(kind="reset", action="PatchEvent")
    with pytest.raises(TransportError):
        patch(patch=changes)
    assert cost(dingtalk, partial(patch, Ti(try_number=2), patch=changes)) == more


@pytest.mark.parametrize(
    ("options", "calls"),
    [({}, 1), ({"skip_if_unchanged": True}, 2), ({"since": True}, 2), ({"keep_before": True}, 2), ({"all": True}, 2)],
    ids=str,
)
def test_a_batch(dingtalk: Emulator, options: dict[str, Any], calls: int) -> None:
    """A row costs its call, and a read before it costs one more whatever it is for; so does a retry."""
    assert cell("a row") == (
        "as many as its action; 1 more with `skip_if_unchanged`, `if_updated_at`, `if_fields` or `keep_before` (if it "
        "has no `event`), none more for several"
    )
    before = dingtalk.event("event0")
    guard = {
        "if_updated_at": before["updateTime"],
        "if_fields": {"summary": FIELDS.patched["summary"].fingerprint(before)},
    }
    since = guard if {"since", "all"} & options.keys() else {}
    reads = {name: name in options or "all" in options for name in ("skip_if_unchanged", "keep_before")}
    plan = [{"event_id": f"event{number}", "patch": {"summary": "New"}, **since} for number in range(10)]
    assert cost(dingtalk, partial(execute, Batch, plan=plan, **reads)) == 10 * calls
    retry = "as many for each row that is not recorded as finished; 1 more for each `create` and each `online_meeting`"
    assert cell("a retry of") == retry
    again = cost(dingtalk, partial(execute, Batch, Ti(try_number=2), plan=plan))
    assert again == 10


@pytest.mark.parametrize("options", [{}, {"dry_run": True}], ids=str)
def test_conflicts(dingtalk: Emulator, options: dict[str, Any]) -> None:
    """Each event that moves is read, and so many people and rooms as the table says fit into a call."""
    assert cell("`if_busy`") == (
        "for each event that moves 1 for each 20 people, 1 for each 5 rooms, and 1 to read the event; "
        "with `dry_run`, too"
    )
    rooms = [{"roomId": "room-1", "displayName": "Room 1"}]
    for people, calls in ((19, 3), (20, 4)):  # and the organizer
        crowd = [{"id": f"iiP{number}", "responseStatus": "accepted"} for number in range(people)]
        dingtalk.reset({**DATA, "events": [an_event("e", attendees=crowd, meetingRooms=rooms)]})
        row = {"event_id": "e", "patch": {"start": "2027-05-02T10:00", "end": "2027-05-02T11:00"}}
        warn = partial(execute, Batch, plan=[row], if_busy="warn", timezone="Asia/Shanghai", **options)
        assert cost(dingtalk, warn) == calls + (0 if options else 1)


def test_rows_for_one_event(dingtalk: Emulator) -> None:
    """Swapping a room and splitting a series cost a call for each row, and the check whether somebody was first."""
    days = {
        "pattern": {"type": "daily", "interval": 1},
        "range": {"type": "endDate", "endDate": "2027-03-06T15:59:59Z"},
    }
    rooms = [{"roomId": name, "displayName": name} for name in ("room-1", "room-2")]
    dingtalk.reset({**DATA, "rooms": rooms, "events": [an_event(recurrence=days, meetingRooms=rooms[:1])]})
    assert cell("the rows of `swap_room`") == "3; 4 with a `location`"
    assert cell("the rows of `split_series`") == "3; 2 where one row does it"
    for write, calls in (
        (partial(swap_room, new_room_id="room-2"), 3),
        (partial(swap_room, new_room_id="room-1", location="First floor"), 4),
        (partial(cancel_occurrence, day="2027-03-06"), 2),
        (partial(split_series, from_day="2027-03-04", summary="Other"), 3),
    ):
        rows = write(dingtalk.event(EVENT))
        assert cost(dingtalk, partial(execute, Batch, plan=rows, timezone="Asia/Shanghai")) == calls


NEW_EVENT = {"summary": "New", "start": "2027-06-02T10:00", "end": "2027-06-02T11:00"}  # when there is no other event


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [(Create, {"event": NEW_EVENT}), (Batch, {"plan": [{"action": "create", "event": NEW_EVENT}]})],
)
def test_a_retry_that_creates(dingtalk: Emulator, kind: Any, arguments: dict[str, Any]) -> None:
    """A retry that creates an event costs its call and the check whether there is one; then it costs the check only."""
    operator = kind(task_id="t", union_id=ORGANIZER, timezone="Asia/Shanghai", retries=2, **arguments)
    context: Any = {"ti": Ti(try_number=2), "dag_run": SimpleNamespace(start_date=datetime.now(UTC))}
    assert cost(dingtalk, partial(operator.execute, context)) == 2
    assert cost(dingtalk, partial(operator.execute, context)) == 1


def test_the_connection_test(dingtalk: Emulator) -> None:
    """Testing the connection costs what the table says."""
    with DingTalkCalendarHook() as hook:
        assert cost(dingtalk, hook.test_connection) == int(cell("testing"))


def test_waiting(dingtalk: Emulator) -> None:
    """Each poll of an event that is waited for costs the same, whether the wait is over or not."""
    for condition in ({"exists": True}, {"cancelled": True}):
        sensor = DingTalkCalendarEventSensor(task_id="t", union_id=ORGANIZER, event_id=EVENT, **condition)
        poll = partial(sensor.poke, {"ti": Ti()})  # type: ignore[typeddict-item]
        assert f"{cost(dingtalk, poll)} for each poll" == cell("[waiting")


def test_a_watcher(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher lists the calendar once, and then costs its check; 720 hours are a month."""
    said = cell("[the watchers of a calendar]")
    size = int(said.partition("initial snapshot 1 for each ")[2].split()[0])
    assert said.startswith("together 1 each poll, 720 a month")
    assert len(dingtalk.store.events) == size + 1
    assert cost(dingtalk, partial(Triggerer(monkeypatch).run, store=Store())) == 2
    dingtalk.reset({**SAMPLE, "apps": DATA["apps"]})
    assert cost(dingtalk, partial(Triggerer(monkeypatch).run, nothing, nothing, store=Store(), union_id=LIN)) == 1 + 2


def test_what_is_free(dingtalk: Emulator) -> None:
    """A dry run, what is refused here, and resolving a staff id cost nothing, although a token is fetched."""

    def refused() -> None:
        with pytest.raises(AirflowFailException):
            patch(patch={"summary": ""})

    dry = [partial(execute, kind, dry_run=True) for kind in (*WRITING, Batch)]
    with DingTalkCalendarHook() as hook:
        staff_id = partial(hook.get_user_by_staff_id, ORGANIZER)
        for action in (*dry, partial(patch, dry_run=True), refused, staff_id):
            assert cost(dingtalk, action) == int(TABLE[NOTHING])
    assert dingtalk.effects["tokens_issued"] == 1


def test_every_row_is_compared() -> None:
    """The table has no row that no test here knows."""
    known = (
        "patching",
        "booking",
        "adding",
        "listing",
        "a method",
        "`find_free_times`",
        "`skip_if",
        "an answer that",
        "a row",
        "`if_busy`",
        "the rows of `swap_room`",
        "the rows of `split_series`",
        "a retry that",
        "a retry of",
        "testing",
        "[the watchers of a calendar]",
        "[waiting",
        "access tokens",
    )
    assert [row for row in TABLE if not row.startswith(known)] == []
    assert len(TABLE) == len(known)
