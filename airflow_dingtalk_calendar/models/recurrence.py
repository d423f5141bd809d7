"""DingTalk's recurrence rule, ``{pattern, range}``: complete as a patch needs it, and fitting a day.

The patterns are those of the official page of PatchEvent. It says that ``relativeMonthly`` takes several weekdays, but
not what they mean (each one's first, or the first of them all): UNVERIFIED, so such a rule is passed on, never read.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Callable, Mapping, Set
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.components import Component
from airflow_dingtalk_calendar.models.json_values import Json, get_member, mapping_or_empty
from airflow_dingtalk_calendar.models.rule_members import PATTERN_MEMBERS, RANGE_MEMBERS, used_members
from airflow_dingtalk_calendar.models.types import WEEKDAYS, AsInteger, Choice, Interval, Weekday, Weekdays

DAY_NAMES = (*WEEKDAYS[1:], WEEKDAYS[0])  # in the order of date.weekday()
DAYS_BY_CODE = {name[:2].upper(): name for name in DAY_NAMES}  # as RFC 5545 names them
CODES_BY_DAY = {name: code for code, name in DAYS_BY_CODE.items()}
INDEX_NAMES = {1: "first", 2: "second", 3: "third", 4: "fourth", -1: "last"}
INDEX_NUMBERS = {name: number for number, name in INDEX_NAMES.items()}


class RecurrencePattern(Component):
    """How an event repeats."""

    type: Annotated[
        Literal["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly"],
        Choice,
    ]
    interval: Interval
    day_of_month: Annotated[int, Field(ge=1, le=31), AsInteger] | None = None
    days_of_week: Weekdays | None = None
    index: Annotated[Literal["first", "second", "third", "fourth", "last"], Choice] | None = None
    first_day_of_week: Weekday | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed, allowed = PATTERN_MEMBERS[self.type]
        _check_members(self, needed, allowed, {"day_of_month", "days_of_week", "index"})
        return self


class RecurrenceRange(Component):
    """How long an event repeats: without an end, until a date, or a number of times."""

    type: Annotated[Literal["noEnd", "endDate", "numbered"], Choice]
    end_date: datetimes.Instant | None = None
    number_of_occurrences: Annotated[int, Field(ge=1, le=99), AsInteger] | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        needed = RANGE_MEMBERS[self.type]
        _check_members(self, needed, needed, {"end_date", "number_of_occurrences"})
        return self


class Recurrence(Component):
    """A whole rule: the service replaces it as a whole, so half of one would break the series."""

    pattern: RecurrencePattern
    range: RecurrenceRange


def complete_rule(recurrence: Any, zone: str | None = None) -> Json:
    """Copy a rule that the service returned into one that a patch can have: nothing empty, nothing missing.

    The service also returns members that the rule's type does not use (its page's own sample has ``endDate`` beside
    ``numberOfOccurrences``); sent back, they would be refused.

    :param zone: IANA zone for an ``endDate`` without an offset.
    :raises ValueError: when a member that the rule needs is missing or wrong.
    """
    pattern, span = (mapping_or_empty(get_member(recurrence, name)) for name in ("pattern", "range"))
    used = used_members(str(pattern.get("type")), str(span.get("type")))
    limits = _keep_members(span, used["range"])
    if "endDate" in limits:
        limits["endDate"] = datetimes.complete_series_end(limits["endDate"], zone)
    try:
        rule = Recurrence.model_validate({"pattern": _keep_members(pattern, used["pattern"]), "range": limits})
    except ValidationError:
        raise ValueError("is not a whole rule, with pattern and range") from None
    return rule.model_dump(by_alias=True, exclude_none=True)


def _keep_members(part: Mapping[str, Any], names: Set[str]) -> Json:
    # An answer may have 0 or blank text for a member that is not set.
    return {name: part[name] for name in names if part.get(name) not in (None, "", 0)}


def fits_pattern(pattern: Mapping[str, Any], day: dt.date) -> bool:
    """Return whether a day is one of a pattern's, as far as its weekday and its number in the month go."""
    return _FITS_PATTERN[pattern["type"]](pattern, day)


def may_lack_day(pattern: Mapping[str, Any], day: dt.date | None) -> bool:
    """Return whether a pattern names a day that some of its months do not have, as the 31st or 29 February.

    :param day: of the start, from which months are counted; None: it could be any.
    """
    number = pattern.get("dayOfMonth") or (day.day if day else 1)
    if pattern["type"] not in _MONTHS_BETWEEN or number < 29:
        return False
    step = _MONTHS_BETWEEN[pattern["type"]] * pattern["interval"]
    months = {(day.month - 1 + n * step) % 12 + 1 for n in range(12)} if day else range(1, 13)
    return any(number > monthrange(2027, month)[1] for month in months)  # of a year with 28 days in February


_MONTHS_BETWEEN = {"absoluteMonthly": 1, "absoluteYearly": 12}


def _is_nth_weekday(pattern: Mapping[str, Any], day: dt.date) -> bool:
    last = (day + dt.timedelta(days=7)).month != day.month
    in_its_week = last if pattern["index"] == "last" else INDEX_NUMBERS[pattern["index"]] == (day.day + 6) // 7
    return in_its_week and DAY_NAMES[day.weekday()] in pattern["daysOfWeek"].split(",")


_FITS_PATTERN: dict[str, Callable[[Mapping[str, Any], dt.date], bool]] = {
    "daily": lambda pattern, day: True,
    "weekly": lambda pattern, day: DAY_NAMES[day.weekday()] in pattern["daysOfWeek"].split(","),
    "absoluteMonthly": lambda pattern, day: day.day == pattern["dayOfMonth"],
    "relativeMonthly": _is_nth_weekday,
    "absoluteYearly": lambda pattern, day: day.day == pattern.get("dayOfMonth", day.day),
}


def _check_members(part: Component, needed: Set[str], allowed: Set[str], known: Set[str]) -> None:
    given = {to_camel(name) for name in known if getattr(part, name) is not None}
    for names, what in ((needed - given, "needs"), (given - allowed, "cannot have")):
        if names:
            raise ValueError(f"this type {what} {' and '.join(sorted(names))}")
