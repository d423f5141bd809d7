"""Describers: what a patch would change in a field, for a person to read; without the field's name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from airflow_dingtalk_calendar.models.json_values import get_member, list_or_empty

# Takes the wanted value and the event's.
Describer = Callable[[Any, Any], str]
MAX_TEXT_SHOWN = 80  # characters of a text that are shown
NOTHING_TEXT = "(nothing)"
NOTIFICATIONS = {"noPushNotification": "push notification", "noChatNotification": "chat notification"}


def describe_value(wanted: Any, _: Any) -> str:
    """Show what is wanted, where what is there may not be shown."""
    return f"-> {_shorten_text(wanted)}"


def describe_text(wanted: Any, found: Any) -> str:
    """Show both texts."""
    return f"{_shorten_text(found)} -> {_shorten_text(wanted)}"


def describe_member(name: str) -> Describer:
    """Show one member of both objects."""
    return lambda wanted, found: describe_text(get_member(wanted, name), get_member(found, name))


def describe_time(wanted: Any, found: Any) -> str:
    """Write both times, and what they have in common once: the day, the zone."""
    (day, clock, zone), (old_day, old_clock, old_zone) = (
        split_time(wanted),
        split_time(found, get_member(wanted, "timeZone")),
    )
    if not clock and not old_clock:
        return f"{old_day} -> {day}"
    new = clock if day == old_day and clock and old_clock else f"{day} {clock}".strip()
    before = f"{old_day} {old_clock}".strip()
    if zone != old_zone and old_clock:
        return f"{before} ({old_zone}) -> {new} ({zone})" if clock else f"{before} ({old_zone}) -> {new} (all day)"
    return f"{before if old_clock or not found else f'{before} (all day)'} -> {new} ({zone})"


def split_time(value: Any, zone: Any = None) -> tuple[str, str, str]:
    """Return day, time of day and zone; an all-day event has the first only."""
    if day := get_member(value, "date"):
        return str(day), "", ""
    text = str(get_member(value, "dateTime") or NOTHING_TEXT)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text, "", ""
    shown = f"{moment:%H:%M:%S}".removesuffix(":00")
    return f"{moment:%Y-%m-%d}", shown, str(get_member(value, "timeZone") or zone or "")


def describe_attendees(wanted: Any, found: Any) -> str:
    """Name who is new; who is not in the list is named as such, because what happens to them is not documented."""
    new, old = ([_attendee_name(one) for one in list_or_empty(people)] for people in (wanted, found))
    added, missing = [one for one in new if one not in old], [one for one in old if one not in new]
    parts = [f"+ {', '.join(added)}"] if added else []
    return "; ".join(parts + ([f"not in the list: {', '.join(missing)}"] if missing else [])) or "optional or not"


def _attendee_name(person: Any) -> str:
    return str(get_member(person, "id") or get_member(person, "email"))


def describe_reminders(wanted: Any, found: Any) -> str:
    """Show the minutes of both lists."""
    old, new = (
        ", ".join(str(get_member(one, "minutes")) for one in list_or_empty(value)) or "none"
        for value in (found, wanted)
    )
    return f"{old} -> {new} (minutes before)"


def describe_ui_configs(wanted: Any, found: Any) -> str:
    """Show both states of the event's page."""
    old, new = (
        ", ".join(f"{get_member(one, 'uiName')} {get_member(one, 'uiStatus')}" for one in list_or_empty(value))
        for value in (found, wanted)
    )
    return describe_text(new, old)


def describe_rule(wanted: Any, found: Any) -> str:
    """Show both rules."""
    return f"{_format_rule(found)} -> {_format_rule(wanted)}"


def _format_rule(value: Any) -> str:
    pattern, span = get_member(value, "pattern"), get_member(value, "range")
    if not pattern:
        return NOTHING_TEXT
    members = [
        get_member(pattern, "type"),
        get_member(pattern, "index"),
        get_member(pattern, "daysOfWeek"),
        get_member(pattern, "dayOfMonth"),
    ]
    words = [str(member) for member in members if member]
    every = str(get_member(pattern, "interval") or 1)
    first = str(get_member(pattern, "firstDayOfWeek") or "sunday")
    weeks = [] if first == "sunday" else [f"weeks begin on {first}"]
    ends = {
        "endDate": f"until {get_member(span, 'endDate')}",
        "numbered": f"{get_member(span, 'numberOfOccurrences')} times",
    }
    return ", ".join([" ".join(words), f"every {every}", *weeks, ends.get(str(get_member(span, "type")), "no end")])


def describe_meeting(_: Any, found: Any) -> str:
    """Say that there will be a new video meeting, each time."""
    return "-> a new video meeting" + (", beside the one it has" if found else "")


def describe_notifications(wanted: Any, found: Any) -> str:
    """Say in words who is notified of the change; other members of ``extra`` are shown as they are."""
    if not isinstance(wanted, Mapping):
        return describe_value(wanted, found)
    return ", ".join(_format_switch(str(name), value) for name, value in wanted.items())


def _format_switch(name: str, value: Any) -> str:
    if name not in NOTIFICATIONS:
        return f"{name}: {_shorten_text(value)}"
    return f"{'no ' if value == 'true' else ''}{NOTIFICATIONS[name]}"


def _shorten_text(value: Any) -> str:
    text = " ".join(str(value).split()) if value not in (None, "") else NOTHING_TEXT
    return text if len(text) <= MAX_TEXT_SHOWN else f"{text[: MAX_TEXT_SHOWN - 1]}…"
