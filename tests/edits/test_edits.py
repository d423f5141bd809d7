"""Edits: from an event to the patch that changes it, or None."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pendulum
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.edits import (
    all_day,
    extend_until,
    is_instance,
    is_series,
    merge,
    move_to,
    quiet,
    relocate,
    resize,
    retitle,
    set_occurrences,
    shift,
)
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from tests.conftest import EVENT, ORGANIZER

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
WEEK = 7 * DAY
ZONES = [
    "Asia/Shanghai",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Tehran",
]


def timed(start: str, end: str, zone: str = "Europe/Berlin", **fields: Any) -> dict[str, Any]:
    """Describe an event as GetEvent returns it."""
    return {
        "id": "E",
        "summary": "Sprint 41: planning",
        "start": {"dateTime": start, "timeZone": zone},
        "end": {"dateTime": end, "timeZone": zone},
        "isAllDay": False,
        "location": {"displayName": "Room 1", "meetingRooms": []},
        "reminders": [{"method": "dingtalk", "minutes": "15"}],
        "seriesMasterId": "",
        **fields,
    }


SINGLE = timed("2027-03-22T09:00:00+01:00", "2027-03-22T09:30:00+01:00")  # the clocks change on the 28th
DAYS = {**SINGLE, "isAllDay": True, "start": {"date": "2027-03-22"}, "end": {"date": "2027-03-24"}}
PATTERN = {"type": "weekly", "daysOfWeek": "monday", "interval": 1, "dayOfMonth": 0, "index": ""}
SPAN = {"type": "endDate", "endDate": "2027-06-28T21:59:59Z", "numberOfOccurrences": 0}
SERIES = {**SINGLE, "recurrence": {"pattern": PATTERN, "range": SPAN}}
INSTANCE = {**SINGLE, "seriesMasterId": "M"}


def series(pattern: dict[str, Any] | None = None, span: dict[str, Any] | None = None) -> dict[str, Any]:
    """Describe a series by what is special about its rule."""
    return {**SINGLE, "recurrence": {"pattern": {**PATTERN, **(pattern or {})}, "range": span or SPAN}}


def starts(patch: dict[str, Any] | None) -> tuple[str, str]:
    """Return start and end of a patch, without the zone."""
    assert patch
    return tuple(patch[name].get("dateTime") or patch[name]["date"] for name in ("start", "end"))  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("by", "start", "end"),
    [
        (WEEK, "2027-03-29T09:00:00+02:00", "2027-03-29T09:30:00+02:00"),
        (WEEK + HOUR, "2027-03-29T10:00:00+02:00", "2027-03-29T10:30:00+02:00"),
        (-HOUR, "2027-03-22T08:00:00+01:00", "2027-03-22T08:30:00+01:00"),
        (-DAY - HOUR, "2027-03-21T08:00:00+01:00", "2027-03-21T08:30:00+01:00"),
        (23 * HOUR, "2027-03-23T08:00:00+01:00", "2027-03-23T08:30:00+01:00"),
        (24 * HOUR, "2027-03-23T09:00:00+01:00", "2027-03-23T09:30:00+01:00"),
        (pendulum.duration(days=7), "2027-03-29T09:00:00+02:00", "2027-03-29T09:30:00+02:00"),
        (pendulum.duration(weeks=1, hours=-1), "2027-03-29T08:00:00+02:00", "2027-03-29T08:30:00+02:00"),
        (pendulum.duration(months=1, days=1), "2027-04-23T09:00:00+02:00", "2027-04-23T09:30:00+02:00"),
        (pendulum.duration(years=1), "2028-03-22T09:00:00+01:00", "2028-03-22T09:30:00+01:00"),
        (
            pendulum.datetime(2027, 3, 8) - pendulum.datetime(2027, 2, 8),
            "2027-04-19T09:00:00+02:00",
            "2027-04-19T09:30:00+02:00",
        ),
    ],
    ids=str,
)
def test_shift(by: dt.timedelta, start: str, end: str) -> None:
    """Whole days are the calendar's, what remains is elapsed time, months and years are pendulum's."""
    assert starts(shift(SINGLE, by)) == (start, end)


@pytest.mark.parametrize(
    "start",
    [
        "2027-03-22T09:00:00+01:00",
        "2027-03-22T08:00:00Z",
        "2027-03-22T08:00:00.000Z",
        "2027-03-22T08:00Z",
        "2027-03-22T16:00:00+08:00",
        "2027-03-22T09:00:00",
    ],
)
def test_times_are_read_in_any_notation(start: str) -> None:
    """An event's time is understood however the service writes it."""
    event = timed(start, "2027-03-22T08:30:00Z")
    assert starts(shift(event, DAY)) == ("2027-03-23T09:00:00+01:00", "2027-03-23T09:30:00+01:00")


