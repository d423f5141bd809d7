"""Query parameters: text that stands for numbers, truth and times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ..errors import invalid_parameter
from .validators import FieldPlace, date_time_value, read_iso_date_time

TimeWindow = tuple[datetime | None, datetime | None]

ONE_YEAR = timedelta(days=366)  # "at most one year"
_BOOLEAN_WORDS = {"true": True, "false": False}


def read_number_param(params: Mapping[str, str], name: str, default: int, largest: int) -> int:
    """Read a number from 1 up."""
    value = params.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= largest):
        raise invalid_parameter(name, f"must be within [1, {largest}]")
    return int(value)


def read_boolean_param(params: Mapping[str, str], name: str) -> bool | None:
    """Read a boolean; ``None`` if it is not passed."""
    value = params.get(name, "").lower()
    if value and value not in _BOOLEAN_WORDS:
        raise invalid_parameter(name, "must be true or false")
    return _BOOLEAN_WORDS.get(value)


def read_time_window(
    params: Mapping[str, str], names: tuple[str, str] = ("timeMin", "timeMax"), longest: timedelta = ONE_YEAR
) -> TimeWindow:
    """Read the two ends of a period, either of which may be open."""
    low, high = (_read_time_param(params, name) for name in names)
    if low and high and not low < high <= low + longest:
        raise invalid_parameter(names[1], f"must be after {names[0]}, by at most {longest.days} days")
    return low, high


def _read_time_param(params: Mapping[str, str], name: str) -> datetime | None:
    value = params.get(name)
    return read_iso_date_time(date_time_value(value, FieldPlace(name))) if value else None
