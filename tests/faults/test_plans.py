"""Plans of all actions, drawn at random, under any schedule of faults: the report is true."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import StateStore
from tests.conftest import DATA, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.kinds import EMULATED
from tests.faults.tasks import Try, run_tries
from tests.faults.world import BEGIN, World, world

RETRIES = 3
IDS = [f"event-{number}" for number in range(5)]
GUEST, NEW = "iiPguest", "iiPnew"
ROOMS = [{"roomId": room, "displayName": room} for room in ("room-1", "room-2")]
CALENDAR = {
    **DATA,
    "users": [*DATA["users"], {"unionId": NEW, "name": "Wu"}],
    "rooms": ROOMS,
    "events": [
        # at different times, so that a room is free for each
        stored(
            event_id,
            start={"dateTime": f"2027-03-02T1{number}:00:00+08:00", "timeZone": "Asia/Shanghai"},
            end={"dateTime": f"2027-03-02T1{number}:30:00+08:00", "timeZone": "Asia/Shanghai"},
            meetingRooms=[ROOMS[1]],
        )
        for number, event_id in enumerate(IDS)
    ],
}
# What a row does, and how the event shows that it has been done.
CHANGES: dict[str, dict[str, Any]] = {
    "patch": {"patch": {"summary": "Sprint 42", "location": "Room 2"}},
    "add_attendees": {"attendees": [NEW]},
    "remove_attendees": {"attendees": [GUEST]},
    "add_rooms": {"room_ids": ["room-1"]},
    "remove_rooms": {"room_ids": ["room-2"]},
    "respond": {"response_status": "declined", "union_id": GUEST},
    "delete": {},
}
ACTIONS = {
    "patch": "PatchEvent",
    "create": "CreateEvent",
    "delete": "DeleteEvent",
    "add_attendees": "AddAttendee",
    "remove_attendees": "RemoveAttendee",
    "add_rooms": "AddMeetingRooms",
    "remove_rooms": "RemoveMeetingRooms",
    "respond": "RespondEvent",
}
OF_CREATED = ("patch", "add_attendees", "add_rooms")
OTHER_ID = "applied, another id in the answer"
DONE = {"applied", "unchanged"}
UNLISTED = {EMULATED[kind]["code"] for kind in ("no permission", "address not listed")}


@st.composite
def plans(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw groups of rows, on events that exist and on some that the plan creates, and shuffle the groups."""
    groups = [_on_existing(draw, event_id) for event_id in draw(st.lists(st.sampled_from(IDS), unique=True))]
    groups += [_on_created(draw, number) for number in range(draw(st.integers(0, 3)))]
    rest = draw(st.permutations([number for number, group in enumerate(groups) for _ in group]))
    return [groups[number].pop(0) for number in rest]  # the order in a group stays


def _on_existing(draw: st.DrawFn, event_id: str) -> list[dict[str, Any]]:
    *others, delete = CHANGES
    chosen = draw(st.lists(st.sampled_from(others), unique=True, max_size=3))
    chosen += [delete] if not chosen or draw(st.booleans()) else []
    if "remove_attendees" in chosen and "respond" in chosen:  # who is not invited cannot answer
        chosen.remove("respond")
    return [{"action": one, "event_id": event_id, "group": event_id, **CHANGES[one]} for one in chosen]