@given(
    st.builds(dt.datetime.combine, st.dates(dt.date(2024, 1, 1), dt.date(2030, 12, 31)), st.times()),
    st.sampled_from(ZONES),
    st.integers(1, 3000),
    st.integers(-400, 400),
)
def test_days_keep_the_clock_and_the_duration(wall: dt.datetime, zone: str, minutes: int, days: int) -> None:
    """Shifted by days, an event starts at the same time by the clocks there, and lasts as long."""
    place = ZoneInfo(zone)
    start = wall.replace(tzinfo=place, microsecond=0)
    end = start.astimezone(dt.UTC) + dt.timedelta(minutes=minutes)
    assume(start.astimezone(dt.UTC).astimezone(place).replace(tzinfo=None) == start.replace(tzinfo=None))
    event = timed(start.astimezone(dt.UTC).isoformat(), end.isoformat(), zone)
    try:
        patch = shift(event, days * DAY)
    except InvalidInputError as error:
        there = dt.datetime.combine(start.date() + days * DAY, start.timetz())
        assert [problem.path for problem in error.problems] == ["by"]
        assert there.astimezone(dt.UTC).astimezone(place).time() != there.time()
        return
    assert (patch is None) == (days == 0)
    moved, until = map(dt.datetime.fromisoformat, starts(patch or event))
    assert until - moved == end - start.astimezone(dt.UTC)
    there = moved.astimezone(place)
    assert there.time() == start.time()
    assert there.date() == start.date() + days * DAY


@given(st.sampled_from(ZONES), st.integers(0, 400), st.integers(-86_399, 86_399).filter(bool))
def test_less_than_a_day_is_elapsed_time(zone: str, day: int, seconds: int) -> None:
    """What is less than a day is elapsed time, whatever the clocks do meanwhile, and there and back is nothing."""
    start = dt.datetime(2027, 1, 1, 0, 30, tzinfo=dt.UTC) + day * DAY
    event = timed(start.isoformat(), (start + HOUR).isoformat(), zone)
    by = dt.timedelta(seconds=seconds)
    patch = shift(event, by)
    assert tuple(map(dt.datetime.fromisoformat, starts(patch))) == (start + by, start + by + HOUR)
    back = shift({**event, **(patch or {})}, -by)
    assert tuple(map(dt.datetime.fromisoformat, starts(back))) == (start, start + HOUR)


def test_of_a_repeated_time_the_same_is_kept() -> None:
    """02:30 happens twice on the day that the clocks go back; moved there it is the first, and the second stays one."""
    late = timed("2027-10-24T02:30:00+02:00", "2027-10-24T03:00:00+02:00")
    assert starts(shift(late, WEEK))[0] == "2027-10-31T02:30:00+02:00"
    second = timed("2027-10-31T02:30:00+01:00", "2027-10-31T03:00:00+01:00")
    assert starts(shift(second, HOUR))[0] == "2027-10-31T03:30:00+01:00"


def test_a_skipped_time_is_refused() -> None:
    """An event is not moved to a time that the clocks never show."""
    early = timed("2027-03-21T02:30:00+01:00", "2027-03-21T03:00:00+01:00")
    with pytest.raises(InvalidInputError, match=r"by: leads to a time that the clocks skip"):
        shift(early, WEEK)


