"""What of a plan is finished, kept in Airflow's state of the task, so that a retry resumes where a killed try ended.

Results are stored in chunks, each below the size that Airflow takes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeVar

from airflow_dingtalk_calendar.plans.results import ROW_STATUSES, RowResult
from airflow_dingtalk_calendar.plans.rows import Row

E = TypeVar("E")
# Airflow's default limit of a value in the state store is 65,535 characters of JSON ([state_store]
# max_value_storage_bytes, Airflow 3.3).
MAX_CHUNK_LENGTH = 60_000
RETENTION = dt.timedelta(days=7)  # what a task leaves behind that was killed on its last try


class Checkpoint:
    """The finished rows of a plan in Airflow's state of this task, which its retries see (Airflow 3.3 on).

    A failure of the state store fails nothing: it is logged once, and the plan continues without a record.

    :ivar befores: what events were before earlier tries changed them, by the row's index, once loaded.
    :param store: ``context["task_state_store"]``, or None. It is synchronous: never to be called on an event loop.
    :param name: of this plan in this cycle of tries; a person's clear has to make another one, because the state
        survives a clear on Airflow 3.3.
    """

    def __init__(self, store: Any, name: str, log: Any) -> None:
        self._store = store
        self._name = name
        self._log = log
        self.befores: dict[int, Any] = {}
        self._finished = StoredChunks(MAX_CHUNK_LENGTH, partial(self._store_chunk, "plan"))
        self._befores = StoredChunks(MAX_CHUNK_LENGTH, partial(self._store_chunk, "before"))

    @property
    def stores(self) -> bool:
        """Whether anything is kept at all."""
        return self._store is not None

    def load(self, rows: Sequence[Row]) -> list[RowResult]:
        """Return what earlier tries have finished."""
        by_index = {row.index: row for row in rows}
        self.befores = self._load_befores()
        found = self._load_entries("plan", self._finished, partial(decode_result, rows=by_index))
        return [replace(result, before=self.befores.get(result.row.index)) for result in found]

    def _load_befores(self) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for index, before in self._load_entries("before", self._befores, _decode_before):
            # The first record counts: what a later try has read may be what an earlier one had made of the event.
            found.setdefault(index, before)
        return found

    def add(self, finished: Sequence[RowResult]) -> None:
        """Keep what is finished."""
        if self._store is not None:
            self._attempt(self._finished.add, map(encode_result, finished))

    def add_befores(self, befores: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """Keep what events are before they are changed; one too large for the store is marked as not known."""
        if self._store is not None:
            entries = ([index, before if _fits_chunk(before) else {}] for index, before in befores)
            self._attempt(self._befores.add, entries)

    def clear(self) -> None:
        """Delete all of it: no further try needs it."""
        for kind, chunks in (("plan", self._finished), ("before", self._befores)):
            for number in range(chunks.number + 1):
                if self._store is not None:
                    self._attempt(self._store.delete, self._key(kind, number))

    def _load_entries(self, kind: str, chunks: StoredChunks, decode: Callable[[Any], E]) -> list[E]:
        found: list[E] = []
        while self._store is not None and (piece := self._attempt(self._store.get, self._key(kind, chunks.number))):
            chunks.number += 1
            found += self._attempt(lambda entries: [decode(entry) for entry in entries], piece) or []
        return found

    def _store_chunk(self, kind: str, number: int, piece: list[Any]) -> None:
        self._store.set(self._key(kind, number), piece, retention=RETENTION)

    def _key(self, kind: str, number: int) -> str:
        return f"dingtalk-{kind}-{self._name}-{number}"

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


def _decode_before(entry: Sequence[Any]) -> tuple[int, dict[str, Any]]:
    index, before = entry
    return int(index), dict(before)


def _fits_chunk(before: Mapping[str, Any]) -> bool:
    return len(json.dumps(before)) < MAX_CHUNK_LENGTH - 20  # beside it, the row's index


def recall_start(store: Any, cycle: int, now: float, *, first: bool) -> dt.datetime | None:
    """Note when the first try of a task begins, and return what it noted; None where nobody knows.

    :param store: ``context["task_state_store"]``, or None.
    :param cycle: another one after a person's clear.
    :param now: seconds since the epoch.
    """
    key = f"dingtalk-start-{cycle}"
    with suppress(Exception):  # whatever the state store raises: a retry then goes by the DAG run's start
        if store is not None and first:
            store.set(key, now, retention=RETENTION)
        if store is not None and (noted := store.get(key)) is not None:
            return dt.datetime.fromtimestamp(float(noted), dt.UTC)
    return None


def encode_result(result: RowResult) -> list[Any]:
    """Write a result as short as it goes; fields and ids are in the plan, but for those of events it creates."""
    row = [result.row.index, ROW_STATUSES.index(result.status), list(result.not_applied)]
    created = "" if result.event_id == result.row.event_id else result.event_id
    texts = [result.code, result.message, result.request_id, created]
    full = [*row, *texts] if any(texts) or result.left else row
    full += [dict(result.left)] if result.left else []
    return full[:2] if full == [*row[:2], []] else full


def decode_result(entry: Sequence[Any], rows: Mapping[int, Row]) -> RowResult:
    """Read a result that :func:`encode_result` wrote.

    :raises LookupError, TypeError, ValueError: when it is something else.
    """
    index, status, not_applied, *texts = [*entry, []][: max(len(entry), 3)]
    left = dict(texts.pop()) if len(texts) > 4 else {}
    code, message, request_id, created = [*map(str, texts), "", "", "", ""][:4]
    fields = [str(name) for name in not_applied]
    return RowResult(rows[index], ROW_STATUSES[status], fields, code, message, request_id, created, left=left)


@dataclass(slots=True)
class StoredChunks:
    """Entries in pieces that are stored one by one, each below a size; the last one grows until it is full.

    :ivar limit: characters of the JSON text of a piece.
    :ivar store: takes the number of a piece and the piece.
    """

    limit: int
    store: Callable[[int, list[Any]], None]
    number: int = 0
    piece: list[Any] = field(default_factory=list)
    size: int = 2

    def add(self, entries: Iterable[list[Any]]) -> None:
        """Store more entries."""
        new = False
        for entry in entries:
            length = len(json.dumps(entry)) + 2
            if self.piece and self.size + length > self.limit:
                self.store(self.number, self.piece)
                self.number, self.piece, self.size = self.number + 1, [], 2
            self.piece.append(entry)
            self.size += length
            new = True
        if new:
            self.store(self.number, self.piece)
