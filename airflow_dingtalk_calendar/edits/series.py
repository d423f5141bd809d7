"""Edits of the end of a series."""

from __future__ import annotations

import datetime as dt

from airflow_dingtalk_calendar.edits.base import (
    Event,
    Patch,
    date_argument,
    is_instance,
    is_series,
    patch_if_needed,
    refuse_instance,
)
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import event_times
from airflow_dingtalk_calendar.models.event_times import EventTimes


def extend_until(
    event: Event, last: dt.date | str, *, shorten: bool = False, timezone: str | None = None
) -> Patch | None:
    """Extend a series until a day; None when it lasts until then, or longer, or has no end.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param last: the last day on which it may take place, as a date or ``yyyy-MM-dd``.
    :param shorten: let it end on that day also if it would go on longer, or ends after a number of times, of which
        nobody has said on which day that is.
    :param timezone: is not needed: the last day ends where the event takes place, and that of an all-day series is the
        same in every zone.
    """
    rule, times = read_series(event)
    span, day = rule["range"], date_argument("last", last)
    if day < times.day:
        raise InvalidInputError(("last", "is before the first day of the series"))
    if "numberOfOccurrences" in span and not shorten:
        text = "ends the series after a number of times: use set_occurrences, or shorten=True"
        raise InvalidInputError(("event.recurrence.range", text))
    if span["type"] == "noEnd" and not shorten:
        return None
    if "endDate" in span and (day == (now := event_times.last_day(span, times)) or (day < now and not shorten)):
        return None
    end = event_times.write_last_day(day, times)
    return patch_if_needed(event, {"recurrence": {**rule, "range": {"type": "endDate", "endDate": end}}})


def set_occurrences(event: Event, n: int) -> Patch | None:
    """Let a series take place a number of times in all, from its first; None when it does.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param n: 1 to 99.
    """
    rule, _ = read_series(event)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 99:
        raise InvalidInputError(("n", "must be an integer from 1 to 99"))
    return patch_if_needed(event, {"recurrence": {**rule, "range": {"type": "numbered", "numberOfOccurrences": n}}})


def read_series(event: Event) -> tuple[Patch, EventTimes]:
    """Read the rule of a series, and when it takes place.

    :raises InvalidInputError: when the event is no series.
    """
    # Only what is no event at all: for one time of a series there is a better remedy below.
    refuse_instance(event, True)
    if is_instance(event):
        text = "the event is one time of a series, which has no rule of its own: edit the series"
        raise InvalidInputError(("event.seriesMasterId", text))
    if not is_series(event):
        raise InvalidInputError(("event.recurrence", "the event is not a series"))
    times = event_times.read_times(event)
    return event_times.recurrence_of(event, times.zone), times
