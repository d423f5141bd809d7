"""The calls about meeting rooms: which there are, and which an event has."""

from __future__ import annotations

from ..errors import ApiError, Refusal, invalid_parameter
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.query_params import read_number_param
from ..schema.requests import MAX_ROOMS_PER_EVENT, read_add_rooms_body, read_remove_rooms_body
from ..state.data_file import with_meeting_rooms
from ..state.store import EmulatorStore
from .permissions import get_organized_event
from .writes import write_event

_MAX_LISTED = 100  # UNVERIFIED: no limit is documented


def handle_query_meeting_room_list(store: EmulatorStore, call: EndpointCall) -> Event:
    """List the rooms there are ("Check the meeting room list"); a token is the number of rooms that came before."""
    if not call.query.get("unionId", "").strip():
        raise invalid_parameter("unionId", "cannot be blank")
    size = read_number_param(call.query, "maxResults", _MAX_LISTED, _MAX_LISTED)
    first = read_number_param(call.query, "nextToken", 1, 10**8) if call.query.get("nextToken") else 0
    rooms = [{"roomId": room, "roomName": name, "roomStatus": 1} for room, name in store.rooms.items()]
    after = first + size
    more = {"hasMore": True, "nextToken": after} if after < len(rooms) else {"hasMore": False}
    return {"result": rooms[first:after], **more}


def handle_add_meeting_rooms(store: EmulatorStore, call: EndpointCall) -> Event:
    """Book rooms ("Add meeting rooms"); one that is booked already stays so."""
    before = get_organized_event(store, call)
    wanted = read_add_rooms_body(call.body, call.body_place)
    booked = before.get("meetingRooms", [])
    new = [_book_room(store, room_id) for room_id in dict.fromkeys(wanted) if room_id not in _room_ids(booked)]
    if len(booked) + len(new) > MAX_ROOMS_PER_EVENT:
        raise invalid_parameter("meetingRoomsToAdd", f"an event can have at most {MAX_ROOMS_PER_EVENT} meeting rooms")
    _require_end_date(before)
    if store.has_room_conflict({**before, "meetingRooms": new}):
        raise ApiError(Refusal.MEETING_ROOM_NOT_AVAILABLE)
    write_event(store, call, before, with_meeting_rooms(before, [*booked, *new]))
    return {"result": True}


def _book_room(store: EmulatorStore, room_id: str) -> Event:
    name = store.find_room(room_id)
    if name is None:
        raise invalid_parameter("roomId", "the meeting room does not exist")
    return {"roomId": room_id, "displayName": name, "responseStatus": "accepted"}


def _room_ids(rooms: list[Event]) -> set[str]:
    return {room["roomId"] for room in rooms}


def _require_end_date(event: Event) -> None:
    # From the official command line tool: a series gets rooms only if it ends on a day.
    if "recurrence" in event and event["recurrence"].get("range", {}).get("type") != "endDate":
        raise invalid_parameter(
            "recurrence", "rooms can be booked for a recurring event only if its range has an endDate"
        )


def handle_remove_meeting_rooms(store: EmulatorStore, call: EndpointCall) -> Event:
    """Give rooms back ("Remove meeting rooms"); one that is not booked is ignored."""
    before = get_organized_event(store, call)
    leaving = read_remove_rooms_body(call.body, call.body_place)
    staying = [room for room in before.get("meetingRooms", []) if room["roomId"] not in leaving]
    write_event(store, call, before, with_meeting_rooms(before, staying))
    return {"result": True}
