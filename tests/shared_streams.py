"""Triggers on Airflow's own shared streams, as a triggerer runs them, with a database that a test can break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import TYPE_CHECKING, Any

from airflow.triggers.shared_stream import SharedStreamManager

if TYPE_CHECKING:
    from airflow.triggers.base import BaseEventTrigger


class StreamRunner:
    """Runs triggers as ``TriggerRunner`` does, without its processes.

    :param stores: whether what triggers yield is stored.
    :ivar stored: the changes that were stored, by the trigger's number.
    """

    def __init__(self, *, stores: bool = True, ack_timeout: float = 300.0) -> None:
        self.stores = stores
        self.stored: dict[int, list[dict[str, Any]]] = {}
        self.failed: list[BaseException] = []
        self._held: list[tuple[int, Any, int]] = []
        self._numbers = count(1)
        self._manager = SharedStreamManager(ack_timeout=ack_timeout, max_subscriber_queue=1024)

    @asynccontextmanager
    async def running(self, *triggers: BaseEventTrigger) -> AsyncIterator[list[int]]:
        """Run triggers for as long as the block lasts; yields their numbers."""
        numbers = [next(self._numbers) for _ in triggers]
        tasks = [
            asyncio.ensure_future(self._run(number, trigger)) for number, trigger in zip(numbers, triggers, strict=True)
        ]
        try:
            yield numbers
        finally:
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    def store_held(self) -> None:
        """Store what was yielded while the database was broken."""
        self.stores = True
        for number, payload, seq in self._held:
            self.stored[number] += payload["changes"]
            self._manager.confirm_persisted([seq])
        self._held.clear()

    async def _run(self, number: int, trigger: BaseEventTrigger) -> None:
        key = trigger.shared_stream_key()
        stream = self._manager.subscribe(trigger_id=number, trigger=trigger, key=key)
        self.stored.setdefault(number, [])
        try:
            async for event in trigger.filter_shared_stream(stream):
                seq = self._manager.bind_pending_event(trigger_id=number, key=key)
                if self.stores:
                    self.stored[number] += event.payload["changes"]
                    self._manager.confirm_persisted([seq] if seq is not None else [])
                elif seq is not None:
                    self._held.append((number, event.payload, seq))
        except Exception as error:
            self.failed.append(error)
        finally:
            await self._manager.unsubscribe(number, key)
