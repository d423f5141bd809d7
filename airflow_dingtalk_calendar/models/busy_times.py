"""When somebody, or a meeting room, is busy: spans of time, read from what DingTalk says of them."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.json_values import Body, mapping_or_empty
from airflow_dingtalk_calendar.models.zones import load_zone

ONE_DAY = dt.timedelta(days=1)


class Span(NamedTuple):
    """From a moment to another one, which is not included."""

    start: dt.datetime
    end: dt.datetime

    def overlaps(self, other: Span) -> bool:
        """Whether there is a moment in both."""
        return self.start < other.end and other.start < self.end


def read_busy_times(entry: Body, zone: str) -> list[Span] | None:
    """Read when one of those asked about is busy; None when that is unknown, which is never free.

    :param entry: as GetSchedule and GetMeetingRoomsSchedule return it. What is tentative is busy, too.
    :param zone: where the days of an all-day event begin and end. DingTalk writes them in UTC ("Event overview"), and
        who has such a day is busy on it where the meeting takes place.
    """
    items = entry.get("scheduleItems")
    if entry.get("availability") != "known" or not isinstance(items, list):
        return None
    try:
        return [busy_span(item, zone) for item in items]
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        return None


def busy_span(event: Body, zone: str) -> Span:
    """Read when an event, or an entry of a schedule, begins and ends.

    :raises ValueError: or what else reading a time raises, if it is malformed.
    """
    start, end = mapping_or_empty(event.get("start")), mapping_or_empty(event.get("end"))
    if start.get("date") and not start.get("dateTime"):
        first, after = datetimes.parse_day(start["date"]), datetimes.parse_day(end["date"])
        # The end is exclusive on the page of CreateEvent; the tutorial's PatchEvent has start and end on one day: one
        # day, too.
        return Span(day_start(first, zone), day_start(max(after, first + ONE_DAY), zone))
    own = str(start.get("timeZone") or zone)
    first_moment, last_moment = (datetimes.to_local_time(one["dateTime"], own) for one in (start, end))
    return Span(first_moment.astimezone(dt.UTC), last_moment.astimezone(dt.UTC))


def day_start(day: dt.date, zone: str, clock: dt.time = dt.time.min) -> dt.datetime:
    """Return the moment at which the clocks of a zone show a time of a day; of a skipped one, when they have moved."""
    return dt.datetime.combine(day, clock, load_zone(zone)).astimezone(dt.UTC)