@pytest.mark.parametrize(
    "edit",
    [
        lambda event: shift(event, pendulum.duration(years=9000)),
        lambda event: shift(event, dt.timedelta(days=-800_000)),
        lambda event: resize(event, dt.timedelta(days=3_000_000)),
        lambda event: move_to(event, "9999-12-31T23:59:00"),
        lambda _: all_day("9999-12-31"),
    ],
)
def test_what_leads_out_of_the_calendar_is_refused(edit: Callable[[Any], Any]) -> None:
    """A time that no calendar has is one clear error."""
    with pytest.raises(InvalidInputError, match="leads out of the calendar"):
        edit(timed("2027-03-02T10:00:00+08:00", "2027-03-02T11:00:00+08:00"))


def test_an_all_day_event_moves_by_days() -> None:
    """An all-day event moves by whole days, and keeps their number."""
    assert starts(shift(DAYS, WEEK)) == ("2027-03-29", "2027-03-31")
    assert starts(shift(DAYS, pendulum.duration(months=1))) == ("2027-04-22", "2027-04-24")
    assert starts(move_to(DAYS, "2027-05-01")) == ("2027-05-01", "2027-05-03")
    assert starts(resize(DAYS, 3 * DAY)) == ("2027-03-22", "2027-03-25")


@pytest.mark.parametrize(
    ("start", "timezone", "expected"),
    [
        ("2027-03-29T10:00", None, "2027-03-29T10:00:00+02:00"),
        ("2027-03-29T08:00:00Z", None, "2027-03-29T10:00:00+02:00"),
        (dt.datetime.fromisoformat("2027-03-29T10:00"), None, "2027-03-29T10:00:00+02:00"),
        (pendulum.datetime(2027, 3, 29, 16, tz="Asia/Shanghai"), None, "2027-03-29T10:00:00+02:00"),
        ({"dateTime": "2027-03-29T16:00", "timeZone": "Asia/Shanghai"}, None, "2027-03-29T10:00:00+02:00"),
        ("2027-03-29T10:00", "Asia/Tokyo", "2027-03-29T10:00:00+09:00"),
    ],
    ids=str,
)
def test_move_to(start: Any, timezone: str | None, expected: str) -> None:
    """An event moves to a time, in its zone unless another is given, and lasts as long."""
    patch = move_to(SINGLE, start, timezone)
    assert patch
    assert patch["start"] == {"dateTime": expected, "timeZone": timezone or "Europe/Berlin"}
    begin, end = map(dt.datetime.fromisoformat, starts(patch))
    assert end - begin == HOUR / 2


def test_resize() -> None:
    """An event lasts as long as said from the same start, which is sent along."""
    assert starts(resize(SINGLE, HOUR)) == ("2027-03-22T09:00:00+01:00", "2027-03-22T10:00:00+01:00")
    assert resize(SINGLE, HOUR / 2) is None


@pytest.mark.parametrize(
    ("old", "new", "title"),
    [
        ("41", "42", "Sprint 42: planning"),
        ("n", "N", "SpriNt 41: plaNNiNg"),
        (".", "!", None),
        ("40", "41", None),
        ("41", "41", None),
        (re.compile(r"sprint (\d)\d", re.IGNORECASE), r"Sprint \g<1>2", "Sprint 42: planning"),
        (re.compile("^41"), "42", None),
    ],
    ids=str,
)
def test_retitle(old: Any, new: str, title: str | None) -> None:
    """A text in the title is replaced wherever it occurs; without it, there is nothing to do."""
    assert retitle(SINGLE, old, new) == (title and {"summary": title})
    assert retitle({**SINGLE, "summary": None}, old, new) is None


def test_relocate() -> None:
    """An event gets another location; the same is nothing to do."""
    assert relocate(SINGLE, "Room 2") == {"location": {"displayName": "Room 2"}}
    assert relocate(SINGLE, "Room 1") is None


RULE = {"type": "weekly", "daysOfWeek": "monday", "interval": 1}


def until(end: str) -> dict[str, Any]:
    """Describe the patch that lets the series end then: the whole rule."""
    return {"recurrence": {"pattern": RULE, "range": {"type": "endDate", "endDate": end}}}


