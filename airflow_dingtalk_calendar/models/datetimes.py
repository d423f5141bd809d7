"""Dates, times and zones: what a person gives, and what DingTalk takes.

DingTalk wants ``{"date": "2027-03-02"}`` for all-day events, else
``{"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}`` with the same zone at both ends
(official page of PatchEvent). A person gives a datetime, a date, ISO 8601 text or that object.

Three rules keep a meeting from moving by eight hours:

- A zone is a place (:mod:`~airflow_dingtalk_calendar.models.zones`). UTC, ``Z`` and ``+08:00`` are none: such a value
  says *when*, and takes its zone from the other end of the event or from the ``timezone`` argument.
- Local time without an offset is read in that zone; a time that the clocks skip or repeat there is refused.
- An offset other than UTC's must be the zone's own at that time.

Text that is complete and in the notation of DingTalk's samples goes out as it is, by itself or in an object. Any other
(ISO 8601's basic form, a blank for the T, ``+08``, no offset) is written in it, with milliseconds where it has them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pendulum.tz.exceptions import AmbiguousTime, NonExistingTime
from pydantic import BeforeValidator

from airflow_dingtalk_calendar.models.json_values import MAPPINGS, get_member
from airflow_dingtalk_calendar.models.zones import canonical_name, load_zone, name_zone, parse_zone, zone_of_datetime

_DATE_PATTERN = re.compile(r"\d{4}-?\d{2}-?\d{2}", re.ASCII)
_DATETIME_PATTERN = re.compile(r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}|\d{8}T\d{4})", re.ASCII)
# The notations of DingTalk's samples; a third party has seen one of its calls refuse times without milliseconds.
_COMPLETE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?(Z|[+-]\d{2}:\d{2})", re.ASCII)
# The last day of an all-day series as a moment: noon in UTC is on that day everywhere from UTC-12 to UTC+11.
NOON = dt.time(12, tzinfo=dt.UTC)
NO_OFFSET_TEXT = "needs a UTC offset, or a timezone to be read in"
_NOT_A_TIME_TEXT = "must be an ISO 8601 date and time, like 2027-03-02T10:00:00+08:00"


def to_time_object(value: Any) -> Any:
    """Bring a datetime, date or ISO text into the API's object form; anything else stays as it is."""
    if isinstance(value, MAPPINGS):
        moment = value.get("dateTime")
        return {**to_time_object(moment), **value} if isinstance(moment, dt.datetime) else value
    if isinstance(value, str):
        return {"date": value} if _DATE_PATTERN.fullmatch(value.strip()) else {"dateTime": value}
    if isinstance(value, dt.datetime):
        zone = zone_of_datetime(value)
        return {"dateTime": value, "timeZone": zone} if zone else {"dateTime": value}
    return {"date": value} if isinstance(value, dt.date) else value


def add_zone(value: Any, zone: str | None) -> Any:
    """Give an object that has a time but no zone this one."""
    if zone and isinstance(value, MAPPINGS) and "dateTime" in value and "timeZone" not in value:
        return {**value, "timeZone": zone}
    return value


def zone_name(value: Any) -> str | None:
    """Name the zone of an object, where it has one."""
    zone = name_zone(value.get("timeZone")) if isinstance(value, MAPPINGS) else None
    return zone if isinstance(zone, str) else None


def parse_day(value: Any) -> dt.date:
    """Read a calendar day: a date, or text."""
    day = value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else _read_day(value)
    if day is None:
        raise ValueError("must be a date, yyyy-MM-dd")
    return dt.date(day.year, day.month, day.day)  # pendulum's dates are dates, and calculate otherwise


def parse_date(value: Any) -> str:
    """Check a calendar day, and write it as the API takes it: ``yyyy-MM-dd``."""
    return parse_day(value).isoformat()


def start_day(start: Mapping[str, Any]) -> dt.date:
    """Return the day of a start, as the API writes it, in its zone.

    :raises ValueError: when it has none.
    """
    if day := get_member(start, "date"):
        return parse_day(day)
    zone = parse_zone(get_member(start, "timeZone"))
    return to_local_time(get_member(start, "dateTime"), zone).date()


def _read_day(value: Any) -> dt.date | None:
    text = value.strip() if isinstance(value, str) else ""
    try:
        return dt.date.fromisoformat(text) if _DATE_PATTERN.fullmatch(text) else None
    except ValueError:
        return None


def format_event_time(value: Any, zone: str) -> str:
    """Write a time as the API takes it, after the three rules above."""
    moment = parse_datetime(value)
    if moment.tzinfo is None:
        return _format_like(value, _localize(moment, zone))
    there, offset = _convert_zone(moment, zone), moment.utcoffset()
    if offset and offset != there.utcoffset():
        raise ValueError("has another UTC offset than its time zone then: leave the offset out, or name another zone")
    return _format_like(value, there)


