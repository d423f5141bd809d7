"""When an event takes place: read from what the service returned, moved, and written for a patch.

A series moves as a whole, each of its times by the same: its first start, the days that its rule names, and the day
that it ends on. Where no rule of DingTalk's says that (a monthly series a week later, as months differ in length), it
is refused.

An all-day series ends on the day that its end is written with, whatever the zone: DingTalk does not say in which zone
it reads that moment (UNVERIFIED), and this package writes one that is on the same day in nearly all.
"""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pendulum

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.json_values import Body, Json, mapping_or_empty
from airflow_dingtalk_calendar.models.recurrence import DAY_NAMES, complete_rule, fits_pattern, may_lack_day
from airflow_dingtalk_calendar.models.zones import parse_zone

ONE_DAY = dt.timedelta(days=1)
OUT_OF_RANGE_TEXT = "leads out of the calendar, which ends with the year 9999"
LAST_SECOND = dt.time(23, 59, 59)


@dataclass(frozen=True)
class EventTimes:
    """When an event takes place: two times in one zone, or the days of an all-day event (the end: the day after)."""

    start: Any
    end: Any
    zone: str | None

    @property
    def duration(self) -> dt.timedelta:
        """The time that passes, whatever the clocks do meanwhile."""
        start, end = (one.astimezone(dt.UTC) if self.zone else one for one in (self.start, self.end))
        passed: dt.timedelta = end - start
        return passed

    @property
    def day(self) -> dt.date:
        """The day it starts on, where it takes place."""
        return dt.date(self.start.year, self.start.month, self.start.day)

    @property
    def clock(self) -> dt.time:
        """What the clocks show when it starts; midnight for an all-day event."""
        return dt.time.min if self.zone is None else self.start.time()

    def starting_at(self, start: Any, zone: str | None) -> EventTimes:
        """Return the same length of time from another start."""
        return EventTimes(start, add_elapsed(start, self.duration), zone)

    def to_patch(self) -> Json:
        """Write both ends as a patch takes them; given alone, DingTalk does not say what one end does."""
        if self.zone is None:
            days = {"start": {"date": self.start.isoformat()}, "end": {"date": self.end.isoformat()}}
            return {"isAllDay": True, **days}
        return {
            name: {"dateTime": datetimes.format_instant(moment), "timeZone": self.zone}
            for name, moment in (("start", self.start), ("end", self.end))
        }


def read_times(event: Body) -> EventTimes:
    """Read an event's times, in whatever of its notations the service wrote them.

    :raises InvalidInputError: when there is none, or one without a zone.
    """
    start, end = (_read_end(event.get(name), f"event.{name}") for name in ("start", "end"))
    if start[1] != end[1]:
        raise InvalidInputError(("event.end", "is not in the zone of event.start"))
    return EventTimes(start[0], end[0], start[1])


def _read_end(value: Any, path: str) -> tuple[Any, str | None]:
    given = mapping_or_empty(value)
    try:
        if given.get("date") and not given.get("dateTime"):
            return datetimes.parse_day(given["date"]), None
        if given.get("dateTime") and given.get("timeZone"):
            zone = parse_zone(given["timeZone"])
            moment = datetimes.to_local_time(given["dateTime"], zone)
            moment.astimezone(dt.UTC)  # which is how its length is measured
            return moment, zone
    except ValueError as error:
        raise InvalidInputError((path, str(error))) from None
    except OverflowError:
        raise InvalidInputError((path, "is out of range")) from None
    raise InvalidInputError((path, "must have date, or dateTime and timeZone, as the service returns it"))


@contextmanager
def _within_calendar(path: str) -> Iterator[None]:
    """Refuse a time that cannot be read, or that is out of the calendar in some zone, by the name of its field."""
    try:
        yield
    except InvalidInputError:
        raise
    except ValueError as error:
        raise InvalidInputError((path, str(error))) from None
    except OverflowError:
        raise InvalidInputError((path, OUT_OF_RANGE_TEXT)) from None


def add_elapsed(start: Any, by: dt.timedelta) -> Any:
    """Return what is so much later in elapsed time, on the clocks of the same place.

    :raises InvalidInputError: when that is beyond the year 9999 or before the year 1.
    """
    try:
        if not isinstance(start, dt.datetime):
            return start + by
        return (start.astimezone(dt.UTC) + by).astimezone(start.tzinfo)
    except OverflowError:
        raise InvalidInputError(("event", OUT_OF_RANGE_TEXT)) from None


