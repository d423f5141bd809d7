"""Does an event have what a request asks for? Compared in normal form: times as instants, ``"15"`` as 15.

One judgement for each field of a body serves all who ask: whether a patch would change anything, what it would change,
and what of it was not applied. It is ``unknown`` where the event does not tell:

- ``extra`` and mail addresses never come back;
- a field that PatchEvent's page does not document in its answer (``freeBusyStatus``, ``cardInstances``, ``categories``,
  unchecked ones) may be left out of it; where it is shown, it is compared.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Literal

from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty, mappings_in
from airflow_dingtalk_calendar.models.recurrence import PATTERN_MEMBERS, RANGE_MEMBERS, start_day

Judgement = Literal["same", "other", "unknown"]
# The members of ``extra`` that say how a change is made, and change nothing of the event.
NOTIFICATION_SWITCHES = frozenset({"noPushNotification", "noChatNotification"})


def compare_fields(body: Body, event: Body) -> dict[str, Judgement]:
    """Judge of each field of a request body whether the event has it."""
    return {name: _compare_field(name, body, event) for name in body if name != "id"}


def not_applied(body: Body, event: Body) -> list[str]:
    """Name the fields of a request body that the event, as the service returned it, does not have."""
    return [name for name, judgement in compare_fields(body, event).items() if judgement == "other"]


def not_told(body: Body, event: Body) -> list[str]:
    """Name the fields of a request body of which the event does not tell whether it has them."""
    return [name for name, judgement in compare_fields(body, event).items() if judgement == "unknown"]


def is_unchanged(body: Body, event: Body) -> bool:
    """Whether the event surely has already all that the body asks for, so that sending it would change nothing.

    A video meeting counts as there when the event has one; a list of attendees, when it is the event's whole list.
    """
    differing = {name for name, judgement in compare_fields(body, event).items() if judgement != "same"}
    return not differing or (differing == {"extra"} and _only_notifies(body["extra"]))


def unmet_fields(wanted: Body, event: Body) -> list[str]:
    """Name the fields that an event does not have yet; of people it has to have those named, and may have more."""
    return [
        name
        for name in not_applied(wanted, event)
        if name != "attendees" or not _has_attendees(wanted[name], event.get(name))
    ]


def _compare_field(name: str, body: Body, event: Body) -> Judgement:
    """Compare one field; a value that nobody has checked (``unchecked_fields``) may be of any shape."""
    wanted, found = body[name], event.get(name)
    if name == "extra" or (name not in COMPARED_FIELDS and name not in event):
        return "unknown"
    if wanted is None:
        return "other" if found else "same"
    try:
        if name == "attendees":
            return _compare_attendees(wanted, event)
        if name == "recurrence":
            return _compare_recurrence(wanted, body, event)
        return _judge(_COMPARERS.get(name, _same_value)(wanted, found))
    except (AttributeError, KeyError, TypeError, ValueError):
        return "other"


def _judge(same: bool) -> Judgement:
    return "same" if same else "other"


def _only_notifies(extra: Any) -> bool:
    return bool(mapping_or_empty(extra)) and set(extra) <= NOTIFICATION_SWITCHES


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


def _same_recurrence(wanted: Any, found: Any, wanted_start: Any, found_start: Any) -> bool:
    """Compare whole rules, because the service replaces them whole: a member that is gone is a change."""
    there = mapping_or_empty(found)
    _, of_type = PATTERN_MEMBERS.get(_type_of(wanted, "pattern"), (set(), set()))
    used = {
        "pattern": {"type", "interval", "first_day_of_week"} | of_type,
        "range": {"type"} | RANGE_MEMBERS.get(_type_of(wanted, "range"), set()),
    }
    defaults = ({**_RULE_DEFAULTS, "dayOfMonth": _day_of(start)} for start in (wanted_start, found_start))
    wanted_default, found_default = defaults
    return all(
        _RULE_COMPARERS.get(name, _same_word)(
            wanted[part].get(name) or wanted_default.get(name),
            mapping_or_empty(there.get(part)).get(name) or found_default.get(name),
        )
        for part, names in used.items()
        for name in {*map(to_camel, names), *wanted[part]}
    )


def _compare_recurrence(wanted: Any, body: Body, event: Body) -> Judgement:
    start, found = body.get("start") or event.get("start"), event.get("recurrence")
    if get_member(start, "date"):
        wanted, found = _ending_on_a_day(wanted), _ending_on_a_day(found)
    return _judge(_same_recurrence(wanted, found, start, event.get("start")))


def _ending_on_a_day(rule: Any) -> Any:
    """Let the rule of an all-day series end on the day that its end is written with (see ``event_times``)."""
    span = mapping_or_empty(mapping_or_empty(rule).get("range"))
    return {**rule, "range": {**span, "endDate": str(span["endDate"])[:10]}} if span.get("endDate") else rule


def _type_of(rule: Body, part: str) -> str:
    return str(rule[part].get("type"))


def _day_of(start: Any) -> int | None:
    """Return the day of the month that a yearly rule has from the start."""
    try:
        return start_day(start).day
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _same_word(wanted: Any, found: Any) -> bool:
    return str(wanted) == str(found)


def _same_weekdays(wanted: Any, found: Any) -> bool:
    return set(str(wanted).split(",")) == set(str(found).replace(" ", "").split(","))


def _same_instant(wanted: Any, found: Any) -> bool:
    return bool(_comparable_time(wanted) == _comparable_time(found))


def _compare_attendees(wanted: Any, event: Body) -> Judgement:
    """Compare with the event's whole list, of which the organizer need not be part.

    Who was invited by mail does not come back by mail, but may by id; and an attendee given without ``isOptional`` may
    keep it or lose it.
    """
    organizer = _text_member(mapping_or_empty(event.get("organizer")), "id")
    named = {one["id"]: one.get("isOptional") for one in wanted if "id" in one}
    there = {_text_member(one, "id"): bool(one.get("isOptional")) for one in mappings_in(event.get("attendees"))}
    uninvited = there.keys() - named.keys() - {organizer}
    by_mail = len(named) < len(wanted)
    if not _has_attendees(wanted, event.get("attendees")) or (uninvited and not by_mail):
        return "other"
    return "unknown" if by_mail or any(there[one] and named[one] is None for one in named) else "same"


def _has_attendees(wanted: Any, found: Any) -> bool:
    there = {_text_member(one, "id"): bool(one.get("isOptional")) for one in mappings_in(found)}
    return all(
        one["id"] in there and one.get("isOptional", there[one["id"]]) == there[one["id"]]
        for one in wanted
        if "id" in one
    )


def _same_reminders(wanted: Any, found: Any) -> bool:
    return sorted(map(_reminder_key, wanted)) == sorted(map(_reminder_key, mappings_in(found)))


def _reminder_key(reminder: Body) -> tuple[str, str]:
    return str(reminder.get("method", "dingtalk")), str(reminder.get("minutes"))


def _same_member(name: str) -> Callable[[Any, Any], bool]:
    return lambda wanted, found: _same_text(wanted[name], mapping_or_empty(found).get(name))


def _same_ui_configs(wanted: Any, found: Any) -> bool:
    shown, there = (
        {one.get("uiName"): one["uiStatus"] for one in configs if one.get("uiStatus") != "enable"}
        for configs in (wanted, mappings_in(found))  # "enable" is the default state, which the service may leave out
    )
    return bool(shown == there)


def _same_list(key: str) -> Callable[[Any, Any], bool]:
    """Compare lists whose members have a key, in any order."""

    def compare(wanted: Any, found: Any) -> bool:
        there = {_text_member(one, key): one for one in mappings_in(found)}
        return {one[key] for one in wanted} == there.keys() and all(_same_value(one, there[one[key]]) for one in wanted)

    return compare


def _same_value(wanted: Any, found: Any) -> bool:
    """Compare what has no comparer of its own; the service may add members to an object."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_same_value(value, found.get(name)) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(wanted) == len(found) and all(map(_same_value, wanted, found))
    return str(wanted).lower() == str(found).lower()


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


_RULE_DEFAULTS: dict[str, Any] = {"interval": 1, "firstDayOfWeek": "sunday"}
_RULE_COMPARERS: dict[str, Callable[[Any, Any], bool]] = {"daysOfWeek": _same_weekdays, "endDate": _same_instant}
_COMPARERS: dict[str, Callable[[Any, Any], bool]] = {
    "summary": _same_text,
    "description": _same_text,
    "start": _same_event_time,
    "end": _same_event_time,
    "isAllDay": _same_flag,
    "location": _same_member("displayName"),
    "reminders": _same_reminders,
    "onlineMeetingInfo": _same_member("type"),
    "richTextDescription": _same_member("text"),
    "uiConfigs": _same_ui_configs,
    "cardInstances": _same_list("outTrackId"),
    "categories": _same_list("categoryId"),
}
# Fields that PatchEvent's page documents in its answer, so that one without them lacks them.
COMPARED_FIELDS = frozenset({*_COMPARERS, "recurrence", "attendees"}) - {"cardInstances", "categories"}
