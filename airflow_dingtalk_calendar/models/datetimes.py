"""Dates, times and zones: what a person gives, and what DingTalk takes.

DingTalk wants ``{"date": "2027-03-02"}`` for all-day events, else
``{"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}`` with the same zone at both ends
(official page of PatchEvent). A person gives a datetime, a date, ISO 8601 text or that object.

Three rules keep a meeting from moving by eight hours:

- A zone is an IANA name. UTC, ``Z`` and ``+08:00`` are not places: such a value says *when*, and takes its
  zone from the other end of the event or from the ``timezone`` argument.
- Local time without an offset is read in that zone; a time that the clocks skip or repeat there is refused.
- An offset other than UTC's must be the zone's own at that time.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import available_timezones

import pendulum
from pendulum.tz.exceptions import AmbiguousTime, NonExistingTime
from pydantic import BeforeValidator

from airflow_dingtalk_calendar.models.blanks import describe_blank, is_blank
from airflow_dingtalk_calendar.models.types import parse_text

_DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
NO_OFFSET_TEXT = "needs a UTC offset, or a timezone to be read in"
_NOT_A_TIME_TEXT = "must be an ISO 8601 date and time, like 2027-03-02T10:00:00+08:00"


def to_time_object(value: Any) -> Any:
    """Bring a datetime, date or ISO text into the API's object form; anything else stays as it is."""
    if isinstance(value, dt.datetime):
        zone = _zone_of_datetime(value)
        return {"dateTime": value, "timeZone": zone} if zone else {"dateTime": value}
    if isinstance(value, dt.date):
        return {"date": value}
    if isinstance(value, Mapping) and isinstance(value.get("dateTime"), dt.datetime):
        return {**to_time_object(value["dateTime"]), **value}
    if not isinstance(value, str):
        return value
    return {"date": value} if _DATE_PATTERN.fullmatch(value.strip()) else {"dateTime": _parse_iso_text(value)}


def add_zone(value: Any, zone: str | None) -> Any:
    """Give an object that has a time but no zone this one."""
    if zone and isinstance(value, Mapping) and "dateTime" in value and "timeZone" not in value:
        return {**value, "timeZone": zone}
    return value


def zone_name(value: Any) -> str | None:
    """Name the zone of an object, where it has one."""
    zone = value.get("timeZone") if isinstance(value, Mapping) else None
    return zone if isinstance(zone, str) else None


def parse_zone(value: Any) -> str:
    """Check an IANA zone name."""
    name = parse_text(value).strip()
    if is_blank(name):
        raise ValueError(f"{describe_blank(name)}; name a zone, like Asia/Shanghai, or leave it out")
    if not _is_known_zone(name):
        raise ValueError(f"is not a zone of the tz database{_suggest_zone(name)}")
    return name