def test_extend_until() -> None:
    """A series goes on until the end of a day in its zone, by its whole rule; longer or forever is left alone."""
    assert extend_until(SERIES, "2027-12-31") == until("2027-12-31T23:59:59+01:00")
    assert extend_until(SERIES, dt.date(2027, 6, 29)) == until("2027-06-29T23:59:59+02:00")
    assert extend_until(SERIES, "2027-06-28") is None
    assert extend_until(SERIES, "2027-05-31") is None
    assert extend_until(series(span={"type": "noEnd"}), "2027-05-31") is None
    # The last day's own time is after this end, so the day is not in yet.
    short = series(span={"type": "endDate", "endDate": "2027-06-28T08:00:00+02:00"})
    assert extend_until(short, "2027-06-28") == until("2027-06-28T23:59:59+02:00")


@pytest.mark.parametrize("span", [SPAN, {"type": "noEnd"}, {"type": "numbered", "numberOfOccurrences": 9}], ids=str)
def test_shorten(span: dict[str, Any]) -> None:
    """A series ends on an earlier day only when that is asked for."""
    assert extend_until(series(span=span), "2027-05-31", shorten=True) == until("2027-05-31T23:59:59+02:00")


def test_an_all_day_series_ends_on_a_day_in_every_zone() -> None:
    """The last day of an all-day series is written as a moment that is on it nearly everywhere; it needs no zone."""
    rule = {"pattern": RULE, "range": {"type": "endDate", "endDate": "2027-06-28T23:59:59+08:00"}}
    weekly = {**DAYS, "recurrence": rule}
    assert extend_until(weekly, "2027-06-28") is None
    assert extend_until(weekly, "2027-12-27") == until("2027-12-27T12:00:00+00:00")
    assert extend_until(weekly, "2027-12-27", timezone="Europe/Berlin") == until("2027-12-27T12:00:00+00:00")
    forever = {**weekly, "recurrence": {"pattern": RULE, "range": {"type": "noEnd"}}}
    assert extend_until(forever, "2027-12-27", shorten=True) == until("2027-12-27T12:00:00+00:00")


def test_set_occurrences() -> None:
    """A series takes place a number of times, by its whole rule; None when that is so."""
    numbered = {"type": "numbered", "numberOfOccurrences": 12}
    assert set_occurrences(SERIES, 12) == {"recurrence": {"pattern": RULE, "range": numbered}}
    assert set_occurrences(series(span=numbered), 12) is None


def test_all_day() -> None:
    """The end of an all-day event is the day after the last."""
    assert all_day("2027-02-05", dt.date(2027, 2, 11)) == {
        "isAllDay": True,
        "start": {"date": "2027-02-05"},
        "end": {"date": "2027-02-12"},
    }
    assert starts(all_day("2027-12-31")) == ("2027-12-31", "2028-01-01")


def test_quiet() -> None:
    """A quiet change sends no push message and no chat card; no change stays none."""
    assert quiet({"summary": "x"}) == {
        "summary": "x",
        "extra": {"noPushNotification": "true", "noChatNotification": "true"},
    }
    assert quiet(None) is None
    assert quiet({}) is None


def test_kinds_of_events_are_distinguished() -> None:
    """A single event, a series, and one time of a series are distinguished by what the service returns."""
    assert [(is_series(e), is_instance(e)) for e in (SINGLE, SERIES, INSTANCE)] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert is_series({**SERIES, "seriesMasterId": "E"})
    assert not is_series({**SERIES, "seriesMasterId": "M"})


EDITS: list[Callable[..., Any]] = [
    lambda event, **more: shift(event, WEEK, **more),
    lambda event, **more: move_to(event, "2027-04-05T10:00", **more),
    lambda event, **more: resize(event, HOUR, **more),
    lambda event, **more: retitle(event, "41", "42", **more),
    lambda event, **more: relocate(event, "Room 2", **more),
]
OF_SERIES: list[Callable[..., Any]] = [
    lambda event: extend_until(event, "2027-12-31"),
    lambda event: set_occurrences(event, 12),
]


@pytest.mark.parametrize("edit", EDITS, ids=range(len(EDITS)))
def test_one_time_of_a_series_is_refused_unless_asked_for(edit: Callable[..., Any]) -> None:
    """Whether patching one time of a series changes them all is not documented, so it has to be asked for."""
    with pytest.raises(InvalidInputError, match=r"^event\.seriesMasterId: .*allow_instance=True"):
        edit(INSTANCE)
    patch = edit(INSTANCE, allow_instance=True)
    assert patch == edit(SINGLE)
    assert "recurrence" not in patch


