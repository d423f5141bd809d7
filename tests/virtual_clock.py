"""Time that a test lets pass, for coroutines."""

from __future__ import annotations

import asyncio

from airflow_dingtalk_calendar.client.clock import Clock


class VirtualTime:
    """Seconds that pass when a test says so; whoever sleeps wakes then."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []
        self.clock = Clock(lambda: self.now, lambda: self.now, self._refuse, self._sleep)

    async def pass_by(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass, in steps, after each of which all tasks go on until they wait again."""
        end = self.now + seconds
        await self._settle()
        while self.now < end:
            self.now = min(self.now + step, end)
            for due, sleeper in self._sleepers:
                if due <= self.now and not sleeper.done():
                    sleeper.set_result(None)
            await self._settle()

    async def _sleep(self, seconds: float) -> None:
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers = [one for one in self._sleepers if not one[1].done()]
        self._sleepers.append((self.now + seconds, sleeper))
        await sleeper

    @staticmethod
    async def _settle() -> None:
        for _ in range(30):
            await asyncio.sleep(0)

    @staticmethod
    def _refuse(seconds: float) -> None:
        raise AssertionError("a coroutine would have blocked its event loop")
