"""What wakes the checks of a calendar that DingTalk pushes changes of: a push, a new connection, or the time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import Literal

from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.stream.deliveries import PushDelivery

log = logging.getLogger(__name__)

WakeReason = Literal["push", "connected", "time"]
# A burst of pushes is one check: when none has come for so long, and so long after the first one at the latest.
QUIET_SECONDS, LONGEST_BURST = 2.0, 10.0
# A push may be slower than a check that has just found its change.
PUSH_GRACE = 60.0
MAX_ANNOUNCED = 10_000  # events that are remembered until the next check

SILENCE_TEXT = (
    "A check has found a change that no push announced. In DingTalk's developer console, the app's event subscription "
    "has to be in Stream mode, with the event of calendar changes (calendar_event_change) ticked. If it is, something "
    "else holds a Stream connection of the same app and has got the push: give Airflow an app of its own."
)


class CalendarWaker:
    """Wakes the checks of one calendar; a listener of Stream mode.

    A push is acknowledged at once: what is durable is the position of the checks, and the check after each connection.
    """

    def __init__(self, union_id: str, calendar_id: str, clock: Clock) -> None:
        self._union_id, self._calendar_id, self._clock = union_id, calendar_id, clock
        self._woken = asyncio.Event()
        self._reason: WakeReason = "time"
        self._announced: set[str] = set()
        self._unannounced: set[str] = set()
        self._found = 0.0
        self._warned = False

    def receive_push(self, delivery: PushDelivery) -> None:
        """Note a push of this calendar; of another one, nothing has to be done."""
        if delivery.push.concerns(self._union_id, self._calendar_id):
            self._unannounced.discard(delivery.push.event_id)
            if len(self._announced) < MAX_ANNOUNCED:
                self._announced.add(delivery.push.event_id)
            self._wake("push")
        delivery.settle(self, clean=True)

    def note_connected(self) -> None:
        """Have what happened before the connection be looked for."""
        self._wake("connected")

    async def wait(self, seconds: float) -> WakeReason:
        """Wait until a check is due: for a burst of pushes, for a new connection, or because the time has come."""
        end = self._clock.monotonic() + seconds
        while not self._woken.is_set() and (left := end - self._clock.monotonic()) > 0:
            await self._sleep_unless_woken(min(left, PUSH_GRACE) if self._unannounced else left)
            self._warn_of_silence()
        if not self._woken.is_set():
            return "time"
        await self._await_quiet()
        reason, self._reason = self._reason, "time"
        return reason

    def note_check(self, reason: WakeReason, changed: Collection[str]) -> None:
        """Compare what a check has found with what was pushed.

        :param changed: the events that had changed.
        """
        if reason == "time" and not self._warned:
            self._unannounced, self._found = set(changed) - self._announced, self._clock.monotonic()
        self._announced.clear()

    def _wake(self, reason: WakeReason) -> None:
        self._reason = reason
        self._woken.set()

    async def _await_quiet(self) -> None:
        latest = self._clock.monotonic() + LONGEST_BURST
        while self._woken.is_set():
            self._woken.clear()
            left = latest - self._clock.monotonic()
            if self._reason == "push" and left > 0:
                await self._sleep_unless_woken(min(QUIET_SECONDS, left))

    async def _sleep_unless_woken(self, seconds: float) -> None:
        sleep = asyncio.ensure_future(self._clock.asleep(seconds))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({sleep, woken}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sleep, woken):
                task.cancel()
            await asyncio.gather(sleep, woken, return_exceptions=True)

    def _warn_of_silence(self) -> None:
        """Say once that pushes do not come, when those of a check that the time had brought have had time enough."""
        if self._unannounced and self._clock.monotonic() - self._found >= PUSH_GRACE:
            log.warning(SILENCE_TEXT)
            self._warned = True
            self._unannounced.clear()
