"""Events of any shape: whatever reads an event that DingTalk returned says what it can, or raises an error of ours."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar import edits
from airflow_dingtalk_calendar.exceptions import DingTalkError
from airflow_dingtalk_calendar.models import comparison, event_times
from airflow_dingtalk_calendar.models.copies import newest_bodies
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.fields import FIELDS, find_field
from airflow_dingtalk_calendar.models.recurrence import complete_rule
from airflow_dingtalk_calendar.models.rrule import to_rrule
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.plans.apply import ApplyOptions, RowRun
from airflow_dingtalk_calendar.plans.diff import diff_lines
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.watch.changes import find_changes, initial_position, parse_filter
from airflow_dingtalk_calendar.watch.conditions import evaluate_condition, parse_condition
from tests.conftest import EVENT, ORGANIZER
from tests.conftest import event as an_event

ZONE = "Asia/Shanghai"
NOW = dt.datetime(2027, 3, 2, 3, tzinfo=dt.UTC)
RULE = {
    "pattern": {"type": "weekly", "daysOfWeek": "tuesday,friday", "interval": 2, "firstDayOfWeek": "monday"},
    "range": {"type": "endDate", "endDate": "2027-06-30T23:59:59+08:00"},
}
SAMPLES: list[dict[str, Any]] = [
    an_event(
        updateTime="2027-03-01T10:00:00+08:00",
        status="confirmed",
        meetingRooms=[{"roomId": "room-1", "displayName": "Room 1"}],
        richTextDescription={"text": "<p>x</p>"},
        onlineMeetingInfo={"type": "dingtalk", "conferenceId": "1", "extraInfo": {}},
        uiConfigs=[{"uiName": "comment", "uiStatus": "hide"}],
        categories=[{"categoryId": "1"}],
    ),
    an_event(recurrence=RULE, originStart={"dateTime": "2027-03-02T02:00:00Z"}),
    an_event(
        isAllDay=True,
        start={"date": "2027-03-02"},
        end={"date": "2027-03-03"},
        recurrence={**RULE, "pattern": {"type": "absoluteYearly", "dayOfMonth": 2, "interval": 1}},
    ),
    an_event("instance", seriesMasterId=EVENT),
]
JUNK: list[Any] = [
    None,
    True,
    7,
    -1,
    2.5,
    math.nan,
    math.inf,
    10**30,
    "",
    " ",
    "x",
    "\ud83d",
    "Asia/Nowhere",
    "0001-01-01",
    "0001-01-01T00:00:00+08:00",
    "0001-01-01T00:00:00",
    "9999-12-31",
    "9999-12-31T23:59:59-08:00",
    "2027-02-30",
    "x" * 5000,
    [],
    [None],
    [[]],
    ["x", 7, {"id": None}],
    {},
    {"id": []},
    {"date": 7, "dateTime": [], "timeZone": {}},
]
CHANGE: dict[str, Any] = {
    "summary": "Other",
    "description": "Other",
    "start": "2027-03-09T10:00",
    "end": "2027-03-09T11:00",
    "location": "4F",
    "attendees": ["iiPguest", "iiPwang"],
    "reminders": [5],
    "recurrence": RULE,
    "rich_text_description": "<b>x</b>",
    "ui_configs": [{"uiName": "comment", "uiStatus": "enable"}],
    "categories": [{"categoryId": "2"}],
    "free_busy_status": "free",
    "online_meeting": True,
    "notify_push": False,
}
BODY = EventPatch.parse(CHANGE, timezone=ZONE).to_body(EVENT)


def mutated(value: Any) -> st.SearchStrategy[Any]:
    """Return something good of which any part may be missing, or be junk instead."""
    kept = st.just(value)
    if isinstance(value, dict):
        parts = {name: mutated(one) for name, one in value.items()}
        some = st.lists(st.sampled_from(sorted(parts)), max_size=3, unique=True) if parts else st.just([])
        kept = some.flatmap(lambda names: _spoil(value, {name: parts[name] for name in names}))
    elif isinstance(value, list) and value:
        kept = st.lists(st.one_of(*map(mutated, value)), max_size=3)
    return kept | st.sampled_from(JUNK)


def _spoil(value: dict[str, Any], parts: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    spoilt = st.fixed_dictionaries({}, optional=parts)
    rest = {name: one for name, one in value.items() if name not in parts}
    return spoilt.map(lambda new: {**rest, **new})


EVENTS = st.one_of(*map(mutated, SAMPLES)).filter(lambda event: isinstance(event, dict))

WEEK = dt.timedelta(days=7)
LIN_FILTER = parse_filter(list(FIELDS.watched), "Plan", ORGANIZER)
CONDITIONS: list[dict[str, Any]] = [
    {"starts_within": 900},
    {"ended": True},
    {"responses": {"answered": "all", "accepted": 1}},
    {"fields": {name: one for name, one in CHANGE.items() if find_field(to_camel(name)).shown == "always"}},
    {"exists": True},
    {"cancelled": True},
]


def judge(given_: dict[str, Any]) -> Callable[[Any], Any]:
    """Judge an event, with and without a zone."""
    condition = parse_condition(given_, ZONE)
    return lambda event: [evaluate_condition(condition, event, NOW, zone) for zone in (None, ZONE)]


def watch(event: Any) -> None:
    """See an event twice, with a good one; nothing has changed."""
    listed = [event, an_event("good", organizer={"id": ORGANIZER})]
    before = initial_position("epoch", "token", LIN_FILTER.snapshots(listed), 0.0)
    assert "good" in before.fingerprints
    assert find_changes(LIN_FILTER, before, LIN_FILTER.snapshots(listed), complete=True)[0] == []


def plan(event: Any) -> None:
    """Make a row with an event, and decide by the event whether to send it."""
    given_ = [{"event_id": EVENT, "patch": {"summary": "x"}, "event": event, "if_updated_at": "2027-03-01T10:00+08:00"}]
    (row,) = parse_plan(given_, union_id=ORGANIZER, calendar_id="primary", timezone=ZONE).rows
    run = RowRun(row, ApplyOptions(lambda *_: "token", skip_if_unchanged=True, retried=True)).steps()
    next(run)
    with suppress(StopIteration):
        run.send(event)


def compare(event: Any) -> None:
    """Say of a whole patch what the event does not have, and what it would change."""
    assert set(comparison.not_applied(BODY, event)) <= set(BODY)
    assert comparison.is_unchanged(BODY, event) in (True, False)
    assert all(isinstance(line, str) for line in diff_lines(BODY, event))


def find(event: Any) -> None:
    """List an event on two pages, and filter it."""
    operator = DingTalkCalendarListEventsOperator(
        task_id="t", union_id=ORGANIZER, summary_contains="plan", organizer_id=ORGANIZER, series_master_id=EVENT
    )
    list(filter(operator._event_filter(), newest_bodies([event, event, an_event("good")])))


def edit(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Make a patch, and check that it can be sent."""

    def read(event: Any) -> None:
        if isinstance(patch := make(event), dict):
            EventPatch.parse(patch)

    return read


