"""Query parameters: text that stands for numbers, truth and times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ..errors import invalid
from .validators import Place, date_time, read_date_time

Window = tuple[datetime | None, datetime | None]

YEAR = timedelta(days=366)  # "at most one year"
_WORDS = {"true": True, "false": False}


def number(params: Mapping[str, str], name: str, default: int, largest: int) -> int:
    """Read a number from 1 up."""
    value = params.get(name) or str(default)
    if not (value.isascii() and value.isdigit() and len(value) < 10 and 1 <= int(value) <= largest):
        raise invalid(name, f"must be within [1, {largest}]")
    return int(value)


def flag(params: Mapping[str, str], name: str) -> bool | None:
    """Read a boolean; ``None`` if it is not passed."""
    value = params.get(name, "").lower()
    if value and value not in _WORDS:
        raise invalid(name, "must be true or false")
    return _WORDS.get(value)


def window(
    params: Mapping[str, str], names: tuple[str, str] = ("timeMin", "timeMax"), longest: timedelta = YEAR
) -> Window:
    """Read the two ends of a period, either of which may be open."""
    low, high = (_time(params, name) for name in names)
    if low and high and not low < high <= low + longest:
        raise invalid(names[1], f"must be after {names[0]}, by at most {longest.days} days")
    return low, high


def _time(params: Mapping[str, str], name: str) -> datetime | None:
    value = params.get(name)
    return read_date_time(date_time(value, Place(name))) if value else None
