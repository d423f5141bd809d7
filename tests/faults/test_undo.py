"""The undo of a plan, after any schedule of faults: what it does not name is as it was before."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.fault_rules import FaultRules
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import StateStore, Ti
from tests.conftest import DATA, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import run_tries
from tests.faults.world import world

RETRIES = 3
IDS = [f"event-{number}" for number in range(4)]
GUEST, NEW, OTHER = "iiPguest", "iiPnew", "iiPother"
PATTERN = {"type": "daily", "interval": 1}
DAILY = {"pattern": PATTERN, "range": {"type": "endDate", "endDate": "2027-03-06T15:59:59Z"}}
LONGER = {"pattern": PATTERN, "range": {"type": "endDate", "endDate": "2027-03-10T15:59:59Z"}}
CALENDAR = {
    **DATA,
    "users": [*DATA["users"], {"unionId": NEW, "name": "Wang"}, {"unionId": OTHER, "name": "Zhao"}],
    "rooms": [
        {"roomId": f"{kind}-{name}", "displayName": f"{kind}-{name}"} for kind in ("old", "new", "own") for name in IDS
    ],
    "events": [
        *(stored(name, meetingRooms=[{"roomId": f"old-{name}"}]) for name in IDS[:-1]),
        stored(IDS[-1], recurrence=DAILY, meetingRooms=[{"roomId": f"old-{IDS[-1]}"}]),
    ],
}
NEW_EVENT = {"summary": "Created", "start": "2027-03-04T12:00", "end": "2027-03-04T13:00"}
CHANGES: list[dict[str, Any]] = [
    {"patch": {"summary": "New", "location": "Room 2"}},
    {"patch": {"start": "2027-03-02T12:00", "end": "2027-03-02T13:00"}},
    {"patch": {"start": "2027-03-02", "end": "2027-03-03", "is_all_day": True}},
    {"patch": {"recurrence": LONGER}},
    {"patch": {"reminders": [5], "attendees": [{"id": NEW, "is_optional": True}]}, "clear": ["description"]},
    {"patch": {"attendees": [{"id": GUEST, "is_optional": True}]}},
    {"action": "add_attendees", "attendees": [NEW, {"id": GUEST, "is_optional": True}]},
    {"action": "remove_attendees", "attendees": [GUEST]},
    {"action": "add_rooms", "room_ids": ["new"]},
    {"action": "remove_rooms", "room_ids": ["old"]},
    {"action": "respond", "union_id": GUEST, "response_status": "declined"},
    {"action": "delete"},
]
MINE = {"start": "2027-03-02T15:00:00+08:00", "end": "2027-03-02T15:30:00+08:00"}
# What somebody does to an event before the undo: the patch, and the fields of a row that would overwrite it.
EDITS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "title": ({"summary": "Mine"}, {"summary"}),
    "place": ({"location": "Hall"}, {"location"}),
    "text": ({"description": "Agenda"}, {"description"}),
    "time": ({**MINE, "isAllDay": False}, {"start", "end", "isAllDay"}),
}
# Of what is named, that which the comparison here would show.
REAL_LOSSES = (
    "what the event was",
    "a deletion",
    "answers of people",
    "past occurrences",
    "recurrence: the event had none",
)


def on_event(name: str, change: dict[str, Any]) -> dict[str, Any]:
    """Make a row on an event; each has rooms of its own."""
    rooms = {"room_ids": [f"{one}-{name}" for one in change["room_ids"]]} if "room_ids" in change else {}
    return {**change, **rooms, "event_id": name}


def created_rows(later: bool) -> list[dict[str, Any]]:
    """Make rows that create an event and, maybe, go on with it."""
    create = {"action": "create", "event": NEW_EVENT, "group": "g", "name": "new"}
    invite = {"action": "add_attendees", "event_id": {"created_by": "new"}, "attendees": [NEW], "group": "g"}
    return [create, invite] if later else [create]


def shown(dingtalk: Emulator, name: str) -> dict[str, Any]:
    """Return what undoing gives back of an event."""
    found = {key: value for key, value in dingtalk.event(name).items() if key != "updateTime"}
    people = found.get("attendees", [])
    found["attendees"] = {one["id"]: (bool(one.get("isOptional")), one.get("responseStatus")) for one in people}
    found["location"] = found.get("location", {}).get("displayName")
    found["meetingRooms"] = sorted(one["roomId"] for one in found.get("meetingRooms", []))
    found["reminders"] = [[one["method"], str(one["minutes"])] for one in found.get("reminders", [])]
    return found


def edit(dingtalk: Emulator, name: str, kind: str) -> None:
    """Let somebody edit an event that is still there, and invite one more person and book one more room."""
    if dingtalk.event(name)["status"] != "confirmed":
        return
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, name, EDITS[kind][0])
        hook.add_attendees(ORGANIZER, name, [{"id": OTHER}])
        hook.add_meeting_rooms(ORGANIZER, name, [f"own-{name}"])


def assert_kept(
    dingtalk: Emulator, name: str, kind: str, edited: dict[str, Any], results: list[dict[str, Any]]
) -> None:
    """What somebody edited stays; a row that would have overwritten it was skipped, and says so."""
    after = shown(dingtalk, name)
    assert OTHER in after["attendees"]
    assert f"own-{name}" in after["meetingRooms"]
    fields = {member for member in EDITS[kind][1] if member in edited}
    assert {member: after.get(member) for member in fields} == {member: edited[member] for member in fields}
    for one in results:
        if one["event_id"] == name and EDITS[kind][1] & set(one["fields"]):
            assert (one["status"], one["code"]) in {("skipped", "changedSince"), ("unchanged", "")}
            assert one["status"] == "unchanged" or any(
                member in one["message"] for member in EDITS[kind][1] | {"is_all_day"}
            )


@SCHEDULES
@pytest.mark.parametrize("remembers", [True, False], ids=["state store", "no state store"])
@given(
    changes=st.lists(st.sampled_from(CHANGES), min_size=len(IDS), max_size=len(IDS)),
    creates=st.none() | st.booleans(),
    schedule=schedules(16, without=["applied, another id in the answer"]),  # nobody would know what a create made
    edited=st.none() | st.tuples(st.sampled_from(IDS), st.sampled_from(sorted(EDITS))),
    update_time=st.sampled_from(["second", "minute"]),
    response_updates=st.sampled_from(["yes", "no"]),
)
def test_undo_under_faults(
    dingtalk: Emulator,
    remembers: bool,
    changes: list[dict[str, Any]],
    creates: bool | None,
    schedule: dict[int, str],
    edited: tuple[str, str] | None,
    update_time: str,
    response_updates: str,
) -> None:
    """Each event is as it was, or its row is named; what somebody wrote in between survives."""
    plan = [on_event(name, change) for name, change in zip(IDS, changes, strict=True)]
    plan += created_rows(creates) if creates is not None else []
    context = {"task_state_store": StateStore()} if remembers else {}

    def operator() -> Any:
        given = {"union_id": ORGANIZER, "timezone": "Asia/Shanghai", "retries": RETRIES}
        return DingTalkCalendarApplyPlanOperator(task_id="t", plan=plan, keep_before=True, **given)

    with world(dingtalk, CALENDAR, schedule, update_time=update_time, response_updates=response_updates) as here:
        before = {name: shown(dingtalk, name) for name in IDS}
        last = run_tries(here, operator, RETRIES, **context)[-1]
        here.schedule = {}
        dingtalk.store.faults = FaultRules()
        if "undo" not in last.pushed:  # the last try was killed, or came to nothing
            return
        if edited:
            edit(dingtalk, *edited)
            after_edit = shown(dingtalk, edited[0])
        undo = last.pushed["undo"]
        again, ti = DingTalkCalendarApplyPlanOperator(task_id="u", plan=undo, on_error="continue"), Ti(run_id="undo")
        again.execute({"ti": ti})  # type: ignore[arg-type]
    named = last.pushed["cannot_undo"]
    lost = {plan[row].get("event_id") for one in named if one["effect"].startswith(REAL_LOSSES) for row in one["rows"]}
    event(f"{len(lost)} named, {len(undo)} undone")
    for name in IDS:
        if edited and name == edited[0] and dingtalk.event(name)["status"] == "confirmed":
            assert_kept(dingtalk, name, edited[1], after_edit, ti.pushed["results"])
        elif name not in lost:
            assert shown(dingtalk, name) == before[name]
    alive = [one for one in dingtalk.store.events if one not in IDS and dingtalk.event(one)["status"] == "confirmed"]
    assert not alive or any(one["effect"].startswith("an event that may have been created") for one in named)
