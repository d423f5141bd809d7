"""The days of a series: one last day in every part and zone, and what DingTalk does not define is said."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from airflow_dingtalk_calendar.edits import extend_until
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings
from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.rrule import to_rrule
from airflow_dingtalk_calendar.watch.conditions import evaluate_condition, parse_condition
from tests.conftest import EVENT, ORGANIZER

ZONES = [None, "UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Honolulu", "Pacific/Auckland"]
DAYS = {"isAllDay": True, "start": "2027-05-01", "end": "2027-05-02"}
NOTATIONS = [
    "FREQ=DAILY;UNTIL=20270505",
    {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate", "endDate": "2027-05-05"}},
]
NOW = dt.datetime(2027, 5, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("reading", ["written", "UTC", "home"])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("rule", NOTATIONS, ids=["rrule", "mapping"])
def test_an_all_day_series_has_one_last_day(dingtalk: Emulator, rule: Any, zone: str | None, reading: str) -> None:
    """Rule, patch, edits, sensor and DingTalk agree on the last day, whatever the zone and DingTalk's reading of it."""
    dingtalk.configure(all_day_until=reading)
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {**DAYS, "recurrence": rule}, timezone=zone)
        event = hook.get_event(ORGANIZER, EVENT)
        page = hook.list_events_view(ORGANIZER, time_min="2027-04-20T00:00:00Z", time_max="2027-06-01T00:00:00Z")
    assert max(one["start"]["date"] for one in page["events"]) == "2027-05-05"
    assert to_rrule(event["recurrence"], event["start"]) == "FREQ=DAILY;UNTIL=20270505"
    assert extend_until(event, "2027-05-05") is None
    assert extend_until(event, "2027-05-06") is not None
    condition = parse_condition({"fields": {**DAYS, "recurrence": rule}}, zone)
    assert evaluate_condition(condition, event, NOW, zone).state == "met"


@pytest.mark.parametrize(
    "end", ["2027-05-05T23:59:59+02:00", "2027-05-05T23:59:59-10:00", "2027-05-05T23:59:59.000+08:00"]
)
def test_an_end_of_others_is_the_day_it_is_written_with(end: str) -> None:
    """An all-day series that others made ends on the day that its end is written with; the same day is no change."""
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate", "endDate": end}}
    event = {
        "id": "E",
        "isAllDay": True,
        "start": {"date": "2027-05-01"},
        "end": {"date": "2027-05-02"},
        "recurrence": rule,
    }
    assert len(occurrence_spans(event, dt.datetime(2028, 1, 1, tzinfo=dt.UTC))) == 5
    assert to_rrule(rule, event["start"]) == "FREQ=DAILY;UNTIL=20270505"
    assert extend_until(event, "2027-05-05") is None
    wanted = parse_condition({"fields": {"start": "2027-05-01", "recurrence": "FREQ=DAILY;UNTIL=20270505"}}, None)
    assert evaluate_condition(wanted, event, NOW).state == "met"
    cautions = EventPatch.parse({**DAYS, "recurrence": rule}).cautions
    assert any("write the day alone" in one for one in cautions) == (end[-6:] != "+08:00")


SHANGHAI = {"timezone": "Asia/Shanghai"}
MONTH_LENGTH, OFF_RULE, NEVER = "some months do not have its day", "not on a day of the rule", "is before the start"


