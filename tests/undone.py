"""What tests of the undo share: a calendar, plans applied to it, and how an event is shown."""

from __future__ import annotations

from itertools import count
from typing import Any

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import StateStore, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event

GUEST, NEW = "iiPguest", "iiPnew"
USERS = [*DATA["users"], {"unionId": NEW, "name": "Wang"}]
ROOMS = [{"roomId": room, "displayName": room} for room in ("plum", "bamboo")]
RUNS = count(1)
QUIET = {"noPushNotification": "true", "noChatNotification": "true"}
TIMES = {"start": "2027-03-02T12:00", "end": "2027-03-02T13:00"}


def booked_calendar() -> dict[str, Any]:
    """Describe a calendar with one event that has a guest and a room."""
    return {**DATA, "users": USERS, "rooms": ROOMS, "events": [event(meetingRooms=[{"roomId": "plum"}])]}


def apply(plan: Any, ti: Ti | None = None, store: StateStore | None = None, **arguments: Any) -> dict[str, Any]:
    """Apply a plan; return what the task pushed."""
    ti = ti or Ti(run_id=f"r{next(RUNS)}")
    given = {"union_id": ORGANIZER, "plan": plan, "timezone": "Asia/Shanghai", "retries": 2, **arguments}
    context: Any = {"ti": ti, **({"task_state_store": store} if store else {})}
    ti.pushed["return_value"] = DingTalkCalendarApplyPlanOperator(task_id="t", **given).execute(context)
    return ti.pushed


def row(action: str = "patch", **members: Any) -> dict[str, Any]:
    """Make a row on the event."""
    return {"action": action, "event_id": EVENT, **members}


def shown(dingtalk: Emulator, event_id: str = EVENT) -> dict[str, Any]:
    """Return an event without what every change changes, and without the order of lists."""
    found = {name: value for name, value in dingtalk.event(event_id).items() if name != "updateTime"}
    found["attendees"] = {one["id"]: bool(one.get("isOptional")) for one in found.get("attendees", [])}
    found["meetingRooms"] = sorted(one["roomId"] for one in found.get("meetingRooms", []))
    found["reminders"] = [[one["method"], str(one["minutes"])] for one in found.get("reminders", [])]
    return found


def effects(pushed: list[dict[str, Any]]) -> str:
    """Join what cannot be undone."""
    return "; ".join(one["effect"] for one in pushed)


def statuses(pushed: dict[str, Any]) -> list[str]:
    """Name what became of the rows."""
    return [one["status"] for one in pushed["results"]]
