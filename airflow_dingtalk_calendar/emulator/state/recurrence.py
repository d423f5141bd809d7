"""The days a recurrence rule names, the times an event therefore takes, and the instances of a series.

Source of the rules: "Update event", ``recurrence``. What the page leaves open is taken from iCalendar, on which
DingTalk's calendar is built: the first occurrence is the event's own start. A day that a month does not have (switch
``missing_day``) and the zone in which an all-day series ends (switch ``all_day_until``) are UNVERIFIED.

An instance that somebody has changed is stored, any other is made here when somebody asks. Its id is the emulator's
own, base64 of the series' id and the start: UNVERIFIED, and mostly with an ``=`` at the end, as nothing says that an id
has letters and digits only. Whether other calls know such an id: UNVERIFIED, switch ``view_ids``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import count, islice, product, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from ..schema.event import WEEK_INDEXES, WEEKDAYS, Event
from ..schema.validators import read_iso_date_time
from ..settings import EmulatorSettings

TimeSpan = tuple[datetime, datetime]
#: "Event overview": days without a zone of their own are days in this one unless a calendar says otherwise.
HOME_ZONE = ZoneInfo("Asia/Shanghai")
DEFAULT_SETTINGS = EmulatorSettings()
_INSTANCE_ID_FORMAT = "%Y%m%dT%H%M%SZ"


def occurrence_spans(event: Event, until: datetime, settings: EmulatorSettings = DEFAULT_SETTINGS) -> list[TimeSpan]:
    """Return the times an event takes that start before ``until``."""
    start, end = zoned_datetime(event["start"]), zoned_datetime(event["end"])
    rule = event.get("recurrence", {})
    limits = rule.get("range", {})
    last = min(until, _series_end(event, settings)) if "endDate" in limits else until
    last = last.astimezone(start.tzinfo)  # its day is the day it is there
    days = pattern_days(rule.get("pattern", {}), start.date(), last.date(), settings)
    later = (day for day in days if day > start.date())
    starts = (start.replace(year=day.year, month=day.month, day=day.day) for day in (start.date(), *later))
    kept = takewhile(lambda moment: moment <= last, islice(starts, limits.get("numberOfOccurrences")))
    return [(moment.astimezone(UTC), (moment + (end - start)).astimezone(UTC)) for moment in kept if moment < until]


def _series_end(event: Event, settings: EmulatorSettings) -> datetime:
    """Return the last moment at which an occurrence may start; of an all-day series, midnight of its last day."""
    written = read_iso_date_time(event["recurrence"]["range"]["endDate"])
    if "date" not in event["start"]:
        return written
    zone = {"written": written.tzinfo, "UTC": UTC, "home": HOME_ZONE}[settings.all_day_until]
    return datetime.combine(written.astimezone(zone).date(), time(), HOME_ZONE)


def zoned_datetime(moment: Event) -> datetime:
    """Return a start or end as a time in its zone; an all-day one is midnight at home."""
    if "date" in moment:
        return datetime.fromisoformat(moment["date"]).replace(tzinfo=HOME_ZONE)
    return read_iso_date_time(moment["dateTime"]).astimezone(ZoneInfo(moment["timeZone"]))


def pattern_days(
    pattern: Event, first: date, last: date, settings: EmulatorSettings = DEFAULT_SETTINGS
) -> Iterator[date]:
    """Yield the days a pattern names between two days; an incomplete pattern names none."""
    periods = _PERIODS_BY_TYPE.get(pattern.get("type", ""))
    if periods:
        for base in takewhile(lambda day: day <= last, periods(first, pattern)):
            found = _DAYS_BY_TYPE[pattern["type"]](base, first, pattern)
            if not found and settings.missing_day == "last_day":
                found = _days_of_month(base)[-1:]  # weeks have all their days, months do not
            yield from (day for day in found if first <= day <= last)


def _daily_periods(first: date, pattern: Event) -> Iterator[date]:
    return (first + timedelta(days=n * pattern.get("interval", 1)) for n in count())


def _weekly_periods(first: date, pattern: Event) -> Iterator[date]:
    week_starts = WEEKDAYS.index(pattern.get("firstDayOfWeek", "sunday"))
    monday_like = first - timedelta(days=(first.weekday() - week_starts) % 7)
    return (monday_like + timedelta(weeks=n * pattern.get("interval", 1)) for n in count())


def _monthly_periods(first: date, pattern: Event) -> Iterator[date]:
    months = (first.year * 12 + first.month - 1 + n * pattern.get("interval", 1) for n in count())
    return (date(month // 12, month % 12 + 1, 1) for month in months)


def _yearly_periods(first: date, pattern: Event) -> Iterator[date]:
    return (date(first.year + n * pattern.get("interval", 1), first.month, 1) for n in count())


def _pattern_weekdays(first: date, pattern: Event) -> set[int]:
    names = pattern.get("daysOfWeek")
    return {WEEKDAYS.index(name) for name in names.split(",")} if names else {first.weekday()}


def _single_day(base: date, first: date, pattern: Event) -> list[date]:
    return [base]


def _days_in_week(base: date, first: date, pattern: Event) -> list[date]:
    week = (base + timedelta(days=n) for n in range(7))
    wanted = _pattern_weekdays(first, pattern)
    return [day for day in week if day.weekday() in wanted]


def _day_in_month(base: date, first: date, pattern: Event) -> list[date]:
    return [day for day in _days_of_month(base) if day.day == pattern.get("dayOfMonth", first.day)]


def _nth_weekday_in_month(base: date, first: date, pattern: Event) -> list[date]:
    index = WEEK_INDEXES.index(pattern.get("index", "first"))
    by_weekday = [
        [day for day in _days_of_month(base) if day.weekday() == weekday]
        for weekday in _pattern_weekdays(first, pattern)
    ]
    return sorted(matching[-1 if index == 4 else index] for matching in by_weekday)


def _days_of_month(base: date) -> list[date]:
    return [day for n in range(31) if (day := base + timedelta(days=n)).month == base.month]


_PERIODS_BY_TYPE: dict[str, Callable[[date, Event], Iterator[date]]] = {
    "daily": _daily_periods,
    "weekly": _weekly_periods,
    "absoluteMonthly": _monthly_periods,
    "relativeMonthly": _monthly_periods,
    "absoluteYearly": _yearly_periods,
}
_DAYS_BY_TYPE: dict[str, Callable[[date, date, Any], list[date]]] = {
    "daily": _single_day,
    "weekly": _days_in_week,
    "absoluteMonthly": _day_in_month,
    "relativeMonthly": _nth_weekday_in_month,
    "absoluteYearly": _day_in_month,
}


def events_overlap(one: Event, other: Event, settings: EmulatorSettings = DEFAULT_SETTINGS) -> bool:
    """Return whether two events overlap at any time in the year after the first one's start."""
    until = zoned_datetime(one["start"]) + timedelta(days=366)
    pairs = product(occurrence_spans(one, until, settings), occurrence_spans(other, until, settings))
    return any(start < their_end and their_start < end for (start, end), (their_start, their_end) in pairs)