def complete_series_end(value: Any, zone: str | None, all_day: bool = False) -> Any:
    """Complete the end of a series: a day means its last second, a time without offset is local.

    The last day of an all-day series is that day in every zone. What cannot be completed (no zone, no time) stays as it
    is, for :func:`format_instant` to refuse.
    """
    day = value if isinstance(value, dt.date) and not isinstance(value, dt.datetime) else _read_day(value)
    if day is not None and all_day:
        return format_iso(dt.datetime.combine(day, NOON))
    if zone is None or canonical_name(zone) is None:
        return value
    if day is not None:
        value = dt.datetime.combine(day, dt.time(23, 59, 59))
    try:
        moment = parse_datetime(value)
        return _format_like(value, _localize(moment, zone)) if moment.tzinfo is None else value
    except ValueError:
        return value


def is_day_ambiguous(text: str | None) -> bool:
    """Return whether a moment is on another day in UTC, or in DingTalk's home, than the one it is written with."""
    if text is None:
        return False
    moment = parse_wire_datetime(text)
    return len({moment.date(), *(to_local_time(text, zone).date() for zone in ("UTC", "Asia/Shanghai"))}) > 1


def format_instant(value: Any) -> str:
    """Write a point in time that needs no zone, because it has an offset of its own."""
    moment = parse_datetime(value)
    if moment.tzinfo is None:
        raise ValueError(NO_OFFSET_TEXT)
    return _format_like(value, moment)


def _format_like(value: Any, moment: dt.datetime) -> str:
    """Write a moment; complete text as it was given, since which notation the service prefers its user may know."""
    text = value.strip() if isinstance(value, str) else ""
    if _COMPLETE_PATTERN.fullmatch(text):
        return text
    return format_iso(moment, milliseconds=bool(re.search(r"[.,]\d", text)))


def format_iso(moment: dt.datetime, *, milliseconds: bool = False) -> str:
    """Write a moment in the notation of every sample in DingTalk's documentation, which have no milliseconds."""
    return moment.isoformat(timespec="milliseconds" if milliseconds or moment.microsecond else "seconds")


def parse_wire_datetime(text: str) -> dt.datetime:
    """Read a time that this module wrote."""
    return dt.datetime.fromisoformat(text)


def parse_datetime(value: Any) -> dt.datetime:
    """Read a point in time, with or without an offset."""
    moment = _parse_iso_text(value) if isinstance(value, str) else value
    if not isinstance(moment, dt.datetime):
        raise ValueError(_NOT_A_TIME_TEXT)
    if moment.tzinfo is not None and is_skipped_time(moment):
        raise ValueError("does not exist: the clocks skip it in its time zone")
    return moment


def to_local_time(value: Any, zone: str) -> dt.datetime:
    """Read a point in time as the clocks of a zone show it; one without an offset is local there."""
    moment = parse_datetime(value)
    return _localize(moment, zone) if moment.tzinfo is None else _convert_zone(moment, zone)


def _parse_iso_text(text: str) -> Any:
    """Return the datetime that the text names, or the text itself when it names none."""
    # Python reads no lower-case z.
    bare = text.strip().upper()
    try:
        return dt.datetime.fromisoformat(bare) if _DATETIME_PATTERN.match(bare) else text
    except ValueError:
        return text


def _localize(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return load_zone(zone).convert(moment, raise_on_unknown_times=True)
    except NonExistingTime:
        raise ValueError("does not exist in its time zone: the clocks skip it") from None
    except AmbiguousTime:
        raise ValueError("happens twice in its time zone, when the clocks go back: give it a UTC offset") from None
    except OverflowError:
        raise ValueError("is out of range") from None


def _convert_zone(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return moment.astimezone(load_zone(zone))
    except OverflowError:
        raise ValueError("is out of range") from None


def is_skipped_time(moment: dt.datetime) -> bool:
    """Return whether the clocks of its zone never show this time, because they go forward over it."""
    if isinstance(moment.tzinfo, dt.timezone):
        return False  # an offset, where no clock changes
    try:
        back = moment.astimezone(dt.UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return False
    # There and back, a time that the clocks skip becomes another one.
    return back.replace(tzinfo=None, fold=0) != moment.replace(tzinfo=None, fold=0)


Zone = Annotated[str, BeforeValidator(parse_zone)]
Day = Annotated[str, BeforeValidator(parse_date)]
Instant = Annotated[str, BeforeValidator(format_instant)]
