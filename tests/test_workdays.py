"""Working days: Monday to Friday, dates of one's own, and China's calendar for the years that it knows."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.workdays import is_workday, next_workday

DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1))
EXTRA = "needs the extra workdays"


def test_monday_to_friday() -> None:
    """Without anything given, weekends are off."""
    assert [is_workday(dt.date(2027, 3, day)) for day in range(1, 8)] == [True] * 5 + [False] * 2
    assert next_workday("2027-03-05") == dt.date(2027, 3, 8)


def test_dates_of_ones_own() -> None:
    """They win over weekdays, in any year."""
    own: dict[str, Any] = {"holidays": ["2031-05-01", dt.date(2031, 5, 2)], "extra_workdays": ["2031-05-03"]}
    assert not is_workday("2031-05-01", **own)
    assert next_workday("2031-04-30", **own) == dt.date(2031, 5, 3)


def test_china() -> None:
    """Adjusted weekends are working days, and dates of one's own win over the country's."""
    pytest.importorskip("chinese_calendar", reason=EXTRA)
    assert is_workday("2026-02-14", country="CN")  # a Saturday
    assert next_workday("2026-09-30", country="CN") == dt.date(2026, 10, 8)
    assert not is_workday("2026-02-14", country="CN", holidays=["2026-02-14"])


@pytest.mark.parametrize("day", ["2003-12-31", "2060-01-01"])
def test_years_that_are_not_known(day: str) -> None:
    """A day beyond the calendar's years is an error that names them, and what to do instead; it is never guessed."""
    pytest.importorskip("chinese_calendar", reason=EXTRA)
    with pytest.raises(InvalidInputError, match=r"day: .* covers, 2004 to \d+: .*give holidays"):
        is_workday(day, country="CN")
    assert next_workday(day, holidays=[day])


def test_a_search_that_leaves_the_known_years() -> None:
    """The next working day after the last known year is an error, too."""
    chinese_calendar = pytest.importorskip("chinese_calendar", reason=EXTRA)
    last = max(chinese_calendar.constants.holidays).year
    with pytest.raises(InvalidInputError, match=f"{last + 1}-01-01"):
        next_workday(dt.date(last, 12, 31), country="CN")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error without it says how to install it, and one can go on with dates."""
    monkeypatch.setitem(sys.modules, "chinese_calendar", None)
    with pytest.raises(InvalidInputError, match=r"country: .*airflow-dingtalk-calendar\[workdays\]"):
        is_workday("2026-02-14", country="CN")
    assert is_workday("2026-02-16")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"day": "soon"}, "day"),
        ({"day": dt.datetime(2027, 1, 1, tzinfo=dt.UTC)}, "day"),
        ({"holidays": "2027-01-01"}, "holidays: must be a list"),
        ({"holidays": ["x"]}, r"holidays\[0\]"),
        ({"holidays": ["2027-01-01"], "extra_workdays": ["2027-01-01"]}, "extra_workdays"),
        ({"country": "DE"}, "country"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], text: str) -> None:
    """Each is named."""
    with pytest.raises(InvalidInputError, match=text):
        is_workday(**{"day": "2027-01-04", **arguments})


def test_no_working_day_at_all() -> None:
    """A search ends after a year."""
    first = dt.date(2027, 1, 1)
    with pytest.raises(InvalidInputError, match="no working day"):
        next_workday(first, holidays=[first + dt.timedelta(days=number) for number in range(400)])


@given(day=DAYS, holidays=st.lists(DAYS, max_size=5), near=st.sets(st.integers(1, 20), max_size=15))
def test_the_next_working_day_is_the_first(day: dt.date, holidays: list[dt.date], near: set[int]) -> None:
    """It is a working day after the day, and those between are none."""
    off = [*holidays, *(day + dt.timedelta(days=number) for number in near)]
    found = next_workday(day, holidays=off)
    between = [day + dt.timedelta(days=number) for number in range(1, (found - day).days)]
    assert found > day
    assert is_workday(found, holidays=off)
    assert not any(is_workday(one, holidays=off) for one in between)