def iter_occurrences(
    event: Event, stored: Iterable[Event], before: datetime, settings: EmulatorSettings
) -> Iterator[Event]:
    """Yield an event that starts before a time, or of a series the instances that do and are not stored."""
    if "recurrence" not in event:
        yield from [event] if zoned_datetime(event["start"]) < before else []
        return
    replaced = {_original_start(instance) for instance in stored}
    for start, end in occurrence_spans(event, before, settings):
        if start not in replaced:
            yield _build_instance(event, start, end)


def find_unstored_instance(event_id: str, events: Mapping[str, Event], settings: EmulatorSettings) -> Event | None:
    """Return the instance that is not stored and has this id."""
    try:
        series_id, _, moment = b64decode(event_id, validate=True).decode().rpartition("@")
        start = datetime.strptime(moment, _INSTANCE_ID_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    series = events.get(series_id, {})
    if "recurrence" not in series:
        return None
    stored = [event for event in events.values() if event.get("seriesMasterId") == series_id]
    until = start + timedelta(seconds=1)
    found = iter_occurrences(series, stored, until, settings)
    return next((event for event in found if event["id"] == event_id), None)


def _original_start(instance: Event) -> datetime:
    origin = instance.get("originStart")
    return read_iso_date_time(origin["dateTime"]) if origin else zoned_datetime(instance["start"])


def _build_instance(series: Event, start: datetime, end: datetime) -> Event:
    return {
        **{name: member for name, member in series.items() if name != "recurrence"},
        "id": b64encode(f"{series['id']}@{start.strftime(_INSTANCE_ID_FORMAT)}".encode()).decode(),
        "seriesMasterId": series["id"],
        "originStart": {"dateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "start": _build_event_time(start, series["start"]),
        "end": _build_event_time(end, series["end"]),
    }


def _build_event_time(moment: datetime, like: Event) -> Event:
    if "date" in like:
        return {"date": str(moment.astimezone(HOME_ZONE).date())}
    return {**like, "dateTime": moment.astimezone(ZoneInfo(like["timeZone"])).isoformat(timespec="seconds")}
