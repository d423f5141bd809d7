"""Conflicts (``if_busy``): who is busy at the time that an event moves to, and what becomes of the row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, AirflowSkipException
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.busy_times import Span
from airflow_dingtalk_calendar.models.event_spans import overlaps_any, take_away
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans.conflicts import Move, judge, read_move
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event

GUEST, OTHER = "iiPguest", "iiPother"
ZONE = "Asia/Shanghai"
MARCH = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
ROOMS = [{"roomId": f"r{number}", "displayName": f"Room {number}"} for number in range(6)]
SCHEDULES = ("GetSchedule", "GetMeetingRoomsSchedule")
DAILY = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "endDate", "endDate": "2027-03-06T15:59:59Z"},
}


def at(begin: str, end: str, day: int = 2) -> dict[str, Any]:
    """Write the times of an event on a day of March."""
    return {
        name: {"dateTime": f"2027-03-{day:02}T{clock}:00+08:00", "timeZone": ZONE}
        for name, clock in (("start", begin), ("end", end))
    }


def to(begin: str, end: str, day: int = 2, **more: Any) -> dict[str, Any]:
    """Write a row that moves the event, which is at ten."""
    return {"event_id": EVENT, "patch": {**at(begin, end, day), **more}}


def meeting(event_id: str, times: dict[str, Any], *people: str, **fields: Any) -> dict[str, Any]:
    """Describe another event, of people who have accepted."""
    invited = [{"id": one, "responseStatus": "accepted"} for one in people]
    return event(event_id, organizer={"id": OTHER}, attendees=invited, **times, **fields)


def calendar_of(*events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Write a calendar with the event and others."""
    users = [*DATA["users"], {"unionId": OTHER, "name": "Wang"}]
    return {**DATA, "users": users, "rooms": ROOMS, "events": [event(**fields), *events]}


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with the event from ten to eleven, and its guest busy from 14:00 to 15:00; all of it is to come."""
    monkeypatch.setattr(DingTalkBaseHook, "clock", replace(DingTalkBaseHook.clock, time=MARCH.timestamp))
    dingtalk.reset(calendar_of(meeting("theirs", at("14:00", "15:00"), GUEST)))
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def apply(rows: list[dict[str, Any]], **arguments: Any) -> dict[str, Any]:
    """Apply a plan, also one that fails; return what it pushed, with what it returned."""
    ti = Ti()
    given = {"union_id": ORGANIZER, "plan": rows, "on_error": "continue", **arguments}
    result = DingTalkCalendarApplyPlanOperator(task_id="t", **given).execute({"ti": ti})  # type: ignore[arg-type]
    return {**ti.pushed, "returned": result}


def outcome(done: dict[str, Any]) -> list[tuple[str, str]]:
    """Return status and code of each row."""
    return [(one["status"], one["code"]) for one in done["results"]]


def starts(calendar: Emulator) -> str:
    """Return when the event starts."""
    return str(calendar.event(EVENT)["start"]["dateTime"])[11:16]


# -- what becomes of a row -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "expected", "start"),
    [
        ("ignore", ("applied", ""), "14:30"),
        ("warn", ("applied", "busy"), "14:30"),
        ("skip", ("skipped", "busy"), "10:00"),
        ("fail", ("rejected", "busy"), "10:00"),
    ],
)
def test_a_row_whose_people_are_busy(
    calendar: Emulator, said: pytest.LogCaptureFixture, policy: str, expected: tuple[str, str], start: str
) -> None:
    """It is applied, applied with a warning, skipped or rejected; the result says who is busy when."""
    done = apply([to("14:30", "15:30")], if_busy=policy)
    assert outcome(done) == [expected]
    assert starts(calendar) == start
    text = f"busy then: {GUEST} 2027-03-02 14:00 to 15:00 ({ZONE})"
    assert (text in done["results"][0]["message"]) == (policy != "ignore")
    assert (f"plan[0].if_busy: {text}" in said.text) == (policy != "ignore")
    asked = {name: calendar.effects["calls"].get(name, 0) for name in SCHEDULES}
    assert asked == {"GetSchedule": int(policy != "ignore"), "GetMeetingRoomsSchedule": 0}


@pytest.mark.parametrize("policy", ["warn", "skip", "fail"])
def test_a_row_whose_people_are_free(calendar: Emulator, policy: str) -> None:
    """It is applied, also when the new time begins as another meeting ends."""
    assert outcome(apply([to("15:00", "16:00")], if_busy=policy)) == [("applied", "")]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("warn", ("applied", "busyUnknown")), ("skip", ("skipped", "busyUnknown")), ("fail", ("rejected", "busyUnknown"))],
)
def test_who_is_unknown_is_never_free(calendar: Emulator, policy: str, expected: tuple[str, str]) -> None:
    """Where somebody's times are unknown, the row is warned about, skipped or rejected, with a code of its own."""
    app = {**DATA["apps"][0], "range": [ORGANIZER]}
    calendar.reset({**calendar_of(), "apps": [app]})
    done = apply([to("14:30", "15:30")], if_busy=policy)
    assert outcome(done) == [expected]
    assert (
        done["results"][0]["message"]
        .removeprefix("if_busy: ")
        .startswith(f"not known to be free: {GUEST} (user not found)")
    )


