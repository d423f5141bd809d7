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


def read_time_window(params: Mapping[str, str]) -> TimeWindow:
    """Read the two ends of a period, either of which may be open."""
    low, high = (_read_time_param(params, name) for name in ("timeMin", "timeMax"))
    if low and high and not low < high <= low + ONE_YEAR:
        raise invalid_parameter("timeMax", f"must be after timeMin, by at most {ONE_YEAR.days} days")
    return low, high


def _read_time_param(params: Mapping[str, str], name: str) -> datetime | None:
    value = params.get(name)
    return read_iso_date_time(date_time_value(value, FieldPlace(name))) if value else None
