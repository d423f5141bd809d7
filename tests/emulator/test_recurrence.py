"""The days a rule names, on which room conflicts rest."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from airflow_dingtalk_calendar.emulator.state.recurrence import events_overlap, occurrence_spans, pattern_days


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"type": "daily", "interval": 10}, ["01-29", "02-08", "02-18", "02-28"]),
        (
            {"type": "weekly", "daysOfWeek": "monday,friday", "interval": 2},
            ["01-29", "02-08", "02-12", "02-22", "02-26"],
        ),
        ({"type": "weekly", "interval": 2}, ["01-29", "02-12", "02-26"]),
        (
            {"type": "weekly", "daysOfWeek": "sunday,friday", "interval": 2, "firstDayOfWeek": "monday"},
            ["01-29", "01-31", "02-12", "02-14", "02-26", "02-28"],
        ),
        ({"type": "absoluteMonthly"}, ["01-29", "03-29"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 31}, ["01-31", "03-31"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 5, "interval": 2}, ["03-05"]),
        ({"type": "relativeMonthly", "index": "last", "daysOfWeek": "friday"}, ["01-29", "02-26", "03-26"]),
        (
            {"type": "relativeMonthly", "index": "second", "daysOfWeek": "tuesday,monday"},
            ["02-08", "02-09", "03-08", "03-09"],
        ),
        ({"type": "absoluteYearly"}, ["01-29"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 30, "interval": 12}, ["01-30"]),
        ({}, []),
        ({"interval": 2}, []),
    ],
)
def test_days(pattern, expected):
    """Each kind of pattern names its days; days a month does not have are left out."""
    last = date(2027, 3, 31) if "onthly" in pattern.get("type", "") else date(2027, 3, 1)
    assert [f"{day:%m-%d}" for day in pattern_days(pattern, date(2027, 1, 29), last)] == expected


def test_a_rule_without_any_day_ends():
    """A pattern that never fits does not search forever."""
    pattern = {"type": "absoluteMonthly", "dayOfMonth": 31, "interval": 12}
    assert list(pattern_days(pattern, date(2027, 2, 1), date(2900, 1, 1))) == []


def recurring_event(start, hours=1, zone="Europe/London", **recurrence):
    """Return an event that starts at a UTC time."""
    begin = datetime.fromisoformat(start + "+00:00")
    moments = {"start": begin, "end": begin + timedelta(hours=hours)}
    return {
        **{name: {"dateTime": moment.isoformat(), "timeZone": zone} for name, moment in moments.items()},
        **({"recurrence": recurrence} if recurrence else {}),
    }


def utc_starts(recurring, until):
    """Return the UTC starts of an event before a time."""
    return [
        f"{start:%m-%d %H:%M}"
        for start, _ in occurrence_spans(recurring, datetime.fromisoformat(until).replace(tzinfo=UTC))
    ]


def test_local_time_stays_over_a_clock_change():
    """A weekly meeting at nine in London stays at nine when summer time begins."""
    weekly = recurring_event("2027-03-22T09:00", pattern={"type": "weekly"}, range={"type": "noEnd"})
    assert utc_starts(weekly, "2027-04-06") == ["03-22 09:00", "03-29 08:00", "04-05 08:00"]


def test_a_day_is_the_one_it_is_there():
    """An occurrence before the end in UTC counts, though it is a day later already where it takes place."""
    daily = recurring_event("2027-01-01T19:00", zone="Asia/Shanghai", pattern={"type": "daily"})
    assert utc_starts(daily, "2027-01-03T19:30") == ["01-01 19:00", "01-02 19:00", "01-03 19:00"]


def test_ranges_end():
    """A series ends after its number, at its end date, or where the question ends."""
    daily = {"pattern": {"type": "daily"}}
    assert len(utc_starts(recurring_event("2027-01-01T09:00", **daily), "2027-01-11")) == 10
    assert (
        len(utc_starts(recurring_event("2027-01-01T09:00", **daily, range={"numberOfOccurrences": 3}), "2027-01-11"))
        == 3
    )
    until = {"endDate": "2027-01-04T09:00:00Z"}
    assert len(utc_starts(recurring_event("2027-01-01T09:00", **daily, range=until), "2027-01-11")) == 4


def test_the_first_occurrence_is_the_start():
    """The event's own start counts, also if the pattern names other days."""
    mondays = recurring_event(
        "2027-01-01T09:00", pattern={"type": "weekly", "daysOfWeek": "monday"}, range={"numberOfOccurrences": 2}
    )
    assert utc_starts(mondays, "2027-02-01") == ["01-01 09:00", "01-04 09:00"]


def test_events_clash_where_they_overlap():
    """Touching is not overlapping; one occurrence in common is enough."""
    assert events_overlap(recurring_event("2027-01-01T09:00"), recurring_event("2027-01-01T09:59"))
    assert not events_overlap(recurring_event("2027-01-01T09:00"), recurring_event("2027-01-01T10:00"))
    daily = {"pattern": {"type": "daily"}}
    assert events_overlap(recurring_event("2027-06-01T09:00"), recurring_event("2027-01-01T09:00", zone="UTC", **daily))
    assert not events_overlap(recurring_event("2026-06-01T09:00"), recurring_event("2027-01-01T09:00", **daily))
    days_off = {"start": {"date": "2027-01-01"}, "end": {"date": "2027-01-03"}}
    assert events_overlap(days_off, recurring_event("2027-01-01T20:00"))
