"""Small validators that compose: each takes a value and its place, refuses a wrong one, and returns what is kept.

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

from ..errors import ApiError, Refusal, invalid_parameter


@dataclass(frozen=True)
class FieldPlace:
    """Where in a request a value stands, and the places of the members nobody knows."""

    path: str = ""
    ignored: list[str] = field(default_factory=list)

    def member(self, name: str) -> FieldPlace:
        """Return the place of a member of an object."""
        return FieldPlace(f"{self.path}.{name}" if self.path else name, self.ignored)

    def element(self, index: int) -> FieldPlace:
        """Return the place of an element of an array."""
        return FieldPlace(f"{self.path}[{index}]", self.ignored)

    def invalid(self, message: str) -> ApiError:
        """Return the refusal of the value here."""
        return invalid_parameter(self.path, message)


Validator = Callable[[Any, FieldPlace], Any]

_DateT = TypeVar("_DateT", bound=date)
_MAX_NESTING = 64
_DATE_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME_PATTERN = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})", re.ASCII)


def text_value(value: Any, place: FieldPlace) -> str:
    """A string."""
    if not isinstance(value, str):
        raise place.invalid("must be a string")
    return value


def text_up_to(limit: int) -> Validator:
    """A string of at most ``limit`` characters."""

    def validate(value: Any, place: FieldPlace) -> str:
        written = text_value(value, place)
        if len(written) > limit:
            raise place.invalid(f"must have at most {limit} characters")
        return written

    return validate


def boolean_value(value: Any, place: FieldPlace) -> bool:
    """``true`` or ``false``, not their names."""
    if not isinstance(value, bool):
        raise place.invalid("must be a boolean")
    return value


def integer_between(low: int, high: int, refusal: Refusal = Refusal.INVALID_PARAMETER) -> Validator:
    """An integer; one out of range gets ``refusal``, which may be a documented error of its own."""

    def validate(value: Any, place: FieldPlace) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise place.invalid("must be an integer")
        if not low <= value <= high:
            raise (
                place.invalid(f"must be within [{low}, {high}]")
                if refusal is Refusal.INVALID_PARAMETER
                else ApiError(refusal)
            )
        return value

    return validate


def one_of(*values: str) -> Validator:
    """One of the documented words."""

    def validate(value: Any, place: FieldPlace) -> Any:
        if value not in values:
            raise place.invalid(f"must be one of {', '.join(values)}")
        return value

    return validate


def words_of(*values: str) -> Validator:
    """Documented words in one comma-separated string."""

    def validate(value: Any, place: FieldPlace) -> str:
        listed = text_value(value, place)
        for word in listed.split(","):
            one_of(*values)(word, place)
        return listed

    return validate


def readable_by(read: Callable[[str], Any], expected: str) -> Validator:
    """A string that ``read`` can read."""

    def validate(value: Any, place: FieldPlace) -> str:
        written = text_value(value, place)
        try:
            read(written)
        except ValueError:
            raise place.invalid(f"must be {expected}") from None
        return written

    return validate


def or_empty(inner: Validator) -> Validator:
    """``inner``, or the empty string where the documentation says "must be empty"."""
    return lambda value, place: value if value == "" else inner(value, place)


def object_of(members: Mapping[str, Validator], required: Sequence[str] = ()) -> Validator:
    """An object of known members."""

    def validate(value: Any, place: FieldPlace) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise place.invalid("must be an object")
        for name in required:
            if value.get(name) in (None, ""):
                raise place.member(name).invalid("is required")
        place.ignored.extend(place.member(name).path for name in value if name not in members)
        given = {name: member for name, member in value.items() if name in members and member is not None}
        return {name: members[name](member, place.member(name)) for name, member in given.items()}

    return validate


def map_of(inner: Validator) -> Validator:
    """An object whose member names are free."""

    def validate(value: Any, place: FieldPlace) -> Any:
        return object_of(dict.fromkeys(value, inner) if isinstance(value, dict) else {})(value, place)

    return validate


def list_of(inner: Validator, limit: int = 0) -> Validator:
    """An array, of at most ``limit`` elements where a limit is documented."""

    def validate(value: Any, place: FieldPlace) -> list[Any]:
        if not isinstance(value, list):
            raise place.invalid("must be an array")
        if limit and len(value) > limit:
            raise place.invalid(f"must have at most {limit} elements")
        return [inner(element, place.element(index)) for index, element in enumerate(value)]

    return validate


def read_iso_date(value: str) -> date:
    """Read ``yyyy-MM-dd``."""
    if not _DATE_PATTERN.fullmatch(value):
        raise ValueError(value)
    return _check_year_range(date.fromisoformat(value))


def read_iso_date_time(value: str) -> datetime:
    """Read an ISO-8601 date-time with its offset, as in all of the documentation's examples."""
    if not _DATE_TIME_PATTERN.fullmatch(value):
        raise ValueError(value)
    return _check_year_range(datetime.fromisoformat(value))


def _check_year_range(value: _DateT) -> _DateT:
    # Far enough from the ends of Python's calendar to be shown in any zone and repeated for years.
    if not 1000 <= value.year < 9000:
        raise ValueError(value)
    return value


def read_zone_name(value: str) -> str:
    """Read the name of a zone of the tz database."""
    if value not in _known_zone_names():
        raise ValueError(value)
    return value


@cache
def _known_zone_names() -> frozenset[str]:
    return frozenset(available_timezones()) - {"Factory", "localtime"}  # files of a machine that name no zone


def read_strict_json(raw: bytes | str) -> Any:
    """Parse strictly: no NaN, no infinity, no half characters, nothing nested beyond reason.

    :raises ValueError: if it is not JSON that could be answered in JSON again.
    """
    try:
        value = json.loads(raw)
        _check_nesting(value, _MAX_NESTING)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def _check_nesting(value: Any, room: int) -> None:
    if not room:
        raise ValueError("nested too deeply")
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_nesting(inner, room - 1)


any_integer = integer_between(-(2**31), 2**31 - 1)
date_value = readable_by(read_iso_date, "a date as yyyy-MM-dd")
date_time_value = readable_by(read_iso_date_time, "an ISO-8601 date-time with an offset")
zone_value = readable_by(read_zone_name, "the name of a zone in the tz database")
