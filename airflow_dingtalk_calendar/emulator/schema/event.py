"""What a PatchEvent body may hold, member by member, and what must hold for an event as a whole.

Source, unless said otherwise: "Update event", request body. The limits of ``summary`` and ``description`` are from
"Create event". Where official sources contradict each other the request passes: the page forbids ``end`` together with
``numberOfOccurrences``, and the official tutorial ("Create and delete an event") sends exactly that.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import ApiError, Refusal, invalid_parameter
from ..settings import EmulatorSettings
from .validators import (
    FieldPlace,
    Validator,
    any_integer,
    boolean_value,
    date_time_value,
    date_value,
    integer_between,
    list_of,
    map_of,
    object_of,
    one_of,
    or_empty,
    read_iso_date,
    read_iso_date_time,
    read_strict_json,
    text_up_to,
    text_value,
    words_of,
    zone_value,
)

Event = dict[str, Any]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
WEEK_INDEXES = ("first", "second", "third", "fourth", "last")
MAX_ATTENDEES_PER_CALL = 500
MAX_ATTENDEES_PER_EVENT = 5000

_EVENT_TIME = object_of(
    {"date": or_empty(date_value), "dateTime": or_empty(date_time_value), "timeZone": or_empty(zone_value)}
)
_RECURRENCE_PATTERN = object_of(
    {
        "type": one_of("daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly"),
        "dayOfMonth": integer_between(1, 31),
        "daysOfWeek": words_of(*WEEKDAYS),
        "index": one_of(*WEEK_INDEXES),
        "interval": integer_between(1, 365, Refusal.INTERVAL_OUT_OF_RANGE),
        "firstDayOfWeek": one_of(*WEEKDAYS),
    }
)
_RECURRENCE_RANGE = object_of(
    {
        "type": one_of("noEnd", "endDate", "numbered"),
        "endDate": date_time_value,
        "numberOfOccurrences": integer_between(1, 99, Refusal.OCCURRENCES_OUT_OF_RANGE),
    }
)
_RECURRENCE = object_of({"pattern": _RECURRENCE_PATTERN, "range": _RECURRENCE_RANGE})
_ATTENDEE = object_of({"id": text_value, "email": text_value, "isOptional": boolean_value})
_UI_CONFIG = object_of(
    # uiName is "continuously updated", so any name passes.
    {"uiName": text_value, "uiStatus": one_of("hide", "disable", "enable")},
    required=("uiName", "uiStatus"),
)


def event_time_value(value: Any, place: FieldPlace) -> Event:
    """``date`` for an all-day event, ``dateTime`` with ``timeZone`` for any other; "must be empty" allows ``""``.

    Kept is the local time in that zone with its offset, the form all examples of answers have.
    """
    given = {name: member for name, member in _EVENT_TIME(value, place).items() if member}
    if given.keys() == {"dateTime", "timeZone"}:
        local = read_iso_date_time(given["dateTime"]).astimezone(ZoneInfo(given["timeZone"]))
        return {**given, "dateTime": local.isoformat(timespec="seconds")}
    if given.keys() != {"date"}:
        raise place.invalid("must have either date, or dateTime and timeZone")
    return given


def recurrence_value(value: Any, place: FieldPlace) -> Event:
    """A rule may be incomplete (no member is documented as required), but neither empty nor contradicting itself."""
    rule: Event = _RECURRENCE(value, place)
    if not rule:
        raise place.invalid("must have pattern or range")
    if {"endDate", "numberOfOccurrences"} <= rule.get("range", {}).keys():
        raise place.member("range").invalid("endDate and numberOfOccurrences cannot be set at the same time")
    return rule


def attendee_value(value: Any, place: FieldPlace) -> Event:
    """Somebody named by unionId or by email address."""
    person: Event = _ATTENDEE(value, place)
    if not (person.get("id") or person.get("email")):
        raise place.invalid("must have id or email")
    return person


#: Members of the request body. The last three are in the SDK's PatchEventRequest and not on the page.
PATCH_MEMBERS: dict[str, Validator] = {
    "id": text_value,
    "summary": text_up_to(2048),
    "description": text_up_to(5000),
    "start": event_time_value,
    "end": event_time_value,
    "isAllDay": boolean_value,
    "recurrence": recurrence_value,
    "attendees": list_of(attendee_value, limit=MAX_ATTENDEES_PER_CALL),
    "location": object_of({"displayName": text_value}),
    "extra": map_of(text_value),
    "reminders": list_of(object_of({"method": one_of("dingtalk"), "minutes": any_integer})),
    "onlineMeetingInfo": object_of({"type": one_of("dingtalk")}),
    "richTextDescription": object_of({"text": text_value}),
    "uiConfigs": list_of(_UI_CONFIG),
    "cardInstances": list_of(object_of({"outTrackId": text_value, "scenario": text_value})),
    "categories": list_of(object_of({"categoryId": text_value, "displayName": text_value})),
    "freeBusyStatus": text_value,
}


def read_patch_body(raw: bytes, event_id: str, place: FieldPlace) -> Event:
    """Return the patch a body asks for; what means nothing to the service is noted at ``place``."""
    body = read_event_body(raw, place)
    if isinstance(body, dict) and not str(body.get("id") or "").strip():
        raise ApiError(Refusal.BLANK_EVENT_ID)
    patch: Event = object_of(PATCH_MEMBERS)(body, place)
    if patch["id"] != event_id:
        raise place.member("id").invalid("does not match the event id in the path")
    return patch


def read_event_body(raw: bytes, place: FieldPlace) -> Any:
    """Return the JSON of a body that must have an event in it."""
    body = read_json_body(raw, place) if raw.strip() else None
    if body is None:
        raise ApiError(Refusal.MISSING_EVENT)
    return body


def read_json_body(raw: bytes, place: FieldPlace) -> Any:
    """Return the JSON of a body."""
    try:
        return read_strict_json(raw)
    except ValueError:
        raise place.invalid("the body cannot be parsed as JSON") from None


def comparable_time(moment: Event) -> date:
    """Return what starts and ends of one kind are compared by."""
    return read_iso_date(moment["date"]) if "date" in moment else read_iso_date_time(moment["dateTime"])


def _different_zones_problem(event: Event, settings: EmulatorSettings) -> str:
    same = event["start"].get("timeZone") == event["end"].get("timeZone")
    return "" if same else "end.timeZone: must be the same as start.timeZone"


def _all_day_problem(event: Event, settings: EmulatorSettings) -> str:
    fits = all(("date" in event[name]) == event.get("isAllDay", False) for name in ("start", "end"))
    return (
        "" if fits else "isAllDay: an all-day event has a date for start and end, any other has dateTime and timeZone"
    )


def _end_order_problem(event: Event, settings: EmulatorSettings) -> str:
    start, end = comparable_time(event["start"]), comparable_time(event["end"])
    may_be_equal = event.get("isAllDay") and settings.all_day_end == "inclusive"
    return "" if end > start or (may_be_equal and end == start) else "end: must be after start"


def _attendee_count_problem(event: Event, settings: EmulatorSettings) -> str:
    fits = len(event.get("attendees", ())) <= MAX_ATTENDEES_PER_EVENT
    return "" if fits else f"attendees: an event can have at most {MAX_ATTENDEES_PER_EVENT}"


# In this order: a later rule relies on the ones before it.
_CONSISTENCY_RULES = (_all_day_problem, _different_zones_problem, _end_order_problem, _attendee_count_problem)


def check_event_consistency(event: Event, settings: EmulatorSettings) -> None:
    """Refuse an event that would not hold together."""
    for rule in _CONSISTENCY_RULES:
        if message := rule(event, settings):
            raise invalid_parameter("", message)