def test_a_failed_row_fails_the_task(calendar: Emulator) -> None:
    """With the policy fail no retry is wasted, and the error says who is busy."""
    with pytest.raises(AirflowFailException, match=f"plan.0.: busy: if_busy: busy then: {GUEST}"):
        apply([to("14:30", "15:30")], if_busy="fail", on_error="fail")


def test_rows_of_a_group(calendar: Emulator) -> None:
    """Rows after the one that is left out are not done, and rows that move nothing ask nobody."""
    follow = {"action": "add_attendees", "event_id": EVENT, "attendees": [OTHER]}
    rows = [{**one, "group": "g"} for one in (to("14:30", "15:30"), follow)]
    assert outcome(apply(rows, if_busy="skip")) == [("skipped", "busy"), ("skipped", "groupFailed")]
    assert outcome(apply([follow], if_busy="skip")) == [("applied", "")]
    assert calendar.effects["calls"]["GetSchedule"] == 1


def test_the_undo_of_a_row_that_was_left_out(calendar: Emulator) -> None:
    """There is none, and of one that was applied, the undo can ask in its turn."""
    assert apply([to("14:30", "15:30")], if_busy="skip")["undo"] == []
    done = apply([to("14:30", "15:30")], if_busy="warn")
    with DingTalkCalendarHook() as hook:
        mine = hook.create_event(ORGANIZER, {"summary": "Mine", **at("10:30", "11:30"), "attendees": [GUEST]})
    assert outcome(apply(done["undo"], if_busy="skip")) == [("skipped", "busy")]
    calendar.store.events.pop(mine["id"])
    assert outcome(apply(done["undo"], if_busy="skip")) == [("applied", "")]
    assert starts(calendar) == "10:00"


def test_a_retry_of_what_an_earlier_try_has_done(calendar: Emulator) -> None:
    """The event that is there already asks nobody, although its people are busy then: with it."""
    calendar.fault(kind="apply_then_reset", action="PatchEvent")
    rows = [to("14:30", "15:30")]
    apply(rows, if_busy="warn")
    again = apply(rows, if_busy="skip")
    assert outcome(again) == [("applied", "")]
    assert calendar.effects["calls"]["GetSchedule"] == 1


# -- what is not a conflict ------------------------------------------------------------------------------------


@pytest.mark.parametrize("intervals", ["whole", "cut"])
def test_the_event_is_no_conflict_with_itself(
    calendar: Emulator, said: pytest.LogCaptureFixture, intervals: str
) -> None:
    """A meeting moves by half an hour; another at exactly its old time looks the same, and a line says so."""
    calendar.configure(busy_intervals=intervals)
    assert outcome(apply([to("10:30", "11:30")], if_busy="skip")) == [("applied", "")]
    assert "plan[0].if_busy: a second meeting at exactly the event's old time would not be noticed, of 2" in said.text


