"""The plan of the scenario: rows of all actions in turn, each on an event of its own, and what it finds there."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

ORGANIZER, GUEST, LATECOMER, STRANGER = "iiPorganizer", "iiPguest", "iiPlatecomer", "iiPstranger"
NAMES = {ORGANIZER: "Lin", GUEST: "Chen", LATECOMER: "Wang", STRANGER: "Morgan"}
TIMES = {
    name: {"dateTime": f"2038-03-02T{hour}:00:00+08:00", "timeZone": "Asia/Shanghai"}
    for name, hour in (("start", "10"), ("end", "11"))
}
NEW_TIMES = {"start": "2038-03-03T10:00", "end": "2038-03-03T11:00"}

#: What DingTalk calls an action, and then its undo; a deletion has none.
OPERATIONS = {
    "patch": ["PatchEvent", "PatchEvent"],
    "create": ["CreateEvent", "DeleteEvent"],
    "delete": ["DeleteEvent"],
    "add_attendees": ["AddAttendee", "RemoveAttendee"],
    "remove_attendees": ["RemoveAttendee", "AddAttendee"],
    "add_rooms": ["AddMeetingRooms", "RemoveMeetingRooms"],
    "remove_rooms": ["RemoveMeetingRooms", "AddMeetingRooms"],
    "respond": ["RespondEvent", "RespondEvent"],
}
ACTIONS = list(OPERATIONS)


def action_of(number: int) -> str:
    """Return the action of a row."""
    return ACTIONS[number % len(ACTIONS)]


def name_of(number: int) -> str:
    """Return the id of a row's event; of one that the row creates, its title, for DingTalk draws the id."""
    return f"plan-{number}"


def numbers_of(count: int, *actions: str) -> list[int]:
    """Return the rows with these actions."""
    return [number for number in range(count) if action_of(number) in actions]


def plan_rows(count: int) -> list[Json]:
    """Write the plan."""
    return [{"action": action_of(number), **_members(number)} for number in range(count)]


def plan_events(count: int) -> list[Json]:
    """Describe the events that the plan finds."""
    there = [number for number in range(count) if action_of(number) != "create"]
    return [{**event(name_of(number)), **_details(number)} for number in there]


def plan_rooms(count: int) -> list[Json]:
    """Describe the rooms that the plan books and releases, one for each row, so that no two events meet in one."""
    return [_room(number) for number in numbers_of(count, "add_rooms", "remove_rooms")]


def event(event_id: str, summary: str = "Planning", organizer: str = ORGANIZER) -> Json:
    """Describe an event as the emulator keeps it."""
    return {"id": event_id, "summary": summary, **TIMES, "isAllDay": False, "organizer": {"id": organizer}}


def _members(number: int) -> Json:
    """Say which event a row changes, and to what."""
    ids, room = {"event_id": name_of(number)}, {"room_ids": [_room(number)["roomId"]]}
    members: dict[str, Json] = {
        "patch": {**ids, "patch": {"summary": f"Moved {name_of(number)}"}},
        "create": {"event": {"summary": name_of(number), **NEW_TIMES}},
        "delete": ids,
        "add_attendees": {**ids, "attendees": [LATECOMER]},
        "remove_attendees": {**ids, "attendees": [LATECOMER]},
        "add_rooms": {**ids, **room},
        "remove_rooms": {**ids, **room},
        "respond": {**ids, "union_id": GUEST, "response_status": "accepted"},
    }
    return members[action_of(number)]


def _details(number: int) -> Json:
    """Say what an event has for the row to take away from, or to add to."""
    guest, latecomer = {"id": GUEST, "responseStatus": "tentative"}, {"id": LATECOMER}
    details: dict[str, Json] = {
        "add_attendees": {"attendees": [guest]},
        "remove_attendees": {"attendees": [guest, latecomer]},
        "remove_rooms": {"meetingRooms": [{**_room(number), "responseStatus": "accepted"}]},
        "respond": {"attendees": [guest]},
    }
    return details.get(action_of(number), {})


def _room(number: int) -> Json:
    return {"roomId": f"room-{number}", "displayName": f"Room {number}"}
