"""Rows of a plan from events and an edit."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import plans
from airflow_dingtalk_calendar.edits import (
    append_description,
    is_instance,
    is_series,
    merge,
    quiet,
    relocate,
    retitle,
    shift,
)
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.emulator.state.sample import HOLIDAY, LIN, PLANNING, REVIEW, SAMPLE, STAND_UP, WANG
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.occurrences import has_ended
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.plans import rows_for
from tests.frozen.names import PUBLIC
from tests.markdown import sample
from tests.project.test_shown_plans import ORDINARY

__all__ = ["sample"]  # a fixture

NOW = "2038-01-14T12:00:00+08:00"
UPDATED = "2026-12-01T08:00:00Z"


def event(event_id: str = "E", day: str = "2038-03-22", **fields: Any) -> dict[str, Any]:
    """Describe an event of an hour as GetEvent returns it."""
    times = {
        name: {"dateTime": f"{day}T{hour}:00:00+08:00", "timeZone": "Asia/Shanghai"}
        for name, hour in (("start", "09"), ("end", "10"))
    }
    return {"id": event_id, "summary": "Planning", "updateTime": UPDATED, **times, **fields}


def all_day(first: str, after: str) -> dict[str, Any]:
    """Describe an all-day event."""
    return {**event(), "isAllDay": True, "start": {"date": first}, "end": {"date": after}}


def weekly(**span: Any) -> dict[str, Any]:
    """Describe a series on Mondays, from 22 March."""
    return event(recurrence={"pattern": {"type": "weekly", "daysOfWeek": "monday", "interval": 1}, "range": span})


def rename(one: Any) -> Any:
    """Edit any event that is called Planning."""
    return retitle(one, "Planning", "Review", allow_instance=True)


def test_a_row_brings_what_its_event_was(caplog: pytest.LogCaptureFixture) -> None:
    """Each row has the patch, the event and its updateTime; without guard, applying it reads no event again."""
    caplog.set_level(logging.INFO)
    there = event()
    row = {"event_id": "E", "patch": {"summary": "Review"}, "event": there}
    assert rows_for([there], rename, now=NOW) == [{**row, "if_updated_at": UPDATED}]
    assert rows_for(iter([there]), rename, guard=False, now=NOW) == [row]
    assert [one.message for one in caplog.records] == ["1 row from 1 event."] * 2


def test_what_is_left_out_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """One line of the log says how many events there were, and why others are left out."""
    caplog.set_level(logging.INFO)
    newer = event("twice", summary="Planning 2", updateTime="2026-12-02T08:00:00Z")
    events = [
        event("twice"),
        event("past", "2038-01-13"),
        event("instance", seriesMasterId="M"),
        event("gone", status="cancelled"),
        event("other", summary="Stand-up"),
        newer,
    ]
    rows = rows_for(events, rename, now=NOW)
    assert [(row["event_id"], row["patch"]) for row in rows] == [("twice", {"summary": "Review 2"})]
    (line,) = caplog.records
    assert line.message == (
        "1 row from 6 events; left out: 1 unchanged, 1 past, 1 single occurrences of series, 1 cancelled, 1 repeated."
    )
    assert line.name == "airflow_dingtalk_calendar.plans.edited_rows"
    both = rows_for(events, rename, allow_past=True, allow_instance=True, now=NOW)
    assert [row["event_id"] for row in both] == ["twice", "past", "instance"]


ENDED = [
    (event(day="2038-01-14"), "2038-01-14T10:00:00+08:00", True),
    (event(day="2038-01-14"), "2038-01-14T09:59:59+08:00", False),
    (all_day("2038-01-13", "2038-01-15"), "2038-01-15T11:59:00Z", False),
    (all_day("2038-01-13", "2038-01-15"), "2038-01-15T12:00:00Z", True),
    (all_day("2038-01-14", "2038-01-14"), "2038-01-15T11:59:00Z", False),
    (weekly(type="noEnd"), "2099-01-01T00:00:00Z", False),
    (weekly(type="numbered", numberOfOccurrences=2), "2038-03-29T09:59:00+08:00", False),
    (weekly(type="numbered", numberOfOccurrences=2), "2038-03-29T10:00:00+08:00", True),
    # The last day of the series is a Wednesday, the last occurrence on the Monday before.
    (weekly(type="endDate", endDate="2038-03-31T15:59:59Z"), "2038-03-29T09:59:00+08:00", False),
    (weekly(type="endDate", endDate="2038-03-31T15:59:59Z"), "2038-03-29T10:00:00+08:00", True),
    (event(recurrence={"pattern": {"type": "odd"}}), "2099-01-01T00:00:00Z", False),
    ({"id": "E"}, "2099-01-01T00:00:00Z", False),
    (event(day="9999-12-31", end=None), "2099-01-01T00:00:00Z", False),
    # Whether it takes place on the last day of February is not documented.
    (
        event(
            day="2038-01-31",
            recurrence={
                "pattern": {"type": "absoluteMonthly", "dayOfMonth": 31, "interval": 1},
                "range": {"type": "endDate", "endDate": "2038-02-28T15:59:59Z"},
            },
        ),
        "2038-02-15T00:00:00Z",
        False,
    ),
]


@pytest.mark.parametrize(("there", "now", "ended"), ENDED, ids=range(len(ENDED)))
def test_when_an_event_is_over(there: dict[str, Any], now: str, ended: bool) -> None:
    """An event is over at its end, a series with its last occurrence, and nothing of which that is not known."""
    assert has_ended(there, dt.datetime.fromisoformat(now)) is ended
    assert bool(rows_for([there], lambda _: {"summary": "x"}, now=now, guard=False)) is not ended


RULES = st.sampled_from(
    [
        {"type": "daily"},
        {"type": "weekly", "daysOfWeek": "monday,thursday"},
        {"type": "absoluteMonthly", "dayOfMonth": 22},
        {"type": "relativeMonthly", "index": "fourth", "daysOfWeek": "monday"},
    ]
)
SPANS = st.one_of(
    st.integers(1, 12).map(lambda n: {"type": "numbered", "numberOfOccurrences": n}),
    st.dates(dt.date(2038, 3, 22), dt.date(2038, 12, 31)).map(
        lambda day: {"type": "endDate", "endDate": f"{day}T15:59:59Z"}
    ),
)


@given(RULES, SPANS, st.integers(1, 3), st.datetimes(timezones=st.just(dt.UTC)).filter(lambda one: one.year < 9000))
def test_a_series_is_over_with_its_last_occurrence(
    pattern: dict[str, Any], span: dict[str, Any], interval: int, now: dt.datetime
) -> None:
    """A series is over exactly when no occurrence ends later, by the emulator's own reading of its rule."""
    there = event(recurrence={"pattern": {**pattern, "interval": interval}, "range": span})
    ends = [end for _, end in occurrence_spans(there, dt.datetime(2042, 1, 1, tzinfo=dt.UTC))]
    for moment in (now, max(ends), max(ends) - dt.timedelta(seconds=1)):
        assert has_ended(there, moment) == (max(ends) <= moment)


