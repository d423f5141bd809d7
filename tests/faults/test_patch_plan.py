"""A plan of many patches, under any schedule of faults."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import event, example, given

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import StateStore
from tests.conftest import DATA, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import Try, run_tries
from tests.faults.world import World, world

RETRIES = 3
IDS = [f"event-{number}" for number in range(8)]
MANY = {**DATA, "events": [stored(event_id) for event_id in IDS]}
MEETING = IDS[-1]
PLAN = [
    *({"event_id": event_id, "patch": {"summary": "Sprint 42", "location": "Room 2"}} for event_id in IDS[:-1]),
    {"event_id": MEETING, "patch": {"summary": "Sprint 42", "online_meeting": True}},
]
WANTED = {"applied", "unchanged"}


def applied(here: World, store: StateStore | None) -> list[Try]:
    """Run the task, with or without Airflow's state store."""

    def operator() -> Any:
        return DingTalkCalendarApplyPlanOperator(
            task_id="t", union_id=ORGANIZER, plan=PLAN, retries=RETRIES, max_calls=100
        )

    return run_tries(here, operator, RETRIES, **({"task_state_store": store} if store else {}))


@SCHEDULES
@pytest.mark.parametrize("remembers", [True, False], ids=["state store", "no state store"])
@pytest.mark.parametrize("replay", ["stored", "again"])
@given(schedule=schedules(16))
@example(schedule={2: "killed before sending", 3: "killed before sending"})  # in two threads
@example(schedule={2: "killed before sending", 6: "killed after sending"})
@example(schedule={2: "tokens expired", 3: "applied, an answer without its members"})
def test_a_batch_under_faults(dingtalk: Emulator, replay: str, remembers: bool, schedule: dict[int, str]) -> None:
    """Every event is as planned, or the task failed and its report says truly of each what is known."""
    with world(dingtalk, MANY, schedule, replay=replay) as here:
        tries = applied(here, StateStore() if remembers else None)
    effects, last = dingtalk.effects, tries[-1]
    event(f"{'succeeded' if last.succeeded else 'failed'} in try {len(tries)}")
    done = {event_id: dingtalk.event(event_id)["summary"] == "Sprint 42" for event_id in IDS}
    if last.succeeded:
        assert all(done.values())
    for row in last.pushed.get("results", []):
        assert done[row["event_id"]] or row["status"] not in WANTED
        # That there is a meeting, maybe of an earlier try, is said; whether the rest was done, is not.
        assert not done[row["event_id"]] or row["status"] != "rejected" or row["code"] == "hasMeeting"
    _once(effects, replay)
    _untouched(effects)
    assert sum(effects["calls"].values()) <= _budget(tries, schedule, remembers) + here.slow


def _once(effects: dict[str, Any], replay: str) -> None:
    """One intent has one identity; the video meeting is made once, whatever the service does with a repetition."""
    assert len(effects["meetings"]) <= 1
    identities = {(write["event_id"], write["client_token"]) for write in effects["writes"]}
    assert len(identities) == len({event_id for event_id, _ in identities})
    if replay == "stored":
        assert max(Counter(write["event_id"] for write in effects["writes"]).values(), default=0) <= 1


def _untouched(effects: dict[str, Any]) -> None:
    for write in effects["writes"]:
        assert write["changed"].keys() <= {"summary", "location", "onlineMeetingInfo"}


def _budget(tries: list[Try], schedule: dict[int, str], remembers: bool) -> int:
    """Count the metered calls that are documented: for each row one, and again in a retry if nothing is recorded."""
    rounds = 1 if remembers else len(tries)
    reads = len(tries) - 1  # a retry checks whether there is a meeting
    return rounds * len(PLAN) + reads + 2 * len(schedule)
