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

from ..errors import Problem
from ..schema.event import PATCH, Event, moment, whole_event
from ..schema.requests import ANSWERS
from ..schema.validators import Place, boolean, date_time, list_of, map_of, object_of, one_of, text, whole
from ..settings import Settings

SCOPES = (
    "Calendar.Event.Read",
    "Calendar.Event.Write",
    "Calendar.EventSchedule.Read",
    "Contact.User.Read",
    "qyapi_get_member",
)
# What data written before there were several kinds of apps does not say.
_CORP = "ding-example-corp-id"
_SUITE_TICKET = "not-a-real-ticket"


@dataclass(frozen=True)
class App:
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
class Data:
    """What a data file says.

    :param apps: by app key.
    :param names: display name per unionId.
    :param emails: unionId per mail address.
    :param staff: unionId per userId, the id somebody has as a member of staff.
    :param corps: corpIds; the first one's calendar this is, and there is no other.
    :param suite_ticket: the ticket a third-party app was sent last.
    :param rooms: name of each meeting room by its id.
    :param events: stored events by id.
    """

    apps: dict[str, App]
    names: dict[str, str]
    emails: dict[str, str]
    staff: dict[str, str]
    corps: tuple[str, ...]
    suite_ticket: str
    rooms: dict[str, str]
    events: dict[str, Event]


def _minutes(value: Any, place: Place) -> int:
    # So that an answer of GetEvent, where minutes are a string, can be given back as data.
    minutes: int = whole()(int(value) if re.fullmatch(r"-?[0-9]{1,9}", str(value)) else value, place)
    return minutes


_ANSWER = one_of(*ANSWERS)
_PERSON = {"id": text(), "displayName": text(), "responseStatus": _ANSWER, "self": boolean}
_ATTENDEE = {**_PERSON, "email": text(), "isOptional": boolean}
_ROOM = {"roomId": text(), "displayName": text(), "responseStatus": _ANSWER}
_MEETING = {"type": one_of("dingtalk"), "conferenceId": text(), "url": text(), "extraInfo": map_of(text())}
_EVENT = object_of(
    {
        **{name: shape for name, shape in PATCH.items() if name != "extra"},
        "organizer": object_of(_PERSON, required=["id"]),
        "attendees": list_of(object_of(_ATTENDEE, required=["id"])),
        "location": object_of({"displayName": text(), "meetingRooms": list_of(text())}),
        "reminders": list_of(object_of({"method": one_of("dingtalk", "sms", "phone"), "minutes": _minutes})),
        "onlineMeetingInfo": object_of(_MEETING, required=["conferenceId", "url"]),
        "status": one_of("confirmed", "cancelled"),
        "seriesMasterId": text(),
        "originStart": object_of({"dateTime": date_time}),
        "meetingRooms": list_of(object_of(_ROOM, required=["roomId"])),
        "extendedProperties": map_of(map_of(text())),
        "createTime": date_time,
        "updateTime": date_time,
        "start": moment,
        "end": moment,
    },
    required=["id", "summary", "start", "end", "organizer"],
)
_APP = object_of(
    {
        "appKey": text(),
        "appSecret": text(),
        "scopes": list_of(text()),
        "authorizedBy": list_of(text()),
        "range": list_of(text()),
    },
    required=["appKey", "appSecret"],
)
_USER = object_of({"unionId": text(), "name": text(), "email": text(), "userId": text()}, required=["unionId", "name"])
_DATA = object_of(
    {
        "corps": list_of(text()),
        "suiteTicket": text(),
        "apps": list_of(_APP),
        "users": list_of(_USER),
        "rooms": list_of(object_of({"roomId": text(), "displayName": text()}, required=["roomId", "displayName"])),
        "events": list_of(_EVENT),
    },
    required=["apps"],
)


def load(data: Any, settings: Settings, time: str) -> Data:
    """Read all data.

    :raises ValueError: naming the place of what is wrong.
    """
    given = _checked(_DATA, data, Place())
    users, rooms, events = (given.get(name, []) for name in ("users", "rooms", "events"))
    corps = tuple(given.get("corps") or [_CORP])
    staff = [user for user in users if "userId" in user]
    if not given["apps"]:
        raise ValueError("apps: there must be at least one")
    return Data(
        apps=_by("appKey", {app["appKey"]: _app(app, corps) for app in given["apps"]}, given["apps"]),
        names=_by("unionId", {user["unionId"]: user["name"] for user in users}, users),
        emails={user["email"]: user["unionId"] for user in users if "email" in user},
        staff=_by("userId", {user["userId"]: user["unionId"] for user in staff}, staff),
        corps=corps,
        suite_ticket=given.get("suiteTicket", _SUITE_TICKET),
        rooms=_by("roomId", {room["roomId"]: room["displayName"] for room in rooms}, rooms),
        events=_by("id", {event["id"]: _event(event, settings, time) for event in events}, events),
    )


def load_events(events: Any, settings: Settings, time: str) -> list[Event]:
    """Read events alone.

    :raises ValueError: naming the place of what is wrong.
    """
    return [_event(event, settings, time) for event in _checked(list_of(_EVENT), events, Place("events"))]


def _checked(shape: Any, value: Any, place: Place) -> Any:
    try:
        checked = shape(value, place)
    except Problem as problem:
        raise ValueError(problem.message) from None
    if place.ignored:
        raise ValueError(f"{place.ignored[0]}: unknown member")
    return checked


def _by(name: str, table: dict[str, Any], rows: Iterable[Any]) -> dict[str, Any]:
    if len(table) != len(list(rows)):
        raise ValueError(f"two entries have the same {name}")
    return table


def _app(app: Mapping[str, Any], corps: tuple[str, ...]) -> App:
    authorized, union_ids = frozenset(app.get("authorizedBy", corps[:1])), app.get("range")
    if unknown := authorized - {*corps}:
        raise ValueError(f"app {app['appKey']}: authorizedBy: {min(unknown)!r} is not one of the corps")
    within = None if union_ids is None else frozenset(union_ids)
    return App(app["appKey"], app["appSecret"], frozenset(app.get("scopes", SCOPES)), authorized, within)


def _event(event: Event, settings: Settings, time: str) -> Event:
    times = {"createTime": time, "updateTime": event.get("createTime", time)}
    stored = {"isAllDay": "date" in event["start"], "status": "confirmed", **times, **event}
    stored["organizer"] = _person(event["organizer"], responseStatus="accepted")
    if "attendees" in event:
        stored["attendees"] = [
            _person(person, responseStatus="needsAction", isOptional=False) for person in event["attendees"]
        ]
    if "meetingRooms" in event:
        stored = with_rooms(stored, event["meetingRooms"])
    try:
        whole_event(stored, settings)
    except Problem as problem:
        raise ValueError(f"event {event['id']}: {problem.message}") from None
    return stored


def with_rooms(event: Event, rooms: list[Event]) -> Event:
    """Return an event that takes place in some rooms."""
    # "Update event", response: location.meetingRooms is an array of strings.
    names = [room.get("displayName", room["roomId"]) for room in rooms]
    return {**event, "meetingRooms": rooms, "location": {**event.get("location", {}), "meetingRooms": names}}


def _person(person: Event, **defaults: Any) -> Event:
    # Who "self" is depends on who asks.
    return {**defaults, **{name: value for name, value in person.items() if name != "self"}}
