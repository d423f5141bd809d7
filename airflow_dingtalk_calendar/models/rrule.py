"""Recurrence rules as iCalendar writes them (RFC 5545, 3.3.10), and as DingTalk does: ``{pattern, range}``.

::

    FREQ=WEEKLY;BYDAY=MO,WE   ->   {"pattern": {"type": "weekly", "daysOfWeek": "monday,wednesday", …}, …}

Only what means the same in both is translated; anything else is refused, because a series on other days than
asked for is found out too late. The official page of PatchEvent has five patterns, the day of a month counted from
its start, weeks of a month only up to the fourth, and the last. It says that ``relativeMonthly`` takes several
weekdays, but not what they mean (each one's first, or the first of them all), so a rule names one there: UNVERIFIED.

- What a rule leaves to its start (RFC: DTSTART) is written out: the weekday of ``FREQ=WEEKLY``, the day of a month.
- A start that is not on a day of the rule is refused: what it means is undefined (RFC 5545, 3.8.5.3).
- A week starts on Monday unless ``WKST`` says otherwise (RFC); DingTalk's own default is Sunday.
- ``UNTIL`` with a day alone includes that day, in the event's zone, as ``endDate`` does in a patch.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from typing import Any

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.json_values import Json, get_member
from airflow_dingtalk_calendar.models.recurrence import (
    CODES_BY_DAY,
    DAY_NAMES,
    DAYS_BY_CODE,
    INDEX_NAMES,
    INDEX_NUMBERS,
    complete_rule,
    fits_pattern,
    start_day,
)

__all__ = ["from_rrule", "to_rrule"]

RuleParts = dict[str, str]
_PART_FORM = re.compile(r"([A-Z-]+)=([^=;]+)")
_WEEKDAY_FORM = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL_FORM = re.compile(r"\d{8}(T\d{6}Z?)?")
_COMMON_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"}
# Which days-of parts DingTalk's patterns can say, by frequency.
_SUPPORTED_PARTS = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": {"BYMONTH", "BYMONTHDAY"},
}
_KNOWN_PARTS = _COMMON_PARTS.union(
    *_SUPPORTED_PARTS.values(), {"BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO"}
)


def from_rrule(text: str, start: Mapping[str, Any] | None = None, timezone: str | None = None) -> Json:
    """Translate an RRULE, with or without ``RRULE:`` before it, into DingTalk's whole rule.

    :param text: one rule of RFC 5545.
    :param start: the event's start as the API writes it; needed where the rule leaves something to it.
    :param timezone: IANA zone that UNTIL is meant in, for an all-day event, whose start has none.
    :raises ValueError: when it is no rule, or one that DingTalk cannot express; without the rule's values.
    """
    rule = _parse_parts(text)
    day = start_day(start) if start else None
    pattern = {"interval": _parse_number(rule, "INTERVAL", 365), **_PATTERN_BY_FREQ[rule["FREQ"]](rule, day)}
    if day and not fits_pattern(pattern, day):
        raise ValueError("the start is not on a day of the rule: move the start, or change the rule")
    zone = (start or {}).get("timeZone") or timezone
    return {"pattern": pattern, "range": _parse_range(rule, datetimes.parse_zone(zone) if zone else None)}


def _parse_parts(text: str) -> RuleParts:
    bare = text.strip().upper().removeprefix("RRULE:").removesuffix(";")
    found = [_PART_FORM.fullmatch(part.strip()) for part in bare.split(";")]
    rule = {part[1]: part[2] for part in found if part}
    if not all(found) or rule.keys() - _KNOWN_PARTS or "FREQ" not in rule:
        raise ValueError("must be one rule of RFC 5545, like FREQ=WEEKLY;BYDAY=MO,WE, or {pattern, range}")
    if len(rule) < len(found):
        raise ValueError("has a part twice")
    if rule["FREQ"] not in _SUPPORTED_PARTS:
        raise ValueError(f"FREQ must be one of {', '.join(_SUPPORTED_PARTS)} in DingTalk")
    if odd := rule.keys() - _COMMON_PARTS - _SUPPORTED_PARTS[rule["FREQ"]]:
        raise ValueError(f"DingTalk cannot express {' and '.join(sorted(odd))} with FREQ={rule['FREQ']}")
    if rule.get("WKST", "MO") not in DAYS_BY_CODE:
        raise ValueError("WKST must be a weekday of two letters, like MO")
    return rule


def _require_start(day: dt.date | None, what: str) -> dt.date:
    if day is None:
        raise ValueError(
            f"the rule takes its {what} from the start: give start (and end) too, or write {{pattern, range}}"
        )
    return day


def _parse_number(rule: RuleParts, name: str, most: int) -> int:
    """Read a part that is one positive number; DingTalk knows no others."""
    text = rule.get(name, "1")
    if not re.fullmatch(r"\+?\d{1,9}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"{name} must be one number, from 1 to {most}, in DingTalk")
    return int(text)


def _parse_byday(rule: RuleParts) -> list[tuple[int, str]]:
    found = [_WEEKDAY_FORM.fullmatch(word) for word in rule["BYDAY"].split(",")]
    if not all(found):
        raise ValueError("BYDAY must be weekdays of two letters, like MO,WE")
    days = [(int(day[1] or 0), DAYS_BY_CODE[day[2]]) for day in found if day]
    if rule["FREQ"] != "MONTHLY" and any(number for number, _ in days):
        raise ValueError("BYDAY can have numbers with FREQ=MONTHLY only")
    return days


def _daily_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    if "BYDAY" not in rule:
        return {"type": "daily"}
    if _parse_number(rule, "INTERVAL", 365) > 1:
        raise ValueError("DingTalk cannot express BYDAY with FREQ=DAILY and an INTERVAL")
    return _weekly_pattern(rule, day)  # every day that is a Monday: every week on Monday


def _weekly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    named = (
        [name for _, name in _parse_byday(rule)]
        if "BYDAY" in rule
        else [DAY_NAMES[_require_start(day, "weekday").weekday()]]
    )
    days = ",".join(name for name in DAY_NAMES if name in named)
    return {"type": "weekly", "daysOfWeek": days, "firstDayOfWeek": DAYS_BY_CODE[rule.get("WKST", "MO")]}


def _monthly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    if "BYDAY" not in rule:
        if "BYSETPOS" in rule:
            raise ValueError("DingTalk cannot express BYSETPOS without BYDAY")
        return {"type": "absoluteMonthly", "dayOfMonth": _day_of_month(rule, day)}
    if "BYMONTHDAY" in rule:
        raise ValueError("DingTalk cannot express BYDAY and BYMONTHDAY together")
    days = _parse_byday(rule)
    if len(days) > 1:
        raise ValueError("DingTalk does not say what several weekdays mean within a month: give one series each")
    number, name = days[0]
    return {"type": "relativeMonthly", "daysOfWeek": name, "index": _weekday_index(number, rule)}


def _weekday_index(number: int, rule: RuleParts) -> str:
    position = rule.get("BYSETPOS", "")
    if number and position:
        raise ValueError("DingTalk cannot express a number in BYDAY together with BYSETPOS")
    if not number and not position:
        raise ValueError("a weekday of every week needs FREQ=WEEKLY; one of the month, a number (BYDAY=2TU)")
    found = INDEX_NAMES.get(number or (int(position) if re.fullmatch(r"[+-]?\d{1,3}", position) else 0))
    if found is None:
        raise ValueError("DingTalk has the first to fourth weekday of a month (1 to 4) and the last (-1) only")
    return found


def _day_of_month(rule: RuleParts, day: dt.date | None) -> int:
    if "BYMONTHDAY" in rule:
        return _parse_number(rule, "BYMONTHDAY", 31)
    return _require_start(day, "day of the month").day


def _yearly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    if "BYMONTHDAY" in rule and "BYMONTH" not in rule:
        raise ValueError("BYMONTHDAY without BYMONTH is a day of every month: use FREQ=MONTHLY, or add BYMONTH")
    start = _require_start(day, "month")
    if "BYMONTH" in rule and _parse_number(rule, "BYMONTH", 12) != start.month:
        raise ValueError("BYMONTH must be the start's month, because DingTalk has none in its rule")
    return {"type": "absoluteYearly", "dayOfMonth": _day_of_month(rule, day)}


def _parse_range(rule: RuleParts, zone: str | None) -> Json:
    if "COUNT" in rule and "UNTIL" in rule:
        raise ValueError("COUNT and UNTIL exclude each other")
    if "COUNT" in rule:
        return {"type": "numbered", "numberOfOccurrences": _parse_number(rule, "COUNT", 99)}
    return {"type": "endDate", "endDate": _parse_until(rule["UNTIL"], zone)} if "UNTIL" in rule else {"type": "noEnd"}


def _parse_until(until: str, zone: str | None) -> str:
    try:
        moment = dt.datetime.fromisoformat(until) if _UNTIL_FORM.fullmatch(until) else None
    except ValueError:
        moment = None
    if moment is None:
        raise ValueError("UNTIL must be a day or a time in UTC, like 20271231 or 20271231T155959Z")
    if moment.tzinfo:
        return datetimes.format_instant(datetimes.to_local_time(moment, zone) if zone else moment)
    if zone is None:
        raise ValueError("UNTIL needs a time zone: give start too, or a timezone, or a time in UTC")
    return datetimes.format_instant(datetimes.complete_series_end(moment if "T" in until else moment.date(), zone))


_PATTERN_BY_FREQ: dict[str, Callable[[RuleParts, dt.date | None], Json]] = {
    "DAILY": _daily_pattern,
    "WEEKLY": _weekly_pattern,
    "MONTHLY": _monthly_pattern,
    "YEARLY": _yearly_pattern,
}


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
        parts["WKST"] = CODES_BY_DAY[pattern.get("firstDayOfWeek", "sunday")]
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _format_range(span: Json, start: Mapping[str, Any] | None) -> Json:
    if "numberOfOccurrences" in span:
        return {"COUNT": span["numberOfOccurrences"]}
    if "endDate" not in span:
        return {}
    end = datetimes.parse_wire_datetime(span["endDate"])
    if get_member(start, "date"):
        return {"UNTIL": f"{end:%Y%m%d}"}
    try:
        return {"UNTIL": f"{end.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"}
    except OverflowError:
        raise ValueError("has an endDate that is out of range") from None


def _format_nth_weekday(pattern: Json, start: Any) -> Json:
    if "," in pattern["daysOfWeek"]:
        raise ValueError("has several weekdays within a month, which DingTalk does not explain")
    return {"FREQ": "MONTHLY", "BYDAY": f"{INDEX_NUMBERS[pattern['index']]}{CODES_BY_DAY[pattern['daysOfWeek']]}"}


def _format_yearly(pattern: Json, start: Mapping[str, Any] | None) -> Json:
    if not start:
        raise ValueError("has its month from the start: give start too")
    day = start_day(start)
    return {"FREQ": "YEARLY", "BYMONTH": day.month, "BYMONTHDAY": pattern.get("dayOfMonth", day.day)}


_FORMATTERS: dict[str, Callable[[Json, Any], Json]] = {
    "daily": lambda pattern, start: {"FREQ": "DAILY"},
    "weekly": lambda pattern, start: {
        "FREQ": "WEEKLY",
        "BYDAY": ",".join(CODES_BY_DAY[day] for day in pattern["daysOfWeek"].split(",")),
    },
    "absoluteMonthly": lambda pattern, start: {"FREQ": "MONTHLY", "BYMONTHDAY": pattern["dayOfMonth"]},
    "relativeMonthly": _format_nth_weekday,
    "absoluteYearly": _format_yearly,
}
