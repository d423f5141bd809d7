"""DingTalk's recurrence rule, ``{pattern, range}``: complete as a patch needs it, fitting a day, told as an RRULE.

The patterns are those of the official page of PatchEvent. It says that ``relativeMonthly`` takes several weekdays, but
not what they mean (each one's first, or the first of them all): UNVERIFIED, so such a rule is passed on, never read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar import moments
from airflow_dingtalk_calendar.parts import PATTERN_MEMBERS, RANGE_MEMBERS, Recurrence

Json = dict[str, Any]

DAYS_BY_CODE = {
    "MO": "monday",
    "TU": "tuesday",
    "WE": "wednesday",
    "TH": "thursday",
    "FR": "friday",
    "SA": "saturday",
    "SU": "sunday",
}
DAY_NAMES = tuple(DAYS_BY_CODE.values())  # in the order of date.weekday()
_CODES_BY_DAY = {name: code for code, name in DAYS_BY_CODE.items()}
INDEX_NAMES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
_INDEX_NUMBERS = {name: number for number, name in INDEX_NAMES.items()}


def complete_rule(recurrence: Any, zone: str | None = None) -> Json:
    """Copy a rule that the service returned into one that a patch can have: nothing empty, nothing missing.

    The service also returns members that the rule's type does not use (its page's own sample has ``endDate`` beside
    ``numberOfOccurrences``); sent back, they would be refused.

    :param zone: IANA zone for an ``endDate`` without an offset.
    :raises ValueError: when a member that the rule needs is missing or wrong.
    """
    pattern, span = (mapping_or_empty(mapping_or_empty(recurrence).get(name)) for name in ("pattern", "range"))
    used = {"type", "interval", "first_day_of_week"} | PATTERN_MEMBERS.get(str(pattern.get("type")), (set(), set()))[1]
    limits = _keep_members(span, {"type"} | RANGE_MEMBERS.get(str(span.get("type")), set()))
    if "endDate" in limits:
        limits["endDate"] = moments.complete_series_end(limits["endDate"], zone)
    try:
        rule = Recurrence.model_validate({"pattern": _keep_members(pattern, used), "range": limits})
    except ValidationError:
        raise ValueError("is not a whole rule, with pattern and range") from None
    return rule.model_dump(by_alias=True, exclude_none=True)


def mapping_or_empty(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _keep_members(part: Mapping[str, Any], names: set[str]) -> Json:
    return {name: part[name] for name in map(to_camel, names) if part.get(name) not in (None, "", 0)}


def to_rrule(recurrence: Mapping[str, Any], start: Mapping[str, Any] | None = None) -> str:
    """Write DingTalk's rule as an RRULE, without ``RRULE:`` before it, for people and for libraries.

    :param recurrence: a whole rule, as in a patch or as the service returned it.
    :param start: the event's start as the API writes it: a yearly rule has its month from there, and with an
        all-day one UNTIL is a day, as RFC 5545 wants it. Without it, UNTIL is a moment in UTC.
    :raises ValueError: when the rule is incomplete, or means what no official source says.
    """
    rule = complete_rule(recurrence)
    pattern, span = rule["pattern"], rule["range"]
    interval = {"INTERVAL": pattern["interval"]} if pattern["interval"] != 1 else {}
    parts = {**_FORMATTERS[pattern["type"]](pattern, start), **interval, **_format_range(span, start)}
    if pattern["type"] == "weekly" or "firstDayOfWeek" in pattern:
        parts["WKST"] = _CODES_BY_DAY[pattern.get("firstDayOfWeek", "sunday")]
    return ";".join(f"{name}={value}" for name, value in parts.items())


def fits_pattern(pattern: Mapping[str, Any], day: dt.date) -> bool:
    """Tell whether a day is one of a pattern's, as far as its weekday and its number in the month go."""
    return _FITS_PATTERN[pattern["type"]](pattern, day)


def start_day(start: Mapping[str, Any]) -> dt.date:
    """Return the day of a start, as the API writes it, in its zone."""
    if start.get("date"):
        return dt.date.fromisoformat(start["date"])
    return moments.to_local_time(start["dateTime"], start["timeZone"]).date()


def _format_range(span: Json, start: Mapping[str, Any] | None) -> Json:
    if "numberOfOccurrences" in span:
        return {"COUNT": span["numberOfOccurrences"]}
    if "endDate" not in span:
        return {}
    end = moments.parse_wire_datetime(span["endDate"])
    all_day = start is not None and bool(start.get("date"))
    return {"UNTIL": f"{end:%Y%m%d}" if all_day else f"{end.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"}


def _format_nth_weekday(pattern: Json, start: Any) -> Json:
    if "," in pattern["daysOfWeek"]:
        raise ValueError("has several weekdays within a month, which DingTalk does not explain")
    return {"FREQ": "MONTHLY", "BYDAY": f"{_INDEX_NUMBERS[pattern['index']]}{_CODES_BY_DAY[pattern['daysOfWeek']]}"}


def _format_yearly(pattern: Json, start: Mapping[str, Any] | None) -> Json:
    if not start:
        raise ValueError("has its month from the start: give start too")
    day = start_day(start)
    return {"FREQ": "YEARLY", "BYMONTH": day.month, "BYMONTHDAY": pattern.get("dayOfMonth", day.day)}


def _is_nth_weekday(pattern: Mapping[str, Any], day: dt.date) -> bool:
    last = (day + dt.timedelta(days=7)).month != day.month
    in_its_week = last if pattern["index"] == "last" else _INDEX_NUMBERS[pattern["index"]] == (day.day + 6) // 7
    return in_its_week and pattern["daysOfWeek"] == DAY_NAMES[day.weekday()]


_FITS_PATTERN: dict[str, Callable[[Mapping[str, Any], dt.date], bool]] = {
    "daily": lambda pattern, day: True,
    "weekly": lambda pattern, day: DAY_NAMES[day.weekday()] in pattern["daysOfWeek"].split(","),
    "absoluteMonthly": lambda pattern, day: day.day == pattern["dayOfMonth"],
    "relativeMonthly": _is_nth_weekday,
    "absoluteYearly": lambda pattern, day: day.day == pattern["dayOfMonth"],
}
_FORMATTERS: dict[str, Callable[[Json, Any], Json]] = {
    "daily": lambda pattern, start: {"FREQ": "DAILY"},
    "weekly": lambda pattern, start: {
        "FREQ": "WEEKLY",
        "BYDAY": ",".join(_CODES_BY_DAY[day] for day in pattern["daysOfWeek"].split(",")),
    },
    "absoluteMonthly": lambda pattern, start: {"FREQ": "MONTHLY", "BYMONTHDAY": pattern["dayOfMonth"]},
    "relativeMonthly": _format_nth_weekday,
    "absoluteYearly": _format_yearly,
}