@pytest.mark.parametrize("edit", OF_SERIES, ids=range(len(OF_SERIES)))
def test_only_a_series_has_an_end(edit: Callable[..., Any]) -> None:
    """How long a series lasts can be said of the series alone."""
    with pytest.raises(InvalidInputError, match=r"^event\.seriesMasterId: .*edit the series"):
        edit(INSTANCE)
    with pytest.raises(InvalidInputError, match=r"^event\.recurrence: the event is not a series"):
        edit(SINGLE)


@pytest.mark.parametrize("edit", [*EDITS, *OF_SERIES], ids=range(len(EDITS) + len(OF_SERIES)))
def test_a_plan_is_data_and_leaves_the_event_alone(edit: Callable[..., Any]) -> None:
    """A patch passes through JSON and the checks, and the event it was made from stays as it was."""
    before = copy.deepcopy(SERIES)
    patch = edit(SERIES)
    assert before == SERIES
    assert json.loads(json.dumps(patch)) == patch
    assert EventPatch.parse(patch).to_body("E").keys() == {*patch, "id"}


@st.composite
def repeating(draw: st.DrawFn) -> dict[str, Any]:
    """Make a daily or weekly series, by day, when no clocks change."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    first = dt.datetime.combine(draw(st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))), dt.time(9), zone)
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    named = {names[first.weekday()], *draw(st.sets(st.sampled_from(names)))}
    days = {"daysOfWeek": ",".join(sorted(named)), "firstDayOfWeek": draw(st.sampled_from(names))}
    daily = draw(st.booleans())
    pattern = {"type": "daily"} if daily else {"type": "weekly", **days}
    end = first.astimezone(dt.UTC) + dt.timedelta(minutes=draw(st.integers(0, 40 * 1440)))
    span = draw(
        st.sampled_from(
            [
                {"type": "numbered", "numberOfOccurrences": draw(st.integers(1, 15))},
                {"type": "endDate", "endDate": end.isoformat(timespec="seconds")},
            ]
        )
    )
    event = timed(first.isoformat(), (first.astimezone(dt.UTC) + HOUR).isoformat(), str(zone))
    return {**event, "recurrence": {"pattern": {**pattern, "interval": draw(st.integers(1, 3))}, "range": span}}


def walls(event: dict[str, Any]) -> list[dt.datetime]:
    """List what the clocks show when each time of a series starts, by the emulator's reading of its rule."""
    place = ZoneInfo(event["start"]["timeZone"])
    found = occurrence_spans(event, dt.datetime(2036, 1, 1, tzinfo=dt.UTC))
    return [start.astimezone(place).replace(tzinfo=None) for start, _ in found]


@given(repeating(), st.integers(-30, 30), st.integers(-3, 11))
def test_a_series_moves_as_a_whole(event: dict[str, Any], days: int, hours: int) -> None:
    """Every time of a series moves by the same, and their number stays the same."""
    first = dt.datetime.fromisoformat(event["start"]["dateTime"]).replace(tzinfo=None)
    wall = first + days * DAY + hours * HOUR
    patch = move_to(event, wall.isoformat(), move_weekdays=True)
    assert (patch is None) == (wall == first)
    after = {**event, **(patch or {})}
    assert walls(after) == [time + (wall - first) for time in walls(event)]
    assert move_to(after, wall.isoformat()) is None


@given(repeating(), st.sampled_from(ZONES))
def test_a_series_in_another_zone(event: dict[str, Any], zone: str) -> None:
    """In another zone a series has the same times by the clocks there."""
    start = event["start"]["dateTime"][:19]
    assert walls({**event, **(move_to(event, start, zone) or {})}) == walls(event)


