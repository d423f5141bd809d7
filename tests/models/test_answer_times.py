"""Times that DingTalk wrote are read in one place; what has no offset is no moment, but where a reader says so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.models.answer_times import normalize_answer_time, read_answer_time, same_moment

TEN = dt.datetime(2027, 3, 2, 2, tzinfo=dt.UTC)
OFFSETS = st.timezones() | st.just(dt.UTC)


@pytest.mark.parametrize("text", ["2027-03-02T10:00:00+08:00", "2027-03-02T02:00:00Z", "2027-03-02T02:00Z"])
def test_every_notation_of_a_moment(text: str) -> None:
    """A moment is the same in each notation of the service."""
    assert read_answer_time(text) == TEN
    assert normalize_answer_time(text) == "2027-03-02T02:00:00+00:00"
    assert same_moment("2027-03-02T10:00:00.000+08:00", text)


def test_a_time_without_an_offset() -> None:
    """A time without an offset is not read, unless its reader says what it is in."""
    assert read_answer_time("2027-03-02T02:00:00") is None
    assert read_answer_time("2027-03-02T02:00:00", assumed_zone=dt.UTC) == TEN
    assert read_answer_time("2027-03-02T10:00:00+08:00", assumed_zone=dt.UTC) == TEN
    assert not same_moment("2027-03-02T02:00:00Z", "2027-03-02T02:00:00")


@pytest.mark.parametrize("value", [None, "", "soon", 7, ["2027-03-02T02:00:00Z"], "9999-12-31T23:59:59-10:00"], ids=str)
def test_what_cannot_be_normalized_stays(value: Any) -> None:
    """What is no time, or is out of range in UTC, is compared as it is."""
    assert normalize_answer_time(value) == value
    assert same_moment(value, value)


@given(st.datetimes(*map(dt.datetime.fromisoformat, ("1971-01-01", "2100-01-01")), timezones=OFFSETS), OFFSETS)
def test_a_moment_in_any_zone(moment: dt.datetime, zone: dt.tzinfo) -> None:
    """A moment is the same in every zone, and another one a second later."""
    there = moment.astimezone(zone)
    assert same_moment(moment.isoformat(), there.isoformat())
    assert not same_moment(moment.isoformat(), (there.astimezone(dt.UTC) + dt.timedelta(seconds=1)).isoformat())
