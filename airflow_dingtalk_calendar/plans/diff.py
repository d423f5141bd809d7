"""What a patch would change in an event, in lines for a person to read before the plan is carried out.

::

    summary: Sprint 41 -> Sprint 42
    start: 2027-03-02 10:00 -> 11:00 (Asia/Shanghai)
    attendees: + iiPWang
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.json_values import Body, get_member

MAX_TEXT_SHOWN = 80  # characters of a text that are shown
NOTHING_TEXT = "(nothing)"


def diff_lines(body: Body, event: Body) -> list[str]:
    """Say field by field what a request would change in an event, as it was read; no line for what surely stays."""
    judged = comparison.compare_fields(body, event)
    new = {name: body[name] for name, judgement in judged.items() if judgement != "same"}
    lines = [f"{name}: {_DESCRIBERS.get(name, _describe_value)(value, event.get(name))}" for name, value in new.items()]
    # A text of the event may have half a surrogate pair, which nobody can print.
    return [line.encode(errors="replace").decode() for line in lines]


def _describe_value(wanted: Any, _: Any) -> str:
    return f"-> {_shorten_text(wanted)}"


def _describe_text(wanted: Any, found: Any) -> str:
    return f"{_shorten_text(found)} -> {_shorten_text(wanted)}"


def _describe_member(name: str) -> Callable[[Any, Any], str]:
    return lambda wanted, found: _describe_text(get_member(wanted, name), get_member(found, name))


def _describe_time(wanted: Any, found: Any) -> str:
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


def _describe_attendees(wanted: Any, found: Any) -> str:
    """Name who is new; who is not in the list is named as such, for what becomes of them is not documented."""
    new, old = ([_attendee_name(one) for one in _list_or_empty(people)] for people in (wanted, found))
    added, missing = [one for one in new if one not in old], [one for one in old if one not in new]
    parts = [f"+ {', '.join(added)}"] if added else []
    return "; ".join(parts + ([f"not in the list: {', '.join(missing)}"] if missing else [])) or "optional or not"


def _attendee_name(person: Any) -> str:
    return str(get_member(person, "id") or get_member(person, "email"))


def _describe_reminders(wanted: Any, found: Any) -> str:
    old, new = (
        ", ".join(str(get_member(one, "minutes")) for one in _list_or_empty(value)) or "none"
        for value in (found, wanted)
    )
    return f"{old} -> {new} (minutes before)"


def _describe_ui_configs(wanted: Any, found: Any) -> str:
    old, new = (
        ", ".join(f"{get_member(one, 'uiName')} {get_member(one, 'uiStatus')}" for one in _list_or_empty(value))
        for value in (found, wanted)
    )
    return _describe_text(new, old)


def _describe_recurrence(wanted: Any, found: Any) -> str:
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


def _describe_meeting(_: Any, found: Any) -> str:
    return "-> a new video meeting" + (", beside the one it has" if found else "")


def _list_or_empty(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shorten_text(value: Any) -> str:
    text = " ".join(str(value).split()) if value not in (None, "") else NOTHING_TEXT
    return text if len(text) <= MAX_TEXT_SHOWN else f"{text[: MAX_TEXT_SHOWN - 1]}…"


_DESCRIBERS: dict[str, Callable[[Any, Any], str]] = {
    "summary": _describe_text,
    "description": _describe_text,
    "isAllDay": _describe_text,
    "start": _describe_time,
    "end": _describe_time,
    "location": _describe_member("displayName"),
    "richTextDescription": _describe_member("text"),
    "attendees": _describe_attendees,
    "reminders": _describe_reminders,
    "recurrence": _describe_recurrence,
    "onlineMeetingInfo": _describe_meeting,
    "uiConfigs": _describe_ui_configs,
}
