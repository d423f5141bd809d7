"""Comparers: does an event have what a body asks for in a field? In normal form: times as moments, ``"15"`` as 15.

Bodies may be of any shape (``unchecked_fields``), and so may events: who calls a comparer takes its AttributeError,
KeyError, TypeError and ValueError for "other".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from airflow_dingtalk_calendar.models.answer_times import same_moment
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty, mappings_in, text_or_none
from airflow_dingtalk_calendar.models.rule_comparer import same_recurrence

Judgement = Literal["same", "other", "unknown"]
# Takes the field's name in the API, a body that has it, and the event.
Comparer = Callable[[str, Body, Body], Judgement]
SameValue = Callable[[Any, Any], bool]


def by_value(same: SameValue) -> Comparer:
    """Compare a field by its own value in the body and in the event."""
    return lambda wire, body, event: "same" if same(body[wire], event.get(wire)) else "other"


def compare_recurrence(_: str, body: Body, event: Body) -> Judgement:
    """Compare whole rules, which depend on the start."""
    return "same" if same_recurrence(body, event) else "other"


def compare_attendees(wire: str, body: Body, event: Body) -> Judgement:
    """Compare with the event's whole list, of which the organizer need not be part.

    Who was invited by mail does not come back by mail, but may by id; and an attendee given without ``isOptional`` may
    keep it or lose it.
    """
    wanted = body[wire]
    organizer = text_or_none(get_member(event, "organizer", "id"))
    named = {one["id"]: one.get("isOptional") for one in wanted if "id" in one}
    there = _optional_by_id(event.get(wire))
    uninvited = there.keys() - named.keys() - {organizer}
    by_mail = len(named) < len(wanted)
    if not has_attendees(wanted, event.get(wire)) or (uninvited and not by_mail):
        return "other"
    return "unknown" if by_mail or any(there[one] and named[one] is None for one in named) else "same"


def has_attendees(wanted: Any, found: Any) -> bool:
    """Whether all people that are named by id are in a list, which may have others."""
    there = _optional_by_id(found)
    return all(
        one["id"] in there and one.get("isOptional", there[one["id"]]) == there[one["id"]]
        for one in wanted
        if "id" in one
    )


@by_value
def compare_text(wanted: Any, found: Any) -> bool:
    """Compare texts; none is empty text."""
    return _same_text(wanted, found)


@by_value
def compare_flag(wanted: Any, found: Any) -> bool:
    """Compare flags; none is false."""
    return bool(wanted) == bool(found)


@by_value
def compare_time(wanted: Any, found: Any) -> bool:
    """Compare one end of an event; the service may leave out the zone."""
    found = mapping_or_empty(found)
    if "date" in wanted:
        return bool(wanted["date"] == found.get("date"))
    same_zone = found.get("timeZone") in (None, "", wanted["timeZone"])
    return same_zone and same_moment(wanted["dateTime"], found.get("dateTime"))


@by_value
def compare_reminders(wanted: Any, found: Any) -> bool:
    """Compare reminders, in any order."""
    return sorted(map(_reminder_key, wanted)) == sorted(map(_reminder_key, mappings_in(found)))


@by_value
def compare_ui_configs(wanted: Any, found: Any) -> bool:
    """Compare what is hidden or disabled; "enable" is the default state, which the service may leave out."""
    shown, there = (
        {one.get("uiName"): one["uiStatus"] for one in configs if one.get("uiStatus") != "enable"}
        for configs in (wanted, mappings_in(found))
    )
    return bool(shown == there)


@by_value
def compare_value(wanted: Any, found: Any) -> bool:
    """Compare what has no comparer of its own; the service may add members to an object."""
    return _same_value(wanted, found)


def compare_member(name: str) -> Comparer:
    """Compare one member of an object, a text."""
    return by_value(lambda wanted, found: _same_text(wanted[name], get_member(found, name)))


def compare_list(key: str) -> Comparer:
    """Compare lists whose members have a key, in any order."""

    @by_value
    def compare(wanted: Any, found: Any) -> bool:
        there = {text_or_none(one.get(key)): one for one in mappings_in(found)}
        return {one[key] for one in wanted} == there.keys() and all(_same_value(one, there[one[key]]) for one in wanted)

    return compare


def _same_text(wanted: Any, found: Any) -> bool:
    return bool(wanted == (found or ""))


def _same_value(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_same_value(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_same_value, wanted, found))
    # The service answers some numbers and flags as text (minutes: page and SDK agree).
    return str(wanted).lower() == str(found).lower()


def _optional_by_id(people: Any) -> dict[str | None, bool]:
    """Say of each attendee whether it is an optional one; an id that is no text might not even be hashable."""
    return {text_or_none(one.get("id")): bool(one.get("isOptional")) for one in mappings_in(people)}


def _reminder_key(reminder: Body) -> tuple[str, str]:
    return str(reminder.get("method", "dingtalk")), str(reminder.get("minutes"))
