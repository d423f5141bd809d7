"""Occurrences of a series: whether all are over, and how many a patch would drop (those before a later start).

A series has no start but that of its first occurrence, so a patch that gives it a later one takes away all occurrences
before, whether the rule comes along or stays. Days are counted, by the rule (python-dateutil): an occurrence that moves
within its day is not lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from itertools import islice, takewhile
from typing import Any

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.event_times import (
    ONE_DAY,
    EventTimes,
    add_elapsed,
    last_day,
    read_times,
    recurrence_of,
)
from airflow_dingtalk_calendar.models.json_values import Body, get_member
from airflow_dingtalk_calendar.models.recurrence import may_lack_day
from airflow_dingtalk_calendar.models.rrule import to_rrule

# Enough for a warning; a daily series of decades would take long to count.
MAX_COUNTED = 1000
SPLIT_REMEDY = (
    "to keep them, split the series on that day (plans.split_series), which ends it before and creates a new one that "
    "begins on it"
)


def warn_of_loss(body: Body, event: Body) -> str | None:
    """Say how many occurrences of a series a request would drop; empty when none, None when unknown.

    :param body: of PatchEvent.
    :param event: the event as it was read.
    """
    lost = count_lost(body, event)
    if lost is None:
        return None
    number = f"{lost:,}" if lost <= MAX_COUNTED else f"more than {MAX_COUNTED:,}"
    return f"takes away {number} of the series' occurrences, all before the new start; {SPLIT_REMEDY}" if lost else ""


def count_lost(body: Body, event: Body) -> int | None:
    """Count the occurrences of a series that a request would drop, up to :data:`MAX_COUNTED` and one more.

    :param body: of PatchEvent.
    :param event: the event as it was read.
    :return: None when unknown.
    """
    if "start" not in body or not event.get("recurrence") or is_one_time(event):
        return 0
    try:
        return _count_before(body["start"], event)
    except (AttributeError, KeyError, TypeError, ValueError):  # a malformed event, or an unsupported rule
        return None


def is_one_time(event: Body) -> bool:
    """Whether an event is one time of a series."""
    return event.get("seriesMasterId") not in (None, "", event.get("id"))


def _count_before(start: Any, event: Body) -> int:
    times = read_times(event)
    first_kept = _new_day(start, times.zone)
    before = takewhile(lambda day: day < first_kept, occurrence_days(event, times))
    return sum(1 for _ in islice(before, MAX_COUNTED + 1))


def _new_day(start: Any, zone: str | None) -> dt.date:
    """Return the day of a new start, where the series takes place now."""
    if day := get_member(start, "date"):
        return dt.date.fromisoformat(day)
    return datetimes.to_local_time(start["dateTime"], zone or start["timeZone"]).date()


def occurrence_days(event: Body, times: EventTimes) -> Iterator[dt.date]:
    """Name the days of a series, from its first."""
    from dateutil.rrule import rrulestr  # takes a while to import

    rule = recurrence_of(event, times.zone)
    span = rule["range"]
    until = last_day(span, times) if "endDate" in span else dt.date.max
    endless = {**rule, "range": span if "numberOfOccurrences" in span else {"type": "noEnd"}}
    text = to_rrule(endless, event["start"])
    moments = rrulestr(text, dtstart=dt.datetime.combine(times.day, dt.time.min))
    return takewhile(lambda day: day <= until, (moment.date() for moment in moments))


def has_ended(event: Body, now: dt.datetime) -> bool:
    """Whether an event is over, a series with its last occurrence; no if unknown.

    A series that ends on a day, and of which DingTalk does not say what it does in months without its day, may take
    place until that day. An all-day event is over when its last day is over everywhere.
    """
    try:
        times = read_times(event)
        if not event.get("recurrence") or is_one_time(event):
            return _end_on(times.day, times) <= now
        rule = recurrence_of(event, times.zone)
        span = rule["range"]
        if span["type"] == "noEnd":
            return False
        if "endDate" in span:
            surely = _end_on(last_day(span, times), times) <= now
            if surely or may_lack_day(rule["pattern"], times.day):
                return surely
        return all(_end_on(day, times) <= now for day in occurrence_days(event, times))
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):  # malformed, or out of the calendar
        return False


def _end_on(day: dt.date, times: EventTimes) -> dt.datetime:
    """Return when what starts on a day ends; an all-day event, when its last day ends in the last zone, UTC-12."""
    if times.zone is None:
        last = day + max(times.duration, ONE_DAY)
        return dt.datetime.combine(last, datetimes.NOON)
    ends: dt.datetime = add_elapsed(dt.datetime.combine(day, times.clock, times.start.tzinfo), times.duration)
    return ends
