"""Occurrences of a series that a patch would take away are counted, where the event is known, or warned of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.edits import move_to, shift
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.occurrences import warn_of_loss
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import Ti
from tests.conftest import EVENT, ORGANIZER, event

WEEKLY_RULE = {
    "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 1},
    "range": {"type": "noEnd"},
}
SERIES = event(recurrence=WEEKLY_RULE)  # from Tuesday 2027-03-02
LATER = {"start": "2027-03-30T10:00", "end": "2027-03-30T11:00"}
GENERAL = "if it is later than that of a series"


def cautions(patch: dict[str, Any], found: dict[str, Any] | None) -> list[str]:
    """Return the cautions about a series' start."""
    parsed = EventPatch.parse(patch, timezone="Asia/Shanghai")
    return [one for one in parsed.cautions_about(found) if one.startswith("patch.start:")]


def series(pattern: dict[str, Any], **span: Any) -> dict[str, Any]:
    """Make a series of a rule."""
    return event(recurrence={"pattern": {"interval": 1, **pattern}, "range": {"type": "noEnd", **span}})


@pytest.mark.parametrize(
    ("found", "patch", "number"),
    [
        (SERIES, {**LATER, "recurrence": "FREQ=WEEKLY;BYDAY=TU"}, "4"),
        (SERIES, {**LATER, "recurrence": WEEKLY_RULE}, "4"),
        (SERIES, LATER, "4"),
        (SERIES, {"start": "2027-03-02T15:00", "end": "2027-03-02T16:00"}, None),
        (SERIES, {"start": "2027-02-02T10:00", "end": "2027-02-02T11:00", "recurrence": WEEKLY_RULE}, None),
        (SERIES, {"start": "2027-03-30", "end": "2027-03-31", "is_all_day": True}, "4"),
        (series({"type": "daily"}), LATER, "28"),
        (series({"type": "daily", "interval": 7}), LATER, "4"),
        (series({"type": "daily"}, type="numbered", numberOfOccurrences=10), LATER, "10"),
        (series({"type": "daily"}, type="endDate", endDate="2027-03-05T23:59:59+08:00"), LATER, "4"),
        (series({"type": "daily"}, type="endDate", endDate="2027-03-05T15:59:59Z"), LATER, "4"),
        (series({"type": "absoluteMonthly", "dayOfMonth": 2}), {"start": "2028-03-02T10:00"}, "12"),
        (series({"type": "relativeMonthly", "index": "first", "daysOfWeek": "tuesday"}), LATER, "1"),
        (series({"type": "absoluteYearly"}), {"start": "2030-03-02T10:00"}, "3"),
        (series({"type": "daily"}), {"start": "2999-03-02T10:00"}, "more than 1,000"),
        (event(), {**LATER, "recurrence": WEEKLY_RULE}, None),
        ({**SERIES, "seriesMasterId": "master"}, LATER, None),
        ({**SERIES, "seriesMasterId": EVENT}, LATER, "4"),
        (
            event(recurrence=WEEKLY_RULE, start={"date": "2027-03-02"}, end={"date": "2027-03-03"}, isAllDay=True),
            {"start": "2027-03-16", "end": "2027-03-17"},
            "2",
        ),
        (SERIES, {"summary": "New"}, None),
    ],
    ids=str,
)
def test_occurrences_are_counted(found: dict[str, Any], patch: dict[str, Any], number: str | None) -> None:
    """A patch of a known event says how many occurrences are before its new start, and nothing where there are none."""
    said = cautions(patch, found)
    assert len(said) == (number is not None)
    assert all(f"takes away {number} of the series' occurrences" in one and "plans.split_series" in one for one in said)


@pytest.mark.parametrize(
    "found", [None, {**SERIES, "recurrence": {"pattern": {"type": "odd"}}}, {**SERIES, "start": 7}]
)
def test_in_general(found: dict[str, Any] | None) -> None:
    """Of an event that is not known, or that nobody can read, it is said in general."""
    (said,) = cautions({**LATER, "recurrence": WEEKLY_RULE}, found)
    assert GENERAL in said
    assert cautions({"recurrence": WEEKLY_RULE}, found) == []
    assert cautions(LATER, None) == []


