"""When an event makes its people and rooms busy, each occurrence of a series by itself."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from airflow_dingtalk_calendar.models.busy_times import Span, busy_span, day_start
from airflow_dingtalk_calendar.models.event_times import EventTimes, add_elapsed, read_times
from airflow_dingtalk_calendar.models.json_values import Body
from airflow_dingtalk_calendar.models.occurrences import is_one_time, occurrence_days
from airflow_dingtalk_calendar.models.series_parts import check_series_days


def event_spans(event: Body, zone: str, begin: dt.datetime) -> Iterator[Span]:
    """Say when an event takes place; of a series, each occurrence that is not over at a moment.

    :param zone: where the days of an all-day event begin and end.
    :raises ValueError: or what else reading a time or a rule raises, for one that nobody explains.
    """
    if not event.get("recurrence") or is_one_time(event):
        return iter((busy_span(event, zone),))
    times = read_times(event)
    check_series_days(event, times)
    spans = (_occurrence_span(day, times, zone) for day in occurrence_days(event, times))
    return (span for span in spans if span.end > begin)


def spans_before(spans: Iterable[Span], end: dt.datetime) -> list[Span]:
    """Return those that begin before a moment."""
    return list(takewhile(lambda span: span.start < end, spans))


def take_away(spans: Iterable[Span], own: Iterable[Span]) -> tuple[list[Span], list[Span]]:
    """Take each of some spans away once, where it is there: return what is left, and what was taken."""
    left: list[Span] = list(spans)
    taken: list[Span] = []
    for span in own:
        if span in left:
            left.remove(span)
            taken.append(span)
    return left, taken


def overlaps_any(span: Span, others: Sequence[Span]) -> bool:
    """Whether a span has a moment in common with one of others."""
    return any(span.overlaps(one) for one in others)


def _occurrence_span(day: dt.date, times: EventTimes, zone: str) -> Span:
    if times.zone is None:
        return Span(day_start(day, zone), day_start(day + times.duration, zone))
    start = dt.datetime.combine(day, times.clock, times.start.tzinfo)
    return Span(start.astimezone(dt.UTC), add_elapsed(start, times.duration).astimezone(dt.UTC))
