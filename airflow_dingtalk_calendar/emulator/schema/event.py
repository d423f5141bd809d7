"""What a PatchEvent body may hold, member by member, and what must hold for an event as a whole.

Source, unless said otherwise: "Update event", request body. The limits of ``summary`` and ``description`` are from
"Create event". Where official sources contradict each other the request passes: the page forbids ``end`` together with
``numberOfOccurrences``, and the official tutorial ("Create and delete an event") sends exactly that.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import Problem, Refusal, invalid
from ..settings import Settings
from .validators import (
    Place,
    Shape,
    boolean,
    date_time,
    day,
    list_of,
    map_of,
    object_of,
    one_of,
    or_empty,
    read_date,
    read_date_time,
    read_json,
    text,
    whole,
    words,
    zone,
)

Event = dict[str, Any]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
INDEXES = ("first", "second", "third", "fourth", "last")
ATTENDEES_PER_CALL = 500
ATTENDEES_PER_EVENT = 5000

_MOMENT = object_of({"date": or_empty(day), "dateTime": or_empty(date_time), "timeZone": or_empty(zone)})
_PATTERN = object_of(
    {
        "type": one_of("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly"),
        "dayOfMonth": whole(1, 31),
        "daysOfWeek": words(*WEEKDAYS),
        "index": one_of(*INDEXES),
        "interval": whole(1, 365, Refusal.INTERVAL),
        "firstDayOfWeek": one_of(*WEEKDAYS),
    }
)
_RANGE = object_of(
    {
        "type": one_of("noEnd", "endDate", "numbered"),
        "endDate": date_time,
        "numberOfOccurrences": whole(1, 99, Refusal.OCCURRENCES),
    }
)
_RECURRENCE = object_of({"pattern": _PATTERN, "range": _RANGE})
_ATTENDEE = object_of({"id": text(), "email": text(), "isOptional": boolean})
_UI_CONFIG = object_of(
    # uiName is "continuously updated", so any name passes.
    {"uiName": text(), "uiStatus": one_of("hide", "disable", "enable")},
    required=("uiName", "uiStatus"),
)


def moment(value: Any, place: Place) -> Event:
    """``date`` for an all-day event, ``dateTime`` with ``timeZone`` for any other; "must be empty" allows ``""``.

    Kept is the local time in that zone with its offset, the form all examples of answers have.
    """
    given = {name: member for name, member in _MOMENT(value, place).items() if member}
    if given.keys() == {"dateTime", "timeZone"}:
        local = read_date_time(given["dateTime"]).astimezone(ZoneInfo(given["timeZone"]))
        return {**given, "dateTime": local.isoformat(timespec="seconds")}
    if given.keys() != {"date"}:
        raise place.wrong("must have either date, or dateTime and timeZone")
    return given


def recurrence(value: Any, place: Place) -> Event:
    """A rule may be incomplete (no member is documented as required), but neither empty nor contradicting itself."""
    rule: Event = _RECURRENCE(value, place)
    if not rule:
        raise place.wrong("must have pattern or range")
    if {"endDate", "numberOfOccurrences"} <= rule.get("range", {}).keys():
        raise place.member("range").wrong("endDate and numberOfOccurrences cannot be set at the same time")
    return rule


def attendee(value: Any, place: Place) -> Event:
    """Somebody named by unionId or by mail address."""
    person: Event = _ATTENDEE(value, place)
    if not (person.get("id") or person.get("email")):
        raise place.wrong("must have id or email")
    return person


#: Members of the request body. The last three are in the SDK's PatchEventRequest and not on the page.
PATCH: dict[str, Shape] = {
    "id": text(),
    "summary": text(limit=2048),
    "description": text(limit=5000),
    "start": moment,
    "end": moment,
    "isAllDay": boolean,
    "recurrence": recurrence,
    "attendees": list_of(attendee, limit=ATTENDEES_PER_CALL),
    "location": object_of({"displayName": text()}),
    "extra": map_of(text()),
    "reminders": list_of(object_of({"method": one_of("dingtalk"), "minutes": whole()})),
    "onlineMeetingInfo": object_of({"type": one_of("dingtalk")}),
    "richTextDescription": object_of({"text": text()}),
    "uiConfigs": list_of(_UI_CONFIG),
    "cardInstances": list_of(object_of({"outTrackId": text(), "scenario": text()})),
    "categories": list_of(object_of({"categoryId": text(), "displayName": text()})),
    "freeBusyStatus": text(),
}


def patch_body(raw: bytes, event_id: str, place: Place) -> Event:
    """Return the patch a body asks for; what means nothing to the service is noted at ``place``."""
    body = event_body(raw, place)
    if isinstance(body, dict) and not str(body.get("id") or "").strip():
        raise Problem(Refusal.EVENT_ID_BLANK)
    patch: Event = object_of(PATCH)(body, place)
    if patch["id"] != event_id:
        raise place.member("id").wrong("does not match the event id in the path")
    return patch


def event_body(raw: bytes, place: Place) -> Any:
    """Return the JSON of a body that must have an event in it."""
    body = json_body(raw, place) if raw.strip() else None
    if body is None:
        raise Problem(Refusal.EVENT_MISSING)
    return body


def json_body(raw: bytes, place: Place) -> Any:
    """Return the JSON of a body."""
    try:
        return read_json(raw)
    except ValueError:
        raise place.wrong("the body cannot be parsed as JSON") from None


def instant(moment: Event) -> date:
    """Return what starts and ends of one kind are compared by."""
    return read_date(moment["date"]) if "date" in moment else read_date_time(moment["dateTime"])


def _one_zone(event: Event, settings: Settings) -> str:
    same = event["start"].get("timeZone") == event["end"].get("timeZone")
    return "" if same else "end.timeZone: must be the same as start.timeZone"


def _day_or_time(event: Event, settings: Settings) -> str:
    fits = all(("date" in event[name]) == event.get("isAllDay", False) for name in ("start", "end"))
    return (
        "" if fits else "isAllDay: an all-day event has a date for start and end, any other has dateTime and timeZone"
    )


def _end_after_start(event: Event, settings: Settings) -> str:
    start, end = instant(event["start"]), instant(event["end"])
    may_be_equal = event.get("isAllDay") and settings.all_day_end == "inclusive"
    return "" if end > start or (may_be_equal and end == start) else "end: must be after start"


def _not_too_many(event: Event, settings: Settings) -> str:
    fits = len(event.get("attendees", ())) <= ATTENDEES_PER_EVENT
    return "" if fits else f"attendees: an event can have at most {ATTENDEES_PER_EVENT}"


# In this order: a later rule relies on the ones before it.
_WHOLE_EVENT = (_day_or_time, _one_zone, _end_after_start, _not_too_many)


def whole_event(event: Event, settings: Settings) -> None:
    """Refuse an event that would not hold together."""
    for rule in _WHOLE_EVENT:
        if message := rule(event, settings):
            raise invalid("", message)
