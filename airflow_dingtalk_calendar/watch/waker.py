"""What a producer of changes waits with: until a time has passed, or somebody wakes it."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Waker:
    """A wait that any code in the same event loop can end early."""

    def __init__(self) -> None:
        self._is_woken = False
        self._waiting: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the wait; if there is none, the next one."""
        self._is_woken = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until woken since the last wait."""
        if not self._is_woken:
            self._waiting = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for of Python 3.11 can lose a cancellation
                    await self._waiting
        self._is_woken = False