def test_the_clock_is_asked_by_default() -> None:
    """Without ``now``, the current time decides what is past."""
    assert rows_for([event(day="2020-01-01")], rename) == []
    assert rows_for([event(day="2990-01-01")], rename)


def raises(error: Exception) -> Callable[[Any], Any]:
    """Make an edit that fails."""

    def edit(_: Any) -> Any:
        raise error

    return edit


NOT_EVENTS = "must be an event with its id"
REFUSED: list[tuple[Any, Any, dict[str, Any], str, str]] = [
    ([event()], "shift", {}, "edit", "must be a function"),
    ({"events": [event()]}, rename, {}, "events", "of a page, its events"),
    ("[]", rename, {}, "events", "it is text"),
    (None, rename, {}, "events", "it is None"),
    ([event(), None], rename, {}, "events[1]", NOT_EVENTS),
    ([{"summary": "secret"}], rename, {}, "events[0]", NOT_EVENTS),
    ([event()], rename, {"now": "2038-01-14T12:00"}, "now", "UTC offset"),
    ([event()], rename, {"now": "soon"}, "now", "ISO 8601"),
    ([event()], raises(KeyError("secret")), {}, "events[0] (id E)", "the edit raised KeyError (test_edited_rows.py:"),
    ([event()], lambda one: one["summary"], {}, "events[0] (id E)", "the edit returned text: it must return a patch"),
    ([event()], lambda _: True, {}, "events[0] (id E)", "the edit returned a boolean"),
    (
        [event(start="secret")],
        lambda one: shift(one, dt.timedelta(1)),
        {},
        "events[0] (id E)",
        "event.start: must have",
    ),
    ([event(updateTime=None)], rename, {}, "events[0] (id E)", "guard=False"),
]