def test_weekdays_move_only_when_asked() -> None:
    """A weekly series is not moved to a weekday that is not its own, unless its weekdays shall move along."""
    with pytest.raises(InvalidInputError, match=r"^event\.recurrence: .*move_weekdays=True"):
        shift(SERIES, DAY)
    patch = shift(series({"daysOfWeek": "monday,sunday", "interval": 2}), DAY, move_weekdays=True)
    assert patch
    assert patch["recurrence"]["pattern"] == {
        "type": "weekly",
        "daysOfWeek": "tuesday,monday",
        "interval": 2,
        "firstDayOfWeek": "monday",
    }
    assert "recurrence" not in (shift(SERIES, HOUR) or {})


@pytest.mark.parametrize(
    "pattern",
    [
        {"type": "absoluteMonthly", "dayOfMonth": 22},
        {"type": "relativeMonthly", "index": "fourth"},
        {"type": "absoluteYearly", "dayOfMonth": 22},
    ],
    ids=str,
)
def test_a_monthly_series_keeps_its_days(pattern: dict[str, Any]) -> None:
    """A monthly or yearly series moves within its day only, because months differ."""
    event = series(pattern)
    assert set(shift(event, HOUR) or ()) == {"start", "end"}
    with pytest.raises(InvalidInputError, match=r"^event\.recurrence: a monthly or yearly series"):
        shift(event, WEEK, move_weekdays=True)


PATCHES = st.lists(
    st.one_of(
        st.none(),
        st.fixed_dictionaries(
            {},
            optional={
                "summary": st.sampled_from("ab"),
                "description": st.sampled_from("ab"),
                "isAllDay": st.booleans(),
                "extra": st.fixed_dictionaries({}, optional={"noPushNotification": st.sampled_from(["true", "false"])}),
            },
        ),
    ),
    max_size=3,
)


def merged(*patches: Any) -> Any:
    """Merge, or say which fields conflict."""
    try:
        return merge(*patches)
    except InvalidInputError as error:
        return {problem.path for problem in error.problems}


@given(PATCHES)
def test_merging_has_no_order(patches: list[Any]) -> None:
    """Patches are put together in any order or grouping to the same, each field or conflict is found."""
    whole = merged(*patches)
    assert merged(*reversed(patches)) == whole
    assert merged(*patches, None, {}) == whole
    assert merged(*patches, *patches) == whole
    if not isinstance(whole, set):
        assert merge(merge(*patches[:1]), merge(*patches[1:])) == whole
        assert set(whole or ()) == {name for patch in patches for name in patch or ()}


def test_conflicts_are_named_all_at_once() -> None:
    """Two patches that set a field differently are refused, by every such field and without what is in it."""
    with pytest.raises(InvalidInputError) as caught:
        merge({"summary": "secret", "extra": {"noPushNotification": "true"}}, {"summary": "b"}, {"notifyPush": False})
    assert [problem.path for problem in caught.value.problems] == ["patch.summary"]
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidInputError, match=r"patch\.extra\.noPushNotification"):
        quiet({"extra": {"noPushNotification": "false"}})
    assert merge({"is_all_day": True}, {"isAllDay": True}) == {"isAllDay": True}


def test_edits_compose() -> None:
    """Edits of different fields are merged; one that builds on another edits the event as it would be."""
    patch = merge(shift(SINGLE, WEEK), retitle(SINGLE, "41", "42"), relocate(SINGLE, "Room 1"))
    assert patch
    assert patch.keys() == {"start", "end", "summary"}
    assert starts(resize({**SINGLE, **patch}, HOUR)) == ("2027-03-29T09:00:00+02:00", "2027-03-29T10:00:00+02:00")
    assert merge(relocate(SINGLE, "Room 1"), retitle(SINGLE, "x", "y")) is None


REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: shift(SINGLE, 7), "by", "timedelta"),  # type: ignore[arg-type]
    (lambda: shift(SINGLE, dt.timedelta.max), "by", "out of the calendar"),
    (lambda: shift(DAYS, 2900 * 365 * WEEK), "by", "out of the calendar"),
    (lambda: shift(DAYS, HOUR), "by", "whole days"),
    (lambda: shift({"id": "E"}, DAY), "event.start", "as the service returns it"),
    (lambda: shift([SINGLE], DAY), "event", "must be an event"),  # type: ignore[arg-type]
    (lambda: shift({**SINGLE, "end": {"dateTime": "2027-03-22T09:00:00Z"}}, DAY), "event.end", "timeZone"),
    (lambda: shift({**SINGLE, "end": DAYS["end"]}, DAY), "event.end", "zone of event.start"),
    (lambda: shift({**SINGLE, "start": {"dateTime": "secret", "timeZone": "Asia/Tokyo"}}, DAY), "event.start", "ISO"),
    (lambda: shift(series({"interval": None}), WEEK), "event.recurrence", "not a whole rule"),
    (lambda: move_to(SINGLE, "2027-04-01"), "start", "must be a time"),
    (lambda: move_to(SINGLE, "2027-03-28T02:30"), "start", "clocks skip"),
    (lambda: move_to(SINGLE, "soon"), "start", "ISO"),
    (lambda: move_to(SINGLE, "2027-04-01T10:00", "Tokyo"), "start", "did you mean"),
    (lambda: move_to(DAYS, "2027-04-01T10:00"), "start", "must be a date"),
    (lambda: move_to(DAYS, "2027-04-01", "Asia/Tokyo"), "timezone", "left out"),
    (lambda: resize(SINGLE, -HOUR), "duration", "more than nothing"),
    (lambda: resize(SINGLE, pendulum.duration(months=1)), "duration", "no months"),
    (lambda: resize(DAYS, HOUR), "duration", "whole days"),
    (lambda: retitle(SINGLE, "", "x"), "old", "empty"),
    (lambda: retitle(SINGLE, re.compile(".*"), ""), "new", "blank"),
    (lambda: retitle(SINGLE, re.compile("41"), r"\1"), "new", "group"),
    (lambda: retitle(SINGLE, "41", "x" * 3000), "patch.summary", "2048"),
    (lambda: relocate(SINGLE, " "), "location", "blank"),
    (lambda: extend_until(SERIES, "2027-03-21"), "last", "before the first day"),
    (lambda: extend_until(SERIES, "never"), "last", "yyyy-MM-dd"),
    (
        lambda: extend_until(series(span={"type": "numbered", "numberOfOccurrences": 9}), "2027-12-31"),
        "event.recurrence.range",
        "shorten=True",
    ),
    (lambda: set_occurrences(SERIES, 100), "n", "from 1 to 99"),
    (lambda: set_occurrences(SERIES, True), "n", "from 1 to 99"),
    (lambda: all_day("2027-02-05", "2027-02-04"), "last", "before the first"),
]


@pytest.mark.parametrize(("edit", "path", "text"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_planned_is_refused(edit: Callable[[], Any], path: str, text: str) -> None:
    """A wrong argument or event is refused by its path, without what is in it."""
    with pytest.raises(InvalidInputError) as caught:
        edit()
    ((where, said),) = caught.value.problems
    assert where == path
    assert text in said
    assert "secret" not in said


PLANS: list[Callable[[dict[str, Any]], Any]] = [
    lambda event: move_to(event, "2027-03-09T16:00"),
    lambda event: move_to(event, "2027-03-10T16:00", "Europe/Berlin", move_weekdays=True),
    lambda event: resize(event, 2 * HOUR),
    lambda event: retitle(event, "Planning", "Review"),
    lambda event: relocate(event, "Room 2"),
    lambda event: extend_until(event, "2027-12-31"),
    lambda event: extend_until(event, "2027-05-31", shorten=True),
    lambda event: set_occurrences(event, 12),
    lambda event: quiet(merge(resize(event, 2 * HOUR), relocate(event, "Room 2"))),
]


@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_a_plan_that_was_applied_has_nothing_left(plan: Callable[[dict[str, Any]], Any], dingtalk: Emulator) -> None:
    """A patch applied by DingTalk, and the event read again, leaves the same plan nothing to do."""
    rule = {
        "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 2},
        "range": {"type": "endDate", "endDate": "2027-06-29T15:59:59Z"},
    }
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {"recurrence": rule})
        patch = plan(hook.get_event(ORGANIZER, EVENT))
        assert patch
        hook.patch_event(ORGANIZER, EVENT, patch)
        assert plan(hook.get_event(ORGANIZER, EVENT)) is None
