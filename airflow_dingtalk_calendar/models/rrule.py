"""Recurrence rules as iCalendar writes them (RFC 5545, 3.3.10), and as DingTalk does: ``{pattern, range}``.

::

    FREQ=WEEKLY;BYDAY=MO,WE   ->   {"pattern": {"type": "weekly", "daysOfWeek": "monday,wednesday", …}, …}

What means the same in both is translated; anything else is refused, because a series on other days than asked for is
found out too late. The official page of PatchEvent has five patterns, the day of a month counted from its start, weeks
of a month only up to the fourth, and the last. It says that ``relativeMonthly`` takes several weekdays, but not what
they mean (each one's first, or the first of them all), so a rule names one there: UNVERIFIED.

- What a rule leaves to its start (RFC: DTSTART) is written out: the weekday of ``FREQ=WEEKLY``, the day of a month.
- Months are counted from the start: ``YEARLY;BYMONTH=11;BYDAY=4TH`` is a start in November and every twelfth month.
- A week starts on Monday unless ``WKST`` says otherwise (RFC); DingTalk's own default is Sunday.
- ``UNTIL`` with a day alone includes that day, as ``endDate`` does in a patch: in the event's zone, and of an all-day
  series in every zone. With an all-day start, a time in ``UNTIL`` is refused, as the RFC does.
- ``COUNT`` over DingTalk's 99 is refused with the ``UNTIL`` that says the same.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.json_values import Json, get_member
from airflow_dingtalk_calendar.models.recurrence import CODES_BY_DAY, INDEX_NUMBERS, complete_rule
from airflow_dingtalk_calendar.models.rrule_patterns import convert_pattern
from airflow_dingtalk_calendar.models.rrule_text import CLOCK_PARTS, RuleParts, parse_rule, positive_number
from airflow_dingtalk_calendar.models.zones import parse_zone

__all__ = ["from_rrule", "to_rrule"]

_UNTIL_FORM = re.compile(r"\d{8}(T\d{6}Z?)?", re.ASCII)
_MAX_COUNTED = 10_000  # occurrences that are counted to say on which day the last one is


def from_rrule(text: str | Sequence[str], start: Mapping[str, Any] | None = None, timezone: str | None = None) -> Json:
    """Translate an RRULE into DingTalk's whole rule.

    :param text: one rule of RFC 5545, with or without ``RRULE:`` before it, or a list that has it alone.
    :param start: the event's start as the API writes it; needed where the rule leaves something to it.
    :param timezone: zone that UNTIL is meant in where the start has none.
    :raises ValueError: when it is no rule, or one that DingTalk cannot express; without the rule's values.
    """
    rule = parse_rule(text)
    day = datetimes.start_day(start) if start else None
    _check_clock(rule, start)
    pattern = convert_pattern(rule, day)
    zone = (start or {}).get("timeZone") or timezone
    return {"pattern": pattern, "range": _parse_range(rule, start, parse_zone(zone) if zone else None)}


def _check_clock(rule: RuleParts, start: Mapping[str, Any] | None) -> None:
    """Refuse times of day but the start's own; RFC 5545 ignores those of an all-day event."""
    given = {name: rule.texts[name] for name in CLOCK_PARTS if name in rule.texts}
    if not given or (start and start.get("date")):
        return
    clock = datetimes.to_local_time(start["dateTime"], start["timeZone"]) if start else None
    own = dict(zip(CLOCK_PARTS, (clock.hour, clock.minute, clock.second), strict=True)) if clock else {}
    for name, text in given.items():
        if not text.isascii() or not text.isdigit() or own.get(name) != int(text):
            reason = "its events have the start's time of day: leave it out, and give one series for each time"
            raise ValueError(f"DingTalk cannot express {name} with FREQ={rule.freq}; {reason}")


def _parse_range(rule: RuleParts, start: Mapping[str, Any] | None, zone: str | None) -> Json:
    if "COUNT" in rule.texts and "UNTIL" in rule.texts:
        raise ValueError("COUNT and UNTIL exclude each other")
    if "COUNT" in rule.texts:
        return {"type": "numbered", "numberOfOccurrences": _parse_count(rule, start)}
    if "UNTIL" in rule.texts:
        return {"type": "endDate", "endDate": _parse_until(rule.texts["UNTIL"], start, zone)}
    return {"type": "noEnd"}


def _parse_count(rule: RuleParts, start: Mapping[str, Any] | None) -> int:
    text = rule.texts["COUNT"].removeprefix("+").lstrip("0")
    if not re.fullmatch("[0-9]{3,9}", text):
        return positive_number(rule.texts, "COUNT", 99)
    last = _day_of_occurrence(rule, start, int(text))
    remedy = f"UNTIL={last:%Y%m%d} says the same" if last else "say UNTIL, with the day of the last occurrence"
    raise ValueError(f"COUNT must be one number, from 1 to 99, in DingTalk; {remedy}")


def _day_of_occurrence(rule: RuleParts, start: Mapping[str, Any] | None, count: int) -> dt.date | None:
    if start is None or count > _MAX_COUNTED:
        return None
    from dateutil.rrule import rrulestr  # counts, where we only translate

    # dateutil knows neither a comma at the end nor the parts of RFC 7529.
    parts = [
        part.rstrip(",") for part in rule.source.split(";") if part and part.split("=")[0] not in ("RSCALE", "SKIP")
    ]
    rules = rrulestr(";".join(parts), dtstart=dt.datetime.combine(datetimes.start_day(start), dt.time()))
    last = next(islice(rules, count - 1, None), None)
    return last.date() if last else None


def _parse_until(until: str, start: Mapping[str, Any] | None, zone: str | None) -> str:
    all_day = bool(start and start.get("date"))
    moment = _read_until(until)
    if "T" not in until:
        if zone is None and not all_day:
            raise ValueError("UNTIL needs a time zone: give start too, or a timezone, or a time in UTC")
        return datetimes.format_instant(datetimes.complete_series_end(moment.date(), zone, all_day))
    if all_day:
        raise ValueError("UNTIL must be a day, as the start is one: write the last day alone, like UNTIL=20271231")
    if moment.tzinfo:
        return datetimes.format_instant(datetimes.to_local_time(moment, zone) if zone else moment)
    if zone is None:
        raise ValueError("UNTIL needs a time zone: give start too, or a timezone, or a time in UTC")
    return datetimes.format_instant(datetimes.complete_series_end(moment, zone))


def _read_until(until: str) -> dt.datetime:
    try:
        if _UNTIL_FORM.fullmatch(until):
            return dt.datetime.fromisoformat(until)
    except ValueError:
        pass
    raise ValueError("UNTIL must be a day or a time in UTC, like 20271231 or 20271231T155959Z")


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
    day = datetimes.start_day(start)
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
