"""When an event takes place: read from what the service returned, moved, and written for a patch.

A series moves as a whole, each of its times by the same: its first start, the days that its rule names, and the day
that it ends on. Where no rule of DingTalk's says that (a monthly series a day later, as months differ in length), it
is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pendulum

from airflow_dingtalk_calendar import moments
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.rules import NAMES, whole

Event = Mapping[str, Any]
Json = dict[str, Any]
DAY = dt.timedelta(days=1)
LOST = "leads out of the calendar, which ends with the year 9999"
LAST_SECOND = dt.time(23, 59, 59)


@dataclass(frozen=True)
class Times:
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

    def starting(self, start: Any, zone: str | None) -> Times:
        """Return the same length of time from another start."""
        return Times(start, later(start, self.duration), zone)

    def written(self) -> Json:
        """Write both ends as a patch takes them; given alone, DingTalk does not say what one end does."""
        if self.zone is None:
            return {"start": {"date": self.start.isoformat()}, "end": {"date": self.end.isoformat()}}
        return {
            name: {"dateTime": moments.as_instant(moment), "timeZone": self.zone}
            for name, moment in (("start", self.start), ("end", self.end))
        }


def read(event: Event) -> Times:
    """Read an event's times, in whatever of its notations the service wrote them.

    :raises InvalidInputError: when there is none, or one without a zone.
    """
    start, end = (_end(event.get(name), f"event.{name}") for name in ("start", "end"))
    if start[1] != end[1]:
        raise InvalidInputError(("event.end", "is not in the zone of event.start"))
    return Times(start[0], end[0], start[1])


def _end(value: Any, path: str) -> tuple[Any, str | None]:
    given = value if isinstance(value, Mapping) else {}
    try:
        if given.get("date") and not given.get("dateTime"):
            return dt.date.fromisoformat(moments.as_day(given["date"])), None
        if given.get("dateTime") and given.get("timeZone"):
            zone = moments.as_zone(given["timeZone"])
            return moments.local_time(given["dateTime"], zone), zone
    except ValueError as error:
        raise InvalidInputError((path, str(error))) from None
    raise InvalidInputError((path, "must have date, or dateTime and timeZone, as the service returns it"))


def later(start: Any, by: dt.timedelta) -> Any:
    """Return what is so much later in elapsed time, on the clocks of the same place.

    :raises InvalidInputError: when that is beyond the year 9999 or before the year 1.
    """
    try:
        if not isinstance(start, dt.datetime):
            return start + by
        return (start.astimezone(dt.UTC) + by).astimezone(start.tzinfo)
    except OverflowError:
        raise InvalidInputError(("event", LOST)) from None


def shifted(times: Times, by: dt.timedelta) -> Times:
    """Move by calendar days (and pendulum's months and years) where the event takes place, then by elapsed time.

    :raises InvalidInputError: when the clocks skip the new time, or an all-day event would not stay one.
    """
    months, days, rest = _split(by)
    if times.zone is None and rest:
        raise InvalidInputError(("by", "must be whole days, because the event is all-day"))
    day = _day_after(times.day, months, days)
    return times.starting(day if times.zone is None else later(_on(day, times.start), rest), times.zone)


def _day_after(day: dt.date, months: int, days: int) -> dt.date:
    try:
        there = pendulum.date(day.year, day.month, day.day).add(months=months, days=days)
    except (OverflowError, ValueError):  # the latter for a year that there is not
        raise InvalidInputError(("by", LOST)) from None
    return dt.date(there.year, there.month, there.day)


def _split(by: dt.timedelta) -> tuple[int, int, dt.timedelta]:
    """Return months, days and the rest, in one direction: an hour earlier is no day earlier and 23 hours later."""
    months = 0
    if isinstance(by, pendulum.Interval):
        by = by.as_timedelta()  # what lies between two moments has passed; it is no number of months
    elif isinstance(by, pendulum.Duration):
        months = by.years * 12 + by.months
        by = by.as_timedelta() - dt.timedelta(days=by.years * 365 + by.months * 30)
    days = abs(by) // DAY * (1 if by > dt.timedelta() else -1)
    return months, days, by - days * DAY


def _on(day: dt.date, like: dt.datetime) -> dt.datetime:
    """Return the time that the clocks show then, on another day; of one that they repeat, the same of the two."""
    moment = dt.datetime.combine(day, like.timetz()).replace(fold=like.fold)
    if moments.skipped(moment):
        raise InvalidInputError(("by", "leads to a time that the clocks skip in the event's zone"))
    return moment


def given_start(start: Any, own: str | None, timezone: str | None) -> tuple[Any, str | None]:
    """Read the start that somebody gave, for an event of a zone, or of none when it is all-day."""
    value = moments.as_object(start)
    kind = "date" if own is None else "dateTime"
    if own is None and timezone:
        raise InvalidInputError(("timezone", "must be left out, because the event is all-day"))
    if not isinstance(value, Mapping) or value.get(kind) is None:
        raise InvalidInputError(("start", f"must be a {'date' if own is None else 'time'}, as the event has now"))
    try:
        if own is None:
            return dt.date.fromisoformat(moments.as_day(value["date"])), None
        zone = moments.as_zone(timezone or own)
        there = moments.wire_time(value["dateTime"], moments.as_zone(moments.zone_of(value) or zone))
        return moments.local_time(there, zone), zone
    except ValueError as error:
        raise InvalidInputError(("start", str(error))) from None


def rule_of(event: Event, zone: str | None) -> Json:
    """Return a series' rule, complete as a patch needs it.

    :raises InvalidInputError: when something is missing that the service would not keep by itself.
    """
    try:
        return whole(event["recurrence"], zone)
    except ValueError:
        text = "is not a whole rule, as a patch needs it: pattern with type and interval, range with its end"
        raise InvalidInputError(("event.recurrence", text)) from None


def following(event: Event, old: Times, new: Times, move_weekdays: bool) -> Json:
    """Return the part of a patch that lets a series' rule follow its first start; empty when it fits as it is."""
    rule = rule_of(event, old.zone)
    days = (new.day - old.day).days
    moved = {"pattern": _pattern(rule["pattern"], days, move_weekdays), "range": _range(rule["range"], old, new)}
    return {} if moved == rule else {"recurrence": moved}


def _pattern(pattern: Json, days: int, move_weekdays: bool) -> Json:
    if not days or pattern["type"] == "daily" or (pattern["type"] == "weekly" and days % 7 == 0):
        return pattern
    if pattern["type"] != "weekly":
        text = "does not move by days, because months differ; patch start, end and a whole recurrence instead"
        raise InvalidInputError(("event.recurrence", f"a monthly or yearly series {text}"))
    if not move_weekdays:
        text = "the series would start on a weekday that is not its own; move_weekdays=True moves its weekdays too"
        raise InvalidInputError(("event.recurrence", text))
    # Weeks that begin on the day that moved along keep days together that are in one week of every second, say.
    first = {"firstDayOfWeek": _moved_day(pattern.get("firstDayOfWeek", "sunday"), days)}
    named = [_moved_day(day, days) for day in pattern["daysOfWeek"].split(",")]
    return {**pattern, "daysOfWeek": ",".join(named), **(first if pattern["interval"] > 1 else {})}


def _moved_day(name: str, days: int) -> str:
    return NAMES[(NAMES.index(name) + days) % 7]


def _range(span: Json, old: Times, new: Times) -> Json:
    if "endDate" not in span:
        return span
    end, days = series_end(span, old), (new.day - old.day).days
    was_late, is_late = end.time() >= old.clock, end.time() >= new.clock
    if not days and was_late == is_late and new.zone == old.zone:
        return span
    zone = end.tzinfo if new.zone is None else new.start.tzinfo
    moved = dt.datetime.combine(end.date() + days * DAY, end.time(), zone)
    if was_late != is_late or moments.skipped(moved):
        moved = last_second(last_day(span, old) + days * DAY, zone)
    return {**span, "endDate": moments.as_instant(moved)}


def series_end(span: Json, times: Times) -> dt.datetime:
    """Return the end of a series as the clocks show it where it takes place."""
    end = span["endDate"]
    return moments.instant(end) if times.zone is None else moments.local_time(end, times.zone)


def last_day(span: Json, times: Times) -> dt.date:
    """Return the last day on which a series may start: the day of its end, or the one before if it ends too early."""
    end = series_end(span, times)
    return end.date() if end.time() >= times.clock else end.date() - DAY


def last_second(day: dt.date, zone: dt.tzinfo | None) -> dt.datetime:
    """Return the end of a day, which the clocks may show twice, or skip."""
    moment = dt.datetime.combine(day, LAST_SECOND, zone).replace(fold=1)
    return moment.astimezone(dt.UTC).astimezone(zone)


def place(times: Times, span: Json, timezone: str | None) -> Any:
    """Return where the last day of a series ends."""
    if times.zone:
        return times.start.tzinfo
    if timezone:
        return moments.local_time("2000-01-01T00:00:00Z", timezone).tzinfo
    if "endDate" in span:
        return moments.instant(span["endDate"]).tzinfo
    raise InvalidInputError(("timezone", "is needed: an all-day series has no zone for its last day to end in"))
