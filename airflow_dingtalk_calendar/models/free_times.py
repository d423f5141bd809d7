"""Times at which people, and one of several rooms, are free."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from airflow_dingtalk_calendar.models.busy_times import ONE_DAY, Span, day_start
from airflow_dingtalk_calendar.models.zones import load_zone

SATURDAY = 5


class FreeTime(NamedTuple):
    """A time at which all people are free, and the rooms that are free then."""

    span: Span
    rooms: list[str]


def is_weekday(day: dt.date) -> bool:
    """Whether a day is one from Monday to Friday."""
    return day.weekday() < SATURDAY


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """When a meeting may take place.

    :ivar zone: whose clocks they are on.
    :ivar closing: when it has to be over; midnight is the end of the day.
    :ivar is_workday: which days count.
    """

    zone: str
    opening: dt.time = dt.time(9)
    closing: dt.time = dt.time(18)
    is_workday: Callable[[dt.date], bool] = is_weekday

    def open_spans(self, window: Span) -> Iterator[Span]:
        """Name the working hours of each day that a window touches, whole."""
        zone = load_zone(self.zone)
        day, last = (moment.astimezone(zone).date() for moment in window)
        while day <= last:
            if self.is_workday(day):
                following = day if self.closing > self.opening else day + ONE_DAY
                yield Span(day_start(day, self.zone, self.opening), day_start(following, self.zone, self.closing))
            day += ONE_DAY


def search_free_times(
    window: Span,
    duration: dt.timedelta,
    hours: WorkingHours,
    step: dt.timedelta,
    people: Sequence[Span],
    rooms: Mapping[str, Sequence[Span]] | None = None,
) -> Iterator[FreeTime]:
    """Find the times of a length at which nobody is busy, from the first on.

    :param window: no time begins before or ends after it.
    :param step: from one start to the next one that is tried, counted from the opening of each day.
    :param people: when any of the people is busy.
    :param rooms: when each room is taken; of these, one has to be free. None: no room is needed.
    """
    for span in _spans_to_try(window, duration, hours, step):
        if _is_busy(span, people):
            continue
        free = [room for room, taken in (rooms or {}).items() if not _is_busy(span, taken)]
        if free or rooms is None:
            yield FreeTime(span, free)


def _spans_to_try(window: Span, duration: dt.timedelta, hours: WorkingHours, step: dt.timedelta) -> Iterator[Span]:
    for opened in hours.open_spans(window):
        start, last = opened.start, min(opened.end, window.end) - duration
        while start <= last:
            # Starts are counted from the opening, so that they are round times of day whatever time the window begins
            # at.
            if start >= window.start:
                yield Span(start, start + duration)
            start += step


def _is_busy(span: Span, busy: Sequence[Span]) -> bool:
    return any(span.overlaps(one) for one in busy)