def test_one_interval_at_the_old_time_is_taken_away_once(calendar: Emulator) -> None:
    """Who has a second meeting at exactly the old time, returned apart, is busy."""
    calendar.reset(calendar_of(meeting("theirs", at("10:00", "11:00"), GUEST)))
    assert outcome(apply([to("10:30", "11:30")], if_busy="skip")) == [("skipped", "busy")]


@pytest.mark.parametrize("person", [{"responseStatus": "declined"}, {"isOptional": True}])
def test_who_need_not_be_free(calendar: Emulator, person: dict[str, Any]) -> None:
    """Who has declined, and who is optional, is not asked about."""
    others = meeting("theirs", at("14:00", "15:00"), GUEST)
    calendar.reset(calendar_of(others, attendees=[{"id": GUEST, "responseStatus": "accepted", **person}]))
    assert outcome(apply([to("14:30", "15:30")], if_busy="skip")) == [("applied", "")]


def test_who_is_invited_by_the_same_patch(calendar: Emulator) -> None:
    """People whom the patch invites have to be free, too."""
    calendar.reset(calendar_of(meeting("theirs", at("14:00", "15:00")), attendees=[]))
    rows = [to("14:30", "15:30", attendees=[{"id": OTHER}])]
    assert outcome(apply(rows, if_busy="skip")) == [("skipped", "busy")]


def test_an_event_that_does_not_move(calendar: Emulator) -> None:
    """A patch of the times that the event has already, or of no times, asks nobody."""
    rows = [to("10:00", "11:00", summary="New")]
    assert outcome(apply(rows, if_busy="skip")) == [("applied", "")]
    assert outcome(apply([{"event_id": EVENT, "patch": {"summary": "x"}}], if_busy="skip")) == [("applied", "")]
    assert "GetSchedule" not in calendar.effects["calls"]


# -- rooms, days, series ---------------------------------------------------------------------------------------


def test_rooms_know_the_events_own_booking(calendar: Emulator) -> None:
    """A room is busy with others' bookings only."""
    mine = {"meetingRooms": [ROOMS[0]], "attendees": []}
    calendar.reset(calendar_of(meeting("theirs", at("11:15", "12:00"), meetingRooms=[ROOMS[0]]), **mine))
    assert outcome(apply([to("10:10", "11:10")], if_busy="skip")) == [("applied", "")]
    done = apply([to("10:30", "11:30")], if_busy="skip")
    assert outcome(done) == [("skipped", "busy")]
    assert done["results"][0]["message"].startswith("busy then: r0 2027-03-02 11:15 to 12:00")


def test_an_all_day_event(calendar: Emulator) -> None:
    """Its people are busy on the whole day, where the meeting takes place, and it is no conflict with itself."""
    days = {"is_all_day": True, "start": "2027-03-02", "end": "2027-03-04"}
    rows = [{"event_id": EVENT, "patch": days}]
    assert outcome(apply(rows, if_busy="skip", timezone=ZONE)) == [("skipped", "busy")]
    calendar.store.events.pop("theirs")
    assert outcome(apply(rows, if_busy="skip", timezone=ZONE)) == [("applied", "")]
    rows[0]["patch"]["end"] = "2027-03-05"
    assert outcome(apply(rows, if_busy="skip", timezone=ZONE)) == [("applied", "")]


