"""Small shapes that compose: each takes a value and its place, refuses a wrong one, and returns what is kept.

Kept are the known members. Unknown ones are ignored, as the gateway does, and noted at the place; a null member
counts as not passed, as it does for the service's typed model.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, TypeVar
from zoneinfo import available_timezones

from ..errors import Problem, Refusal, invalid


@dataclass(frozen=True)
class Place:
    """Where in a request a value stands, and the places of the members nobody knows."""

    path: str = ""
    ignored: list[str] = field(default_factory=list)

    def member(self, name: str) -> Place:
        """Return the place of a member of an object."""
        return Place(f"{self.path}.{name}" if self.path else name, self.ignored)

    def element(self, index: int) -> Place:
        """Return the place of an element of an array."""
        return Place(f"{self.path}[{index}]", self.ignored)

    def wrong(self, message: str) -> Problem:
        """Return the refusal of the value here."""
        return invalid(self.path, message)


Shape = Callable[[Any, Place], Any]

_Day = TypeVar("_Day", bound=date)
_DEEPEST = 64
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII)


def text(limit: int = 0) -> Shape:
    """A string, of at most ``limit`` characters where a limit is documented."""

    def shape(value: Any, place: Place) -> str:
        if not isinstance(value, str):
            raise place.wrong("must be a string")
        if limit and len(value) > limit:
            raise place.wrong(f"must have at most {limit} characters")
        return value

    return shape


def boolean(value: Any, place: Place) -> bool:
    """``true`` or ``false``, not their names."""
    if not isinstance(value, bool):
        raise place.wrong("must be a boolean")
    return value


def whole(low: int = -(2**31), high: int = 2**31 - 1, refusal: Refusal = Refusal.INVALID) -> Shape:
    """An integer; one out of range gets ``refusal``, which may be a documented error of its own."""

    def shape(value: Any, place: Place) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise place.wrong("must be an integer")
        if not low <= value <= high:
            raise place.wrong(f"must be within [{low}, {high}]") if refusal is Refusal.INVALID else Problem(refusal)
        return value

    return shape


def one_of(*values: str) -> Shape:
    """One of the documented words."""

    def shape(value: Any, place: Place) -> Any:
        if value not in values:
            raise place.wrong(f"must be one of {', '.join(values)}")
        return value

    return shape


def words(*values: str) -> Shape:
    """Documented words in one comma-separated string."""

    def shape(value: Any, place: Place) -> str:
        listed: str = text()(value, place)
        for word in listed.split(","):
            one_of(*values)(word, place)
        return listed

    return shape


def readable(read: Callable[[str], Any], expected: str) -> Shape:
    """A string that ``read`` can read."""

    def shape(value: Any, place: Place) -> str:
        written: str = text()(value, place)
        try:
            read(written)
        except ValueError:
            raise place.wrong(f"must be {expected}") from None
        return written

    return shape


def or_empty(inner: Shape) -> Shape:
    """``inner``, or the empty string where the documentation says "must be empty"."""
    return lambda value, place: value if value == "" else inner(value, place)


def object_of(members: Mapping[str, Shape], required: Sequence[str] = ()) -> Shape:
    """An object of known members."""

    def shape(value: Any, place: Place) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise place.wrong("must be an object")
        for name in required:
            if value.get(name) in (None, ""):
                raise place.member(name).wrong("is required")
        place.ignored.extend(place.member(name).path for name in value if name not in members)
        given = {name: member for name, member in value.items() if name in members and member is not None}
        return {name: members[name](member, place.member(name)) for name, member in given.items()}

    return shape


def map_of(inner: Shape) -> Shape:
    """An object whose member names are free."""

    def shape(value: Any, place: Place) -> Any:
        return object_of(dict.fromkeys(value, inner) if isinstance(value, dict) else {})(value, place)

    return shape


def list_of(inner: Shape, limit: int = 0) -> Shape:
    """An array, of at most ``limit`` elements where a limit is documented."""

    def shape(value: Any, place: Place) -> list[Any]:
        if not isinstance(value, list):
            raise place.wrong("must be an array")
        if limit and len(value) > limit:
            raise place.wrong(f"must have at most {limit} elements")
        return [inner(element, place.element(index)) for index, element in enumerate(value)]

    return shape


def read_date(value: str) -> date:
    """Read ``yyyy-MM-dd``."""
    if not _DATE.fullmatch(value):
        raise ValueError(value)
    return _within_reason(date.fromisoformat(value))


def read_date_time(value: str) -> datetime:
    """Read an ISO-8601 date-time with its offset, as in all of the documentation's examples."""
    if not _DATE_TIME.fullmatch(value):
        raise ValueError(value)
    return _within_reason(datetime.fromisoformat(value))


def _within_reason(value: _Day) -> _Day:
    # Far enough from the ends of Python's calendar to be told in any zone and repeated for years.
    if not 1000 <= value.year < 9000:
        raise ValueError(value)
    return value


def read_zone(value: str) -> str:
    """Read the name of a zone of the tz database."""
    if value not in _zones():
        raise ValueError(value)
    return value


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def read_json(raw: bytes | str) -> Any:
    """Parse strictly: no NaN, no infinity, no half characters, nothing nested beyond reason.

    :raises ValueError: if it is not JSON that could be answered in JSON again.
    """
    try:
        value = json.loads(raw)
        _measure(value, _DEEPEST)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _measure(value: Any, room: int) -> None:
    if not room:
        raise ValueError("nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _measure(inner, room - 1)


day = readable(read_date, "a date as yyyy-MM-dd")
date_time = readable(read_date_time, "an ISO-8601 date-time with an offset")
zone = readable(read_zone, "the name of a zone in the tz database")
