"""Zones of the tz database: taken by name or as an object, and written in the database's own spelling.

A meeting takes place somewhere, so a zone is the name of a place, or UTC. Refused, with the reason, are:

- files of the database that are no places: ``localtime``, ``posixrules``, ``Factory``, ``posix/…``, ``right/…``;
- ``Etc/GMT+8`` and its like, whose sign is the other way round: that one is eight hours *behind* UTC;
- ``EST``, ``HST`` and ``MST``, which know no summer time, although what people call so has one.

``CET``, ``EST5EDT`` and the like have summer time as people expect, and are taken.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

import pendulum

from airflow_dingtalk_calendar.models.blanks import describe_blank, is_blank
from airflow_dingtalk_calendar.models.types import parse_text
from airflow_dingtalk_calendar.models.zone_hints import explain_unknown_zone

UTC_NAMES = ("UTC", "Etc/UTC")
# Names that need no search of the whole database, which takes a fifth of a second: spelt as it spells places.
_PLACE_FORM = re.compile(r"[A-Z][a-z][A-Za-z_-]*(/[A-Z][a-z][A-Za-z_-]*)+|UTC")
_MACHINE_FORM = re.compile(r"(posix|right)/(.+)", re.IGNORECASE)
_MACHINE_NAMES = ("localtime", "posixrules", "factory", "leapseconds", "tzdata.zi")
_REVERSED_FORM = re.compile(r"Etc/GMT([+-])([1-9]\d?)")
_STANDARD_TIMES = {"EST": "America/New_York", "MST": "America/Denver", "HST": "Pacific/Honolulu"}


def parse_zone(value: Any) -> str:
    """Name a zone, given by its name or as an object, as the tz database does."""
    name = name_zone(value)
    return _check_name(name if isinstance(name, str) else parse_text(name))


@lru_cache(maxsize=1024)  # an event names its zone several times
def _check_name(text: str) -> str:
    name = parse_text(text).strip()
    if is_blank(name):
        raise ValueError(f"{describe_blank(name)}; name a zone, like Asia/Shanghai, or leave it out")
    _refuse_machine_files(name)
    known = canonical_name(name)
    if known is None:
        raise ValueError(
            f"is not a zone of the tz database{explain_unknown_zone(name, zones_by_folded_name().values())}"
        )
    _refuse_misleading_names(known)
    return known


def name_zone(value: Any) -> Any:
    """Return what a zone object is called; anything else as it is."""
    if not isinstance(value, dt.tzinfo):
        return value
    if value is dt.UTC:
        return "UTC"
    name = getattr(value, "key", None) or getattr(value, "zone", None)  # of zoneinfo and pendulum; of pytz
    return name if isinstance(name, str) else _describe_zone(value)


def _describe_zone(value: dt.tzinfo) -> str:
    try:
        offset = value.utcoffset(None)
    except Exception:  # of whatever class it is
        offset = None
    if offset is None:
        raise ValueError("is a zone object without a name; name a zone, like Asia/Shanghai")
    return str(dt.timezone(offset))


def zone_of_datetime(moment: dt.datetime) -> str | None:
    """Name the zone of a datetime; UTC is an instant's zone, not a meeting's."""
    name = getattr(moment.tzinfo, "key", None) or getattr(moment.tzinfo, "zone", None)
    known = canonical_name(name) if isinstance(name, str) else None
    return None if known in UTC_NAMES else known


def canonical_name(name: str) -> str | None:
    """Return a zone's name as the tz database spells it; None when it has none of that name."""
    return name if _PLACE_FORM.fullmatch(name) and _is_loadable(name) else zones_by_folded_name().get(name.lower())


@lru_cache(maxsize=1)
def zones_by_folded_name() -> dict[str, str]:
    """Return all zones by their names in lower case, without the files that are no zones."""
    return {name.lower(): name for name in available_timezones() if name.lower() not in _MACHINE_NAMES}


@lru_cache(maxsize=64)  # pendulum reads the tz database anew each time
def load_zone(name: str) -> pendulum.Timezone:
    """Load a zone by its name."""
    return pendulum.timezone(name)


def _is_loadable(name: str) -> bool:
    try:
        load_zone(name)
    except (ValueError, KeyError, OSError):
        return False
    return True


def _refuse_machine_files(name: str) -> None:
    if name.lower() in _MACHINE_NAMES:
        raise ValueError("is a file of each machine's own, and no place; name a zone, like Asia/Shanghai")
    if variant := _MACHINE_FORM.fullmatch(name):
        known = canonical_name(variant[2])
        remedy = f"name {known}" if known else "name a zone, like Asia/Shanghai"
        raise ValueError(f"is a variant for machines, and no place; {remedy}")


def _refuse_misleading_names(name: str) -> None:
    if reverse := _REVERSED_FORM.fullmatch(name):
        way = "behind" if reverse[1] == "+" else "ahead of"
        text = f"is {reverse[2]} hours {way} UTC, because the signs of these names are the other way round"
        raise ValueError(f"{text}; name the place instead, in the form Region/City")
    if name in _STANDARD_TIMES:
        text = f"has no summer time in the tz database; name the place, like {_STANDARD_TIMES[name]}"
        raise ValueError(text)