def shift_times(times: EventTimes, by: dt.timedelta) -> EventTimes:
    """Move by calendar days (and pendulum's months and years) where the event takes place, then by elapsed time.

    :raises InvalidInputError: when the clocks skip the new time, or an all-day event would not stay one.
    """
    months, days, rest = _split_duration(by)
    if times.zone is None and rest:
        raise InvalidInputError(("by", "must be whole days, because the event is all-day"))
    day = _add_calendar(times.day, months, days)
    return times.starting_at(
        day if times.zone is None else add_elapsed(_same_clock_on(day, times.start), rest), times.zone
    )


def _add_calendar(day: dt.date, months: int, days: int) -> dt.date:
    try:
        there = pendulum.date(day.year, day.month, day.day).add(months=months, days=days)
    except (OverflowError, ValueError):  # the latter for a year that there is not
        raise InvalidInputError(("by", OUT_OF_RANGE_TEXT)) from None
    return dt.date(there.year, there.month, there.day)


def _split_duration(by: dt.timedelta) -> tuple[int, int, dt.timedelta]:
    """Return months, days and the rest, in one direction: an hour earlier is no day earlier and 23 hours later."""
    months = 0
    if isinstance(by, pendulum.Interval):
        by = by.as_timedelta()  # what lies between two moments has passed; it is no number of months
    elif isinstance(by, pendulum.Duration):
        months = by.years * 12 + by.months
        # pendulum's total counts a year as 365 days and a month as 30.
        by = by.as_timedelta() - dt.timedelta(days=by.years * 365 + by.months * 30)
    days = abs(by) // ONE_DAY * (1 if by > dt.timedelta() else -1)
    return months, days, by - days * ONE_DAY


def _same_clock_on(day: dt.date, like: dt.datetime) -> dt.datetime:
    """Return the time that the clocks show then, on another day; of one that they repeat, the same of the two."""
    moment = dt.datetime.combine(day, like.timetz()).replace(fold=like.fold)
    if datetimes.is_skipped_time(moment):
        raise InvalidInputError(("by", "leads to a time that the clocks skip in the event's zone"))
    return moment


def parse_new_start(start: Any, own: str | None, timezone: str | None) -> tuple[Any, str | None]:
    """Read the start that somebody gave, for an event of a zone, or of none when it is all-day."""
    value = datetimes.to_time_object(start)
    kind = "date" if own is None else "dateTime"
    if own is None and timezone:
        raise InvalidInputError(("timezone", "must be left out, because the event is all-day"))
    if not isinstance(value, Mapping) or value.get(kind) is None:
        raise InvalidInputError(("start", f"must be a {'date' if own is None else 'time'}, as the event has now"))
    try:
        if own is None:
            return datetimes.parse_day(value["date"]), None
        zone = parse_zone(timezone or own)
        there = datetimes.format_event_time(value["dateTime"], parse_zone(datetimes.zone_name(value) or zone))
        return datetimes.to_local_time(there, zone), zone
    except ValueError as error:
        raise InvalidInputError(("start", str(error))) from None


def recurrence_of(event: Body, zone: str | None) -> Json:
    """Return a series' rule, complete as a patch needs it.

    :raises InvalidInputError: when something is missing that the service would not keep by itself.
    """
    try:
        return complete_rule(event["recurrence"], zone)
    except ValueError:
        text = "is not a whole rule, as a patch needs it: pattern with type and interval, range with its end"
        raise InvalidInputError(("event.recurrence", text)) from None


def move_recurrence(event: Body, old: EventTimes, new: EventTimes, move_weekdays: bool) -> Json:
    """Return the part of a patch that lets a series' rule follow its first start; empty when it fits as it is."""
    rule = recurrence_of(event, old.zone)
    pattern, by_months = rule["pattern"], rule["pattern"]["type"] not in ("daily", "weekly") and new.day != old.day
    if by_months:
        _check_move_by_months({"dayOfMonth": old.day.day, **pattern}, old.day, new.day)
        moved = {"pattern": pattern, "range": _move_range_by_months(rule, old, new)}
    else:
        moved = {
            "pattern": _move_pattern(pattern, (new.day - old.day).days, move_weekdays),
            "range": _move_range(rule["range"], old, new),
        }
    return {} if moved == rule else {"recurrence": moved}


