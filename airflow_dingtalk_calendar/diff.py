"""What a patch would change in an event, in lines for a person to read before the plan is carried out.

::

    summary: Sprint 41 -> Sprint 42
    start: 2027-03-02 10:00 -> 11:00 (Asia/Shanghai)
    attendees: + iiPWang
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from airflow_dingtalk_calendar import compare

Body = Mapping[str, Any]
LONGEST = 80  # characters of a text that are shown
NOTHING = "(nothing)"


def lines(body: Body, event: Body) -> list[str]:
    """Say field by field what a request would change in an event, as it was read; no line for what stays.

    Of ``extra`` and of fields that this package does not know the event shows nothing, so only the new value is said.
    """
    changed = set(compare.not_applied(body, event)) | compare.not_comparable(body)
    if not compare.same_people(body, event):
        changed.add("attendees")
    new = {name: value for name, value in body.items() if name in changed}
    return [f"{name}: {_SAID.get(name, _value)(value, event.get(name))}" for name, value in new.items()]


def _value(wanted: Any, _: Any) -> str:
    return f"-> {_short(wanted)}"


def _text(wanted: Any, found: Any) -> str:
    return f"{_short(found)} -> {_short(wanted)}"


def _member(name: str) -> Callable[[Any, Any], str]:
    return lambda wanted, found: _text(_get(wanted, name), _get(found, name))


def _time(wanted: Any, found: Any) -> str:
    """Write both times, and what they have in common once: the day, the zone."""
    (day, clock, zone), (old_day, old_clock, old_zone) = _moment(wanted), _moment(found, _get(wanted, "timeZone"))
    if not clock and not old_clock:
        return f"{old_day} -> {day}"
    new = clock if day == old_day and clock and old_clock else f"{day} {clock}".strip()
    before = f"{old_day} {old_clock}".strip()
    if zone != old_zone and old_clock:
        return f"{before} ({old_zone}) -> {new} ({zone})" if clock else f"{before} ({old_zone}) -> {new} (all day)"
    return f"{before if old_clock else f'{before} (all day)'} -> {new} ({zone})"


def _moment(value: Any, zone: Any = None) -> tuple[str, str, str]:
    """Return day, time of day and zone; an all-day event has the first only."""
    if day := _get(value, "date"):
        return str(day), "", ""
    text = str(_get(value, "dateTime") or NOTHING)
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return text, "", ""
    shown = f"{moment:%H:%M:%S}".removesuffix(":00")
    return f"{moment:%Y-%m-%d}", shown, str(_get(value, "timeZone") or zone or "")


def _people(wanted: Any, found: Any) -> str:
    """Name who is new; who is not in the list is named as such, for what becomes of them is not documented."""
    new, old = ([_who(one) for one in _list(people)] for people in (wanted, found))
    added, missing = [one for one in new if one not in old], [one for one in old if one not in new]
    parts = [f"+ {', '.join(added)}"] if added else []
    return "; ".join(parts + ([f"not in the list: {', '.join(missing)}"] if missing else [])) or "optional or not"


def _who(person: Any) -> str:
    return str(_get(person, "id") or _get(person, "email"))


def _minutes(wanted: Any, found: Any) -> str:
    old, new = (", ".join(str(_get(one, "minutes")) for one in _list(value)) or "none" for value in (found, wanted))
    return f"{old} -> {new} (minutes before)"


def _rule(wanted: Any, found: Any) -> str:
    return f"{_recurrence(found)} -> {_recurrence(wanted)}"


def _recurrence(value: Any) -> str:
    pattern, span = _get(value, "pattern"), _get(value, "range")
    if not pattern:
        return NOTHING
    members = [_get(pattern, "type"), _get(pattern, "index"), _get(pattern, "daysOfWeek"), _get(pattern, "dayOfMonth")]
    words = [str(member) for member in members if member]
    every = str(_get(pattern, "interval") or 1)
    ends = {"endDate": f"until {_get(span, 'endDate')}", "numbered": f"{_get(span, 'numberOfOccurrences')} times"}
    return ", ".join([" ".join(words), f"every {every}", ends.get(str(_get(span, "type")), "no end")])


def _meeting(_: Any, found: Any) -> str:
    return "-> a new video meeting" + (", beside the one it has" if found else "")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _get(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def _short(value: Any) -> str:
    text = " ".join(str(value).split()) if value not in (None, "") else NOTHING
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


_SAID: dict[str, Callable[[Any, Any], str]] = {
    "summary": _text,
    "description": _text,
    "isAllDay": _text,
    "start": _time,
    "end": _time,
    "location": _member("displayName"),
    "richTextDescription": _member("text"),
    "attendees": _people,
    "reminders": _minutes,
    "recurrence": _rule,
    "onlineMeetingInfo": _meeting,
}
