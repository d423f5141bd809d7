"""A sensor that waits for the end of an event, under any schedule of faults."""

from __future__ import annotations

import datetime as dt
import sys
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import BaseSensorOperator
from hypothesis import event, given

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.conftest import event as stored
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import Try, run_tries
from tests.faults.world import BEGIN, World, world

RETRIES = 3
END = BEGIN + 3 * 3600.0


def at(seconds: float) -> dict[str, str]:
    """Write a time as the API does."""
    zone = dt.timezone(dt.timedelta(hours=8))
    return {"dateTime": dt.datetime.fromtimestamp(seconds, zone).isoformat(), "timeZone": "Asia/Shanghai"}


MEETING = {**DATA, "events": [stored(start=at(END - 3600), end=at(END))]}


def waited(here: World) -> list[Try]:
    """Run the task; Airflow's own sleeping between two polls passes this world's time."""

    def operator() -> Any:
        return DingTalkCalendarEventSensor(
            task_id="t", union_id=ORGANIZER, event_id=EVENT, ended=True, deferrable=False
        )

    airflows = SimpleNamespace(sleep=here.sleep, monotonic=lambda: here.mono)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules[BaseSensorOperator.__module__], "time", airflows)
        patch.setattr(DingTalkCalendarEventSensor, "_clock", staticmethod(lambda: here.wall))
        return run_tries(here, operator, RETRIES)


@SCHEDULES
@given(schedule=schedules(8))
def test_waiting_under_faults(dingtalk: Emulator, schedule: dict[int, str]) -> None:
    """The wait is over when the event is, not before; only what no retry can fix ends it otherwise."""
    with world(dingtalk, MEETING, schedule) as here:
        tries = waited(here)
        over = here.wall >= END
    event(f"{'succeeded' if tries[-1].succeeded else 'failed'} in try {len(tries)}")
    assert over or not tries[-1].succeeded
    assert all(one.final for one in tries if one.error)
    # A poll now and one at the end; one more for each fault, which may also set the clock back.
    assert sum(dingtalk.effects["calls"].values()) <= 2 + 2 * len(schedule) + here.slow
    assert dingtalk.effects["writes"] == []
