"""A list of several pages, under any schedule of faults."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from tests.conftest import DATA, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import run_tries
from tests.faults.world import AUTH_TYPES, world

RETRIES = 3
IDS = [f"event-{number:03}" for number in range(230)]  # three pages
MANY = {**DATA, "events": [stored(event_id) for event_id in IDS]}
ABSENT = "applied, an answer without its members"


def absent_once(schedule: dict[int, str]) -> bool:
    """DingTalk may leave out a list that is empty, so one that is absent twice counts as that."""
    return list(schedule.values()).count(ABSENT) < 2


@SCHEDULES
@given(schedule=schedules(8).filter(absent_once), auth_type=st.sampled_from(AUTH_TYPES))
def test_a_list_under_faults(dingtalk: Emulator, schedule: dict[int, str], auth_type: str) -> None:
    """The list is complete and has each event once, or the task failed; it costs one call more for each fault."""

    def operator() -> Any:
        return DingTalkCalendarListEventsOperator(task_id="t", union_id=ORGANIZER)

    with world(dingtalk, MANY, schedule, auth_type) as here:
        tries = run_tries(here, operator, RETRIES)
        if tries[-1].succeeded:
            assert sorted(found["id"] for found in tries[-1].result) == IDS
    for one in tries:
        assert one.error is None or one.final == (not one.error.retryable)
    event(f"{'succeeded' if tries[-1].succeeded else 'failed'} in try {len(tries)}")
    # A try that fails begins with the first page again.
    assert sum(dingtalk.effects["calls"].values()) <= 3 * len(tries) + len(schedule) + here.slow
    assert dingtalk.effects["writes"] == []