def _on_created(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """Draw a new event, maybe the very same as another one, and what later rows do to it."""
    day = draw(st.sampled_from((3, 4)))
    times = {"start": f"2027-03-0{day}T10:00:00+08:00", "end": f"2027-03-0{day}T11:00:00+08:00"}
    group, name = f"group-{number}", f"name-{number}"
    create = {"action": "create", "event": {"summary": "Retro", **times}, "name": name, "group": group}
    later = [one for one in OF_CREATED if one != "add_rooms" or number == 0]  # a room is free once
    chosen = draw(st.lists(st.sampled_from(later), unique=True))
    mine = {"event_id": {"created_by": name}, "group": group}
    return [create, *({"action": one, **mine, **CHANGES[one]} for one in chosen)]


def applied(here: World, plan: list[dict[str, Any]], store: StateStore | None) -> list[Try]:
    """Run the task, with or without Airflow's state store."""

    def operator() -> Any:
        given = {"union_id": ORGANIZER, "timezone": "Asia/Shanghai", "plan": plan, "max_calls": 100}
        return DingTalkCalendarApplyPlanOperator(task_id="t", retries=RETRIES, **given)

    run = SimpleNamespace(start_date=dt.datetime.fromtimestamp(BEGIN, dt.UTC))
    return run_tries(here, operator, RETRIES, dag_run=run, **({"task_state_store": store} if store else {}))


CREATES = [
    {"action": "create", "name": name, "group": name, "event": {"summary": "Retro", "start": "2027-03-03T10:00"}}
    for name in ("a", "b")
]


@SCHEDULES
@pytest.mark.parametrize("remembers", [True, False], ids=["state store", "no state store"])
@pytest.mark.parametrize("replay", ["stored", "again"])
# A service whose clock goes back by hours creates events before the task began; nobody finds those.
@given(schedule=schedules(16, without=["clock 3 h back"]), plan=plans())
@example(schedule={2: "applied, then reset", 3: "reset"}, plan=CREATES)
@example(schedule={2: "killed after sending", 3: "killed after sending"}, plan=CREATES)
@example(schedule={2: OTHER_ID, 3: OTHER_ID}, plan=CREATES)
def test_a_plan_under_faults(
    dingtalk: Emulator, replay: str, remembers: bool, schedule: dict[int, str], plan: list[dict[str, Any]]
) -> None:
    """What a report calls done is done, what it calls rejected is not, and no row makes two events."""
    if not remembers:  # of two events that are the same, without a record nobody knows which row's is which
        plan = [_distinct(row) for row in plan]
    with world(dingtalk, CALENDAR, schedule, replay=replay) as here:
        tries = applied(here, plan, StateStore() if remembers else None)
    effects, last = dingtalk.effects, tries[-1]
    event(f"{'succeeded' if last.succeeded else 'failed'} in try {len(tries)}")
    results = last.pushed.get("results", [])
    lies = OTHER_ID in schedule.values()
    _is_true(results, plan, effects["writes"], succeeded=last.succeeded, ids_are_true=not lies)
    # Who may not list events has nothing but the client token.
    unlisted = any(one["action"] == "ListEvents" and one.get("code") in UNLISTED for one in dingtalk.requests)
    _once(plan, effects["writes"], replay, creates_once=replay == "stored" or not unlisted)


def _distinct(row: dict[str, Any]) -> dict[str, Any]:
    """Give a new event a title of its own."""
    if row["action"] != "create":
        return row
    return {**row, "event": {**row["event"], "summary": f"{row['event']['summary']} of {row['name']}"}}


def _is_true(
    results: list[dict[str, Any]],
    plan: list[dict[str, Any]],
    writes: list[Any],
    *,
    succeeded: bool,
    ids_are_true: bool,
) -> None:
    """Compare a report with what was done; of an event that was created, DingTalk's answer alone has the id."""
    written = Counter((one["event_id"], one["action"]) for one in writes)
    for result, row in zip(results, plan, strict=bool(results)):
        done = bool(written[result["event_id"], ACTIONS[row["action"]]])
        if result["status"] == "applied" and result["event_id"] and (ids_are_true or row["action"] != "create"):
            assert done, (result, written)
        if result["status"] == "rejected" and row["action"] != "create" and result["event_id"]:
            assert not done, (result, written)
        assert not succeeded or result["status"] in DONE
    ids = [result["event_id"] for result in results if result["action"] == "create" and result["event_id"]]
    assert len(ids) == len(set(ids)), "two rows have one event"


def _once(plan: list[dict[str, Any]], writes: list[Any], replay: str, *, creates_once: bool) -> None:
    """No row makes two events, and where a token is known again, no change is made twice."""
    created = [one for one in writes if one["action"] == "CreateEvent"]
    assert len(created) <= sum(row["action"] == "create" for row in plan) or not creates_once
    identities = {(one["event_id"], one["action"], one["client_token"]) for one in writes}
    assert len(identities) == len({(event_id, action) for event_id, action, _ in identities})
    if replay == "stored":
        assert max(Counter((one["event_id"], one["action"]) for one in writes).values(), default=0) <= 1