@pytest.mark.parametrize(("events", "edit", "options", "path", "text"), REFUSED, ids=range(len(REFUSED)))
def test_what_makes_no_rows_is_refused(events: Any, edit: Any, options: dict[str, Any], path: str, text: str) -> None:
    """What is wrong is named by argument, or by the event's index and id, and never by what is in it."""
    with pytest.raises(InvalidInputError) as caught:
        rows_for(events, edit, **{"now": NOW, **options})
    ((where, said),) = caught.value.problems
    assert where == path
    assert text in said
    assert "secret" not in said
    assert caught.value.__cause__ is None


def test_problems_are_found_at_once_and_bounded() -> None:
    """An edit that fails for many events names 20 of them, and counts the others."""
    with pytest.raises(InvalidInputError) as caught:
        rows_for([event(f"E{n}") for n in range(50)], raises(ValueError("secret")), now=NOW)
    *first, more = caught.value.problems
    assert [problem.path for problem in first] == [f"events[{n}] (id E{n})" for n in range(20)]
    assert more == ("events", "30 more problems")


def test_thousands_of_events_take_linear_time() -> None:
    """Ten times as many events take about ten times as long."""

    def seconds(number: int) -> float:
        events = [event(f"E{n}") for n in range(number)]
        began = time.perf_counter()
        assert len(rows_for(events, lambda one: {"summary": one["id"]}, now=NOW)) == number
        return time.perf_counter() - began

    assert seconds(4000) < 40 * seconds(400)


@pytest.fixture
def ordinary(sample: Emulator) -> Emulator:
    """DingTalk with the sample calendar and what ordinary ones have besides."""
    sample.reset({**SAMPLE, "events": [*SAMPLE["events"], *ORDINARY]})
    return sample


def find(**options: Any) -> Any:
    """List events of a calendar as a task does."""
    window = {"time_min": "2038-01-01", "time_max": "2038-04-01", "timezone": "Asia/Shanghai"}
    task = DingTalkCalendarListEventsOperator(task_id="find", **{"union_id": LIN, **window, **options})
    return task.execute({})


def test_any_edit_works_on_an_ordinary_calendar(ordinary: Emulator) -> None:
    """With series and their past occurrences in it, the shown way makes rows that DingTalk takes, of every edit."""
    events = find(organizer_id=LIN)
    assert any(map(is_series, events))
    assert any(map(is_instance, events))
    rows = rows_for(
        events,
        lambda one: quiet(merge(relocate(one, "4F"), append_description(one, "Bring a laptop"))),
        now="2038-01-01T00:00:00+08:00",
    )
    changed = {row["event_id"] for row in rows}
    assert changed >= {STAND_UP, REVIEW, HOLIDAY, "weekly", "monthly", "untitled", "all day"}
    assert not changed & {"theirs", "weekly past"}
    with DingTalkCalendarHook() as hook:
        for row in rows:
            hook.patch_event(LIN, row["event_id"], row["patch"])
    assert {update["event_id"] for update in ordinary.effects["updates"]} == changed
    assert rows_for(find(organizer_id=LIN), lambda one: relocate(one, "4F"), now="2038-01-01T00:00:00+08:00") == []


def test_past_events_of_a_calendar_are_left_out(ordinary: Emulator) -> None:
    """By the middle of January single events of before are past, while series that go on are not."""
    rows = rows_for(find(), lambda one: {"summary": "x"}, now="2038-01-19T23:00:00+08:00")
    changed = {row["event_id"] for row in rows}
    assert changed >= {STAND_UP, PLANNING, HOLIDAY, "weekly", "monthly", "all day"}
    assert not changed & {REVIEW, "untitled", "done", "capitals", "theirs"}


def test_an_expanded_list_has_rows_only_if_allowed(ordinary: Emulator) -> None:
    """Occurrences of an expanded list are left out, until somebody allows them."""
    events = find(expand=True, union_id=WANG)
    now = "2038-01-01T00:00:00+08:00"
    assert not {row["event_id"] for row in rows_for(events, lambda _: {"summary": "x"}, now=now)} & {STAND_UP}
    many = rows_for(events, lambda _: {"summary": "x"}, allow_instance=True, now=now)
    assert len(many) > len(rows_for(events, lambda _: {"summary": "x"}, now=now))


def test_the_face_shows_what_writes_rows() -> None:
    """What the package names can be imported from it, and is listed; another name is none."""
    assert plans.__all__ == sorted(PUBLIC["plans"])
    assert all(callable(getattr(plans, name)) for name in plans.__all__)
    assert set(plans.__all__) <= set(dir(plans))
    with pytest.raises(AttributeError, match="no attribute 'rows_of'"):
        plans.rows_of  # noqa: B018
