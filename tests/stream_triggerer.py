"""A triggerer for watchers that share a stream: Airflow's own stream manager, with a time and a database made here."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from itertools import count
from math import inf
from typing import TYPE_CHECKING, Any, Self

from airflow.triggers.shared_stream import SharedStreamManager

from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger
from airflow_dingtalk_calendar.watch import hub
from airflow_dingtalk_calendar.watch.hub import SETTLE_SECONDS, CalendarHub
from airflow_dingtalk_calendar.watch.producer import CalendarProducer
from airflow_dingtalk_calendar.watch.waker import Waker
from tests.conftest import ORGANIZER

if TYPE_CHECKING:
    import pytest

LIMIT = 20.0  # seconds of real time until something must have happened


class AssetStore:
    """Airflow's state store of one asset: JSON values of limited size."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.broken = False

    async def aget(self, key: str, default: Any = None) -> Any:
        """Read a value."""
        if self.broken:
            raise RuntimeError("no database")
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        """Write a value."""
        if self.broken:
            raise RuntimeError("no database")
        assert len(json.dumps(value)) < 65_536
        self.values[key] = json.dumps(value)


class Watcher:
    """One watcher as Airflow knows it.

    :ivar reported: the changes that Airflow has stored.
    :ivar failures: what its runs have ended with.
    """

    def __init__(self, number: int, options: dict[str, Any]) -> None:
        self.number = number
        self.options = {"union_id": ORGANIZER, **options}
        self.store = AssetStore()
        self.reported: list[dict[str, Any]] = []
        self.failures: list[BaseException] = []
        self.task: asyncio.Task[None] | None = None

    @property
    def changes(self) -> list[tuple[str, str, list[str]]]:
        """What was reported."""
        return [(one["kind"], one["event_id"], one["fields"]) for one in self.reported]


