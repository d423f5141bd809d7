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
from tests.faults.tasks import carry_out
from tests.faults.world import world

RETRIES = 3
IDS = [f"event-{number}" for number in range(4)]
NEW = "iiPnew"
CALENDAR = {
    **DATA,
    "users": [*DATA["users"], {"unionId": NEW, "name": "Wang"}],
    "rooms": [{"roomId": f"{kind}-{name}", "displayName": f"{kind}-{name}"} for kind in ("old", "new") for name in IDS],
    "events": [stored(name, meetingRooms=[{"roomId": f"old-{name}"}]) for name in IDS],
}
CHANGES: list[dict[str, Any]] = [
    {"patch": {"summary": "New", "location": "Room 2"}},
    {"patch": {"start": "2027-03-02T12:00", "end": "2027-03-02T13:00"}},
    {"patch": {"start": "2027-03-02", "end": "2027-03-03", "is_all_day": True}},
    {"patch": {"reminders": [5], "attendees": [{"id": NEW, "is_optional": True}]}, "clear": ["description"]},
    {"action": "add_attendees", "attendees": [NEW, "iiPguest"]},
    {"action": "remove_attendees", "attendees": ["iiPguest"]},
    {"action": "add_rooms", "room_ids": ["new"]},
    {"action": "remove_rooms", "room_ids": ["old"]},
    {"action": "delete"},
]
REAL_LOSSES = ("what the event was", "a deletion")  # of what is named, that which the comparison here would show


def on_event(name: str, change: dict[str, Any]) -> dict[str, Any]:
    """Make a row on an event; each has rooms of its own."""
    rooms = {"room_ids": [f"{one}-{name}" for one in change["room_ids"]]} if "room_ids" in change else {}
    return {**change, **rooms, "event_id": name}


def shown(dingtalk: Emulator, name: str) -> dict[str, Any]:
    """Return what undoing gives back of an event."""
    found = {key: value for key, value in dingtalk.event(name).items() if key != "updateTime"}
    found["attendees"] = {one["id"]: bool(one.get("isOptional")) for one in found.get("attendees", [])}
    found["meetingRooms"] = sorted(one["roomId"] for one in found.get("meetingRooms", []))
    found["reminders"] = [[one["method"], str(one["minutes"])] for one in found.get("reminders", [])]
    return found


@SCHEDULES
@pytest.mark.parametrize("remembers", [True, False], ids=["state store", "no state store"])
@given(
    changes=st.lists(st.sampled_from(CHANGES), min_size=len(IDS), max_size=len(IDS)),
    schedule=schedules(16),
    edited=st.none() | st.sampled_from(IDS),
    update_time=st.sampled_from(["second", "minute"]),
)
def test_undo_under_faults(
    dingtalk: Emulator,
    remembers: bool,
    changes: list[dict[str, Any]],
    schedule: dict[int, str],
    edited: str | None,
    update_time: str,
) -> None:
    """Each event is as it was, or its row is named; what somebody wrote in between survives."""
    plan = [on_event(name, change) for name, change in zip(IDS, changes, strict=True)]
    context = {"task_state_store": StateStore()} if remembers else {}

    def operator() -> Any:
        given = {"union_id": ORGANIZER, "timezone": "Asia/Shanghai", "retries": RETRIES}
        return DingTalkCalendarApplyPlanOperator(task_id="t", plan=plan, keep_before=True, **given)

    with world(dingtalk, CALENDAR, schedule, update_time=update_time) as here:
        before = {name: shown(dingtalk, name) for name in IDS}
        last = carry_out(here, operator, RETRIES, **context)[-1]
        here.schedule = {}
        dingtalk.store.faults = FaultRules()
        if "undo" not in last.pushed:  # the last try was killed, or came to nothing
            return
        if edited and dingtalk.event(edited)["status"] == "confirmed":
            with DingTalkCalendarHook() as hook:
                hook.patch_event(ORGANIZER, edited, {"summary": "Mine"})
        undo = last.pushed["undo"]
        again, ti = DingTalkCalendarApplyPlanOperator(task_id="u", plan=undo, on_error="continue"), Ti(run_id="undo")
        again.execute({"ti": ti})  # type: ignore[arg-type]
    results = ti.pushed["results"]
    lost = {
        IDS[row] for one in last.pushed["cannot_undo"] if one["effect"].startswith(REAL_LOSSES) for row in one["rows"]
    }
    untold = {row["event_id"] for row in last.pushed["results"] if row["code"] == "notTried"}
    event(f"{len(lost)} named, {len(untold)} not tried, {len(undo)} undone")
    for name in IDS:
        after = shown(dingtalk, name)
        if name == edited and after["status"] == "confirmed":
            assert after["summary"] == "Mine"
            about = [one for one in results if one["event_id"] == name and "summary" in one["fields"]]
            assert all(one["status"] == "skipped" and "summary" in one["message"] for one in about)
        elif name not in lost:
            assert after == before[name]
