"""The text of a recurrence rule (RFC 5545, 3.3.10 and 3.8.5.3) as typed parts, in whatever notation calendars write it.

Harmless and taken: ``RRULE:`` with or without parameters before it, small letters, blanks, folded lines, a list with
one rule, and RFC 7529's ``RSCALE=GREGORIAN``. What stands beside a rule (``EXDATE``, ``DTSTART``) is refused for what
it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar.models.recurrence import DAYS_BY_CODE

FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
CLOCK_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")
_COUNTED_DAYS = ("BYWEEKNO", "BYYEARDAY")
_KNOWN_PARTS = {
    *("FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY", "BYDAY", "BYSETPOS", "RSCALE", "SKIP"),
    *CLOCK_PARTS,
    *_COUNTED_DAYS,
}
# RFC 7529: what a rule means anyway in the calendar that everybody uses.
_DEFAULT_PARTS = {"RSCALE": "GREGORIAN", "SKIP": "OMIT"}
ONE_BY_ONE = "create its events one by one"
_NOT_A_RULE_TEXT = "must be one rule of RFC 5545, like FREQ=WEEKLY;BYDAY=MO,WE, or {pattern, range}"
_PROPERTY_FORM = re.compile(r'([A-Z-]+)(?:;[A-Z0-9-]+=(?:"[^"]*"|[^":;]*))*:(.*)')
_PART_FORM = re.compile(r"([A-Z-]+)=([^=;]+)")
_WEEKDAY_FORM = re.compile(rf"([+-]?\d{{1,2}})?({'|'.join(DAYS_BY_CODE)})", re.ASCII)
_NEIGHBOUR_REASONS = {
    "EXDATE": "DingTalk's rules have no exceptions: leave EXDATE out, and cancel that occurrence in the series",
    "EXRULE": "DingTalk's rules have no exceptions: leave EXRULE out, and cancel those occurrences in the series",
    "RDATE": "DingTalk's rules have no extra dates: leave RDATE out, and create those as events of their own",
    "DTSTART": "the start is a field of its own: leave DTSTART out, and give start",
    "DTEND": "the end is a field of its own: leave DTEND out, and give end",
}


@dataclass(frozen=True)
class RuleParts:
    """The parts of one rule.

    :ivar days: weekdays as number (0: each) and DingTalk's name.
    :ivar texts: parts that stay text, by name.
    """

    freq: str
    interval: int
    months: tuple[int, ...]
    month_days: tuple[int, ...]
    days: tuple[tuple[int, str], ...]
    positions: tuple[int, ...]
    week_start: str
    texts: dict[str, str]
    source: str


def parse_rule(value: str | Sequence[str]) -> RuleParts:
    """Read the text of one rule.

    :raises ValueError: when it is none, or has something beside it; without what is in it.
    """
    source = _single_rule(value)
    given = _split_parts(source)
    if given.get("FREQ") not in FREQUENCIES:
        raise ValueError(f"FREQ must be one of {', '.join(FREQUENCIES)} in DingTalk; {ONE_BY_ONE}, where it is another")
    if odd := [name for name in _COUNTED_DAYS if name in given]:
        text = "name the day by BYMONTH and BYMONTHDAY or BYDAY"
        raise ValueError(f"DingTalk cannot express {odd[0]}: {text}, or {ONE_BY_ONE}")
    if odd := [name for name, usual in _DEFAULT_PARTS.items() if given.get(name, usual) != usual]:
        raise ValueError(f"DingTalk cannot express {odd[0]}, which RFC 7529 adds: {ONE_BY_ONE}")
    if given.get("WKST", "MO") not in DAYS_BY_CODE:
        raise ValueError("WKST must be a weekday of two letters, like MO")
    return RuleParts(
        freq=given["FREQ"],
        interval=positive_number(given, "INTERVAL", 365),
        months=_numbers(given, "BYMONTH", 1, 12),
        month_days=_numbers(given, "BYMONTHDAY", -31, 31),
        days=_weekdays(given),
        positions=_numbers(given, "BYSETPOS", -366, 366),
        week_start=DAYS_BY_CODE[given.get("WKST", "MO")],
        texts={name: given[name] for name in ("COUNT", "UNTIL", *CLOCK_PARTS) if name in given},
        source=source,
    )


def positive_number(given: dict[str, str], name: str, most: int) -> int:
    """Read a part that is one positive number; DingTalk knows no others."""
    text = given.get(name, "1")
    if not re.fullmatch(r"\+?[0-9]{1,9}", text) or not 1 <= int(text) <= most:
        raise ValueError(f"{name} must be one number, from 1 to {most}, in DingTalk")
    return int(text)


def _single_rule(value: Any) -> str:
    lines = list(value) if isinstance(value, (list, tuple)) else [value]
    if not lines or not all(isinstance(line, str) for line in lines):
        raise ValueError(_NOT_A_RULE_TEXT)
    unfolded = re.sub(r"\r?\n[ \t]", "", "\n".join(lines).strip()).upper()
    rules = [_strip_property(line) for line in unfolded.splitlines() if line.strip()]
    if len(rules) > 1:
        raise ValueError("has several rules, and a series has one: give one series each")
    return rules[0] if rules else ""


def _strip_property(line: str) -> str:
    bare = re.sub(r"\s", "", line)
    named = _PROPERTY_FORM.fullmatch(bare)
    if named and named[1] != "RRULE":
        raise ValueError(_NEIGHBOUR_REASONS.get(named[1], _NOT_A_RULE_TEXT))
    return named[2] if named else bare


def _split_parts(source: str) -> dict[str, str]:
    found = [_PART_FORM.fullmatch(part) for part in source.split(";") if part]
    given = {part[1]: part[2] for part in found if part}
    if not all(found) or given.keys() - _KNOWN_PARTS or "FREQ" not in given:
        raise ValueError(_NOT_A_RULE_TEXT)
    if len(given) < len(found):
        raise ValueError("has a part twice")
    return given


def _numbers(given: dict[str, str], name: str, low: int, high: int) -> tuple[int, ...]:
    words = given[name].rstrip(",").split(",") if name in given else []
    if not all(re.fullmatch(r"[+-]?[0-9]{1,3}", word) and low <= int(word) <= high and int(word) for word in words):
        raise ValueError(f"{name} must be numbers from {low} to {high}{', without 0' if low < 0 else ''}")
    return tuple(sorted({int(word) for word in words}))


def _weekdays(given: dict[str, str]) -> tuple[tuple[int, str], ...]:
    words = given["BYDAY"].rstrip(",").split(",") if "BYDAY" in given else []
    found = [_WEEKDAY_FORM.fullmatch(word) for word in words]
    if not all(found):
        raise ValueError("BYDAY must be weekdays of two letters, like MO,WE")
    if any(day[1] and not int(day[1]) for day in found if day):
        raise ValueError("BYDAY cannot have the number 0")
    return tuple(dict.fromkeys((int(day[1] or 0), DAYS_BY_CODE[day[2]]) for day in found if day))
