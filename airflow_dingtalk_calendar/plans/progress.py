"""The progress of a plan: results as they arrive, logged and passed to the checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
from airflow_dingtalk_calendar.plans.results import is_final

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.plans.results import RowResult


SAVE_INTERVAL = 1.0  # seconds; so much is sent again, under the same client tokens, when the task is killed
LOG_INTERVAL = 5.0  # seconds


class Progress:
    """Results as they come.

    :param total: rows in the plan.
    :param clock: a monotonic clock.
    :ivar is_urgent: whether a created event is not recorded yet; no other row does harm when it is sent again.
    """

    def __init__(self, total: int, checkpoint: Checkpoint, log: Any, clock: Callable[[], float]) -> None:
        self.results: dict[int, RowResult] = {}
        self._total = total
        self._checkpoint = checkpoint
        self._log = log
        self._clock = clock
        self._before = 0
        self._start = self._recorded = self._reported = clock()
        self._unrecorded: list[RowResult] = []
        self.is_urgent = False

    def restore(self, found: Sequence[RowResult]) -> None:
        """Take over what earlier tries have finished."""
        self.results = {result.row.index: result for result in found}
        self._before = len(self.results)

    def add_result(self, result: RowResult | None) -> None:
        """Enter a result, or None to let time pass."""
        if result is not None:
            self.results[result.row.index] = result
            self._keep_final(result)
        now = self._clock()
        if now - self._recorded >= SAVE_INTERVAL:
            self.save()
        if now - self._reported >= LOG_INTERVAL:
            self._reported = now
            self._log_progress(now - self._start)

    def record_befores(self, befores: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Record what events are, before they are changed."""
        self._checkpoint.add_befores(befores)

    def save(self) -> None:
        """Record what is not recorded yet."""
        if self._unrecorded:
            self._checkpoint.add(self._unrecorded)
        self._unrecorded, self.is_urgent = [], False
        self._recorded = self._clock()

    def elapsed(self) -> float:
        """Return how long it has taken so far."""
        return self._clock() - self._start

    def _keep_final(self, result: RowResult) -> None:
        if is_final(result):
            self._unrecorded.append(result)
            self.is_urgent = self.is_urgent or result.row.change.creates

    def _log_progress(self, seconds: float) -> None:
        done = len(self.results)
        rate = (done - self._before) / seconds
        left = f"{(self._total - done) / rate:.0f} s left" if rate else "no answer yet"
        failed = sum(result.failed for result in self.results.values())
        self._log.info("%d of %d rows done (%.1f/s), %d failed, %s.", done, self._total, rate, failed, left)
