"""Any rule of RFC 5545 by days: the same occurrences in DingTalk's words, or refused."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from hypothesis import event, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.models.rrule import from_rrule, to_rrule

CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def joined(values: Any) -> str:
    """Write a list as a rule does."""
    return ",".join(map(str, values))


def months_near(month: int) -> st.SearchStrategy[list[int]]:
    """Choose months of a year: the start's, those at one distance from it, or any."""
    at_distance = [sorted({(month - 1 + step) % 12 + 1 for step in range(0, 12, gap)}) for gap in (1, 2, 3, 4, 6, 12)]
    return st.sampled_from(at_distance) | st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> tuple[dt.datetime, str]:
    """Make a start by day, when no clocks change, and a rule that may say anything but times of day."""
    day = draw(st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)))
    start = dt.datetime.combine(day, dt.time(draw(st.integers(7, 20)), 30), ZoneInfo(draw(st.sampled_from(ZONES))))
    own, week = CODES[day.weekday()], (day.day + 6) // 7
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={freq}", f"INTERVAL={draw(st.sampled_from([1, 1, 1, 2, 3, 5, 6, 12, 24]))}"]
    if draw(st.booleans()):
        parts.append(f"BYMONTH={joined(draw(months_near(day.month)))}")
    if draw(st.booleans()):
        numbers = ["", "", str(week), "-1", "+1"] if freq in ("MONTHLY", "YEARLY") else [""]
        number = draw(st.sampled_from(numbers))
        named = draw(st.sampled_from([[number + own], [number + own], [own, draw(st.sampled_from(CODES))], CODES]))
        parts.append(f"BYDAY={joined(dict.fromkeys(named))}")
    if freq != "WEEKLY" and draw(st.booleans()):
        weeks = [range(first, first + 7) for first in (1, 8, 15, 22, -7)]
        parts.append(f"BYMONTHDAY={joined(draw(st.sampled_from([[day.day], [day.day], [day.day, 15], [-1], *weeks])))}")
    if len(parts) > 2 and parts[-1].startswith("BY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from(['1', '-1', str(week), '2', '1,2']))}")
    parts.append(f"WKST={draw(st.sampled_from(CODES))}")
    return start, ";".join(parts)


def by_library(start: dt.datetime, text: str, until: dt.datetime) -> list[dt.datetime]:
    """List the times that the library says a rule has."""
    return [moment.astimezone(dt.UTC) for moment in rrulestr(text, dtstart=start).between(start, until, inc=True)]


@given(rules())
def test_a_rule_keeps_its_occurrences(case: tuple[dt.datetime, str]) -> None:
    """Whatever rule is translated has the occurrences that RFC 5545 gives it, and has them still as an RRULE again."""
    start, text = case
    written = {"dateTime": start.isoformat(), "timeZone": str(start.tzinfo)}
    try:
        recurrence = from_rrule(text, written)
    except ValueError:
        event("refused")
        return
    until = start + dt.timedelta(days=366 * 5, hours=1)
    expected = by_library(start, text, until)
    if expected[:1] != [start.astimezone(dt.UTC)]:
        event("the start is off the rule")
        return  # of which RFC 5545 says nothing
    spans = occurrence_spans({"start": written, "end": written, "recurrence": recurrence}, until)
    assert [begin for begin, _ in spans] == expected
    again = to_rrule(recurrence, written)
    assert by_library(start, again, until) == expected
    assert from_rrule(again, written) == recurrence
