"""Pushes that wake the polls of a calendar: one listener for all watchers of a calendar that want it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Hashable, Iterable
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS, Connect
from airflow_dingtalk_calendar.stream.deliveries import PushDelivery
from airflow_dingtalk_calendar.stream.tasks import end_tasks

log = logging.getLogger(__name__)

# A burst of pushes is one poll: when none has come for so long, and so long after the first one at the latest.
QUIET_SECONDS, LONGEST_BURST = 2.0, 10.0
# A push may be slower than a poll that has just found its change.
PUSH_GRACE = 60.0
MAX_ANNOUNCED = 10_000  # events that are remembered until the poll after the next
# What a push has announced is not announced again: a poll with a transient failure is retried after this.
WOKEN_RETRY = 60.0

SILENCE_TEXT = (
    "A poll has found a change that no push announced. In DingTalk's developer console, the app's event subscription "
    "has to be in Stream mode, with the event of calendar changes (calendar_event_change) ticked. If it is, something "
    "else holds a Stream connection of the same app and has got the push: give Airflow an app of its own."
)


class CalendarWaker:
    """Asks for a poll of one calendar when a change of it is pushed, and after each new connection.

    A push is acknowledged at once: what is durable is the position of the polls, and the poll after each connection.

    :param ask: asks for a poll.
    """

    def __init__(self, union_id: str, calendar_id: str, ask: Callable[[], None], clock: Clock) -> None:
        self._union_id, self._calendar_id = union_id, calendar_id
        self._ask, self._clock = ask, clock
        self._users = 0
        self._listening: asyncio.Task[None] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._last_push = 0.0
        self._silence = PushSilence(clock)

    @asynccontextmanager
    async def listening(self, connect: Connect) -> AsyncIterator[None]:
        """Listen for as long as one of those lasts who use this block."""
        if self._listening is None:
            listener = APP_STREAMS.listen_forever(self, connect)
            self._listening = asyncio.create_task(listener, name="dingtalk-stream-listener")
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                await self._stop()

    def receive_push(self, delivery: PushDelivery) -> None:
        """Note a push of this calendar; of another one, nothing has to be done."""
        if delivery.push.concerns(self._union_id, self._calendar_id):
            self._silence.note_push(delivery.push.event_id)
            self._last_push = self._clock.monotonic()
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask_when_quiet(), name="dingtalk-stream-burst")
        delivery.settle(self, clean=True)

    def note_connected(self) -> None:
        """Request a poll for what happened before the connection was open."""
        self._silence.note_connected()
        self._ask()

    def note_poll(self, checked: float, event_ids: Iterable[str]) -> None:
        """Compare what a poll has found with what was pushed.

        :param checked: when the poll was made, in seconds since 1970.
        :param event_ids: the events that had changed.
        """
        self._silence.note_poll(checked, event_ids)

    async def _ask_when_quiet(self) -> None:
        latest = self._clock.monotonic() + LONGEST_BURST
        while (left := min(self._last_push + QUIET_SECONDS, latest) - self._clock.monotonic()) > 0:
            await self._clock.asleep(left)
        # Before asking: a push that comes from now on may be of a change that this poll does not see any more.
        self._asking = None
        self._ask()

    async def _stop(self) -> None:
        tasks = [task for task in (self._listening, self._asking) if task]
        self._listening = self._asking = None
        self._silence.forget()
        await end_tasks(*tasks)


class PushSilence:
    """Says once that pushes do not come: after a change that a poll has found, and no push has announced.

    Only what changed since a poll that was made after the connection is judged, and only after some time: a push may
    be slower than a poll.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connected: float | None = None
        self._polls = (0.0, 0.0)  # when the last two were made
        self._announced: set[str] = set()
        self._announced_before: set[str] = set()
        self._waiting: asyncio.Task[None] | None = None
        self._unannounced: set[str] = set()
        self._warned = False

    def note_connected(self) -> None:
        """Judge nothing that has changed before."""
        self._connected = self._clock.time()

    def note_push(self, event_id: str) -> None:
        """Remember what a push has announced."""
        self._unannounced.discard(event_id)
        if len(self._announced) < MAX_ANNOUNCED:
            self._announced.add(event_id)

    def note_poll(self, checked: float, event_ids: Iterable[str]) -> None:
        """Compare what a poll has found with what was announced."""
        # Push and poll race: a push counts for the poll before it and for the one after it.
        if checked != self._polls[1]:
            self._polls = (self._polls[1], checked)
            self._announced_before, self._announced = self._announced, set()
        connected = self._connected is not None and self._connected <= self._polls[0]
        unannounced = set(event_ids) - self._announced - self._announced_before
        if unannounced and connected and not self._warned:
            self._unannounced |= unannounced
            if self._waiting is None:
                self._waiting = asyncio.create_task(self._warn_later(), name="dingtalk-stream-silence")

    def forget(self) -> None:
        """Wait for nothing any more."""
        if self._waiting:
            self._waiting.cancel()
        self._waiting, self._connected = None, None

    async def _warn_later(self) -> None:
        await self._clock.asleep(PUSH_GRACE)
        self._waiting = None
        if self._unannounced:
            log.warning(SILENCE_TEXT)
            self._warned = True
            self._unannounced.clear()


_wakers: WeakValueDictionary[Hashable, CalendarWaker] = WeakValueDictionary()


@asynccontextmanager
async def listen_for_polls(
    key: tuple[str, str, str], ask: Callable[[], None], connect: Connect
) -> AsyncIterator[CalendarWaker]:
    """Have a calendar polled when a change of it is pushed, for as long as the block lasts.

    :param key: connection id, unionId and calendar id; all who give the same share one listener.
    :param ask: asks for a poll.
    """
    # A listener's tasks belong to the event loop that started them.
    place = (asyncio.get_running_loop(), *key)
    waker = _wakers.get(place)
    if waker is None:
        waker = _wakers[place] = CalendarWaker(key[1], key[2], ask, DingTalkCalendarHook.clock)
    async with waker.listening(connect):
        yield waker
