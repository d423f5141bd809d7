"""A listener of Stream mode that remembers what it receives, and waiting for what other tasks do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from airflow_dingtalk_calendar.stream.deliveries import PushDelivery


class Listener:
    """Receives pushes, and settles each at once, unless ``settles`` says otherwise.

    :param settles: how each is settled; None is not at all.
    """

    def __init__(self, settles: bool | None = True) -> None:
        self.settles = settles
        self.deliveries: list[PushDelivery] = []
        self.connected = 0

    @property
    def event_ids(self) -> list[str]:
        """The events that it has received, in their order."""
        return [one.push.event_id for one in self.deliveries]

    def receive_push(self, delivery: PushDelivery) -> None:
        self.deliveries.append(delivery)
        if self.settles is not None:
            delivery.settle(self, clean=self.settles)

    def note_connected(self) -> None:
        self.connected += 1


async def until_true(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Let the other tasks go on until something is so."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110  # the emulator's threads set no event
            await asyncio.sleep(0.002)
