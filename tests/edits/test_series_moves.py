"""Monthly and yearly series move by whole months and years, each occurrence by the same, or not at all."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.edits import move_to, shift
from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.exceptions import InvalidInputError

ZONE = "Europe/Berlin"
LATEST = dt.datetime(2150, 1, 1, tzinfo=dt.UTC)


def series(start: dt.date, pattern: dict[str, Any], span: dict[str, Any] | None = None, zone: str | None = ZONE) -> Any:
    """Describe a series as GetEvent returns it, of an hour at nine or of a day."""
    recurrence = {"pattern": {"interval": 1, **pattern}, "range": span or {"type": "noEnd"}}
    if zone is None:
        times = {"start": {"date": f"{start}"}, "end": {"date": f"{start + dt.timedelta(days=1)}"}}
        return {"id": "E", "isAllDay": True, **times, "recurrence": recurrence}
    times = {
        name: {"dateTime": f"{start}T{hour}:00:00", "timeZone": zone} for name, hour in (("start", "09"), ("end", "10"))
    }
    place = pendulum.timezone(zone)
    for one in times.values():
        one["dateTime"] = place.convert(dt.datetime.fromisoformat(one["dateTime"])).isoformat()
    return {"id": "E", **times, "recurrence": recurrence}


def days_of(event: Any) -> list[dt.date]:
    """List the days of a series, by the emulator's reading of its rule."""
    place = pendulum.timezone(event["start"].get("timeZone") or "Asia/Shanghai")
    return [start.astimezone(place).date() for start, _ in occurrence_spans(event, LATEST)]


def moved(day: dt.date, months: int) -> dt.date:
    """Move a day by months, as pendulum does."""
    there = pendulum.date(day.year, day.month, day.day).add(months=months)
    return dt.date(there.year, there.month, there.day)


@given(
    st.dates(dt.date(2026, 1, 1), dt.date(2028, 12, 31)).filter(lambda day: day.day <= 28),
    st.sampled_from(["absoluteMonthly", "absoluteYearly"]),
    st.sampled_from([1, 2, 3, 12]),
    st.integers(-30, 30).filter(bool),
    st.integers(0, 1000) | st.sampled_from([-7, -1]),
    st.sampled_from([ZONE, None]),
)
def test_each_occurrence_moves_by_months(
    start: dt.date, kind: str, interval: int, months: int, length: int, zone: str | None
) -> None:
    """Moved by months, a series has as many occurrences, each on its day of another month."""
    end = f"{start + dt.timedelta(days=length)}T{'12:00:00Z' if zone is None else '20:00:00Z'}"
    spans = {"type": "endDate", "endDate": end} if length >= 0 else {"type": "numbered", "numberOfOccurrences": -length}
    event = series(start, {"type": kind, "interval": interval, "dayOfMonth": start.day}, spans, zone)
    patch = shift(event, pendulum.duration(months=months))
    assert patch
    assert days_of({**event, **patch}) == [moved(day, months) for day in days_of(event)]


@pytest.mark.parametrize(
    ("start", "pattern", "by"),
    [
        (dt.date(2027, 3, 9), {"type": "absoluteYearly"}, pendulum.duration(years=1)),
        (dt.date(2027, 5, 31), {"type": "absoluteYearly", "dayOfMonth": 31}, pendulum.duration(years=1)),
        (dt.date(2027, 5, 31), {"type": "absoluteYearly", "dayOfMonth": 31}, pendulum.duration(months=2)),
        (
            dt.date(2027, 1, 31),
            {"type": "absoluteMonthly", "dayOfMonth": 31, "interval": 12},
            pendulum.duration(years=2),
        ),
    ],
)
def test_a_day_that_is_always_there_moves(start: dt.date, pattern: dict[str, Any], by: pendulum.Duration) -> None:
    """A yearly series moves by years, and to another month that has its day."""
    event = series(start, pattern, {"type": "numbered", "numberOfOccurrences": 5})
    patch = shift(event, by)
    assert patch
    months = by.years * 12 + by.months
    assert days_of({**event, **patch}) == [moved(day, months) for day in days_of(event)]


def test_a_weekday_of_the_month_moves_to_that_of_another() -> None:
    """The fourth Thursday of November becomes that of December, every year, and the last of them is kept."""
    pattern = {"type": "relativeMonthly", "daysOfWeek": "thursday", "index": "fourth", "interval": 12}
    event = series(dt.date(2027, 11, 25), pattern, {"type": "endDate", "endDate": "2030-11-28T12:00:00Z"})
    patch = move_to(event, "2027-12-23T09:00")
    assert patch
    assert days_of({**event, **patch}) == [
        dt.date(2027, 12, 23),
        dt.date(2028, 12, 28),
        dt.date(2029, 12, 27),
        dt.date(2030, 12, 26),
    ]


ON_A_DAY = "moves by whole months or years only, from a day that its rule names to another"
LACKING = "on a day that some months do not have does not move by months"


@pytest.mark.parametrize(
    ("start", "pattern", "by", "text"),
    [
        (dt.date(2027, 3, 9), {"type": "absoluteMonthly", "dayOfMonth": 9}, dt.timedelta(days=1), ON_A_DAY),
        (dt.date(2027, 3, 9), {"type": "absoluteYearly"}, dt.timedelta(days=7), ON_A_DAY),
        (dt.date(2027, 1, 31), {"type": "absoluteMonthly", "dayOfMonth": 31}, pendulum.duration(months=1), ON_A_DAY),
        (dt.date(2027, 1, 31), {"type": "absoluteMonthly", "dayOfMonth": 31}, pendulum.duration(months=2), LACKING),
        (dt.date(2028, 2, 29), {"type": "absoluteYearly", "dayOfMonth": 29}, pendulum.duration(years=4), LACKING),
        (
            dt.date(2027, 11, 25),
            {"type": "relativeMonthly", "daysOfWeek": "thursday", "index": "fourth"},
            pendulum.duration(months=1),
            ON_A_DAY,
        ),
    ],
)
def test_what_would_not_move_as_a_whole_is_refused(start: dt.date, pattern: Any, by: Any, text: str) -> None:
    """Where occurrences would not all move by the same, the reason is said."""
    with pytest.raises(InvalidInputError, match=rf"^event\.recurrence: a monthly or yearly series {text}"):
        shift(series(start, pattern), by)


def test_an_all_day_event_that_moves_says_that_it_is_one() -> None:
    """A patch that gives days says isAllDay, so that nothing about it is open."""
    event = {"id": "E", "isAllDay": True, "start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
    days = {"start": {"date": "2027-03-03"}, "end": {"date": "2027-03-04"}}
    assert shift(event, dt.timedelta(days=1)) == {"isAllDay": True, **days}
