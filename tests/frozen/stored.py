"""Keys and bytes of what is kept in Airflow's state stores: a newer version has to find what an older one wrote."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from typing import Any

from tests.airflow_runs import StateStore, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.frozen import triggers
from tests.frozen.inside import (
    FIELDS,
    Checkpoint,
    Position,
    RowResult,
    WatcherCheckpoint,
    find_changes,
    initial_position,
    parse_filter,
    parse_plan,
    position_key,
    snapshots,
)
from tests.frozen.names import public
from tests.frozen.world import dingtalk, short, steady

LIN = {"union_id": ORGANIZER}
SERIES = {
    "pattern": {"type": "weekly", "daysOfWeek": "monday", "interval": 1},
    "range": {"type": "numbered", "numberOfOccurrences": 9},
}
EVENTS: dict[str, dict[str, Any]] = {
    "plain": event(),
    "all day": event(isAllDay=True, start={"date": "2027-03-02"}, end={"date": "2027-03-03"}),
    "series": event(recurrence=SERIES, meetingRooms=[{"roomId": "R2"}, {"roomId": "R1"}]),
    "bare": {"id": EVENT},
}


class AssetStore:
    """Airflow's state store of one asset, in memory, with every write in turn."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, str]] = []

    @property
    def _by_name(self) -> dict[str, Any]:
        return {"asset": self}

    async def aget(self, key: str, default: Any = None) -> Any:
        """Read a value."""
        return json.loads(dict(self.writes)[key]) if key in dict(self.writes) else default

    async def aset(self, key: str, value: Any) -> None:
        """Write a value."""
        self.writes.append((key, json.dumps(value)))


def collect() -> dict[str, Any]:
    """Return what tasks and watchers keep."""
    return {
        "task_state_store": {
            "a batch that will be retried": _batch(),
            "every kind of result": _recorded(_few_results()),
            "many results": _recorded(_many_results(), times=2),
        },
        "asset_state_store": {
            "keys": {name: position_key(triggers.changes(**given)) for name, given in triggers.CHANGES.items()},
            "marks": {name: snapshots(list(FIELDS.watched), [one])[0].fingerprint for name, one in EVENTS.items()},
            "few events": asyncio.run(_saved(3)),
            "many events": asyncio.run(_saved(3000)),
        },
        "changes": _changes(),
    }


# -- of a task ---------------------------------------------------------------------------------------------


def _batch() -> dict[str, str]:
    """Apply a plan of which the second row is refused and the third may be tried again, on one thread."""
    store, patches = StateStore(), [{"event_id": name, "patch": {"summary": "New"}} for name in ("A", "missing", "B")]
    with dingtalk({**DATA, "events": [event("A"), event("B")]}, max_qps=1) as emulator:
        emulator.fault(action="PatchEvent", kind="error", skip=2)
        operator = public("DingTalkCalendarApplyPlanOperator")(task_id="t", retries=2, plan=patches, **LIN)
        with suppress(public("PlanIncompleteError")):
            operator.execute({"ti": Ti(), "task_state_store": store})
    return {key: steady(value) for key, value in store.values.items()}


def _plan(count: int) -> list[Any]:
    return list(parse_plan([{"event_id": f"E{n}", "patch": {"summary": f"New {n}"}} for n in range(count)], **LIN).rows)


def _few_results() -> list[Any]:
    rows = _plan(5)
    return [
        RowResult(rows[0], "applied"),
        RowResult(rows[1], "applied", not_applied=("summary",)),
        RowResult(rows[2], "unchanged"),
        RowResult(rows[3], "skipped", code="changedSince", message="the event has changed since it was read"),
        RowResult(rows[4], "rejected", code="itemNotFound", message="没有 such event", request_id="ID"),
    ]


def _many_results() -> list[Any]:
    return [RowResult(row, "rejected", code="itemNotFound", message="m" * 60, request_id="ID") for row in _plan(2000)]


def _recorded(results: list[Any], times: int = 1) -> dict[str, str]:
    """Record results, in as many goes."""
    store = StateStore()
    record, size = Checkpoint(store, "digest-2", logging.getLogger(__name__)), len(results) // times
    for start in range(0, len(results), size):
        record.add(results[start : start + size])
    again = Checkpoint(store, "digest-2", logging.getLogger(__name__)).load([one.row for one in results])
    assert [one.row.index for one in again] == [one.row.index for one in results]
    return {key: short(value) for key, value in store.values.items()}


# -- of a watcher ------------------------------------------------------------------------------------------


async def _saved(count: int) -> list[str]:
    """Save a position, one with other marks, and one with the same; return the writes in turn."""
    accessor, key = AssetStore(), position_key(triggers.changes())
    store = WatcherCheckpoint([accessor], key)
    marks = {f"{n:032}": f"+{n:036}" for n in range(count)}
    for number, kept in enumerate((marks, {**marks, "new": "-"}, {**marks, "new": "-"})):
        position = Position("e" * 32, number, None if number == 2 else "token", kept, 1_800_000_000.5 + number)
        await store.save(position)
        assert await WatcherCheckpoint([accessor], key).load() == position
    return [f"{key} {short(value)}" for key, value in accessor.writes]


def _changes() -> list[Any]:
    """Return what is reported of an event that came, one that went, and one that is another."""
    before = initial_position(
        "e" * 32, "token", snapshots(["summary", "start"], [event("A"), event("B")]), 1_800_000_000.0
    )
    later = [event("A", summary="Other", seriesMasterId="S", updateTime="2027-01-01T00:00:00Z"), event("C")]
    found, _ = find_changes(
        parse_filter(["summary", "start"]), before, snapshots(["summary", "start"], later), complete=True
    )
    return [change.payload(ORGANIZER, "primary", "poll") for change in found]
