"""Splitting a series, and taking one occurrence out: the rows, what DingTalk has then, and the undo."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from dateutil.rrule import rrulestr
from hypothesis import assume, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, PlanIncompleteError
from airflow_dingtalk_calendar.models.event_times import last_day, read_times
from airflow_dingtalk_calendar.plans import cancel_occurrence, split_series
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.airflow_runs import StateStore, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.plans.test_undo import QUIET, apply, shown, statuses

GUEST = "iiPguest"
WEEKLY = {"pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 1}}
RULE = {**WEEKLY, "range": {"type": "numbered", "numberOfOccurrences": 6}}
# Tuesdays: 2, 9, 16, 23, 30 March and 6 April 2027.
FROM = "2027-03-16"


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Callable[..., None]) -> Emulator:
    """DingTalk with a series that has a guest, a place and a reminder."""
    series = event(recurrence=RULE, reminders=[{"method": "dingtalk", "minutes": 10}], location={"displayName": "Plum"})
    dingtalk.reset({**DATA, "rooms": [{"roomId": "plum", "displayName": "Plum"}], "events": [series]})
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


@pytest.fixture
def series(calendar: Emulator) -> dict[str, Any]:
    """The series as it was read."""
    return calendar.event(EVENT)


def rest_of(calendar: Emulator, series: dict[str, Any]) -> dict[str, Any]:
    """Return the one event that is there beside the series."""
    created = [one["event_id"] for one in calendar.effects["writes"] if one["action"] == "CreateEvent"]
    (other,) = set(created)
    return calendar.event(other)


def days(event: dict[str, Any]) -> list[dt.date]:
    """Name the days of an event as dateutil counts them, from its rule alone."""
    times, rule = read_times(event), event["recurrence"]
    pattern, span = rule["pattern"], rule["range"]
    parts = [f"FREQ={FREQUENCIES[pattern['type']]}", f"INTERVAL={pattern['interval']}"]
    if named := pattern.get("daysOfWeek"):
        index = INDEXES.get(pattern.get("index", ""), "")
        parts.append("BYDAY=" + ",".join(f"{index}{name[:2].upper()}" for name in named.split(",")))
    if "firstDayOfWeek" in pattern or pattern["type"] == "weekly":
        parts.append(f"WKST={pattern.get('firstDayOfWeek', 'sunday')[:2].upper()}")
    if pattern["type"] == "absoluteMonthly":
        parts.append(f"BYMONTHDAY={pattern['dayOfMonth']}")
    if "numberOfOccurrences" in span:
        parts.append(f"COUNT={span['numberOfOccurrences']}")
    last = last_day(span, times) if "endDate" in span else HORIZON
    start = dt.datetime.combine(times.day, dt.time.min)
    found = rrulestr(";".join(parts), dtstart=start).between(start, dt.datetime.combine(HORIZON, dt.time.min), inc=True)
    return [one.date() for one in found if one.date() <= last]


FREQUENCIES = {"daily": "DAILY", "weekly": "WEEKLY", "relativeMonthly": "MONTHLY", "absoluteMonthly": "MONTHLY"}
FREQUENCIES |= {"absoluteYearly": "YEARLY"}
INDEXES = {"first": "1", "second": "2", "third": "3", "fourth": "4", "last": "-1"}
HORIZON = dt.date(2029, 6, 1)


# -- what comes of it -----------------------------------------------------------------------------------------


def test_this_and_following(calendar: Emulator, series: dict[str, Any]) -> None:
    """The series ends before the day, and another one has the rest, with what the old one had and the changes."""
    done = apply(split_series(series, FROM, location="Bamboo", quiet=True))
    assert statuses(done) == ["applied", "applied"]
    old, new = calendar.event(series["id"]), rest_of(calendar, series)
    assert days(old) == [dt.date(2027, 3, 2), dt.date(2027, 3, 9)]
    assert days(new) == [dt.date(2027, 3, day) for day in (16, 23, 30)] + [dt.date(2027, 4, 6)]
    assert new["recurrence"]["range"]["numberOfOccurrences"] == 4
    assert (new["summary"], new["location"]["displayName"]) == (series["summary"], "Bamboo")
    assert {one["id"] for one in new["attendees"]} == {one["id"] for one in series["attendees"]}
    assert [str(one["minutes"]) for one in new["reminders"]] == ["10"]
    sent = [one["body"] for one in calendar.requests if one["action"] in ("PatchEvent", "CreateEvent")]
    assert [one["extra"] for one in sent] == [QUIET, QUIET]


def test_the_rest_can_move(calendar: Emulator, series: dict[str, Any]) -> None:
    """A new start is that of the first occurrence of the rest: the rule follows it, and it lasts as long."""
    apply(split_series(series, FROM, start="2027-03-17T15:00"))
    new = rest_of(calendar, series)
    assert [new[name]["dateTime"][:16] for name in ("start", "end")] == ["2027-03-17T15:00", "2027-03-17T16:00"]
    assert new["recurrence"]["pattern"]["daysOfWeek"] == "wednesday"
    assert len(days(new)) == 4


def test_the_undo_of_a_split(calendar: Emulator, series: dict[str, Any]) -> None:
    """It deletes the new series and gives the old one all of its occurrences back."""
    before = shown(calendar, series["id"])
    done = apply(split_series(series, FROM))
    new = rest_of(calendar, series)
    assert set(statuses(apply(done["undo"]))) == {"applied"}
    assert shown(calendar, series["id"]) == before
    assert calendar.event(new["id"])["status"] == "cancelled"


def test_a_series_that_somebody_has_changed_is_not_split(calendar: Emulator, series: dict[str, Any]) -> None:
    """Neither row is done then."""
    rows = split_series({**series, "updateTime": "2027-01-01T00:00:00+08:00"}, FROM)
    assert statuses(apply(rows)) == ["skipped", "skipped"]
    assert calendar.effects["writes"] == []


@pytest.mark.parametrize("replay", ["stored", "again"])
@pytest.mark.parametrize("kind", ["error", "reset", "apply_then_reset"])
@pytest.mark.parametrize("action", ["PatchEvent", "CreateEvent"])
def test_a_split_that_fails_in_the_middle_is_finished_by_a_retry(
    calendar: Emulator, series: dict[str, Any], action: str, kind: str, replay: str
) -> None:
    """Whichever call fails, before or after it took effect, a retry finishes the split, and nothing is there twice."""
    calendar.configure(replay=replay)
    rows, store = split_series(series, FROM), StateStore()
    details = {"status": 503, "code": "serviceBusy"} if kind == "error" else {}
    calendar.fault(kind=kind, action=action, **details)
    with pytest.raises(PlanIncompleteError):
        apply(rows, Ti(run_id="split"), store)
    apply(rows, Ti(run_id="split", try_number=2), store)
    assert [len(days(one)) for one in (calendar.event(series["id"]), rest_of(calendar, series))] == [2, 4]


def test_a_failed_split_can_be_undone(calendar: Emulator, series: dict[str, Any]) -> None:
    """When the rest could not be created, the undo gives the old series its rule back."""
    before, ti = shown(calendar, series["id"]), Ti(run_id="undone")
    calendar.fault(kind="error", action="CreateEvent", status=400, code="flowLimit", message="no more today")
    with pytest.raises(AirflowFailException, match="flowLimit"):
        apply(split_series(series, FROM), ti)
    apply(ti.pushed["undo"])
    assert shown(calendar, series["id"]) == before


def test_one_occurrence_is_taken_out(calendar: Emulator, series: dict[str, Any]) -> None:
    """There are two series around the day, and the undo makes one of them again."""
    before = shown(calendar, series["id"])
    done = apply(cancel_occurrence(series, FROM))
    assert [len(days(one)) for one in (calendar.event(series["id"]), rest_of(calendar, series))] == [2, 3]
    apply(done["undo"])
    assert shown(calendar, series["id"]) == before


@pytest.mark.parametrize(("day", "number"), [("2027-03-02", 5), ("2027-04-06", 5)])
def test_the_first_and_the_last_occurrence(calendar: Emulator, series: dict[str, Any], day: str, number: int) -> None:
    """They are taken out by one row: no other series is made."""
    done = apply(cancel_occurrence(series, day))
    assert statuses(done) == ["applied"]
    left = days(calendar.event(series["id"]))
    assert (len(left), dt.date.fromisoformat(day) in left) == (number, False)
    assert [one["action"] for one in calendar.effects["writes"]] == ["PatchEvent"]


# -- what is said, and refused ---------------------------------------------------------------------------------


def test_what_is_lost_is_said(series: dict[str, Any]) -> None:
    """The cautions of the rows name answers, rooms, the video meeting and single changes, and who is notified twice."""
    rich = {**series, "meetingRooms": [{"roomId": "plum"}], "onlineMeetingInfo": {"type": "dingtalk", "url": "u"}}
    plan = parse_plan(split_series(rich, FROM), union_id=ORGANIZER)
    said = "\n".join(plan.rows[1].cautions)
    for text in ("single occurrences", "answers of", "meeting rooms: plum", "the video meeting", "notified twice"):
        assert text in said
    assert "twice" not in "\n".join(
        parse_plan(split_series(rich, FROM, quiet=True), union_id=ORGANIZER).rows[1].cautions
    )


REFUSED = [
    ({}, "2027-03-02", "from_day: is not after the first"),
    ({}, "2027-04-07", "from_day: is after the last"),
    ({}, "soon", "from_day"),
    ({"recurrence": None}, FROM, "not a series"),
    ({"seriesMasterId": "other"}, FROM, "seriesMasterId"),
    ({"recurrence": {**RULE, "pattern": {"type": "absoluteMonthly", "dayOfMonth": 31, "interval": 1}}}, FROM, "months"),
    ({"recurrence": {**RULE, "pattern": {**WEEKLY["pattern"], "daysOfWeek": "friday"}}}, FROM, "does not name the day"),
]


@pytest.mark.parametrize(("changes", "day", "text"), REFUSED)
def test_what_cannot_be_split(series: dict[str, Any], changes: dict[str, Any], day: str, text: str) -> None:
    """No row is made where nobody knows what belongs to which part, or one part would be empty."""
    with pytest.raises(InvalidInputError, match=text):
        split_series({**series, **changes}, day)


def test_wrong_changes(series: dict[str, Any]) -> None:
    """A change is checked when the rows are made."""
    with pytest.raises(InvalidInputError, match="summary"):
        split_series(series, FROM, sumary="x")


@pytest.mark.parametrize("day", ["2027-03-03", "2027-05-04"])
def test_days_without_an_occurrence(series: dict[str, Any], day: str) -> None:
    """A day on which the series does not take place has nothing to be cancelled."""
    with pytest.raises(InvalidInputError, match="day: is not a day"):
        cancel_occurrence(series, day)


# -- against dateutil ------------------------------------------------------------------------------------------

ZONES = ["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", None]
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@st.composite
def some_series(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a series of any zone or all-day, whose rule has the day of its start."""
    day = draw(st.dates(dt.date(2026, 9, 1), dt.date(2027, 6, 30)))
    kind = draw(st.sampled_from(sorted(FREQUENCIES)))
    interval = draw(st.integers(1, 3))
    own = WEEKDAYS[day.weekday()]
    pattern: dict[str, Any] = {"type": kind, "interval": interval}
    if kind == "weekly":
        others = draw(st.sets(st.sampled_from(WEEKDAYS)))
        pattern["daysOfWeek"] = ",".join(sorted({own, *others}))
        pattern["firstDayOfWeek"] = draw(st.sampled_from(WEEKDAYS))
    elif kind == "relativeMonthly":
        assume(day.day <= 28)
        pattern |= {"daysOfWeek": own, "index": ("first", "second", "third", "fourth")[(day.day - 1) // 7]}
    elif kind.startswith("absolute"):
        assume(day.day <= 28)
        pattern["dayOfMonth"] = day.day
    zone = draw(st.sampled_from(ZONES))
    clock = draw(st.times(dt.time(3), dt.time(22)).map(lambda one: one.replace(second=0, microsecond=0)))
    last = day + dt.timedelta(days=draw(st.integers(0, 700)))
    end = f"{last}T12:00:00Z" if zone is None else _moment(last, dt.time(23, 59, 59), zone)
    span = draw(
        st.sampled_from([{"type": "noEnd"}, {"type": "endDate", "endDate": end}])
        | st.integers(1, 20).map(lambda number: {"type": "numbered", "numberOfOccurrences": number})
    )
    if zone is None:
        times: dict[str, Any] = {"start": {"date": str(day)}, "end": {"date": str(day + dt.timedelta(days=1))}}
    else:
        hour = (dt.datetime.combine(day, clock) + dt.timedelta(hours=1)).time()
        times = {
            name: {"dateTime": _moment(day, one, zone), "timeZone": zone}
            for name, one in (("start", clock), ("end", hour))
        }
    rule = {"pattern": pattern, "range": span}
    return {"id": "S", "summary": "s", "updateTime": "2027-01-01T00:00:00Z", "recurrence": rule, **times}


def _moment(day: dt.date, clock: dt.time, zone: str) -> str:
    return dt.datetime.combine(day, clock, ZoneInfo(zone)).isoformat()


def parts_of(rows: list[dict[str, Any]], series: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events that there are after the rows."""
    return [one["event"] if one["action"] == "create" else {**series, **one["patch"]} for one in rows]


def clocks(event: dict[str, Any]) -> set[Any]:
    """Return the time of day at which an event begins, and how long it takes."""
    times = read_times(event)
    return {times.clock, times.duration, times.zone}


@given(series=some_series(), after=st.integers(1, 500))
def test_no_occurrence_is_lost_or_new(series: dict[str, Any], after: int) -> None:
    """The occurrences before a day and after it are those that the series had, at the same time of day."""
    every = days(series)
    day = read_times(series).day + dt.timedelta(days=after)
    assume(every[0] < day <= every[-1])
    old, new = parts_of(split_series(series, day), series)
    assert days(old) == [one for one in every if one < day]
    assert days(new) == [one for one in every if one >= day]
    assert clocks(old) == clocks(new) == clocks(series)
    parse_plan(split_series(series, day), union_id="u")


@given(series=some_series(), chosen=st.integers(0, 40))
def test_one_occurrence_is_gone(series: dict[str, Any], chosen: int) -> None:
    """Without one occurrence, all others are there."""
    every = days(series)
    assume(len(every) > 1)
    gone = every[chosen % len(every[:-1] if series["recurrence"]["range"]["type"] == "noEnd" else every)]
    parts = parts_of(cancel_occurrence(series, gone), series)
    assert [day for part in parts for day in days(part)] == [day for day in every if day != gone]
