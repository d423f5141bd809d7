"""Events and their changes in words, for people who look at the page."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from ..schema.event import Event
from ..schema.validators import read_iso_date_time
from ..state.recurrence import zoned_datetime

STATUS_MARKS = {"accepted": "✓", "declined": "✗", "tentative": "?", "needsAction": "·"}
_MAX_NAMES = 6  # names a reader takes in at a glance; the rest is counted
_PERIOD_UNITS = {
    "daily": "day",
    "weekly": "week",
    "absoluteMonthly": "month",
    "relativeMonthly": "month",
    "absoluteYearly": "year",
}


def format_day(value: date) -> str:
    """Write a date out."""
    return f"{value:%A}, {value.day} {value:%B %Y}"


def format_event_hours(event: Event) -> str:
    """Write the time of an event within its first day."""
    start, end = zoned_datetime(event["start"]), zoned_datetime(event["end"])
    if event["isAllDay"]:
        last = end.date() - timedelta(days=1)
        return "all day" if last <= start.date() else f"all day, to {last.day} {last:%b}"
    other_day = "" if end.date() == start.date() else f"{end.day} {end:%b} "
    return f"{start:%H:%M} – {other_day}{end:%H:%M}"  # noqa: RUF001 - a dash between times


def describe_recurrence(rule: Event) -> str:
    """Describe a recurrence rule; one that lacks its type is shown as JSON."""
    pattern = rule.get("pattern", {})
    if "type" not in pattern:
        return f"incomplete rule {json.dumps(rule, ensure_ascii=False)}"
    number, unit = pattern.get("interval", 1), _PERIOD_UNITS[pattern["type"]]
    every = f"every {unit}" if number == 1 else f"every {number} {unit}s"
    return " ".join(part for part in (every, _describe_days(pattern), _describe_limit(rule.get("range", {}))) if part)


def _describe_days(pattern: Event) -> str:
    names = " and ".join(name.capitalize() for name in pattern.get("daysOfWeek", "").split(",") if name)
    if pattern["type"] == "relativeMonthly":
        return f"on the {pattern.get('index', 'first')} {names}"
    if pattern["type"] == "absoluteMonthly" and "dayOfMonth" in pattern:
        return f"on day {pattern['dayOfMonth']}"
    return f"on {names}" if names and pattern["type"] == "weekly" else ""


def _describe_limit(limits: Event) -> str:
    if "numberOfOccurrences" in limits:
        return f"({limits['numberOfOccurrences']} times)"
    if "endDate" not in limits:
        return ""
    last = read_iso_date_time(limits["endDate"])
    return f"until {last.day} {last:%B %Y}"


def format_member(name: str, member: Any) -> str:
    """Write the value of an event's member, as one line of a change."""
    if member is None or member in ("", []):
        return "nothing"
    return _MEMBER_FORMATS.get(name, _format_plain)(member)


def _format_plain(member: Any) -> str:
    return member if isinstance(member, str) else json.dumps(member, ensure_ascii=False)


def _format_event_time(moment: Event) -> str:
    start = zoned_datetime(moment)
    clock = f" {start:%H:%M} {moment['timeZone']}" if "dateTime" in moment else ""
    return f"{start:%a} {start.day} {start:%b %Y}{clock}"


def _format_attendees(people: list[Event]) -> str:
    names = [f"{STATUS_MARKS[p['responseStatus']]} {p['displayName'] or p['id']}" for p in people[:_MAX_NAMES]]
    more = len(people) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _format_reminders(reminders: list[Event]) -> str:
    return ", ".join(_format_lead_time(int(reminder.get("minutes", 0))) for reminder in reminders)


def _format_lead_time(minutes: int) -> str:
    return f"{minutes // 60} h before" if minutes >= 60 and minutes % 60 == 0 else f"{minutes} min before"


_MEMBER_FORMATS: dict[str, Callable[[Any], str]] = {
    "start": _format_event_time,
    "end": _format_event_time,
    "recurrence": describe_recurrence,
    "attendees": _format_attendees,
    "meetingRooms": lambda rooms: ", ".join(room.get("displayName", room["roomId"]) for room in rooms),
    "location": lambda location: location.get("displayName") or "nothing",
    "reminders": _format_reminders,
    "onlineMeetingInfo": lambda meeting: f"meeting {meeting['conferenceId'][:8]}…",
    "richTextDescription": lambda rich: rich.get("text", ""),
}
