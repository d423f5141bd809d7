"""Lines in the logs of tasks and of the triggerer that README and docs speak of."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.airflow_runs import StateStore, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.frozen import triggers
from tests.frozen.names import PACKAGE, public
from tests.frozen.stored import AssetStore
from tests.frozen.world import begin, dingtalk, steady

ONE = {"union_id": ORGANIZER, "event_id": EVENT}
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "patch": ("PatchEventOperator", {**ONE, "patch": {"summary": "New"}}),
    "patch of people": ("PatchEventOperator", {**ONE, "patch": {"attendees": ["iiPguest"]}}),
    "dry run": ("PatchEventOperator", {**ONE, "patch": {"summary": "New"}, "dry_run": True}),
    "unchanged": ("PatchEventOperator", {**ONE, "patch": {"summary": "Planning"}, "skip_if_unchanged": True}),
    "read": ("GetEventOperator", ONE),
    "list": ("ListEventsOperator", {"union_id": ORGANIZER}),
    "delete": ("DeleteEventOperator", ONE),
    "delete again": ("DeleteEventOperator", {**ONE, "event_id": "missing"}),
    "add people": ("AddAttendeesOperator", {**ONE, "attendees": [ORGANIZER]}),
    "wait": ("EventSensor", {**ONE, "responses": {"accepted": 2}}),
    "wait for nothing": ("EventSensor", {**ONE, "event_id": "missing", "ended": True}),
}
PLAN = [{"event_id": name, "patch": {"summary": "New"}} for name in ("A", "missing")]
LONG_AGO = "2020-01-01T00:00:00Z"


class Lines(logging.Handler):
    """What was logged, with levels."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        text = re.sub(r"\d+\.\d s\b", "N s", steady(record.getMessage()))
        self.found.append(f"{record.levelname}: {text}")


def collect() -> dict[str, list[str]]:
    """Return the lines, by what was done."""
    with dingtalk() as emulator:
        tasks = {name: _logged(emulator, kind, given) for name, (kind, given) in TASKS.items()}
        batches = {name: _logged(emulator, "ApplyPlanOperator", **given) for name, given in _batches().items()}
        begin(emulator, DATA)
        return {**tasks, **batches, "watch": _watched(), "watch with a store": _watched(AssetStore())}


@contextmanager
def _lines(kind: Any = None) -> Iterator[list[str]]:
    """Collect what the package logs, and what tasks of a class do; Airflow 3 has its own kind of logger for these."""
    handler, logger = Lines(), logging.getLogger(PACKAGE)
    before = logger.level
    with pytest.MonkeyPatch.context() as patch:
        if kind:
            patch.setattr(kind, "log", logger.getChild("task"))
        patch.setattr(logger, "propagate", False)
        patch.setattr(logger, "handlers", [handler])
        logger.setLevel(logging.INFO)
        try:
            yield handler.found
        finally:
            logger.setLevel(before)


def _logged(emulator: Any, name: str, given: dict[str, Any], store: Any = None) -> list[str]:
    """Execute a task, and return what it has logged."""
    begin(emulator, {**DATA, "events": [event(), event("A")]})
    kind = public(f"DingTalkCalendar{name}")
    with _lines(kind) as found, suppress(Exception):
        operator = kind(task_id="t", retries=2, **given)
        context = {"ti": Ti(), **({"task_state_store": store} if store else {})}
        (operator.poke if hasattr(operator, "poke") else operator.execute)(context)
    return found


def _batches() -> dict[str, dict[str, Any]]:
    """Return what the operator for plans is given."""
    given = {"union_id": ORGANIZER, "plan": PLAN}
    broken = StateStore()
    broken.broken = True
    return {
        "batch": {"given": given},
        "batch, recorded": {"given": given, "store": StateStore()},
        "batch, its store broken": {"given": given, "store": broken},
        "batch, changed since": {"given": {**given, "plan": [{**PLAN[0], "if_updated_at": LONG_AGO}]}},
        "batch, dry run": {"given": {**given, "dry_run": True}},
    }


def _watched(store: Any = None) -> list[str]:
    """Run a watcher until it has taken its position, and once more where that was kept."""
    with _lines() as found:
        for _ in range(2 if store else 1):
            asyncio.run(_watch(store, found))
    return found


async def _watch(store: Any, found: list[str]) -> None:
    trigger, lines = triggers.changes(), len(found)
    trigger.asset_state_store = store
    run = asyncio.ensure_future(anext(trigger.run()))
    await _until(lambda: any("Initial snapshot" in line or "Resuming" in line for line in found[lines:]))
    await _until(lambda: store is None or store.writes)
    run.cancel()
    with suppress(asyncio.CancelledError):
        await run


async def _until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110  # a log line wakes nobody
            await asyncio.sleep(0.01)