def test_a_series_that_moves(calendar: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Each of its times is compared, and none with the series itself; what the check does not cover is said."""
    theirs = meeting("theirs", at("10:45", "11:45", day=4), GUEST)
    calendar.reset(calendar_of(theirs, recurrence=DAILY, meetingRooms=[ROOMS[0]]))
    done = apply([to("10:30", "11:30")], if_busy="skip")
    assert outcome(done) == [("skipped", "busy")]
    assert done["results"][0]["message"].startswith(f"busy then: {GUEST} 2027-03-04 10:45 to 11:45")
    assert "what changes within 90 days is checked" in said.text
    calendar.store.events.pop("theirs")
    assert outcome(apply([to("10:30", "11:30")], if_busy="skip")) == [("applied", "")]


def test_a_series_that_goes_on_longer(calendar: Emulator) -> None:
    """Only the times that are new are asked about; one that ends earlier asks nobody."""
    calendar.reset(calendar_of(meeting("theirs", at("10:30", "11:30", day=9), GUEST), recurrence=DAILY))
    longer = {**DAILY, "range": {"type": "endDate", "endDate": "2027-03-10"}}
    shorter = {**DAILY, "range": {"type": "endDate", "endDate": "2027-03-04"}}
    rows = [{"event_id": EVENT, "patch": {"recurrence": longer}}]
    assert outcome(apply(rows, if_busy="skip", timezone=ZONE)) == [("skipped", "busy")]
    (asked,) = [one["body"] for one in calendar.requests if one["action"] == "GetSchedule"]
    assert asked["startTime"] == "2027-03-07T02:00:00.000+00:00"
    rows = [{"event_id": EVENT, "patch": {"recurrence": shorter}}]
    assert outcome(apply(rows, if_busy="skip", timezone=ZONE)) == [("applied", "")]
    assert calendar.effects["calls"]["GetSchedule"] == 1


def test_a_series_whose_days_nobody_knows(calendar: Emulator) -> None:
    """Where DingTalk does not say on which days a series takes place, it is not known to be free."""
    monthly = {"pattern": {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 31}, "range": {"type": "noEnd"}}
    times = at("10:00", "11:00", day=31)
    calendar.reset(calendar_of(**times, recurrence=monthly))
    done = apply([to("14:00", "15:00", day=31)], if_busy="skip")
    assert outcome(done) == [("skipped", "busyUnknown")]


def test_many_people(calendar: Emulator) -> None:
    """A call asks about 20 people; where an event has 500 or more, not all are known."""
    people = [{"id": f"iiP{number}", "responseStatus": "accepted"} for number in range(500)]
    users = [*DATA["users"], *({"unionId": one["id"], "name": "Wu"} for one in people)]
    calendar.reset({**calendar_of(attendees=people), "users": users})
    done = apply([to("14:00", "15:00")], if_busy="skip")
    assert outcome(done) == [("skipped", "busyUnknown")]
    assert calendar.effects["calls"]["GetSchedule"] == 26


# -- what it costs, and what is shown before -------------------------------------------------------------------


def test_a_dry_run_says_who_is_busy(calendar: Emulator) -> None:
    """It reads, sends nothing, and says who is busy when: in the row, in its cautions and in the table."""
    shown = apply([to("14:30", "15:30")], if_busy="fail", dry_run=True)["returned"]
    (row,) = shown["rows"]
    times = {"start": "2027-03-02T14:00:00+08:00", "end": "2027-03-02T15:00:00+08:00"}
    assert (row["busy"], row["busy_unknown"]) == ([{"id": GUEST, **times}], {})
    assert row["cautions"] == [f"if_busy: busy then: {GUEST} 2027-03-02 14:00 to 15:00 ({ZONE})"]
    assert f"busy then: {GUEST}" in shown["markdown"]
    assert calendar.effects["calls"] == {"GetEvent": 1, "GetSchedule": 1}
    assert not calendar.effects["writes"]


def test_a_dry_run_of_an_event_that_the_plan_creates(calendar: Emulator) -> None:
    """Of an event that does not exist yet nobody knows; when the plan is applied, it is asked about."""
    new = {"action": "create", "name": "new", "group": "g", "event": {"summary": "New", **at("16:00", "17:00")}}
    new["event"]["attendees"] = [GUEST]  # type: ignore[index]
    rows = [new, {**to("14:30", "15:30"), "event_id": {"created_by": "new"}, "group": "g"}]
    shown = apply(rows, if_busy="skip", dry_run=True)["returned"]
    assert shown["rows"][1]["busy_unknown"] == {"event": "this plan creates it"}
    assert not calendar.effects["calls"]
    assert outcome(apply(rows, if_busy="skip")) == [("applied", ""), ("skipped", "busy")]


def test_a_dry_run_of_a_row_that_brings_its_event(calendar: Emulator) -> None:
    """The event is not read for it; max_calls bounds what is."""
    rows = [{**to("14:30", "15:30"), "event": calendar.event(EVENT)}]
    shown = apply(rows, if_busy="warn", dry_run=True, max_calls=1)["returned"]
    assert shown["rows"][0]["busy"]
    assert calendar.effects["calls"] == {"GetSchedule": 1}
    with pytest.raises(AirflowFailException, match="max_calls"):
        apply([to("14:30", "15:30")], if_busy="warn", dry_run=True, max_calls=1)


@pytest.mark.parametrize("brings", [True, False])
def test_the_calls_are_counted_before(calendar: Emulator, brings: bool) -> None:
    """Of a row with its event they are those that it takes; without, three are counted; max_calls refuses more."""
    calendar.reset(calendar_of(meetingRooms=[ROOMS[0]]))
    rows = [{**to("14:30", "15:30"), **({"event": calendar.event(EVENT)} if brings else {})}]
    assert apply(rows, if_busy="warn", dry_run=True)["returned"]["calls"] == 4
    with pytest.raises(AirflowFailException, match="max_calls: is 3, and the plan takes 4"):
        apply(rows, if_busy="warn", max_calls=3)
    before = sum(calendar.effects["calls"].values())
    apply(rows, if_busy="warn", max_calls=4)
    assert sum(calendar.effects["calls"].values()) == before + 4


def test_another_word_is_refused(calendar: Emulator) -> None:
    """What if_busy may be is said, and nothing is sent."""
    with pytest.raises(AirflowFailException, match="if_busy: must be ignore, warn, skip or fail"):
        apply([to("14:30", "15:30")], if_busy="ask")
    assert not calendar.effects["calls"]


def test_a_missing_permission_is_named(calendar: Emulator) -> None:
    """Without it nothing is changed, and the result says which one to grant."""
    calendar.reset({**calendar_of(), "apps": [{**DATA["apps"][0], "scopes": ["Calendar.Event.Read"]}]})
    done = apply([to("14:30", "15:30")], if_busy="warn")
    assert "Calendar.EventSchedule.Read" in done["results"][0]["message"]
    assert starts(calendar) == "10:00"


def test_answers_of_odd_shape(calendar: Emulator) -> None:
    """An interval or an attendee that cannot be read makes nobody free."""
    items = [{"status": "BUSY", "start": {"dateTime": "soon"}, "end": {}}]
    body = {"scheduleInformation": [{"userId": one, "scheduleItems": items} for one in (ORGANIZER, GUEST)]}
    calendar.fault(kind="body", action="GetSchedule", body=body)
    assert outcome(apply([to("14:30", "15:30")], if_busy="skip")) == [("skipped", "busyUnknown")]
    reason = f"gone\nforged line{'x' * 200}"
    body = {"scheduleInformation": [{"userId": one, "error": reason} for one in (ORGANIZER, GUEST)]}
    calendar.fault(kind="body", action="GetSchedule", body=body)
    said = apply([to("14:30", "15:30")], if_busy="skip")["results"][0]["message"]
    assert "gone?forged line" in said
    assert len(said) < 400
    blank = {**calendar.event(EVENT), "attendees": [{"id": " "}]}
    calendar.fault(kind="body", action="GetEvent", body=blank)
    assert outcome(apply([to("14:30", "15:30")], if_busy="skip")) == [("skipped", "busyUnknown")]


# -- the patch operator ----------------------------------------------------------------------------------------


def patch(**arguments: Any) -> dict[str, Any]:
    """Move the event to half past two with the operator for one event."""
    given = {"patch": at("14:30", "15:30"), **arguments}
    if "edit" in arguments:
        del given["patch"]
    operator = DingTalkCalendarPatchEventOperator(task_id="t", union_id=ORGANIZER, event_id=EVENT, **given)
    return operator.execute({"ti": Ti()})  # type: ignore[arg-type]


def test_a_patch_warns(calendar: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The patch is sent, and the log says who is busy."""
    assert patch(if_busy="warn")["id"] == EVENT
    assert f"if_busy: busy then: {GUEST}" in said.text
    assert starts(calendar) == "14:30"


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize(("policy", "error"), [("skip", AirflowSkipException), ("fail", AirflowFailException)])
def test_a_patch_is_not_sent(calendar: Emulator, policy: str, error: type[Exception], edited: bool) -> None:
    """The task is skipped, or fails, and says who is busy; with an edit, too, without reading the event twice."""
    arguments = {"edit": lambda event: at("14:30", "15:30")} if edited else {}
    with pytest.raises(error, match=f"if_busy: busy then: {GUEST}"):
        patch(if_busy=policy, **arguments)
    assert starts(calendar) == "10:00"
    assert calendar.effects["calls"] == {"GetEvent": 1, "GetSchedule": 1}


def test_the_dry_run_of_a_patch(calendar: Emulator) -> None:
    """It says who is busy beside the request; without if_busy it reads nothing."""
    assert patch(if_busy="skip", dry_run=True)["busy"][0]["id"] == GUEST
    assert calendar.effects["calls"] == {"GetEvent": 1, "GetSchedule": 1}
    assert patch(dry_run=True).keys() == {"dry_run", "request", "event"}


def test_a_patch_with_a_wrong_word(calendar: Emulator) -> None:
    """It is refused before anything is sent."""
    with pytest.raises(AirflowFailException, match="if_busy: must be"):
        patch(if_busy="maybe")


# -- the decision ----------------------------------------------------------------------------------------------

spans = st.builds(
    lambda start, length: Span(MARCH + dt.timedelta(hours=start), MARCH + dt.timedelta(hours=start + length)),
    st.integers(0, 12),
    st.integers(1, 4),
)


@given(busy=st.lists(spans, max_size=5), old=spans, new=spans, own=st.booleans())
def test_busy_is_who_has_another_meeting_then(busy: list[Span], old: Span, new: Span, own: bool) -> None:
    """With the event's own interval among them, those that count are the others; without, one equal to it may hide."""
    move = Move([new], [old], "UTC", ["p"], [])
    returned = [*busy, old] if own else busy
    items = [
        {name: {"dateTime": at.isoformat(), "timeZone": "UTC"} for name, at in zip(("start", "end"), one, strict=True)}
        for one in returned
    ]
    entry = {"userId": "p", "availability": "known", "scheduleItems": items}
    expected = [one for one in take_away(returned, [old])[0] if overlaps_any(one, [new])]
    found = judge(move, {"id": "e"}, [entry])
    assert sorted(one.span for one in found.busy) == sorted(expected)
    if own:
        assert bool(found.busy) == any(one.overlaps(new) for one in busy)


def test_a_window_has_the_old_time_whole() -> None:
    """It covers an old time that overlaps the new one, but not one that does not, and is 90 days at most."""
    hour = dt.timedelta(hours=1)
    spans = [Span(MARCH + hour * n, MARCH + hour * (n + 2)) for n in (0, 1, 9)]
    assert Move([spans[1]], [spans[0]], "UTC", [], []).window == Span(spans[0].start, spans[1].end)
    assert Move([spans[1]], [spans[2]], "UTC", [], []).window == spans[1]
    long = Span(MARCH, MARCH + dt.timedelta(days=200))
    assert Move([long], [], "UTC", [], []).window.end == MARCH + dt.timedelta(days=90)


def test_a_series_that_is_over() -> None:
    """A move of times that are all over asks nobody."""
    plan = parse_plan([to("14:00", "15:00")], union_id=ORGANIZER)
    later = dt.datetime(2028, 1, 1, tzinfo=dt.UTC)
    assert read_move(plan.rows[0], event(recurrence=DAILY), "UTC", later) is None


def test_an_event_of_odd_shape() -> None:
    """Its times are not known, and the busy check reports it with an error."""
    plan = parse_plan([to("14:00", "15:00")], union_id=ORGANIZER)
    with pytest.raises((InvalidInputError, KeyError, ValueError)):
        read_move(plan.rows[0], event(end={"dateTime": "soon"}), "UTC", MARCH)
