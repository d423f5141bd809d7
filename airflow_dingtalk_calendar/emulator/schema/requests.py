"""What the bodies of the calendar's other calls may hold.

Sources: "Create event", "Add event attendees", "Remove event attendees", "Add meeting rooms", "Remove meeting rooms",
"Query free/busy information", "Query the availability of meeting rooms"; names and types also in the SDK.
"""

from __future__ import annotations

from typing import Any

from .event import ATTENDEES_PER_CALL, PATCH, Event, event_body, json_body
from .validators import Place, Shape, boolean, date_time, list_of, object_of, one_of, text

ANSWERS = ("needsAction", "accepted", "declined", "tentative")  # "Event overview", responseStatus
ROOMS_PER_EVENT = 5
_USERS_PER_QUERY = 20
_ROOMS_PER_QUERY = 5  # "5 are advised"; beyond which number "limit" is refused is not documented

_CONFIG = ("allowAttendeeAddConference", "allowAttendeeAddParticipants", "allowAttendeeCreateComment")
_PERSON = object_of({"id": text(), "isOptional": boolean}, required=["id"])
_ROOM = object_of({"roomId": text()}, required=["roomId"])

#: As an update, without its id; attendees are named by unionId only. The last is in the SDK's CreateEventRequest.
_CREATE = object_of(
    {
        **{name: shape for name, shape in PATCH.items() if name != "id"},
        "attendees": list_of(_PERSON, limit=ATTENDEES_PER_CALL),
        "eventConfig": object_of(dict.fromkeys(_CONFIG, boolean)),
    },
    required=["summary", "start"],
)
_ADD_ATTENDEES = object_of(
    {
        "attendeesToAdd": list_of(_PERSON, limit=ATTENDEES_PER_CALL),
        "pushNotification": boolean,
        "chatNotification": boolean,
    },
    required=["attendeesToAdd"],
)
_REMOVE_ATTENDEES = object_of(
    {"attendeesToRemove": list_of(object_of({"id": text()}, required=["id"]), limit=ATTENDEES_PER_CALL)},
    required=["attendeesToRemove"],
)
_ADD_ROOMS = object_of({"meetingRoomsToAdd": list_of(_ROOM)}, required=["meetingRoomsToAdd"])
_REMOVE_ROOMS = object_of({"meetingRoomsToRemove": list_of(_ROOM)}, required=["meetingRoomsToRemove"])
_RESPOND = object_of({"responseStatus": one_of(*ANSWERS)}, required=["responseStatus"])
_PERIOD = {"startTime": date_time, "endTime": date_time}


def _id(value: Any, place: Place) -> str:
    named: str = text()(value, place)
    if not named.strip():
        raise place.wrong("cannot be blank")
    return named


_SCHEDULE = object_of({"userIds": list_of(_id, limit=_USERS_PER_QUERY), **_PERIOD}, required=["userIds", *_PERIOD])
_ROOM_SCHEDULE = object_of({"roomIds": list_of(_id, limit=_ROOMS_PER_QUERY), **_PERIOD}, required=["roomIds", *_PERIOD])


def create_body(raw: bytes, place: Place) -> Event:
    """Return the event that a body asks for; what means nothing to the service is noted at ``place``."""
    event: Event = _CREATE(event_body(raw, place), place)
    if not event["summary"].strip():
        raise place.member("summary").wrong("cannot be blank")
    return event


def add_attendees_body(raw: bytes, place: Place) -> Event:
    """Return whom a body invites."""
    return _not_empty(_ADD_ATTENDEES, "attendeesToAdd", raw, place)


def remove_attendees_body(raw: bytes, place: Place) -> set[str]:
    """Return the unionIds of those a body takes off the list."""
    people = _not_empty(_REMOVE_ATTENDEES, "attendeesToRemove", raw, place)["attendeesToRemove"]
    return {person["id"] for person in people}


def add_rooms_body(raw: bytes, place: Place) -> list[str]:
    """Return the ids of the rooms a body books."""
    rooms = _not_empty(_ADD_ROOMS, "meetingRoomsToAdd", raw, place)["meetingRoomsToAdd"]
    return [room["roomId"] for room in rooms]


def remove_rooms_body(raw: bytes, place: Place) -> set[str]:
    """Return the ids of the rooms a body gives back."""
    rooms = _not_empty(_REMOVE_ROOMS, "meetingRoomsToRemove", raw, place)["meetingRoomsToRemove"]
    return {room["roomId"] for room in rooms}


def respond_body(raw: bytes, place: Place) -> str:
    """Return an attendee's answer."""
    answer: str = _RESPOND(json_body(raw, place), place)["responseStatus"]
    return answer


def schedule_body(raw: bytes, place: Place) -> Event:
    """Return whose free time a body asks for, and when."""
    return _not_empty(_SCHEDULE, "userIds", raw, place)


def room_schedule_body(raw: bytes, place: Place) -> Event:
    """Return which rooms' free time a body asks for, and when."""
    return _not_empty(_ROOM_SCHEDULE, "roomIds", raw, place)


def _not_empty(shape: Shape, name: str, raw: bytes, place: Place) -> Event:
    # That a required list has an element is not documented.
    body: Event = shape(json_body(raw, place), place)
    if not body[name]:
        raise place.member(name).wrong("cannot be empty")
    return body
