"""What the bodies of the calendar's other calls may hold.

Sources: "Create event", "Add event attendees", "Remove event attendees", "Add meeting rooms", "Remove meeting rooms",
"Query free/busy information", "Query the availability of meeting rooms", "Stream protocol"; names and
types also in the SDK.
"""

from __future__ import annotations

from typing import Any

from .event import MAX_ATTENDEES_PER_CALL, PATCH_MEMBERS, Event, read_event_body, read_json_body
from .validators import (
    FieldPlace,
    Validator,
    boolean_value,
    date_time_value,
    list_of,
    object_of,
    one_of,
    text_value,
)

RESPONSE_STATUSES = ("needsAction", "accepted", "declined", "tentative")  # "Event overview", responseStatus
MAX_ROOMS_PER_EVENT = 5
_MAX_USERS_PER_QUERY = 20
_MAX_ROOMS_PER_QUERY = 5  # "5 are advised"; beyond which number "limit" is refused is not documented

_EVENT_CONFIG_MEMBERS = ("allowAttendeeAddConference", "allowAttendeeAddParticipants", "allowAttendeeCreateComment")
_PERSON_BY_ID = object_of({"id": text_value, "isOptional": boolean_value}, required=["id"])
_ROOM_BY_ID = object_of({"roomId": text_value}, required=["roomId"])

#: As an update, without its id; attendees are named by unionId only. The last is in the SDK's CreateEventRequest.
_CREATE_MEMBERS = object_of(
    {
        **{name: validate for name, validate in PATCH_MEMBERS.items() if name != "id"},
        "attendees": list_of(_PERSON_BY_ID, limit=MAX_ATTENDEES_PER_CALL),
        "eventConfig": object_of(dict.fromkeys(_EVENT_CONFIG_MEMBERS, boolean_value)),
    },
    required=["summary", "start"],
)
_ADD_ATTENDEES_BODY = object_of(
    {
        "attendeesToAdd": list_of(_PERSON_BY_ID, limit=MAX_ATTENDEES_PER_CALL),
        "pushNotification": boolean_value,
        "chatNotification": boolean_value,
    },
    required=["attendeesToAdd"],
)
_REMOVE_ATTENDEES_BODY = object_of(
    {"attendeesToRemove": list_of(object_of({"id": text_value}, required=["id"]), limit=MAX_ATTENDEES_PER_CALL)},
    required=["attendeesToRemove"],
)
_ADD_ROOMS_BODY = object_of({"meetingRoomsToAdd": list_of(_ROOM_BY_ID)}, required=["meetingRoomsToAdd"])
_REMOVE_ROOMS_BODY = object_of({"meetingRoomsToRemove": list_of(_ROOM_BY_ID)}, required=["meetingRoomsToRemove"])
_RESPOND_BODY = object_of({"responseStatus": one_of(*RESPONSE_STATUSES)}, required=["responseStatus"])
_PERIOD_MEMBERS = {"startTime": date_time_value, "endTime": date_time_value}


_CONNECTION_BODY = object_of(
    {
        "clientId": text_value,
        "clientSecret": text_value,
        "subscriptions": list_of(
            object_of({"type": one_of("EVENT", "CALLBACK", "SYSTEM"), "topic": text_value}, required=["type", "topic"])
        ),
        "ua": text_value,
        "localIp": text_value,
    },
    required=["subscriptions"],
)


def _nonblank_id(value: Any, place: FieldPlace) -> str:
    named = text_value(value, place)
    if not named.strip():
        raise place.invalid("cannot be blank")
    return named


_SCHEDULE_BODY = object_of(
    {"userIds": list_of(_nonblank_id, limit=_MAX_USERS_PER_QUERY), **_PERIOD_MEMBERS},
    required=["userIds", *_PERIOD_MEMBERS],
)
_ROOM_SCHEDULE_BODY = object_of(
    {"roomIds": list_of(_nonblank_id, limit=_MAX_ROOMS_PER_QUERY), **_PERIOD_MEMBERS},
    required=["roomIds", *_PERIOD_MEMBERS],
)


def read_create_body(raw: bytes, place: FieldPlace) -> Event:
    """Return the event that a body asks for; what means nothing to the service is noted at ``place``."""
    event: Event = _CREATE_MEMBERS(read_event_body(raw, place), place)
    if not event["summary"].strip():
        raise place.member("summary").invalid("cannot be blank")
    return event


def read_add_attendees_body(raw: bytes, place: FieldPlace) -> Event:
    """Return whom a body invites."""
    return _read_nonempty_body(_ADD_ATTENDEES_BODY, "attendeesToAdd", raw, place)


def read_remove_attendees_body(raw: bytes, place: FieldPlace) -> set[str]:
    """Return the unionIds of those a body takes off the list."""
    people = _read_nonempty_body(_REMOVE_ATTENDEES_BODY, "attendeesToRemove", raw, place)["attendeesToRemove"]
    return {person["id"] for person in people}


def read_add_rooms_body(raw: bytes, place: FieldPlace) -> list[str]:
    """Return the ids of the rooms a body books."""
    rooms = _read_nonempty_body(_ADD_ROOMS_BODY, "meetingRoomsToAdd", raw, place)["meetingRoomsToAdd"]
    return [room["roomId"] for room in rooms]


def read_remove_rooms_body(raw: bytes, place: FieldPlace) -> set[str]:
    """Return the ids of the rooms that a body releases."""
    rooms = _read_nonempty_body(_REMOVE_ROOMS_BODY, "meetingRoomsToRemove", raw, place)["meetingRoomsToRemove"]
    return {room["roomId"] for room in rooms}


def read_respond_body(raw: bytes, place: FieldPlace) -> str:
    """Return an attendee's answer."""
    answer: str = _RESPOND_BODY(read_json_body(raw, place), place)["responseStatus"]
    return answer


def read_schedule_body(raw: bytes, place: FieldPlace) -> Event:
    """Return whose free time a body asks for, and when."""
    return _read_nonempty_body(_SCHEDULE_BODY, "userIds", raw, place)


def read_room_schedule_body(raw: bytes, place: FieldPlace) -> Event:
    """Return which rooms' free time a body asks for, and when."""
    return _read_nonempty_body(_ROOM_SCHEDULE_BODY, "roomIds", raw, place)


def read_connection_body(raw: bytes, place: FieldPlace) -> Event:
    """Return what a Stream connection is asked for with."""
    body = _read_nonempty_body(_CONNECTION_BODY, "subscriptions", raw, place)
    for index, subscription in enumerate(body["subscriptions"]):
        if subscription["type"] == "EVENT" and subscription["topic"] != "*":
            raise place.member("subscriptions").element(index).member("topic").invalid("must be * for events")
    return body


def _read_nonempty_body(validate: Validator, name: str, raw: bytes, place: FieldPlace) -> Event:
    # That a required list has an element is not documented.
    body: Event = validate(read_json_body(raw, place), place)
    if not body[name]:
        raise place.member(name).invalid("cannot be empty")
    return body
