"""Reading the data an emulator starts with, checked before anything listens.

``apps``    required: ``appKey``, ``appSecret``; ``scopes`` (all), ``authorizedBy`` (the first of the corps), ``range``
            (unionIds it may act for; everybody)
``users``   ``unionId``, ``name``, ``email``, ``userId`` (the id as a member of staff)
``rooms``   ``roomId``, ``displayName``; rooms that an event has need not be named here
``events``  as GetEvent shows them
``corps``   corpIds that exist; the first one's calendar this is, and there is no other
``suiteTicket``  the ticket that third-party apps were sent last
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ApiError
from ..schema.event import PATCH_MEMBERS, Event, check_event_consistency, event_time_value
from ..schema.requests import RESPONSE_STATUSES
from ..schema.validators import (
    FieldPlace,
    any_integer,
    boolean_value,
    date_time_value,
    list_of,
    map_of,
    object_of,
    one_of,
    text_value,
)
from ..settings import EmulatorSettings

ALL_SCOPES = (
    "Calendar.Event.Read",
    "Calendar.Event.Write",
    "Calendar.EventSchedule.Read",
    "VideoConference.Conference.Read",
    "Contact.User.Read",
    "qyapi_get_member",
)
# What data written before there were several kinds of apps does not say.
_DEFAULT_CORP = "ding-example-corp-id"
_DEFAULT_SUITE_TICKET = "not-a-real-ticket"


@dataclass(frozen=True)
class RegisteredApp:
    """An application, and what it may do.

    :param scopes: the permissions it was granted.
    :param corps: the corpIds of the organisations that have authorized it.
    :param range: the unionIds it may act for; ``None`` for everybody.
    """

    key: str
    secret: str
    scopes: frozenset[str]
    corps: frozenset[str]
    range: frozenset[str] | None


@dataclass(frozen=True)
class CalendarData:
    """What a data file says.

    :param apps: by app key.
    :param names: display name per unionId.
    :param emails: unionId per email address.
    :param staff: unionId per userId, the id somebody has as a member of staff.
    :param corps: corpIds; the first one's calendar this is, and there is no other.
    :param suite_ticket: the ticket a third-party app was sent last.
    :param rooms: name of each meeting room by its id.
    :param events: stored events by id.
    """

    apps: dict[str, RegisteredApp]
    names: dict[str, str]
    emails: dict[str, str]
    staff: dict[str, str]
    corps: tuple[str, ...]
    suite_ticket: str
    rooms: dict[str, str]
    events: dict[str, Event]


def _reminder_minutes(value: Any, place: FieldPlace) -> int:
    # So that an answer of GetEvent, where minutes are a string, can be loaded as data.
    minutes: int = any_integer(int(value) if re.fullmatch(r"-?[0-9]{1,9}", str(value)) else value, place)
    return minutes


_RESPONSE_STATUS = one_of(*RESPONSE_STATUSES)
_PERSON_MEMBERS = {
    "id": text_value,
    "displayName": text_value,
    "responseStatus": _RESPONSE_STATUS,
    "self": boolean_value,
}
_ATTENDEE_MEMBERS = {**_PERSON_MEMBERS, "email": text_value, "isOptional": boolean_value}
_ROOM_MEMBERS = {"roomId": text_value, "displayName": text_value, "responseStatus": _RESPONSE_STATUS}
_MEETING_MEMBERS = {
    "type": one_of("dingtalk"),
    "conferenceId": text_value,
    "url": text_value,
    "extraInfo": map_of(text_value),
}
_EVENT_DATA = object_of(
    {
        **{name: validate for name, validate in PATCH_MEMBERS.items() if name != "extra"},
        "organizer": object_of(_PERSON_MEMBERS, required=["id"]),
        "attendees": list_of(object_of(_ATTENDEE_MEMBERS, required=["id"])),
        "location": object_of({"displayName": text_value, "meetingRooms": list_of(text_value)}),
        "reminders": list_of(object_of({"method": one_of("dingtalk", "sms", "phone"), "minutes": _reminder_minutes})),
        "onlineMeetingInfo": object_of(_MEETING_MEMBERS, required=["conferenceId", "url"]),
        "status": one_of("confirmed", "cancelled"),
        "seriesMasterId": text_value,
        "originStart": object_of({"dateTime": date_time_value}),
        "meetingRooms": list_of(object_of(_ROOM_MEMBERS, required=["roomId"])),
        "extendedProperties": map_of(map_of(text_value)),
        "createTime": date_time_value,
        "updateTime": date_time_value,
        "start": event_time_value,
        "end": event_time_value,
    },
    required=["id", "summary", "start", "end", "organizer"],
)
_APP_DATA = object_of(
    {
        "appKey": text_value,
        "appSecret": text_value,
        "scopes": list_of(text_value),
        "authorizedBy": list_of(text_value),
        "range": list_of(text_value),
    },
    required=["appKey", "appSecret"],
)
_USER_DATA = object_of(
    {"unionId": text_value, "name": text_value, "email": text_value, "userId": text_value}, required=["unionId", "name"]
)
_FILE_DATA = object_of(
    {
        "corps": list_of(text_value),
        "suiteTicket": text_value,
        "apps": list_of(_APP_DATA),
        "users": list_of(_USER_DATA),
        "rooms": list_of(
            object_of({"roomId": text_value, "displayName": text_value}, required=["roomId", "displayName"])
        ),
        "events": list_of(_EVENT_DATA),
    },
    required=["apps"],
)


def load_data(data: Any, settings: EmulatorSettings, time: str) -> CalendarData:
    """Read all data.

    :raises ValueError: naming the place of what is wrong.
    """
    given = _validate_data(_FILE_DATA, data, FieldPlace())
    users, rooms, events = (given.get(name, []) for name in ("users", "rooms", "events"))
    corps = tuple(given.get("corps") or [_DEFAULT_CORP])
    staff = [user for user in users if "userId" in user]
    if not given["apps"]:
        raise ValueError("apps: there must be at least one")
    return CalendarData(
        apps=_refuse_duplicates(
            "appKey", {app["appKey"]: _build_app(app, corps) for app in given["apps"]}, given["apps"]
        ),
        names=_refuse_duplicates("unionId", {user["unionId"]: user["name"] for user in users}, users),
        emails={user["email"]: user["unionId"] for user in users if "email" in user},
        staff=_refuse_duplicates("userId", {user["userId"]: user["unionId"] for user in staff}, staff),
        corps=corps,
        suite_ticket=given.get("suiteTicket", _DEFAULT_SUITE_TICKET),
        rooms=_refuse_duplicates("roomId", {room["roomId"]: room["displayName"] for room in rooms}, rooms),
        events=_refuse_duplicates("id", {event["id"]: _build_event(event, settings, time) for event in events}, events),
    )


def load_events(events: Any, settings: EmulatorSettings, time: str) -> list[Event]:
    """Read events alone.

    :raises ValueError: naming the place of what is wrong.
    """
    return [
        _build_event(event, settings, time)
        for event in _validate_data(list_of(_EVENT_DATA), events, FieldPlace("events"))
    ]


def _validate_data(validate: Any, value: Any, place: FieldPlace) -> Any:
    try:
        checked = validate(value, place)
    except ApiError as error:
        raise ValueError(error.message) from None
    if place.ignored:
        raise ValueError(f"{place.ignored[0]}: unknown member")
    return checked


def _refuse_duplicates(name: str, table: dict[str, Any], rows: Iterable[Any]) -> dict[str, Any]:
    if len(table) != len(list(rows)):
        raise ValueError(f"two entries have the same {name}")
    return table


def _build_app(app: Mapping[str, Any], corps: tuple[str, ...]) -> RegisteredApp:
    authorized, union_ids = frozenset(app.get("authorizedBy", corps[:1])), app.get("range")
    if unknown := authorized - {*corps}:
        raise ValueError(f"app {app['appKey']}: authorizedBy: {min(unknown)!r} is not one of the corps")
    within = None if union_ids is None else frozenset(union_ids)
    return RegisteredApp(app["appKey"], app["appSecret"], frozenset(app.get("scopes", ALL_SCOPES)), authorized, within)


def _build_event(event: Event, settings: EmulatorSettings, time: str) -> Event:
    times = {"createTime": time, "updateTime": event.get("createTime", time)}
    stored = {"isAllDay": "date" in event["start"], "status": "confirmed", **times, **event}
    stored["organizer"] = _build_person(event["organizer"], responseStatus="accepted")
    if "attendees" in event:
        stored["attendees"] = [
            _build_person(person, responseStatus="needsAction", isOptional=False) for person in event["attendees"]
        ]
    if "meetingRooms" in event:
        stored = with_meeting_rooms(stored, event["meetingRooms"])
    try:
        check_event_consistency(stored, settings)
    except ApiError as error:
        raise ValueError(f"event {event['id']}: {error.message}") from None
    return stored


def with_meeting_rooms(event: Event, rooms: list[Event]) -> Event:
    """Return an event that takes place in some rooms."""
    # "Update event", response: location.meetingRooms is an array of strings.
    names = [room.get("displayName", room["roomId"]) for room in rooms]
    return {**event, "meetingRooms": rooms, "location": {**event.get("location", {}), "meetingRooms": names}}


def _build_person(person: Event, **defaults: Any) -> Event:
    # Who "self" is depends on who asks.
    return {**defaults, **{name: value for name, value in person.items() if name != "self"}}
