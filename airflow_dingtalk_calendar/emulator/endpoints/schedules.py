"""The calls about when people and rooms are free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ..errors import Problem, Refusal, invalid, invalid_is
from ..gateway.call import Call
from ..schema.event import Event
from ..schema.requests import room_schedule_body, schedule_body
from ..schema.validators import read_date_time
from ..state.recurrence import local
from ..state.store import Store
from .expanded_view import expanded, mine
from .permissions import named_user

_LONGEST_FOR_ROOMS = timedelta(days=90)
_WORDS = {"tentative": "TENTATIVE", "needsAction": "BUSY", "accepted": "BUSY"}  # who declined is free


def get_schedule(store: Store, call: Call) -> Event:
    """Tell when people are busy ("Query free/busy information"); who cannot be asked about has an error inside."""
    with invalid_is(Refusal.PARAM_ILLEGAL):
        named_user(call)
        body = schedule_body(call.body, call.place)
        low, high = _period(store, body)
    return {"scheduleInformation": [_person(store, call, user, low, high) for user in body["userIds"]]}


def _person(store: Store, call: Call, union_id: str, low: datetime, high: datetime) -> Event:
    if not store.in_range(call.app, union_id):
        return {"userId": union_id, "error": "user not found", "scheduleItems": []}
    events = _overlapping(store, mine(store, union_id), low, high)
    items = ({"status": _status(event, union_id), **_times(event)} for event in events)
    return {"userId": union_id, "scheduleItems": [item for item in items if item["status"]]}


def _status(event: Event, union_id: str) -> str | None:
    people = {person["id"]: person for person in (event["organizer"], *event.get("attendees", ()))}
    free = event.get("freeBusyStatus") == "free"
    return None if free else _WORDS.get(people[union_id]["responseStatus"])


def get_meeting_rooms_schedule(store: Store, call: Call) -> Event:
    """Tell when rooms are taken ("Query the availability of meeting rooms")."""
    named_user(call)
    body = room_schedule_body(call.body, call.place)
    low, high = _period(store, body)
    if high - low > _LONGEST_FOR_ROOMS:
        raise invalid("endTime", f"must be at most {_LONGEST_FOR_ROOMS.days} days after startTime")
    return {"scheduleInformation": [_room(store, room, low, high) for room in body["roomIds"]]}


def _room(store: Store, room_id: str, low: datetime, high: datetime) -> Event:
    if room_id not in store.rooms:
        return {"roomId": room_id, "error": "meeting room not found", "scheduleItems": []}
    events = _overlapping(store, store.booked(room_id), low, high)
    return {"roomId": room_id, "scheduleItems": [_booking(event) for event in events]}


def _booking(event: Event) -> Event:
    organizer = {"id": event["organizer"]["id"]}
    return {"status": "BUSY", "eventId": event["id"], "organizer": organizer, **_times(event)}


def _period(store: Store, body: Event) -> tuple[datetime, datetime]:
    if store.settings.schedule_times == "milliseconds":
        _precise(body)
    low, high = (read_date_time(body[name]) for name in ("startTime", "endTime"))
    if low >= high:
        raise invalid("endTime", "must be after startTime")
    return low, high


def _precise(body: Event) -> None:
    for name in ("startTime", "endTime"):
        if "." not in body[name]:
            raise Problem(Refusal.NO_MILLISECONDS, f"{name}: must have milliseconds")


def _overlapping(store: Store, events: list[Event], low: datetime, high: datetime) -> Iterator[Event]:
    return (event for event in expanded(store, events, low, high) if local(event["end"]) > low)


def _times(event: Event) -> dict[str, Any]:
    # "Event overview": all-day events are told in UTC here, any other in its own zone.
    return {name: {"timeZone": "UTC", **event[name]} for name in ("start", "end")}