def weekly(day: str, span: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write a weekly rule."""
    return {"pattern": {"type": "weekly", "interval": 1, "daysOfWeek": day}, "range": span or {"type": "noEnd"}}


def monthly(day: int, interval: int = 1, kind: str = "absoluteMonthly") -> dict[str, Any]:
    """Write a rule of one day a month, or a year."""
    return {"pattern": {"type": kind, "interval": interval, "dayOfMonth": day}, "range": {"type": "noEnd"}}


@pytest.mark.parametrize(
    ("start", "rrule", "mapping", "text"),
    [
        ("2027-05-31", "FREQ=MONTHLY;BYMONTHDAY=31", monthly(31), MONTH_LENGTH),
        ("2027-05-29", "FREQ=MONTHLY", monthly(29), MONTH_LENGTH),
        ("2027-01-31", "FREQ=MONTHLY;INTERVAL=3", monthly(31, 3), MONTH_LENGTH),
        ("2028-02-29", "FREQ=YEARLY", monthly(29, kind="absoluteYearly"), MONTH_LENGTH),
        ("2028-02-29", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", monthly(29, kind="absoluteYearly"), MONTH_LENGTH),
        ("2027-05-31", "FREQ=YEARLY", monthly(31, kind="absoluteYearly"), None),
        ("2027-01-31", "FREQ=MONTHLY;INTERVAL=12", monthly(31, 12), None),
        ("2027-01-30", "FREQ=MONTHLY;INTERVAL=6;BYMONTHDAY=30", monthly(30, 6), None),
        ("2027-05-28", "FREQ=MONTHLY", monthly(28), None),
        ("2027-03-09", "FREQ=WEEKLY;BYDAY=MO", weekly("monday"), OFF_RULE),
        ("2027-03-09", "FREQ=MONTHLY;BYMONTHDAY=10", monthly(10), OFF_RULE),
        ("2027-03-09", "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=10", monthly(10, kind="absoluteYearly"), OFF_RULE),
        ("2027-03-09", "FREQ=WEEKLY;BYDAY=TU", weekly("tuesday"), None),
    ],
)  # fmt: skip
def test_what_dingtalk_does_not_define_is_said_in_every_notation(
    start: str, rrule: str, mapping: dict[str, Any], text: str | None
) -> None:
    """A day that some months lack, and a start off its rule, are the same caution as RRULE and as mapping."""
    end = f"{dt.date.fromisoformat(start) + dt.timedelta(days=1)}"
    for times in ({"isAllDay": True, "start": start, "end": end}, {"start": f"{start}T10:00", "end": f"{start}T11:00"}):
        said = [EventPatch.parse({**times, "recurrence": one}, **SHANGHAI).cautions for one in (rrule, mapping)]
        assert said[0] == said[1]
        about_rule = [one for one in said[0] if "taken away" not in one]
        assert [text in one for one in about_rule] == ([True] if text else [])


def test_a_rule_alone_may_lack_its_day() -> None:
    """Without a start, any month may be meant."""
    (caution,) = EventPatch.parse({"recurrence": monthly(31, kind="absoluteYearly")}).cautions
    assert MONTH_LENGTH in caution
    assert EventPatch.parse({"recurrence": monthly(28)}).cautions == ()


@pytest.mark.parametrize("last", ["20270308", "20270309T015959Z"])
def test_a_series_that_never_takes_place_is_refused(last: str) -> None:
    """An end before the first occurrence is refused in every notation, by the minute where both have one."""
    moment = dt.datetime.fromisoformat(last).isoformat()
    given = moment[:10] if "T" not in last else moment
    mapping = weekly("tuesday", {"type": "endDate", "endDate": given})
    for rule in (f"FREQ=WEEKLY;BYDAY=TU;UNTIL={last}", mapping):
        with pytest.raises(InvalidPatchError, match=NEVER):
            EventPatch.parse({"start": "2027-03-09T10:00", "end": "2027-03-09T11:00", "recurrence": rule}, **SHANGHAI)


@pytest.mark.parametrize(
    ("pattern", "start", "skipped", "last_day"),
    [
        (
            {"type": "absoluteMonthly", "dayOfMonth": 31},
            "2027-01-31",
            ["01-31", "03-31"],
            ["01-31", "02-28", "03-31", "04-30"],
        ),
        ({"type": "absoluteYearly"}, "2028-02-29", ["02-29"], ["02-29", "02-28", "02-28"]),
    ],
)  # fmt: skip
def test_a_missing_day_is_a_switch(
    pattern: dict[str, Any], start: str, skipped: list[str], last_day: list[str]
) -> None:
    """The emulator skips a day that a month does not have, or takes its last day."""
    event = {"start": {"date": start}, "end": {"date": start}, "recurrence": {"pattern": pattern}}
    for word, expected in (("skipped", skipped), ("last_day", last_day)):
        settings = EmulatorSettings(missing_day=word)  # type: ignore[arg-type]
        until = dt.datetime(2027, 5, 1, tzinfo=dt.UTC) if start < "2028" else dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
        spans = occurrence_spans(event, until, settings)
        assert [f"{begin + dt.timedelta(hours=8):%m-%d}" for begin, _ in spans] == expected
