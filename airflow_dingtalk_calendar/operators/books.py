"""The books of a batch: what is finished, said in the log, and kept in Airflow so that a killed task can go on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar import results as outcomes

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.plan import Row
    from airflow_dingtalk_calendar.results import RowResult

# Airflow's default limit of a value in the state store is 65,535 characters of JSON ([state_store]
# max_value_storage_bytes, Airflow 3.3).
MAX_CHUNK_LENGTH = 60_000
RETENTION = dt.timedelta(days=7)  # what a task leaves behind that was killed on its last try
SAVE_INTERVAL = 1.0  # seconds; so much is sent again, under the same client tokens, when the task is killed
LOG_INTERVAL = 5.0  # seconds


class Checkpoint:
    """The finished rows of a plan in Airflow's state of this task, which its retries see (Airflow 3.3 on).

    A failure of the state store fails nothing: it is said once, and the batch goes on without a record.

    :param store: ``context["task_state_store"]``, or None. It is synchronous: never to be called on an event loop.
    :param name: of this plan in this cycle of tries; a person's clear has to make another one, because the state
        survives a clear on Airflow 3.3.
    """

    def __init__(self, store: Any, name: str, log: Any) -> None:
        self._store = store
        self._name = name
        self._log = log
        self._chunks = outcomes.ResultChunks(MAX_CHUNK_LENGTH, self._store_chunk)

    def load(self, rows: Sequence[Row]) -> list[RowResult]:
        """Return what earlier tries have finished."""
        by_index = {row.index: row for row in rows}
        found: list[RowResult] = []
        while self._store is not None:
            piece = self._attempt(self._store.get, self._key(self._chunks.number))
            if not piece:
                break
            self._chunks.number += 1
            found += (
                self._attempt(lambda entries: [outcomes.decode_result(entry, by_index) for entry in entries], piece) or []
            )
        return found

    def add(self, finished: Sequence[RowResult]) -> None:
        """Keep what is finished."""
        if self._store is not None:
            self._attempt(self._chunks.add, finished)

    def clear(self) -> None:
        """Delete all of it: no further try needs it."""
        for number in range(self._chunks.number + 1):
            if self._store is not None:
                self._attempt(self._store.delete, self._key(number))

    def _store_chunk(self, number: int, piece: list[Any]) -> None:
        self._store.set(self._key(number), piece, retention=RETENTION)

    def _key(self, number: int) -> str:
        return f"dingtalk-batch-{self._name}-{number}"

    def _attempt(self, action: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return action(*arguments)
        except Exception as error:  # whatever the state store, or what it is made of, raises
            self._store = None
            self._log.warning(
                "Airflow's state store failed (%s): what is finished is no longer recorded, so that a retry would "
                "send it again, under the same client tokens.",
                type(error).__name__,
            )


class Progress:
    """Results as they come.

    :param total: rows in the plan.
    :param clock: a monotonic clock.
    """

    def __init__(self, total: int, record: Checkpoint, log: Any, clock: Callable[[], float]) -> None:
        self.results: dict[int, RowResult] = {}
        self._total = total
        self._record = record
        self._log = log
        self._clock = clock
        self._before = 0
        self._start = self._recorded = self._reported = clock()
        self._unrecorded: list[RowResult] = []

    def restore(self, found: Sequence[RowResult]) -> None:
        """Take over what earlier tries have finished."""
        self.results = {result.row.index: result for result in found}
        self._before = len(self.results)

    def add_result(self, result: RowResult | None) -> None:
        """Enter a result, or None to let time pass."""
        if result is not None:
            self.results[result.row.index] = result
            self._unrecorded += [result] if outcomes.is_final(result) else []
        now = self._clock()
        if now - self._recorded >= SAVE_INTERVAL:
            self.save()
        if now - self._reported >= LOG_INTERVAL:
            self._reported = now
            self._log_progress(now - self._start)

    def save(self) -> None:
        """Record what is not recorded yet."""
        if self._unrecorded:
            self._record.add(self._unrecorded)
        self._unrecorded = []
        self._recorded = self._clock()

    def elapsed(self) -> float:
        """Return how long it has taken so far."""
        return self._clock() - self._start

    def _log_progress(self, seconds: float) -> None:
        done = len(self.results)
        rate = (done - self._before) / seconds
        left = f"{(self._total - done) / rate:.0f} s left" if rate else "no answer yet"
        failed = sum(result.failed for result in self.results.values())
        self._log.info("%d of %d events done (%.1f/s), %d failed, %s.", done, self._total, rate, failed, left)
