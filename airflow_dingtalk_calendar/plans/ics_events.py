"""One event of a calendar file (RFC 5545) as DingTalk's API writes it, or the reason why that cannot be.

What DingTalk cannot express is refused rather than left away: a series without its exceptions takes place on days when
it does not. What an event does not need is not taken: attendees and organizer, who are email addresses in a file and
unionIds in DingTalk, alarms, attachments, categories.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.blanks import is_blank
from airflow_dingtalk_calendar.models.json_values import Json
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.rrule import from_rrule
from airflow_dingtalk_calendar.models.zones import parse_zone

_DAY = dt.timedelta(days=1)
_ONE_BY_ONE = "create the events one by one instead"
_REFUSED_PROPERTIES = {
    "RECURRENCE-ID": "changes one occurrence of a series, which the API cannot",
    "EXDATE": f"leaves out occurrences of a series, which DingTalk's rules cannot; {_ONE_BY_ONE}",
    "EXRULE": f"leaves out occurrences of a series, which DingTalk's rules cannot; {_ONE_BY_ONE}",
    "RDATE": f"adds occurrences to a series, which DingTalk's rules cannot; {_ONE_BY_ONE}",
}
_TEXTS = {"SUMMARY": "summary", "DESCRIPTION": "description"}


class NotExpressibleError(ValueError):
    """An event of a file that DingTalk cannot have as it is; its text is the reason, without what the event says."""


@dataclass(frozen=True, slots=True)
class IcsOptions:
    """How the times of a file are read.

    :ivar timezone: zone of times that have none, and in which single events that the file gives in UTC take place.
    :ivar zones: the zones that the file calls by names of its own.
    """

    timezone: str | None = None
    zones: Mapping[str, str] = field(default_factory=dict)


def convert_event(component: Any, options: IcsOptions) -> Json:
    """Write an event as CreateEvent takes it.

    :param component: a ``VEVENT`` of icalendar.
    :raises NotExpressibleError: with the reason.
    """
    _refuse_properties(component)
    try:
        event = _read_component(component, options)
        NewEvent.parse(event)
    except InvalidInputError as error:
        raise NotExpressibleError(str(error)) from None
    return event


def read_uid(component: Any) -> str:
    """Return what an event is known by; empty when it has no UID."""
    uid = component.get("UID")
    return "" if uid is None or isinstance(uid, list) else str(uid).strip()


def _refuse_properties(component: Any) -> None:
    if str(component.get("STATUS", "")).upper() == "CANCELLED":
        raise NotExpressibleError("STATUS: is CANCELLED: there is nothing to create")
    for name, reason in _REFUSED_PROPERTIES.items():
        if name in component:
            raise NotExpressibleError(f"{name}: {reason}")
    for name in ("SUMMARY", "DESCRIPTION", "LOCATION", "DTSTART", "DTEND", "DURATION", "RRULE"):
        if isinstance(component.get(name), list):
            raise NotExpressibleError(f"{name}: is given twice")
    if broken := [name for name, _ in component.errors if name in ("DTSTART", "DTEND", "DURATION", "RRULE")]:
        raise NotExpressibleError(f"{broken[0]}: cannot be read")


def _read_component(component: Any, options: IcsOptions) -> Json:
    texts = {member: str(component[name]) for name, member in _TEXTS.items() if name in component}
    if is_blank(texts.get("summary", "")):
        raise NotExpressibleError("SUMMARY: is blank or missing, and DingTalk wants a title")
    event: Json = {name: text for name, text in texts.items() if not is_blank(text)}
    if "LOCATION" in component and not is_blank(place := str(component["LOCATION"])):
        event["location"] = {"displayName": place}
    series = "RRULE" in component
    start, end = _read_ends(component, options, series=series)
    event |= {"start": start, "end": end, "isAllDay": "date" in start}
    if series:
        event["recurrence"] = _read_rule(component, start)
    return event


def _read_rule(component: Any, start: Json) -> Json:
    try:
        return from_rrule(component["RRULE"].to_ical().decode(), start)
    except ValueError as error:
        raise NotExpressibleError(f"RRULE: {error}") from None


def _read_ends(component: Any, options: IcsOptions, *, series: bool) -> tuple[Json, Json]:
    first = _read_moment(component, "DTSTART")
    if "DTEND" in component and "DURATION" in component:
        raise NotExpressibleError("DTEND: excludes DURATION")
    if not isinstance(first, dt.datetime):
        last = _last_day(component, first)
        return {"date": first.isoformat()}, {"date": last.isoformat()}
    zone = _find_zone(component, "DTSTART", options)
    moment = _place(first, zone, "DTSTART")
    until = _end_moment(component, moment, zone, options)
    if zone == "UTC" and options.timezone and not series:  # a series in UTC stays there: its weekdays are UTC's
        zone = options.timezone
    return _time_object(moment, zone), _time_object(until, zone)


def _read_moment(component: Any, name: str) -> dt.date:
    value = getattr(component.get(name), "dt", None)
    if not isinstance(value, dt.date):  # which a datetime is, too
        raise NotExpressibleError(f"{name}: is missing or cannot be read")
    return value


def _last_day(component: Any, first: dt.date) -> dt.date:
    """Find the day after an all-day event; programs that write its own day as its end mean one day."""
    if "DURATION" in component:
        length = getattr(component["DURATION"], "dt", None)
        if not isinstance(length, dt.timedelta) or length % _DAY:
            raise NotExpressibleError("DURATION: of an all-day event has to be days")
        return first + max(length, _DAY)
    last = _read_moment(component, "DTEND") if "DTEND" in component else first + _DAY
    if isinstance(last, dt.datetime):
        raise NotExpressibleError("DTEND: has a time of day, and DTSTART has none")
    # An end before the start stays as it is, for NewEvent to refuse it with the reason.
    return max(last, first + _DAY) if last >= first else last


def _end_moment(component: Any, start: dt.datetime, zone: str, options: IcsOptions) -> dt.datetime:
    if "DTEND" in component:
        last = _read_moment(component, "DTEND")
        if not isinstance(last, dt.datetime):
            raise NotExpressibleError("DTEND: has no time of day, and DTSTART has one")
        return _place(last, _find_zone(component, "DTEND", options), "DTEND")
    length = getattr(component.get("DURATION"), "dt", dt.timedelta(0))
    if not length % _DAY:  # days are days of the calendar, whatever the clocks do (RFC 5545, 3.3.6)
        return _place((datetimes.to_local_time(start.isoformat(), zone) + length), zone, "DURATION")
    return start + length


def _find_zone(component: Any, name: str, options: IcsOptions) -> str:
    """Name the zone of a time by the tz database."""
    value = component[name]
    given = value.params.get("TZID")
    if given is None:
        if value.dt.tzinfo is not None:
            return "UTC"
        if options.timezone is None:
            raise NotExpressibleError(f"{name}: has no zone (a floating time): give timezone, the zone that is meant")
        return options.timezone
    known = options.zones.get(str(given), str(given))
    try:
        return parse_zone(known)
    except ValueError as error:
        remedy = "name it in zones, as {its TZID: a zone of the tz database}"
        raise NotExpressibleError(f"{name}: its TZID {error}; {remedy}") from None


def _place(value: dt.datetime, zone: str, name: str) -> dt.datetime:
    """Return the moment at which a zone's clocks show a time."""
    try:
        return dt.datetime.fromisoformat(datetimes.format_event_time(value.replace(tzinfo=None).isoformat(), zone))
    except ValueError as error:
        raise NotExpressibleError(f"{name}: {error}") from None


def _time_object(moment: dt.datetime, zone: str) -> Json:
    local = datetimes.to_local_time(moment.isoformat(), zone)
    return {"dateTime": local.isoformat(timespec="seconds"), "timeZone": zone}
