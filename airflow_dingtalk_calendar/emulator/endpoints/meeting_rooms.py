"""The calls about the meeting rooms of an event."""

from __future__ import annotations

from ..errors import Problem, Refusal, invalid
from ..gateway.call import Call
from ..schema.event import Event
from ..schema.requests import ROOMS_PER_EVENT, add_rooms_body, remove_rooms_body
from ..state.data_file import with_rooms
from ..state.store import Store
from .permissions import organized
from .writes import write


def add_meeting_rooms(store: Store, call: Call) -> Event:
    """Book rooms ("Add meeting rooms"); one that is booked already stays so."""
    before = organized(store, call)
    wanted = add_rooms_body(call.body, call.place)
    booked = before.get("meetingRooms", [])
    new = [_room(store, room_id) for room_id in dict.fromkeys(wanted) if room_id not in _ids(booked)]
    if len(booked) + len(new) > ROOMS_PER_EVENT:
        raise invalid("meetingRoomsToAdd", f"an event can have at most {ROOMS_PER_EVENT} meeting rooms")
    _bookable(before)
    if store.room_taken({**before, "meetingRooms": new}):
        raise Problem(Refusal.ROOM_NOT_AVAILABLE)
    write(store, call, before, with_rooms(before, [*booked, *new]))
    return {"result": True}


def _room(store: Store, room_id: str) -> Event:
    if room_id not in store.rooms:
        raise invalid("roomId", "the meeting room does not exist")
    return {"roomId": room_id, "displayName": store.rooms[room_id], "responseStatus": "accepted"}


def _ids(rooms: list[Event]) -> set[str]:
    return {room["roomId"] for room in rooms}


def _bookable(event: Event) -> None:
    # From the official command line tool: a series gets rooms only if it ends on a day.
    if "recurrence" in event and event["recurrence"].get("range", {}).get("type") != "endDate":
        raise invalid("recurrence", "rooms can be booked for a recurring event only if its range has an endDate")


def remove_meeting_rooms(store: Store, call: Call) -> Event:
    """Give rooms back ("Remove meeting rooms"); one that is not booked is ignored."""
    before = organized(store, call)
    leaving = remove_rooms_body(call.body, call.place)
    staying = [room for room in before.get("meetingRooms", []) if room["roomId"] not in leaving]
    write(store, call, before, with_rooms(before, staying))
    return {"result": True}
