"""Client tokens: the same request of the same task has the same one in every version, for a day at least."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.frozen.names import public
from tests.frozen.world import begin, dingtalk

TASKS: dict[str, dict[str, Any]] = {
    "unmapped": {},
    "without a map index": {"map_index": None},
    "mapped": {"map_index": 3},
    "retried": {"try_number": 3},
    "cleared": {"max_tries": 5},
    "another run": {"run_id": "scheduled__2027-01-01T00:00:00+00:00"},
    "a pass of a loop": {"region_id": UUID(int=7), "region_index": 1},
    "no loop": {"region_id": UUID(int=0), "region_index": -1},
}
PARTS: dict[str, list[Any]] = {
    "nothing": [],
    "an id": [EVENT],
    "several parts": [EVENT, {"summary": "计划", "id": EVENT}, ["a", 1, None, True]],
}
ONE = {"union_id": ORGANIZER, "event_id": EVENT}
MANY = [f"iiP{number}" for number in range(501)]
CALENDAR = {
    **DATA,
    "users": [*DATA["users"], *({"unionId": one, "name": one} for one in MANY)],
    "rooms": [{"roomId": "R1", "displayName": "Room 1"}],
    "events": [event(name) for name in (EVENT, *"ABC")],
}
NEW = {"summary": "New", "start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}
OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "patch": ("PatchEvent", {**ONE, "patch": {"summary": "New"}}),
    "create": ("CreateEvent", {"union_id": ORGANIZER, "event": NEW, "timezone": "Asia/Shanghai"}),
    "add people": ("AddAttendees", {**ONE, "attendees": MANY}),
    "remove people": ("RemoveAttendees", {**ONE, "attendees": MANY}),
    "add rooms": ("AddMeetingRooms", {**ONE, "room_ids": ["R1"]}),
    "remove rooms": ("RemoveMeetingRooms", {**ONE, "room_ids": ["R1"]}),
    "delete": ("DeleteEvent", ONE),
}
ROWS = [{"event_id": name, "patch": {"summary": "New"}} for name in "ABC"]
BATCH = ("ApplyPlan", {"union_id": ORGANIZER, "plan": ROWS})


def collect() -> dict[str, Any]:
    """Return tokens that are derived, and those that operators send."""
    derive = public("client_token_for")
    vectors = {
        f"{task}, {parts}": derive({"ti": Ti(**TASKS[task])}, *PARTS[parts]) for task in TASKS for parts in PARTS
    }
    tokens = {
        "derived": {},
        "derived, mapped": {"ti": Ti(map_index=1)},
        "given": {"client_token": "mine"},
        "given, mapped": {"client_token": "mine", "ti": Ti(map_index=1)},
    }
    with dingtalk() as emulator:
        sent = {f"{name}, {how}": _sent(emulator, name, **given) for name in OPERATORS for how, given in tokens.items()}
        return {"client_token_for": vectors, "operators": sent, "batch": sorted(_sent(emulator, "batch"))}


def _sent(emulator: Any, name: str, ti: Ti | None = None, **given: Any) -> list[str]:
    """Execute an operator; name its calls, each with its token."""
    kind, arguments = OPERATORS.get(name, BATCH)
    begin(emulator, CALENDAR)
    operator = public(f"DingTalkCalendar{kind}Operator")(task_id="t", **arguments, **given)
    operator.execute({"ti": ti or Ti()})
    calls = [request for request in emulator.requests if request["client_token"]]
    return [f"{one['action']} {one['path'].split('/events', 1)[1]} {one['client_token']}" for one in calls]
