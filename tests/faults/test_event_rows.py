"""Rows that belong together, and rows that ask first who is busy, under any schedule of faults."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans import cancel_occurrence, split_series, swap_room
from tests.airflow_runs import StateStore
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import Try, run_tries
from tests.faults.world import BEGIN, World, world

RETRIES = 3
ROOMS = [{"roomId": room, "displayName": room} for room in ("old", "new")]
DAILY = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "endDate", "endDate": "2027-03-06T15:59:59Z"},
}
BUSY, FREE = "busy", "free"
SHANGHAI = "Asia/Shanghai"
OTHER_ID = "applied, another id in the answer"
# With a clock that has gone back by hours, nobody finds what an earlier try has created.
ODD_CREATES = ["clock 3 h back", OTHER_ID]
remembering = pytest.mark.parametrize("remembers", [True, False], ids=["state store", "no state store"])


def at(clock: str, end: str) -> dict[str, Any]:
    """Write the times of an event."""
    return {
        name: {"dateTime": f"2027-03-02T{one}:00+08:00", "timeZone": SHANGHAI}
        for name, one in (("start", clock), ("end", end))
    }


def applied(here: World, plan: list[dict[str, Any]], remembers: bool, **arguments: Any) -> list[Try]:
    """Run the task, with or without Airflow's state store."""

    def operator() -> Any:
        given = {"union_id": ORGANIZER, "timezone": SHANGHAI, "plan": plan, "max_calls": 100, **arguments}
        return DingTalkCalendarApplyPlanOperator(task_id="t", retries=RETRIES, **given)

    run = SimpleNamespace(start_date=dt.datetime.fromtimestamp(BEGIN, dt.UTC))
    context = {"task_state_store": StateStore()} if remembers else {}
    tries = run_tries(here, operator, RETRIES, dag_run=run, **context)
    event(f"{'succeeded' if tries[-1].succeeded else 'failed'} in try {len(tries)}")
    return tries


@SCHEDULES
@remembering
@pytest.mark.parametrize("replay", ["stored", "again"])
@given(schedule=schedules(12))
def test_a_swap_of_rooms(dingtalk: Emulator, replay: str, remembers: bool, schedule: dict[int, str]) -> None:
    """The event has a room at every moment; when the task succeeds, it is the new one, and the text names it."""
    data = {**DATA, "rooms": ROOMS, "events": [stored(meetingRooms=ROOMS[:1])]}
    with world(dingtalk, data, schedule, replay=replay) as here:
        rows = swap_room(dingtalk.event(EVENT), "new", location="Room new")
        last = applied(here, rows, remembers)[-1]
    rooms = {one["roomId"] for one in dingtalk.event(EVENT)["meetingRooms"]}
    assert rooms
    if last.succeeded:
        statuses = {one["status"] for one in last.pushed["results"]}
        assert statuses <= {"applied", "unchanged", "skipped"}
        if "skipped" not in statuses:
            assert rooms == {"new"}
            assert dingtalk.event(EVENT)["location"]["displayName"] == "Room new"
    writes = [one["action"] for one in dingtalk.effects["writes"]]
    if "RemoveMeetingRooms" in writes:
        assert writes.index("AddMeetingRooms") < writes.index("RemoveMeetingRooms")


@SCHEDULES
@remembering
@pytest.mark.parametrize("replay", ["stored", "again"])
@given(
    schedule=schedules(12, without=ODD_CREATES), day=st.sampled_from(["2027-03-03", "2027-03-05"]), one=st.booleans()
)
def test_a_split_of_a_series(
    dingtalk: Emulator, replay: str, remembers: bool, schedule: dict[int, str], day: str, one: bool
) -> None:
    """The rest is created once and after the series has ended; when the task succeeds, both are so, or neither."""
    with world(dingtalk, {**DATA, "events": [stored(recurrence=DAILY)]}, schedule, replay=replay) as here:
        series = dingtalk.event(EVENT)
        rows = cancel_occurrence(series, day) if one else split_series(series, day, summary="Other")
        last = applied(here, rows, remembers)[-1]
    others = [found for name, found in dingtalk.store.events.items() if name != EVENT]
    ended = dingtalk.event(EVENT)["recurrence"] != DAILY
    assert len(others) <= 1
    assert ended or not others
    if last.succeeded:
        assert bool(others) == ended
    if others:
        first = {"2027-03-03": "2027-03-04", "2027-03-05": "2027-03-06"}[day] if one else day
        assert others[0]["start"]["dateTime"].startswith(first)


@SCHEDULES
@remembering
@given(
    schedule=schedules(12),
    names=st.permutations([BUSY, FREE]),
    policy=st.sampled_from(["warn", "skip", "fail"]),
)
def test_a_check_who_is_busy(
    dingtalk: Emulator, remembers: bool, schedule: dict[int, str], names: list[str], policy: str
) -> None:
    """No fault lets an event move while its people are busy; what the report says of each event is so."""
    events = [stored(BUSY), stored(FREE, attendees=[], organizer={"id": "iiPfree"})]
    theirs = stored("theirs", **at("14:00", "15:00"), organizer={"id": "iiPother"})
    users = [*DATA["users"], {"unionId": "iiPfree", "name": "Wu"}, {"unionId": "iiPother", "name": "Li"}]
    plan = [{"event_id": name, "patch": at("14:30", "15:30")} for name in names]
    plan = [{**row, "union_id": "iiPfree"} if row["event_id"] == FREE else row for row in plan]
    with world(dingtalk, {**DATA, "users": users, "events": [*events, theirs]}, schedule) as here:
        last = applied(here, plan, remembers, if_busy=policy)[-1]
    moved = {name: "T14:30" in dingtalk.event(name)["start"]["dateTime"] for name in names}
    assert policy == "warn" or not moved[BUSY]
    for result in last.pushed.get("results", []):
        name = result["event_id"]
        assert moved[name] or result["status"] != "applied"
        assert not (moved[name] and result["code"] in ("busy", "busyUnknown") and result["status"] != "applied")
    if last.succeeded:
        found = {one["event_id"]: (one["status"], one["code"]) for one in last.pushed["results"]}
        assert found[FREE] == ("applied", "")
        # A retry of a move that an earlier try has made finds nothing to check.
        outcomes = {"warn": {("applied", "busy"), ("applied", "")}, "skip": {("skipped", "busy")}}
        assert found[BUSY] in outcomes[policy]
