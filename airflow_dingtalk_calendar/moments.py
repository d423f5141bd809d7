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

from airflow_dingtalk_calendar.fields import as_text

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")
NO_OFFSET = "needs a UTC offset, or a timezone to be read in"
_NOT_A_TIME = "must be an ISO 8601 date and time, like 2027-03-02T10:00:00+08:00"


def as_object(value: Any) -> Any:
    """Bring a datetime, date or ISO text into the API's object form; anything else stays as it is."""
    if isinstance(value, dt.datetime):
        zone = _place(value)
        return {"dateTime": value, "timeZone": zone} if zone else {"dateTime": value}
    if isinstance(value, dt.date):
        return {"date": value}
    if isinstance(value, Mapping) and isinstance(value.get("dateTime"), dt.datetime):
        return {**as_object(value["dateTime"]), **value}
    if not isinstance(value, str):
        return value
    return {"date": value} if _DAY.fullmatch(value.strip()) else {"dateTime": _parsed(value)}


def with_zone(value: Any, zone: str | None) -> Any:
    """Give an object that has a time but no zone this one."""
    if zone and isinstance(value, Mapping) and "dateTime" in value and "timeZone" not in value:
        return {**value, "timeZone": zone}
    return value


def zone_of(value: Any) -> str | None:
    """Name the zone of an object, where it has one."""
    zone = value.get("timeZone") if isinstance(value, Mapping) else None
    return zone if isinstance(zone, str) else None


def as_zone(value: Any) -> str:
    """Check an IANA zone name."""
    name = as_text(value).strip()
    if name in ("", "None"):
        raise ValueError("is blank, or the word None; name a zone, like Asia/Shanghai, or leave it out")
    if not _known(name):
        raise ValueError(f"is not a zone of the tz database{_similar(name)}")
    return name


def as_day(value: Any) -> str:
    """Check a calendar day, ``yyyy-MM-dd``."""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return value.isoformat()
    text = value.strip() if isinstance(value, str) else ""
    if not _DAY.fullmatch(text) or not _valid(dt.date.fromisoformat, text):
        raise ValueError("must be a date, yyyy-MM-dd")
    return text


def wire_time(value: Any, zone: str) -> str:
    """Write a time as the API takes it, after the three rules above.

    Complete text is kept as given: which of its notations the service prefers is for its user to know.
    """
    moment = as_moment(value)
    if moment.tzinfo is None:
        return _text(_local(moment, zone))
    there = _there(moment, zone)
    if moment.utcoffset() not in (there.utcoffset(), dt.timedelta(0)):
        raise ValueError("has another UTC offset than its time zone then: leave the offset out, or name another zone")
    return value.strip() if isinstance(value, str) and "T" in value else _text(there)


def as_series_end(value: Any, zone: str | None) -> Any:
    """Complete the end of a series: a day means its last second, a time without offset is local.

    What cannot be completed (no zone, no time) stays as it is, for :func:`as_instant` to refuse.
    """
    if zone is None or not _known(zone):
        return value
    if isinstance(value, str) and _DAY.fullmatch(value.strip()) and _valid(dt.date.fromisoformat, value.strip()):
        value = dt.date.fromisoformat(value.strip())
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time(23, 59, 59))
    try:
        moment = as_moment(value)
        return _text(_local(moment, zone)) if moment.tzinfo is None else value
    except ValueError:
        return value


def as_instant(value: Any) -> str:
    """Write a point in time that needs no zone, because it has an offset of its own."""
    moment = as_moment(value)
    if moment.tzinfo is None:
        raise ValueError(NO_OFFSET)
    return value.strip() if isinstance(value, str) and "T" in value else _text(moment)


def instant(text: str) -> dt.datetime:
    """Read a time that this module wrote."""
    return dt.datetime.fromisoformat(text)


def as_moment(value: Any) -> dt.datetime:
    """Read a point in time, with or without an offset."""
    moment = _parsed(value) if isinstance(value, str) else value
    if not isinstance(moment, dt.datetime):
        raise ValueError(_NOT_A_TIME)
    if moment.tzinfo is not None and skipped(moment):
        raise ValueError("does not exist: the clocks skip it in its time zone")
    return moment


def local_time(value: Any, zone: str) -> dt.datetime:
    """Read a point in time as the clocks of a zone show it; one without an offset is local there."""
    moment = as_moment(value)
    return _local(moment, zone) if moment.tzinfo is None else _there(moment, zone)


def _parsed(text: str) -> Any:
    """Return the datetime that the text names, or the text itself when it names none."""
    bare = text.strip()
    try:
        return dt.datetime.fromisoformat(bare) if _MOMENT.match(bare) else text
    except ValueError:
        return text


def _local(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return _zone(zone).convert(moment, raise_on_unknown_times=True)
    except NonExistingTime:
        raise ValueError("does not exist in its time zone: the clocks skip it") from None
    except AmbiguousTime:
        raise ValueError("happens twice in its time zone, when the clocks go back: give it a UTC offset") from None
    except OverflowError:
        raise ValueError("is out of range") from None


def _there(moment: dt.datetime, zone: str) -> dt.datetime:
    try:
        return moment.astimezone(_zone(zone))
    except OverflowError:
        raise ValueError("is out of range") from None


def skipped(moment: dt.datetime) -> bool:
    """Tell whether the clocks of its zone never show this time, because they go forward over it."""
    if isinstance(moment.tzinfo, dt.timezone):
        return False  # an offset, where no clock changes
    try:
        back = moment.astimezone(dt.UTC).astimezone(moment.tzinfo)
    except OverflowError:
        return False
    return back.replace(tzinfo=None, fold=0) != moment.replace(tzinfo=None, fold=0)


def _text(moment: dt.datetime) -> str:
    # The offset form without milliseconds is the one in every sample of DingTalk's documentation.
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")


def _place(moment: dt.datetime) -> str | None:
    """Name the IANA zone of a datetime; UTC is an instant's zone, not a meeting's."""
    name = getattr(moment.tzinfo, "key", None)
    return name if isinstance(name, str) and name not in ("UTC", "Etc/UTC") and _known(name) else None


@lru_cache(maxsize=64)  # pendulum reads the tz database anew each time
def _zone(name: str) -> pendulum.Timezone:
    return pendulum.timezone(name)


def _known(name: str) -> bool:
    try:
        _zone(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


# Parts of the world in the tz database. Its other names are old ones, or offsets (Etc/GMT+8 is west of Greenwich).
_AREAS = {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
# What people call the zone of DingTalk's home, which the tz database names after another city.
_CHINAS = ("beijing", "china", "cst", "gmt+8", "gmt+08:00", "utc+8", "utc+08:00", "+8", "+08:00", "+0800")


@lru_cache(maxsize=1)  # reads the whole tz database
def _cities() -> dict[str, str]:
    named = {
        zone.split("/")[-1].lower(): zone for zone in sorted(available_timezones()) if zone.split("/")[0] in _AREAS
    }
    return {**named, **dict.fromkeys(_CHINAS, "Asia/Shanghai")}


def _similar(name: str) -> str:
    cities = _cities()
    near = get_close_matches(name.split("/")[-1].lower()[:40], cities, n=1, cutoff=0.75)
    return f"; did you mean {cities[near[0]]}?" if near else "; names look like Asia/Shanghai"


def _valid(reader: Any, text: str) -> bool:
    try:
        reader(text)
    except ValueError:
        return False
    return True


Zone = Annotated[str, BeforeValidator(as_zone)]
Day = Annotated[str, BeforeValidator(as_day)]
Instant = Annotated[str, BeforeValidator(as_instant)]
