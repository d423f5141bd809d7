"""A plan on its way: threads that send its rows, what is recorded of them, and what makes all of them stop.

The runner owns workers, checkpoint and progress; its owner calls :meth:`PlanRunner.run` once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import DingTalkError, Interrupted, InvalidInputError
from airflow_dingtalk_calendar.plans.apply import RowRun
from airflow_dingtalk_calendar.plans.progress import Progress
from airflow_dingtalk_calendar.plans.results import (
    RowResult,
    crashed_result,
    failed_result,
    group_failed_result,
    interrupted_result,
    not_tried_result,
)
from airflow_dingtalk_calendar.plans.worker_pool import WorkerPool, thread_count

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions
    from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
    from airflow_dingtalk_calendar.plans.plan import Plan
    from airflow_dingtalk_calendar.plans.rows import Row

SAVE_TIMEOUT = 0.5  # seconds after which a waiting thread checks whether to stop


@dataclass(frozen=True, slots=True)
class PlanLimits:
    """How much a plan may do.

    :ivar max_failures: so many refusals that all rows would get end it.
    :ivar max_calls: metered calls that it may take.
    """

    max_failures: int = 1
    max_calls: int = 1000


@dataclass(frozen=True, slots=True)
class BeforeRecord:
    """What the event of a row is before it is changed, and whether that is recorded."""

    index: int
    before: Mapping[str, Any] = field(repr=False)
    saved: Event = field(default_factory=Event)


class PlanRunner:
    """Apply the rows of a plan, each once, except those that earlier tries have finished.

    :ivar begun: whether applying rows has begun.
    :ivar refused: the refusals that all rows would get.
    """

    def __init__(
        self,
        hook: DingTalkCalendarHook,
        plan: Plan,
        options: ApplyOptions,
        limits: PlanLimits,
        checkpoint: Checkpoint,
        log: Any,
    ) -> None:
        self.refused: list[RowResult] = []
        self._plan = plan
        self._options = self._recording_options(options) if checkpoint.stores else options
        self._befores: dict[int, Any] = {}
        self._unsaved: list[BeforeRecord] = []
        self._limits = limits
        self._log = log
        self._broken: Exception | None = None
        self._earlier: dict[int, RowResult] = {}
        self._checkpoint = checkpoint
        self._progress = Progress(len(plan.rows), checkpoint, log, hook.clock.monotonic)
        actions = {row.change.action for row in plan.rows}
        threads = thread_count(hook.get_conn().max_qps, len(actions), len(plan.groups))
        self._pool: WorkerPool[Sequence[Row], RowResult | BeforeRecord] = WorkerPool(
            self._run_group, plan.groups, threads
        )
        self._hook = hook
        self.begun = False

    def _recording_options(self, options: ApplyOptions) -> ApplyOptions:
        return replace(options, records_before=True, record_before=self._record_before)

    @property
    def stopped(self) -> bool:
        """Whether no more rows are begun."""
        return self._pool.stopping

    @property
    def results(self) -> list[RowResult]:
        """What has become of each row so far, in the order of the plan."""
        found = self._progress.results
        return [found.get(row.index) or self._with_before(not_tried_result(row)) for row in self._plan.rows]

    def elapsed(self) -> float:
        """Return how many seconds it has taken so far."""
        return self._progress.elapsed()

    def stop(self) -> None:
        """Begin no more rows; a signal handler may call this."""
        self._pool.stop()

    def run(self) -> list[RowResult]:
        """Apply what is left of the plan, and return the result of each row.

        :raises InvalidInputError: when that takes more calls than allowed; nothing is sent.
        :raises Exception: what is nobody's refusal but a fault of this program, or of Airflow.
        """
        self._restore()
        clock = self._hook.clock
        # Waiting for a turn, or for a retry, ends when the plan is stopped: Airflow gives a killed task seconds.
        self._hook = self._hook.with_clock(replace(clock, sleep=self._pool.interruptible(clock.sleep)))
        self.begun = True
        with self._pool:
            try:
                self._collect_results()
            except BaseException:  # a time limit, or the task is killed: what is under way still counts
                self.stop()
                self._collect_results()
                raise
            finally:
                self._progress.save()
        if self._broken:
            raise self._broken
        return self.results

    def _restore(self) -> None:
        """Take over what earlier tries have finished, and count what the rest takes."""
        rows = self._plan.rows
        found = self._checkpoint.load(rows)
        self._progress.restore(found)
        self._earlier = {result.row.index: result for result in found}
        self._befores = self._checkpoint.befores
        if created := self._options.created:
            # Their events are taken: an unfinished row that asks for the very same must not find one of them.
            created.claimed.update(result.event_id for result in found if result.row.change.creates)
        if found:
            self._log.info("Earlier tries have finished %d of %d rows.", len(found), len(rows))
        calls = self._options.count_calls(row for row in rows if row.index not in self._earlier)
        if calls > self._limits.max_calls:
            remedy = "split the plan, or raise max_calls if the monthly quota allows"
            problem = f"is {self._limits.max_calls}, and the plan takes {calls} metered calls: {remedy}"
            raise InvalidInputError(("max_calls", problem))

    def _collect_results(self) -> None:
        """Keep the progress while the threads work."""
        for result in self._pool.results():
            if isinstance(result, BeforeRecord):
                self._unsaved.append(result)
            else:
                self._progress.add_result(result)
            if self._pool.drained:
                self._save_befores()
            if self.stopped or (self._progress.is_urgent and self._pool.drained):
                self._progress.save()  # there may be little time

    def _save_befores(self) -> None:
        """Record what events are before they are changed, of all threads that wait for it at once."""
        records, self._unsaved = self._unsaved, []
        if records:
            self._progress.record_befores((record.index, record.before) for record in records)
        for record in records:
            record.saved.set()

    def _record_before(self, row: Row, before: Mapping[str, Any]) -> None:
        """Wait, in a worker's thread, until what the event is has been recorded: a killed try can be undone, too."""
        if row.index in self._befores or row.event is not None:
            return
        record = BeforeRecord(row.index, before)
        self._pool.hand_over(record)
        while not record.saved.wait(SAVE_TIMEOUT):
            if self.stopped:
                raise Interrupted

    def _run_group(self, group: Sequence[Row]) -> Iterator[RowResult]:
        """Apply the rows of a group in their order, in a thread; the first that is not done ends it."""
        created: dict[str, str] = {}
        cause: RowResult | None = None
        for number, row in enumerate(group):
            # A group that has begun is left between two rows; before its first one, the pool has asked already.
            if number and self.stopped:
                return
            result = self._earlier.get(row.index)
            if result is None:
                result = (
                    self._run_row(row, created) if cause is None else self._with_before(group_failed_result(row, cause))
                )
                yield result
            if row.name is not None and result.event_id:
                created[row.name] = result.event_id
            cause = cause or (None if result.done else result)

    def _run_row(self, row: Row, created: dict[str, str]) -> RowResult:
        run = RowRun(row, self._options, created, before=self._befores.get(row.index))
        return replace(self._follow_row(run), before=run.before)

    def _with_before(self, result: RowResult) -> RowResult:
        """Add to what became of a row that this try has not come to what undoing an earlier try's doing takes.

        An earlier try that recorded what events were had not come to a row of which there is no record.
        """
        row = result.row
        recorded = self._options.records_before and row.change.needs_before and row.event is None
        unknown = self._options.retried and not recorded
        return replace(result, before=self._befores.get(row.index, {} if unknown else None))

    def _follow_row(self, run: RowRun) -> RowResult:
        row = run.row
        try:
            return self._hook.follow(run.steps())
        except DingTalkError as error:
            known = {"progress": run.progress, "event_id": run.event_id}
            return self._note_failure(failed_result(row, error, retried=self._options.retried, **known))
        except Interrupted:
            if not run.progress:
                raise
            return interrupted_result(row, run.progress, run.event_id)
        except Exception as error:  # raised in the end, when all other rows are entered
            self._broken = error
            self.stop()
            return crashed_result(row, error)

    def _note_failure(self, failure: RowResult) -> RowResult:
        """Decide at once and here whether to go on, lest the other threads go on asking."""
        if failure.for_all:
            self.refused.append(failure)
            if failure.again or len(self.refused) >= self._limits.max_failures:
                self.stop()
        return failure