class StreamTriggerer:
    """Runs watchers as Airflow's triggerer does.

    :ivar stores: whether the database stores what watchers yield; :ivar confirms: whether the triggerer is notified.
    :ivar forgets: numbers of watchers whose next change is not stored, which Airflow notices at once.
    :ivar restarts: whether failed watchers are started again.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000_000.0
        self.stores = self.confirms = self.restarts = True
        self.forgets: set[int] = set()
        self.watchers: list[Watcher] = []
        self._numbers = count()
        self._ack_time = 0.0
        self._waits: list[tuple[float, Waker]] = []
        self._outbox: deque[tuple[Watcher, Any, int | None]] = deque()
        self._manager = self._make_manager()
        triggerer = self
        hub._hubs.clear()

        async def wait(self: Waker, seconds: float) -> None:
            if not self._is_woken:
                await triggerer._wait(self, seconds)
            self._is_woken = False

        monkeypatch.setattr(Waker, "wait", wait)
        monkeypatch.setattr(CalendarHub, "now", staticmethod(lambda: self.now))
        monkeypatch.setattr(CalendarProducer, "clock", staticmethod(lambda: self.now))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    def add(self, **options: Any) -> Watcher:
        """Add a watcher, and start it."""
        watcher = Watcher(next(self._numbers), options)
        self.watchers.append(watcher)
        self.start(watcher)
        return watcher

    def start(self, watcher: Watcher) -> None:
        """Start a watcher."""
        watcher.task = asyncio.ensure_future(self._run(watcher))

    async def remove(self, watcher: Watcher) -> None:
        """Take a watcher away."""
        self.watchers.remove(watcher)
        assert watcher.task is not None
        watcher.task.cancel()
        await asyncio.wait([watcher.task])

    async def kill(self) -> None:
        """Kill the triggerer: nothing is saved any more, and what was not stored is gone."""
        broken = [watcher.store.broken for watcher in self.watchers]
        for watcher in self.watchers:
            watcher.store.broken = True
        await self._stop()
        self._outbox.clear()
        for watcher, was in zip(self.watchers, broken, strict=True):
            watcher.store.broken = was
        self._manager = self._make_manager()

    def start_all(self) -> None:
        """Start the triggerer again."""
        self.stores = self.confirms = True
        for watcher in self.watchers:
            self.start(watcher)

    async def settle(self) -> None:
        """Go on until all wait for a time that has not come."""
        async with asyncio.timeout(LIMIT):
            while not self._is_quiet():
                await asyncio.sleep(0.001)
                self._database()
                self._restart_failed()

    async def advance(self, seconds: float) -> None:
        """Let time pass until all wait again."""
        end = self.now + seconds
        await self.settle()
        while (due := min((at for at, _ in self._waits), default=inf)) <= end:
            self.now = max(self.now, due)
            await self.settle()
        self.now = end

    async def run_until(self, condition: Any) -> None:
        """Go on, with time standing still, until something is so."""
        async with asyncio.timeout(LIMIT):
            while not condition():
                await asyncio.sleep(0.001)
                self._release_due()
                self._database()
                self._restart_failed()

    async def turn(self, times: int) -> None:
        """Go on for a moment, with time standing still."""
        left = iter(range(times))
        await self.run_until(lambda: next(left, None) is None)

    @property
    def pending(self) -> int:
        """How many changes were yielded and are not stored."""
        return len(self._outbox)

    def _make_manager(self) -> SharedStreamManager:
        return SharedStreamManager(ack_timeout=0.1, _now=lambda: self._ack_time)

    async def _run(self, watcher: Watcher) -> None:
        trigger = DingTalkCalendarChangesTrigger(**watcher.options)
        trigger.asset_state_store = watcher.store  # type: ignore[assignment]
        key = trigger.shared_stream_key()
        stream = self._manager.subscribe(trigger_id=watcher.number, trigger=trigger, key=key)
        manager = self._manager
        try:
            async for event in trigger.filter_shared_stream(stream):
                seq = manager.bind_pending_event(trigger_id=watcher.number, key=key)
                assert seq is not None
                self._outbox.append((watcher, json.loads(json.dumps(event.payload)), seq))
        finally:
            await manager.unsubscribe(watcher.number, key)

    def _database(self) -> None:
        """Store what watchers have yielded, and confirm it."""
        while self._outbox and self.stores:
            watcher, payload, seq = self._outbox.popleft()
            if watcher.number in self.forgets:
                self.forgets.discard(watcher.number)
                self._ack_time += 1000.0
            else:
                watcher.reported += payload["changes"]
                if self.confirms and seq is not None:
                    self._manager.confirm_persisted([seq])

    def _restart_failed(self) -> None:
        for watcher in self.watchers:
            if watcher.task is not None and watcher.task.done() and not watcher.task.cancelled():
                error = watcher.task.exception()
                assert error is not None
                watcher.failures.append(error)
                watcher.task = None
                if self.restarts:
                    self.start(watcher)

    def _is_quiet(self) -> bool:
        return not self._release_due() and not self._outbox and self._is_waiting()

    def _is_waiting(self) -> bool:
        """Whether all watchers have joined, and a producer waits for each calendar."""
        running = [watcher for watcher in self.watchers if watcher.task is not None]
        joined = sum(len(one.members) for one in hub._hubs.values())
        woken = any(waker._is_woken for _, waker in self._waits)
        return len(running) == joined and len(self._waits) == len(self._manager._groups) and not woken

    def _release_due(self) -> bool:
        """End the waits whose time has come; watchers that have just come are waited for."""
        found = False
        for at, waker in list(self._waits):
            if at - self.now <= SETTLE_SECONDS:
                self.now = max(self.now, at)
                if waker._waiting is not None and not waker._waiting.done():
                    waker._waiting.set_result(None)
                found = True
        return found

    async def _wait(self, waker: Waker, seconds: float) -> None:
        waker._waiting = asyncio.get_running_loop().create_future()
        entry = (self.now + seconds, waker)
        self._waits.append(entry)
        try:
            await waker._waiting
        finally:
            self._waits.remove(entry)

    async def _stop(self) -> None:
        tasks = [watcher.task for watcher in self.watchers if watcher.task is not None]
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError, Exception):
                await task
        await self._manager.stop_all()
        for watcher in self.watchers:
            watcher.task = None
