"""Which of DingTalk's patterns says what a rule of RFC 5545 says.

A pattern has one interval, counted from the start, and one way to name days. So a rule is brought down to that: months
at equal distances are an interval of months, a weekday among the first seven days of a month is the first one, and the
fourth Thursday of each November is the fourth Thursday of every twelfth month from a start in November.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import lcm

from airflow_dingtalk_calendar.models.json_values import Json
from airflow_dingtalk_calendar.models.recurrence import DAY_NAMES, INDEX_NAMES
from airflow_dingtalk_calendar.models.rrule_text import ONE_BY_ONE, RuleParts

_ALL_MONTHS = tuple(range(1, 13))
# The days of a month among which each weekday stands once, and is the first, the second, … or the last.
_WEEKS_OF_MONTH = {
    **{tuple(range(first, first + 7)): number for number, first in enumerate((1, 8, 15, 22), start=1)},
    tuple(range(-7, 0)): -1,
}


def convert_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    """Return the pattern that says the same.

    :param day: of the event's start, for what the rule leaves to it.
    :raises ValueError: when no pattern does, or when the day is needed and not there.
    """
    return _PATTERN_BY_FREQ[rule.freq](rule, day)


def _require_start(day: dt.date | None, what: str) -> dt.date:
    if day is None:
        raise ValueError(
            f"the rule takes its {what} from the start: give start (and end) too, or write {{pattern, range}}"
        )
    return day


def _daily_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    _refuse_numbers(rule)
    if rule.positions not in ((), (1,), (-1,)):
        raise ValueError("DingTalk cannot express BYSETPOS with FREQ=DAILY, where it picks one of a day's times")
    if rule.month_days and rule.interval == 1:  # these days of each month
        return _monthly_pattern(replace(rule, freq="MONTHLY", positions=()), day)
    _refuse_parts(rule)
    if not rule.days or len(rule.days) == 7:
        return {"type": "daily", "interval": rule.interval}
    if rule.interval > 1:
        raise ValueError("DingTalk cannot express BYDAY with FREQ=DAILY and an INTERVAL; FREQ=WEEKLY has both")
    return _weekly_pattern(replace(rule, positions=()), day)  # every day that is a Monday: every week on Monday


def _weekly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    _refuse_numbers(rule)
    _refuse_parts(rule)
    named = {name for _, name in rule.days} or {DAY_NAMES[_require_start(day, "weekday").weekday()]}
    if rule.positions and (len(named) > 1 or rule.positions not in ((1,), (-1,))):
        raise ValueError("DingTalk cannot express BYSETPOS with FREQ=WEEKLY: name in BYDAY the weekdays that it picks")
    days = ",".join(name for name in DAY_NAMES if name in named)
    return {"type": "weekly", "interval": rule.interval, "daysOfWeek": days, "firstDayOfWeek": rule.week_start}


def _refuse_numbers(rule: RuleParts) -> None:
    if any(number for number, _ in rule.days):
        raise ValueError("BYDAY can have numbers with FREQ=MONTHLY and FREQ=YEARLY only")


def _refuse_parts(rule: RuleParts) -> None:
    if rule.month_days:
        raise ValueError(f"DingTalk cannot express BYMONTHDAY with FREQ={rule.freq} and these parts: use FREQ=MONTHLY")
    if rule.months not in ((), _ALL_MONTHS):
        text = "give one series for each time of the year, with its UNTIL"
        raise ValueError(f"DingTalk cannot express BYMONTH with FREQ={rule.freq}: {text}")


def _monthly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    if _names_every_weekday(rule):
        return _every_weekday(rule, day)
    interval, found = _interval_and_day(rule, day)
    if interval > 365:
        raise ValueError("INTERVAL must be 30 years or less for a weekday, which DingTalk counts by 365 months at most")
    return {"interval": interval, **found}


def _yearly_pattern(rule: RuleParts, day: dt.date | None) -> Json:
    if _names_every_weekday(rule):
        return _every_weekday(rule, day)
    rule = rule if rule.months else replace(rule, months=_months_of_year(rule, day))
    interval, found = _interval_and_day(rule, day)
    if "dayOfMonth" in found and interval % 12 == 0:
        return {**found, "type": "absoluteYearly", "interval": interval // 12}
    return _monthly_pattern(rule, day)


def _names_every_weekday(rule: RuleParts) -> bool:
    """Return whether BYDAY means each such weekday of its months, rather than one."""
    return bool(rule.days) and not (rule.positions or rule.month_days or any(number for number, _ in rule.days))


def _every_weekday(rule: RuleParts, day: dt.date | None) -> Json:
    if rule.interval > 1 or rule.months not in ((), _ALL_MONTHS):
        text = (
            "each such weekday of some months: use FREQ=WEEKLY with UNTIL, or a number (BYDAY=2TU) for one of a month"
        )
        raise ValueError(f"DingTalk cannot express {text}")
    return _weekly_pattern(replace(rule, freq="WEEKLY", months=()), day)


def _months_of_year(rule: RuleParts, day: dt.date | None) -> tuple[int, ...]:
    """Say which months a yearly rule without BYMONTH means; days of a year are counted within January or December."""
    if rule.month_days and rule.interval > 1:
        raise ValueError("BYMONTHDAY without BYMONTH is a day of every month: add BYMONTH, or use FREQ=MONTHLY")
    if rule.month_days:
        return _ALL_MONTHS
    if not rule.days:
        return (_require_start(day, "month").month,)
    number, name = _one_weekday(rule)
    _relative(number, name)
    month = 12 if number < 0 else 1
    if _require_start(day, "month").month != month:
        text = "BYDAY without BYMONTH counts the weekdays of a whole year"
        raise ValueError(f"{text}: name the start's month in BYMONTH, or start on the first occurrence")
    return (month,)


def _interval_and_day(rule: RuleParts, day: dt.date | None) -> tuple[int, Json]:
    """Return after how many months the rule comes back, and the day it means in each; then the start must fit."""
    interval, months = _interval_of_months(rule, day)
    found = _day_within_month(rule, day, months)
    if day and day.month not in months:
        text = "BYMONTH must include the start's month, because DingTalk counts months from the start"
        raise ValueError(f"{text}: start on the first occurrence")
    return interval, found


def _interval_of_months(rule: RuleParts, day: dt.date | None) -> tuple[int, set[int]]:
    """Return after how many months the rule comes back, and in which months of a year it does."""
    if rule.freq == "MONTHLY" and rule.months in ((), _ALL_MONTHS):
        return rule.interval, set(_ALL_MONTHS)
    first = _require_start(day, "month").month
    period, steps = _steps_from(rule, first)
    if not steps:
        raise ValueError("the rule has no occurrence, as INTERVAL leads to no month of BYMONTH")
    gaps = {after - before for before, after in pairwise([*steps, steps[0] + period])}
    if len(gaps) > 1:
        raise ValueError("BYMONTH names months at different distances, and DingTalk has one: give one series each")
    return gaps.pop(), {(first - 1 + step) % 12 + 1 for step in steps}


def _steps_from(rule: RuleParts, first: int) -> tuple[int, list[int]]:
    """Return how many months after the first one the rule names months, until all comes again."""
    if rule.freq == "YEARLY":
        period = 12 * rule.interval
        return period, sorted((month - first) % period for month in rule.months)
    period = lcm(rule.interval, 12)
    return period, [step for step in range(0, period, rule.interval) if (first - 1 + step) % 12 + 1 in rule.months]


def _day_within_month(rule: RuleParts, day: dt.date | None, months: set[int]) -> Json:
    if rule.freq == "YEARLY" and rule.positions and len(rule.months) > 1:
        raise ValueError("DingTalk cannot express BYSETPOS over several months of a year: give one series each")
    if len(rule.days) == 7 and not rule.month_days and not any(number for number, _ in rule.days):
        return _absolute(_one_position(rule), months)  # among all weekdays, the n-th is the n-th day
    if rule.days:
        return _relative(*_one_weekday(rule))
    if rule.month_days:
        return _absolute(_one_month_day(rule), months)
    if rule.positions:
        raise ValueError("DingTalk cannot express BYSETPOS without BYDAY")
    return _absolute(_require_start(day, "day of the month").day, months)


def _absolute(number: int, months: set[int]) -> Json:
    lengths = {monthrange(2027, month)[1] for month in months}
    if number < 0 and len(lengths) == 1 and 2 not in months:  # the last of March is the 31st
        number += lengths.pop() + 1
    if not 1 <= number <= 31:
        text = "DingTalk counts the days of a month from 1 to 31, not from its end"
        raise ValueError(f"{text}; it does have a last weekday, like BYDAY=-1FR")
    return {"type": "absoluteMonthly", "dayOfMonth": number}


def _relative(number: int, name: str) -> Json:
    if number not in INDEX_NAMES:
        raise ValueError("DingTalk has the first to fourth weekday of a month (1 to 4) and the last (-1) only")
    return {"type": "relativeMonthly", "daysOfWeek": name, "index": INDEX_NAMES[number]}


def _one_weekday(rule: RuleParts) -> tuple[int, str]:
    if len(rule.days) > 1 and rule.positions:
        text = "DingTalk cannot take one of several weekdays, as BYSETPOS does"
        raise ValueError(f"{text}: name one weekday, like BYDAY=1MO, or {ONE_BY_ONE}")
    if len(rule.days) > 1:
        raise ValueError("DingTalk does not say what several weekdays mean within a month: give one series each")
    ((number, name),) = rule.days
    if rule.month_days:
        return _week_of_month(rule), name
    if number and rule.positions not in ((), (1,), (-1,)):
        raise ValueError("DingTalk cannot express a number in BYDAY together with BYSETPOS")
    return number or _one_position(rule), name


def _week_of_month(rule: RuleParts) -> int:
    found = _WEEKS_OF_MONTH.get(rule.month_days)
    if found is None or rule.days[0][0] or rule.positions not in ((), (1,), (-1,)):
        raise ValueError(f"DingTalk cannot express BYDAY and BYMONTHDAY together: {ONE_BY_ONE}")
    return found


def _one_position(rule: RuleParts) -> int:
    if len(rule.positions) > 1:
        raise ValueError("BYSETPOS must be one number in DingTalk: give one series each")
    return rule.positions[0]


def _one_month_day(rule: RuleParts) -> int:
    days = rule.month_days
    if rule.positions and all(1 <= number <= 28 for number in days) and abs(at := _one_position(rule)) <= len(days):
        return days[at - 1 if at > 0 else at]
    if rule.positions and not (len(days) == 1 and rule.positions in ((1,), (-1,))):
        raise ValueError(f"DingTalk cannot express BYSETPOS without BYDAY: {ONE_BY_ONE}")
    if len(days) > 1:
        text = "give one series for each day of BYMONTHDAY"
        last = ", and of the last days, which it cannot express, events one by one" if min(days) < 0 else ""
        raise ValueError(f"DingTalk has one day of a month in a rule: {text}{last}")
    return days[0]


_PATTERN_BY_FREQ: dict[str, Callable[[RuleParts, dt.date | None], Json]] = {
    "DAILY": _daily_pattern,
    "WEEKLY": _weekly_pattern,
    "MONTHLY": _monthly_pattern,
    "YEARLY": _yearly_pattern,
}
