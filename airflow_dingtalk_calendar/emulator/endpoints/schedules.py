"""The calls about when people and rooms are free."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from ..errors import ApiError, Refusal, invalid_parameter, report_invalid_as
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.requests import read_room_schedule_body, read_schedule_body
from ..schema.validators import read_iso_date_time
from ..state.recurrence import zoned_datetime
from ..state.store import EmulatorStore
from .expanded_view import confirmed_events_of, expand_events
from .permissions import require_user_id

_MAX_ROOM_PERIOD = timedelta(days=90)
_BUSY_WORDS = {"tentative": "TENTATIVE", "needsAction": "BUSY", "accepted": "BUSY"}  # who declined is free


def handle_get_schedule(store: EmulatorStore, call: EndpointCall) -> Event:
    """Return when people are busy ("Query free/busy information"); who cannot be asked about has an error inside."""
    with report_invalid_as(Refusal.ILLEGAL_PARAMETER):
        require_user_id(call)
        body = read_schedule_body(call.body, call.body_place)
        low, high = _read_schedule_period(store, body)
    return {"scheduleInformation": [_user_schedule(store, call, user, low, high) for user in body["userIds"]]}


def _user_schedule(store: EmulatorStore, call: EndpointCall, union_id: str, low: datetime, high: datetime) -> Event:
    if not store.in_app_range(call.app, union_id):
        return {"userId": union_id, "error": "user not found", "scheduleItems": []}
    events = _overlapping_events(store, confirmed_events_of(store, union_id), low, high)
    if store.settings.busy_intervals == "cut":
        events = (_cut_event(event, low, high) for event in events)
    items = ({"status": _busy_status(event, union_id), **_schedule_item_times(event)} for event in events)
    return {"userId": union_id, "scheduleItems": [item for item in items if item["status"]]}


def _cut_event(event: Event, low: datetime, high: datetime) -> Event:
    """Leave of an event what is in a time; days stay whole."""
    if "date" in event["start"]:
        return event
    start, end = max(zoned_datetime(event["start"]), low), min(zoned_datetime(event["end"]), high)
    times = {name: {**event[name], "dateTime": one.isoformat()} for name, one in (("start", start), ("end", end))}
    return {**event, **times}


def _busy_status(event: Event, union_id: str) -> str | None:
    people = {person["id"]: person for person in (event["organizer"], *event.get("attendees", ()))}
    free = event.get("freeBusyStatus") == "free"
    return None if free else _BUSY_WORDS.get(people[union_id]["responseStatus"])


def handle_get_meeting_rooms_schedule(store: EmulatorStore, call: EndpointCall) -> Event:
    """Return when rooms are taken ("Query the availability of meeting rooms")."""
    require_user_id(call)
    body = read_room_schedule_body(call.body, call.body_place)
    low, high = _read_schedule_period(store, body)
    if high - low > _MAX_ROOM_PERIOD:
        raise invalid_parameter("endTime", f"must be at most {_MAX_ROOM_PERIOD.days} days after startTime")
    return {"scheduleInformation": [_room_schedule(store, room, low, high) for room in body["roomIds"]]}


def _room_schedule(store: EmulatorStore, room_id: str, low: datetime, high: datetime) -> Event:
    if store.find_room(room_id) is None:
        return {"roomId": room_id, "error": "meeting room not found", "scheduleItems": []}
    events = _overlapping_events(store, store.events_in_room(room_id), low, high)
    return {"roomId": room_id, "scheduleItems": [_room_booking(event) for event in events]}


def _room_booking(event: Event) -> Event:
    organizer = {"id": event["organizer"]["id"]}
    return {"status": "BUSY", "eventId": event["id"], "organizer": organizer, **_schedule_item_times(event)}


def _read_schedule_period(store: EmulatorStore, body: Event) -> tuple[datetime, datetime]:
    if store.settings.schedule_times == "milliseconds":
        _require_milliseconds(body)
    low, high = (read_iso_date_time(body[name]) for name in ("startTime", "endTime"))
    if low >= high:
        raise invalid_parameter("endTime", "must be after startTime")
    return low, high


def _require_milliseconds(body: Event) -> None:
    for name in ("startTime", "endTime"):
        if "." not in body[name]:
            raise ApiError(Refusal.MISSING_MILLISECONDS, f"{name}: must have milliseconds")


def _overlapping_events(store: EmulatorStore, events: list[Event], low: datetime, high: datetime) -> Iterator[Event]:
    return (event for event in expand_events(store, events, low, high) if zoned_datetime(event["end"]) > low)


def _schedule_item_times(event: Event) -> dict[str, Any]:
    # "Event overview": all-day events are in UTC here, any other in its own zone.
    return {name: {"timeZone": "UTC", **event[name]} for name in ("start", "end")}