def _check_move_by_months(pattern: Json, old: dt.date, new: dt.date) -> None:
    if not (fits_pattern(pattern, old) and fits_pattern(pattern, new)):
        text = "moves by whole months or years only, from a day that its rule names to another"
    elif may_lack_day(pattern, old) or may_lack_day(pattern, new):
        text = "on a day that some months do not have does not move by months, as its occurrences are not one a month"
    else:
        return
    remedy = "patch start, end and a whole recurrence instead"
    raise InvalidInputError(("event.recurrence", f"a monthly or yearly series {text}; {remedy}"))


def _move_pattern(pattern: Json, days: int, move_weekdays: bool) -> Json:
    if not days or pattern["type"] == "daily" or days % 7 == 0:
        return pattern
    if not move_weekdays:
        text = "the series would start on a weekday that is not its own; move_weekdays=True moves its weekdays too"
        raise InvalidInputError(("event.recurrence", text))
    # Weeks that begin on the day that moved along keep days together that are in one week of every second, say.
    first = {"firstDayOfWeek": _move_weekday(pattern.get("firstDayOfWeek", "sunday"), days)}
    named = [_move_weekday(day, days) for day in pattern["daysOfWeek"].split(",")]
    return {**pattern, "daysOfWeek": ",".join(named), **(first if pattern["interval"] > 1 else {})}


def _move_weekday(name: str, days: int) -> str:
    return DAY_NAMES[(DAY_NAMES.index(name) + days) % 7]


@_within_calendar("event.recurrence.range.endDate")
def _move_range(span: Json, old: EventTimes, new: EventTimes) -> Json:
    if "endDate" not in span:
        return span
    end, days = series_end(span, old), (new.day - old.day).days
    # The end is a moment: a start that comes to be later in the day than it would cost the series its last day.
    was_late, is_late = end.time() >= old.clock, end.time() >= new.clock
    if not days and was_late == is_late and new.zone == old.zone:
        return span
    zone = end.tzinfo if new.zone is None else new.start.tzinfo
    moved = dt.datetime.combine(end.date() + days * ONE_DAY, end.time(), zone)
    if was_late != is_late or datetimes.is_skipped_time(moved):
        return {**span, "endDate": write_last_day(last_day(span, old) + days * ONE_DAY, new)}
    return {**span, "endDate": datetimes.format_instant(moved)}


def _move_range_by_months(rule: Json, old: EventTimes, new: EventTimes) -> Json:
    """End a series between its last occurrence and the one that would follow, both moved."""
    span: Json = rule["range"]
    if "endDate" not in span:
        return span
    last, pattern = last_day(span, old), {"dayOfMonth": old.day.day, **rule["pattern"]}
    months = (new.day.year - old.day.year) * 12 + new.day.month - old.day.month
    back = 0 if _day_in_month(pattern, last) <= last else -1
    there = _add_calendar(last.replace(day=1), months + back, 0)
    return {**span, "endDate": write_last_day(_day_in_month(pattern, there), new)}


def _day_in_month(pattern: Json, month: dt.date) -> dt.date:
    """Return the day that a pattern names in a month; the last one where the month does not have it."""
    days = [month.replace(day=number + 1) for number in range(monthrange(month.year, month.month)[1])]
    return next((day for day in days if fits_pattern(pattern, day)), days[-1])


@_within_calendar("event.recurrence.range.endDate")
def series_end(span: Json, times: EventTimes) -> dt.datetime:
    """Return the end of a series as the clocks show it where it takes place."""
    end = span["endDate"]
    return datetimes.parse_wire_datetime(end) if times.zone is None else datetimes.to_local_time(end, times.zone)


@_within_calendar("event.recurrence.range.endDate")
def last_day(span: Json, times: EventTimes) -> dt.date:
    """Return the last day on which a series may start: the day of its end, or the one before if it ends too early."""
    end = series_end(span, times)
    return end.date() if end.time() >= times.clock else end.date() - ONE_DAY


def write_last_day(day: dt.date, times: EventTimes) -> str:
    """Write the end of a series whose last occurrence may be on a day."""
    if times.zone is None:
        return str(datetimes.complete_series_end(day, None, all_day=True))
    return datetimes.format_instant(last_second_of(day, times.start.tzinfo))


def last_second_of(day: dt.date, zone: dt.tzinfo | None) -> dt.datetime:
    """Return the end of a day, which the clocks may show twice, or skip."""
    moment = dt.datetime.combine(day, LAST_SECOND, zone).replace(fold=1)
    return moment.astimezone(dt.UTC).astimezone(zone)
