"""Field types that take what a rendered template holds, and nothing that could mean something else.

Jinja turns everything into text (``"15"``, ``"False"``), native rendering turns text into Python values
(``42`` for an event's title). Each type here says what it accepts of that; whatever is refused is refused
with a text that names the remedy and never the value.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Set
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import BeforeValidator, Field

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.blanks import describe_blank, describe_type, explain_refusal, is_blank
from airflow_dingtalk_calendar.models.json_values import NOT_UNICODE_TEXT, is_unicode

T = TypeVar("T")
WeekdayName = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
WEEKDAYS: tuple[str, ...] = get_args(WeekdayName)


def read_argument(name: str, reader: Callable[[Any], T], value: Any) -> T:
    """Read the value of an argument.

    :raises InvalidInputError: with the argument's name, for what the reader refuses.
    """
    try:
        return reader(value)
    except ValueError as error:
        raise InvalidInputError((name, str(error))) from None


def parse_text(value: Any) -> str:
    """Text, or an integer that native rendering made of one."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        if not is_unicode(str(value)):
            raise ValueError(NOT_UNICODE_TEXT)
        return str(value)
    structured = isinstance(value, (list, tuple, dict))
    remedy = "" if structured else "; quote it, or in a template with native rendering write {{ … | string | tojson }}"
    raise ValueError(explain_refusal(f"must be text, not {describe_type(value)}{remedy}", value))


def parse_id(value: Any) -> str:
    """Text that names something, so it cannot be blank."""
    text = parse_text(value).strip()
    if is_blank(text):
        raise ValueError(describe_blank(text))
    return text


def parse_choice(value: Any) -> str:
    """One of the service's words; white space around it is a template's, not a person's."""
    return parse_text(value).strip()


def parse_flag(value: Any) -> bool:
    """A boolean, or its name in text: ``bool("False")`` is true in Python, so no other text will do."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in ("true", "false"):
        return word == "true"
    raise ValueError(explain_refusal("must be true or false", value))


def parse_integer(value: Any) -> int:
    """An integer, also as text or as a float without a fraction (``{{ 30 / 2 }}``)."""
    # No limit has more digits, and int() takes long for very many.
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,18}\s*", value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(explain_refusal("must be an integer", value))


def parse_seconds(value: Any) -> float:
    """A length of time: a timedelta, seconds, or either as text (a template renders a timedelta as ``1:30:00``)."""
    seconds = _duration_seconds(value)
    if seconds is None or not 0 <= seconds < 10**9:
        raise ValueError(explain_refusal("must be a timedelta, or seconds from 0 up", value))
    return seconds


def _duration_seconds(value: Any) -> float | None:
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    if re.fullmatch(r"\s*[0-9]+(\.[0-9]+)?\s*", value):
        return float(value)
    parts = re.fullmatch(r"\s*(?:([0-9]{1,5}) days?, )?([0-9]{1,2}):([0-9]{2}):([0-9]{2}(?:\.[0-9]+)?)\s*", value)
    if not parts:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in parts.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_weekdays(value: Any) -> str:
    """``"monday,friday"``, or a list of those words; the service wants one comma-separated text."""
    given = value.split(",") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(day, str) for day in given):
        raise ValueError("must be weekday names separated by commas")
    days = [day.strip().lower() for day in given]
    if not days or any(day not in WEEKDAYS for day in days):
        raise ValueError(f"must name days in full, of {', '.join(WEEKDAYS)}")
    if len(set(days)) < len(days):
        raise ValueError("names a day twice")
    return ",".join(days)


def refuse_set(value: Any) -> Any:
    """Anything but a set, whose order is another one in each process: a retry would send another request."""
    if not isinstance(value, list) and isinstance(value, Set):
        raise ValueError("must be a list; a set has no order")
    return value


def parse_switch(value: Any) -> str:
    """``"true"`` or ``"false"``: the switches in ``extra`` are strings on the wire."""
    return "true" if parse_flag(value) else "false"


# A limit stands before these, beside the bare type: pydantic's compiled part checks it there.
AsText = BeforeValidator(parse_text)
AsInteger = BeforeValidator(parse_integer)
MAX_INTEGER = 2**31 - 1  # the service counts in Java integers
Text = Annotated[str, AsText]
Id = Annotated[str, BeforeValidator(parse_id)]
Flag = Annotated[bool, BeforeValidator(parse_flag)]
Weekdays = Annotated[str, BeforeValidator(parse_weekdays)]
Switch = Annotated[str, BeforeValidator(parse_switch)]
Choice = BeforeValidator(parse_choice)
Weekday = Annotated[WeekdayName, Choice]
Members = Annotated[list[T], BeforeValidator(refuse_set)]
Interval = Annotated[int, Field(ge=1, le=365), AsInteger]