@given(
    st.sampled_from([("daily", DAILY), ("weekly", WEEKLY), ("absoluteMonthly", MONTHLY)]),
    st.integers(1, 30),
    st.integers(0, 900),
    st.integers(1, 99),
)
def test_as_another_counts(kind: tuple[str, int], interval: int, days: int, count: int) -> None:
    """The number is that of the rule's days before the new start."""
    name, frequency = kind
    own = {"daily": {}, "weekly": {"daysOfWeek": "tuesday"}, "absoluteMonthly": {"dayOfMonth": 2}}[name]
    found = series({"type": name, "interval": interval, **own}, type="numbered", numberOfOccurrences=count)
    first = dt.datetime(2027, 3, 2)  # noqa: DTZ001  # a day
    start = first + dt.timedelta(days=days)
    lost = sum(one < start for one in rrule(frequency, dtstart=first, interval=interval, count=count))
    body = {"start": {"dateTime": f"{start:%Y-%m-%d}T10:00:00+08:00", "timeZone": "Asia/Shanghai"}}
    said = warn_of_loss(body, found)
    assert (said or "").startswith(f"takes away {lost} of") == bool(lost)


def test_the_row_of_a_plan(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A row that has its event says the number, in the log and in a dry run; one that has none says it in general."""
    rows = [
        {"event_id": EVENT, "patch": {**LATER, "recurrence": WEEKLY_RULE}, "event": SERIES},
        {"event_id": "B", "patch": {**LATER, "recurrence": WEEKLY_RULE}},
    ]
    operator = DingTalkCalendarApplyPlanOperator(
        task_id="t", union_id=ORGANIZER, plan=rows, timezone="Asia/Shanghai", dry_run=True
    )
    first, second = operator.execute({"ti": Ti()})["rows"]
    assert "takes away 4 of" in first["cautions"][0]
    assert GENERAL in second["cautions"][0]
    assert "plan[0].patch.start: takes away 4 of" in said.text


def test_a_row_whose_event_is_read(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A row that reads its event says the number then."""
    dingtalk.store.put_events([SERIES])
    DingTalkCalendarApplyPlanOperator(
        task_id="t",
        union_id=ORGANIZER,
        plan=[{"event_id": EVENT, "patch": LATER}],
        timezone="Asia/Shanghai",
        skip_if_unchanged=True,
    ).execute({"ti": Ti()})
    assert "plan[0].patch.start: takes away 4 of" in said.text


@pytest.mark.parametrize(("skip", "text"), [(True, "takes away 4 of"), (False, GENERAL)])
def test_one_event(dingtalk: Emulator, said: pytest.LogCaptureFixture, skip: bool, text: str) -> None:
    """The operator for one event says the number with skip_if_unchanged, and else in general."""
    dingtalk.store.put_events([SERIES])
    DingTalkCalendarPatchEventOperator(
        task_id="t",
        union_id=ORGANIZER,
        event_id=EVENT,
        patch={**LATER, "recurrence": WEEKLY_RULE},
        timezone="Asia/Shanghai",
        skip_if_unchanged=skip,
    ).execute({"ti": Ti()})
    assert text in said.text


def test_edits(caplog: pytest.LogCaptureFixture) -> None:
    """An edit that moves a series to a later day warns; one within the day, earlier, or of a single event does not."""
    shift(SERIES, dt.timedelta(days=14))
    assert f"Event {EVENT}: start: takes away 2 of" in caplog.text
    caplog.clear()
    move_to(SERIES, "2027-03-02T15:00")
    shift(SERIES, dt.timedelta(days=-7))
    shift(event(), dt.timedelta(days=14))
    assert caplog.text == ""