def parse_date(value: Any) -> str:
    """Check a calendar day, ``yyyy-MM-dd``."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    if not _DATE_PATTERN.fullmatch(text) or not _is_parsable(dt.date.fromisoformat, text):
        raise ValueError("must be a date, yyyy-MM-dd")
    return text


def format_event_time(value: Any, zone: str) -> str:
    """Write a time as the API takes it, after the three rules above.

    Complete text is kept as given: which of its notations the service prefers is for its user to know.
    """
    moment = parse_datetime(value)
    if moment.tzinfo is None:
        return _format_iso(_localize(moment, zone))
    there = _convert_zone(moment, zone)
    if moment.utcoffset() not in (there.utcoffset(), dt.timedelta(0)):
        raise ValueError("has another UTC offset than its time zone then: leave the offset out, or name another zone")
    return value.strip() if isinstance(value, str) and "T" in value else _format_iso(there)


def complete_series_end(value: Any, zone: str | None) -> Any:
    """Complete the end of a series: a day means its last second, a time without offset is local.

    What cannot be completed (no zone, no time) stays as it is, for :func:`format_instant` to refuse.
    """
    if zone is None or not _is_known_zone(zone):
        return value
    if (
        isinstance(value, str)
        and _DATE_PATTERN.fullmatch(value.strip())
        and _is_parsable(dt.date.fromisoformat, value.strip())
    ):
        value = dt.date.fromisoformat(value.strip())
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time(23, 59, 59))
    try:
        moment = parse_datetime(value)
        return _format_iso(_localize(moment, zone)) if moment.tzinfo is None else value
    except ValueError:
        return value


def format_instant(value: Any) -> str:
    """Write a point in time that needs no zone, because it has an offset of its own."""
    moment = parse_datetime(value)
    if moment.tzinfo is None:
        raise ValueError(NO_OFFSET_TEXT)
    return value.strip() if isinstance(value, str) and "T" in value else _format_iso(moment)


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
    bare = text.strip()
    try:
        return dt.datetime.fromisoformat(bare) if _DATETIME_PATTERN.match(bare) else text
    except ValueError:
        return text


def _localize(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return _load_zone(zone).convert(moment, raise_on_unknown_times=True)
    except NonExistingTime:
        raise ValueError("does not exist in its time zone: the clocks skip it") from None
    except AmbiguousTime:
        raise ValueError("happens twice in its time zone, when the clocks go back: give it a UTC offset") from None
    except OverflowError:
        raise ValueError("is out of range") from None


def _convert_zone(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return moment.astimezone(_load_zone(zone))
    except OverflowError:
        raise ValueError("is out of range") from None


def is_skipped_time(moment: dt.datetime) -> bool:
    """Tell whether the clocks of its zone never show this time, because they go forward over it."""
    if isinstance(moment.tzinfo, dt.timezone):
        return False  # an offset, where no clock changes
    try:
        back = moment.astimezone(dt.UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return False
    return back.replace(tzinfo=None, fold=0) != moment.replace(tzinfo=None, fold=0)


def _format_iso(moment: dt.datetime) -> str:
    # The offset form without milliseconds is the one in every sample of DingTalk's documentation.
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _zone_of_datetime(moment: dt.datetime) -> str | None:
    """Name the IANA zone of a datetime; UTC is an instant's zone, not a meeting's."""
    name = getattr(moment.tzinfo, "key", None)
    return name if isinstance(name, str) and name not in ("UTC", "Etc/UTC") and _is_known_zone(name) else None


@lru_cache(maxsize=64)  # pendulum reads the tz database anew each time
def _load_zone(name: str) -> pendulum.Timezone:
    return pendulum.timezone(name)


def _is_known_zone(name: str) -> bool:
    try:
        _load_zone(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


# Parts of the world in the tz database. Its other names are old ones, or offsets (Etc/GMT+8 is west of Greenwich).
_TZ_AREAS = {
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
}
# What people call the zone of DingTalk's home, which the tz database names after another city.
_CHINA_NAMES = ("beijing", "china", "cst", "gmt+8", "gmt+08:00", "utc+8", "utc+08:00", "+8", "+08:00", "+0800")


@lru_cache(maxsize=1)  # reads the whole tz database
def _zones_by_city() -> dict[str, str]:
    named = {
        zone.split("/")[-1].lower(): zone for zone in sorted(available_timezones()) if zone.split("/")[0] in _TZ_AREAS
    }
    return {**named, **dict.fromkeys(_CHINA_NAMES, "Asia/Shanghai")}


def _suggest_zone(name: str) -> str:
    cities = _zones_by_city()
    near = get_close_matches(name.split("/")[-1].lower()[:40], cities, n=1, cutoff=0.75)
    return f"; did you mean {cities[near[0]]}?" if near else "; names look like Asia/Shanghai"


def _is_parsable(reader: Any, text: str) -> bool:
    try:
        reader(text)
    except ValueError:
        return False
    return True


Zone = Annotated[str, BeforeValidator(parse_zone)]
Day = Annotated[str, BeforeValidator(parse_date)]
Instant = Annotated[str, BeforeValidator(format_instant)]
