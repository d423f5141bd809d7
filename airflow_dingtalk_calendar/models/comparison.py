"""Does an event have what a patch asks for? Compared in normal form: times as instants, ``"15"`` as 15.

Only fields that PatchEvent's page documents in its response are compared. ``extra``, ``freeBusyStatus`` and
mail addresses never come back, so nothing can be said of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from airflow_dingtalk_calendar.models.json_values import Body, mapping_or_empty, mappings_in


def not_applied(body: Body, event: Body) -> list[str]:
    """Name the fields of a request body that the event, as the service returned it, does not have."""
    return [name for name, value in body.items() if name in _COMPARERS and not _field_matches(name, value, event)]


def is_unchanged(body: Body, event: Body) -> bool:
    """Whether the event surely has already all that the body asks for, so that sending it would change nothing.

    A video meeting counts as there when the event has one; a list of attendees, when it is the event's whole list.
    """
    certain = not_comparable(body) <= {"extra"}
    return certain and not not_applied(body, event) and same_attendee_list(body, event)


def not_comparable(body: Body) -> set[str]:
    """Name the fields of a request body of which an event does not tell whether it has them."""
    return {name for name in body if name not in _COMPARERS and name != "id"}


def same_attendee_list(body: Body, event: Body) -> bool:
    """Whether a list of attendees, where the body has one, is the event's whole list."""
    if "attendees" not in body:
        return True
    organizer = _text_member(mapping_or_empty(event.get("organizer")), "id")
    invited = {_text_member(one, "id") for one in mappings_in(event.get("attendees"))} - {organizer}
    return {_text_member(one, "id") for one in mappings_in(body["attendees"])} - {organizer} == invited


def _field_matches(name: str, value: Any, event: Body) -> bool:
    """Compare one field; a value that nobody has checked (``unchecked_fields``) may be of any shape."""
    if value is None:
        return not event.get(name)
    try:
        found = event.get(name)
        if name == "recurrence" and mapping_or_empty(event.get("start")).get("date"):
            value, found = _ending_on_a_day(value), _ending_on_a_day(found)
        return _COMPARERS[name](value, found)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _same_text(wanted: Any, found: Any) -> bool:
    return bool(wanted == (found or ""))


def _same_flag(wanted: Any, found: Any) -> bool:
    return bool(wanted) == bool(found)


def _same_event_time(wanted: Any, found: Any) -> bool:
    found = mapping_or_empty(found)
    if "date" in wanted:
        return bool(wanted["date"] == found.get("date"))
    same_zone = found.get("timeZone") in (None, "", wanted["timeZone"])
    return same_zone and _same_instant(wanted["dateTime"], found.get("dateTime"))


def _same_recurrence(wanted: Any, found: Any) -> bool:
    found = mapping_or_empty(found)
    return all(
        _RULE_COMPARERS.get(name, _same_word)(value, mapping_or_empty(found.get(part)).get(name))
        for part in ("pattern", "range")
        for name, value in wanted[part].items()
    )


def _ending_on_a_day(rule: Any) -> Any:
    """Let the rule of an all-day series end on the day that its end is written with (see ``event_times``)."""
    span = mapping_or_empty(mapping_or_empty(rule).get("range"))
    return {**rule, "range": {**span, "endDate": str(span["endDate"])[:10]}} if span.get("endDate") else rule


def _same_word(wanted: Any, found: Any) -> bool:
    return str(wanted) == str(found)


def _same_weekdays(wanted: Any, found: Any) -> bool:
    return set(str(wanted).split(",")) == set(str(found).replace(" ", "").split(","))


def _same_instant(wanted: Any, found: Any) -> bool:
    return bool(_comparable_time(wanted) == _comparable_time(found))


def _same_attendees(wanted: Any, found: Any) -> bool:
    there = {_text_member(one, "id"): bool(one.get("isOptional")) for one in mappings_in(found)}
    return all(
        one["id"] in there and one.get("isOptional", there[one["id"]]) == there[one["id"]]
        for one in wanted
        if "id" in one  # who was invited by mail does not come back by mail
    )


def _same_reminders(wanted: Any, found: Any) -> bool:
    return sorted(map(_reminder_key, wanted)) == sorted(map(_reminder_key, mappings_in(found)))


def _reminder_key(reminder: Body) -> tuple[str, str]:
    return str(reminder.get("method", "dingtalk")), str(reminder.get("minutes"))


def _same_member(name: str) -> Callable[[Any, Any], bool]:
    return lambda wanted, found: _same_text(wanted[name], mapping_or_empty(found).get(name))


def _same_ui_configs(wanted: Any, found: Any) -> bool:
    there = {_text_member(one, "uiName"): one.get("uiStatus") for one in mappings_in(found)}
    # "enable" is the default state, which the service may leave out
    return all(there.get(one["uiName"], "enable") == one["uiStatus"] for one in wanted)


def _text_member(value: Body, name: str) -> str | None:
    """Read a name; anything but text is none, and might not even be hashable."""
    found = value.get(name)
    return found if isinstance(found, str) else None


def _comparable_time(value: Any) -> Any:
    """Read a time; what cannot be read, or not in UTC, is compared as it is."""
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.astimezone(dt.UTC) if moment.tzinfo else value
    except (TypeError, ValueError, OverflowError):
        return value


_RULE_COMPARERS: dict[str, Callable[[Any, Any], bool]] = {"daysOfWeek": _same_weekdays, "endDate": _same_instant}
_COMPARERS: dict[str, Callable[[Any, Any], bool]] = {
    "summary": _same_text,
    "description": _same_text,
    "start": _same_event_time,
    "end": _same_event_time,
    "isAllDay": _same_flag,
    "recurrence": _same_recurrence,
    "attendees": _same_attendees,
    "location": _same_member("displayName"),
    "reminders": _same_reminders,
    "onlineMeetingInfo": _same_member("type"),
    "richTextDescription": _same_member("text"),
    "uiConfigs": _same_ui_configs,
}
# Fields of which an answer of the service tells.
COMPARED_FIELDS = frozenset(_COMPARERS)