PATCHED = {"summary", "start", "end", "recurrence", "reminders", "location"}
#: Whatever reads an event, with the errors that it documents.
READERS: dict[str, Callable[[Any], Any]] = {
    "shift": edit(lambda event: edits.shift(event, WEEK)),
    "shift by hours": edit(lambda event: edits.shift(event, dt.timedelta(hours=-3), move_weekdays=True)),
    "shift by a day": edit(lambda e: edits.shift(e, dt.timedelta(days=1), move_weekdays=True, allow_instance=True)),
    "move_to": edit(lambda event: edits.move_to(event, "2027-04-06T09:30", "Europe/Berlin", move_weekdays=True)),
    "move_to a day": edit(lambda event: edits.move_to(event, "2027-04-06")),
    "resize": edit(lambda event: edits.resize(event, dt.timedelta(hours=2), allow_instance=True)),
    "retitle": edit(lambda event: edits.retitle(event, "Plan", "Act", allow_instance=True)),
    "relocate": edit(lambda event: edits.relocate(event, "4F")),
    "extend_until": edit(lambda event: edits.extend_until(event, "2027-12-31", timezone=ZONE)),
    "shorten": edit(lambda event: edits.extend_until(event, "2027-04-30", shorten=True)),
    "set_occurrences": edit(lambda event: edits.set_occurrences(event, 5)),
    "is_series": edits.is_series,
    "is_instance": edits.is_instance,
    "read_times": event_times.read_times,
    "complete_rule": lambda event: complete_rule(event.get("recurrence"), ZONE),
    "to_rrule": lambda event: to_rrule(event.get("recurrence"), event.get("start")),
    "to_rrule without a start": lambda event: to_rrule(event.get("recurrence")),
    "as a patch": lambda event: EventPatch.parse({name: event[name] for name in PATCHED & event.keys()}, timezone=ZONE),
    "compare": compare,
    "watch": watch,
    "plan": plan,
    "find": find,
    **{f"wait for {next(iter(one))}": judge(one) for one in CONDITIONS},
}
VALUE_ERRORS = {"complete_rule", "to_rrule", "to_rrule without a start"}


#: Every odd kind for every part takes half a minute.
EVERY_KIND = settings().max_examples > 100


def read_all(event: Any) -> None:
    """Let everything read an event."""
    for name, read in READERS.items():
        try:
            read(event)
        except DingTalkError as error:
            assert str(error).isprintable(), name
        except ValueError:
            assert name in VALUE_ERRORS


@given(event=EVENTS)
@example(event=an_event(summary=7, attendees=[None], organizer="Lin"))
def test_any_event(event: dict[str, Any]) -> None:
    """Whatever the service returns as an event, each reader says what it can or raises an error of ours."""
    read_all(event)


def spoilt(value: Any, kept: Callable[[Any], Any] = lambda part: part) -> Iterator[Any]:
    """Return a value once for each of its parts and each kind of junk, in the place of that part."""
    for junk in JUNK:
        yield kept(junk)
    if isinstance(value, dict):
        for name, part in value.items():
            yield kept({other: one for other, one in value.items() if other != name})
            yield from spoilt(part, lambda new, name=name: kept({**value, name: new}))  # type: ignore[misc]
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from spoilt(part, lambda new, at=index: kept([*value[:at], new, *value[at + 1 :]]))  # type: ignore[misc]


@pytest.mark.parametrize("sample", range(len(SAMPLES)))
def test_each_part_of_an_event(sample: int) -> None:
    """Each part of an event may be of each odd kind; an ordinary run tries every seventh."""
    for event in islice(spoilt(SAMPLES[sample]), 0, None, 1 if EVERY_KIND else 7):
        if isinstance(event, dict):
            read_all(event)


def test_nesting_without_end() -> None:
    """A part that is nested deeper than Python reads does not stop a watcher."""
    deep: Any = "x"
    for _ in range(3000):
        deep = {"pattern": deep}
    watch(an_event("odd", recurrence=deep, attendees=[{"id": deep}]))
