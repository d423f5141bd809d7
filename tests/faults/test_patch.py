"""One patch, under any schedule of faults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.faults.conftest import SCHEDULES, schedules
from tests.faults.tasks import Try, run_tries
from tests.faults.world import AUTH_TYPES, World, world

RETRIES = 3
PATCHES: list[dict[str, Any]] = [
    {"summary": "Sprint 42", "notify_chat": False},
    {"start": "2027-03-09T10:00", "end": "2027-03-09T11:30"},
    {"location": "Room 2", "reminders": [5], "description": "What is next"},
    {"summary": "Sprint 42", "online_meeting": True},
]


def wanted(patch: dict[str, Any]) -> dict[str, Any]:
    """Write what the event shall be like afterwards, as the emulator shows it."""
    shown = {
        "start": {"dateTime": "2027-03-09T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
        "end": {"dateTime": "2027-03-09T11:30:00+08:00", "timeZone": "Asia/Shanghai"},
        "location": {"displayName": "Room 2"},
        "reminders": [{"method": "dingtalk", "minutes": "5"}],
    }
    return {name: shown.get(name, value) for name, value in patch.items() if name in {*shown, "summary", "description"}}


def patched(here: World, patch: dict[str, Any]) -> list[Try]:
    """Run the task."""

    def operator() -> Any:
        return DingTalkCalendarPatchEventOperator(
            task_id="t", union_id=ORGANIZER, event_id=EVENT, patch=patch, retries=RETRIES
        )

    return run_tries(here, operator, RETRIES)


@SCHEDULES
@pytest.mark.parametrize("replay", ["stored", "again"])
@given(schedule=schedules(8), patch=st.sampled_from(PATCHES), auth_type=st.sampled_from(AUTH_TYPES))
def test_a_patch_under_faults(
    dingtalk: Emulator, replay: str, schedule: dict[int, str], patch: dict[str, Any], auth_type: str
) -> None:
    """The event has what was asked, or the task failed and says truly what it knows; nothing else has changed."""
    with world(dingtalk, DATA, schedule, auth_type, replay=replay) as here:
        before = dingtalk.event(EVENT)
        tries = patched(here, patch)
    after, effects = dingtalk.event(EVENT), dingtalk.effects
    event(f"{'succeeded' if tries[-1].succeeded else 'failed'} in try {len(tries)}")
    changed = {name for name in {*before, *after} if before.get(name) != after.get(name)} - {"updateTime"}
    assert changed <= {*wanted(patch), *(["onlineMeetingInfo"] if "online_meeting" in patch else [])}
    if tries[-1].succeeded:
        assert {name: after[name] for name in wanted(patch)} == wanted(patch)
        assert tries[-1].pushed["not_applied"] == []
        assert ("onlineMeetingInfo" in after) == ("online_meeting" in patch)
    for one in tries:
        _tells_the_truth(one)
    _once(effects, replay)
    assert sum(effects["calls"].values()) <= _budget(schedule, patch) + here.slow


def _tells_the_truth(one: Try) -> None:
    """An error that says that nothing took effect is right; one that no retry can fix ends the task."""
    if one.error is not None and getattr(one.error, "outcome", "rejected") != "unknown":
        assert one.writes[0] == one.writes[1]
    if one.error is not None:
        assert one.final == (not one.error.retryable)


def _once(effects: dict[str, Any], replay: str) -> None:
    assert len(effects["meetings"]) <= 1
    assert len({write["client_token"] for write in effects["writes"]}) <= 1
    if replay == "stored":
        assert len(effects["writes"]) <= 1


def _budget(schedule: dict[int, str], patch: dict[str, Any]) -> int:
    """Count the metered calls that are documented: one, and for each fault one more, two with a video meeting."""
    return 1 + len(schedule) * (2 if "online_meeting" in patch else 1)
