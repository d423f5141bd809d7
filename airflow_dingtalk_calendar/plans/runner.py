"""The rows of a plan on their way: threads that send them, and what makes all of them stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from airflow_dingtalk_calendar.exceptions import DingTalkError, Interrupted
from airflow_dingtalk_calendar.plans.apply import apply_row
from airflow_dingtalk_calendar.plans.results import RowResult, crashed_result, failed_result
from airflow_dingtalk_calendar.plans.worker_pool import WorkerPool, thread_count

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions
    from airflow_dingtalk_calendar.plans.progress import Progress
    from airflow_dingtalk_calendar.plans.rows import Row


class PlanRunner:
    """Send rows, each once.

    :param rows: what is to be sent.
    :param max_failures: so many refusals that all rows would get end it.
    :ivar refused: the refusals that all rows would get.
    """

    def __init__(
        self, hook: DingTalkCalendarHook, rows: Sequence[Row], options: ApplyOptions, max_failures: int
    ) -> None:
        self.refused: list[RowResult] = []
        self._hook = hook
        self._options = options
        self._max_failures = max_failures
        self._broken: Exception | None = None
        self._pool = WorkerPool(self._run_row, rows, thread_count(hook.get_conn().max_qps, len(rows)))

    @property
    def stopped(self) -> bool:
        """Whether no more rows are begun."""
        return self._pool.stopping

    def stop(self) -> None:
        """Begin no more rows; a signal handler may call this."""
        self._pool.stop()

    def run(self, progress: Progress) -> None:
        """Send the rows, and enter what becomes of each.

        :raises Exception: what is nobody's refusal but a fault of this program, or of Airflow.
        """
        clock = self._hook.clock
        self._hook = self._hook.with_clock(replace(clock, sleep=self._pool.interruptible(clock.sleep)))
        with self._pool:
            try:
                self._collect_results(progress)
            except BaseException:  # a time limit, or the task is killed: what is under way still counts
                self.stop()
                self._collect_results(progress)
                raise
            finally:
                progress.save()
        if self._broken:
            raise self._broken

    def _collect_results(self, progress: Progress) -> None:
        """Keep the progress while the threads work."""
        for result in self._pool.results():
            progress.add_result(result)
            if self.stopped:
                progress.save()  # there may be little time

    def _run_row(self, row: Row) -> RowResult:
        """Send one row, in a thread."""
        try:
            return self._hook.follow(apply_row(row, self._options))
        except DingTalkError as error:
            return self._note_failure(failed_result(row, error, retried=self._options.retried))
        except Interrupted:
            raise
        except Exception as error:  # raised in the end, when all other rows are entered
            self._broken = error
            self.stop()
            return crashed_result(row, error)

    def _note_failure(self, failure: RowResult) -> RowResult:
        """Decide at once and here whether to go on, lest the other threads go on asking."""
        if failure.for_all:
            self.refused.append(failure)
            if failure.again or len(self.refused) >= self._max_failures:
                self.stop()
        return failure
