"""What is known of a plan's progress, and when it has to be recorded at once."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any, cast

from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
from airflow_dingtalk_calendar.plans.progress import SAVE_INTERVAL, Progress
from airflow_dingtalk_calendar.plans.results import RowResult, RowStatus
from tests.airflow_runs import StateStore


class Change:
    """An action that counts how often somebody asks whether it creates an event."""

    def __init__(self, creates: bool = False) -> None:
        self._creates, self.asked = creates, 0

    @property
    def creates(self) -> bool:
        """Whether it does."""
        self.asked += 1
        return self._creates


def result(index: int, change: Change, status: RowStatus = "applied") -> RowResult:
    """Return the result of a row with this change."""
    return RowResult(cast("Any", SimpleNamespace(index=index, change=change)), status)


def progress(total: int, times: list[float]) -> Progress:
    """Return the progress of a plan that has just begun; its clock shows the last of these times."""
    log = logging.getLogger(__name__)
    return Progress(total, Checkpoint(StateStore(), "plan", log), log, lambda: times[-1])


def test_a_created_event_is_urgent_until_it_is_recorded() -> None:
    """A new event has to be recorded at once, for sent again it would be two; after that nothing is urgent."""
    seen = progress(3, [0.0])
    seen.add_result(result(0, Change()))
    assert not seen.is_urgent
    seen.add_result(result(1, Change(creates=True)))
    seen.add_result(result(2, Change()))
    assert seen.is_urgent
    seen.save()
    assert not seen.is_urgent


def test_what_is_not_final_is_not_urgent() -> None:
    """Of a creation whose outcome is unknown there is nothing to record."""
    seen = progress(1, [0.0])
    seen.add_result(result(0, Change(creates=True), "unknown"))
    assert not seen.is_urgent


def test_the_interval_records_what_is_urgent_as_well() -> None:
    """When it is time to record anyway, nothing is left to be urgent."""
    times = [0.0]
    seen = progress(1, times)
    times.append(SAVE_INTERVAL)
    seen.add_result(result(0, Change(creates=True)))
    assert not seen.is_urgent


def test_each_result_is_looked_at_once() -> None:
    """However many results wait to be recorded, one more takes as long as the first."""
    changes = [Change() for _ in range(500)]
    seen = progress(len(changes), [0.0])
    for index, change in enumerate(changes):
        seen.add_result(result(index, change))
        assert not seen.is_urgent
    assert {change.asked for change in changes} == {1}
