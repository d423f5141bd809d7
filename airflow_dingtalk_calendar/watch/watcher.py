"""A watcher that polls by itself, where Airflow has no shared streams: poll, report, save, wait, repeat."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import uuid4

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.watch.calendar_listing import CalendarLister
from airflow_dingtalk_calendar.watch.changes import PART_LENGTH, CalendarChange, ChangeFilter, Position
from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint
from airflow_dingtalk_calendar.watch.error_wait import wait_after_error
from airflow_dingtalk_calendar.watch.listings import combine_needs, follow_listing
from airflow_dingtalk_calendar.watch.poll_log import log_loaded, log_poll

T = TypeVar("T")
log = logging.getLogger(__name__)
# When a position may be saved. What a trigger has yielded, the triggerer sends to its supervisor once a second, and the
# supervisor stores it before it reads on. So a round trip comes first: after it the triggerer is not waiting for an
# answer to something earlier. Then time for it to send, in many short naps, since a triggerer that is blocked sends
# nothing during one long nap. Whatever is asked of the supervisor after that comes behind the changes.
NAPS, NAP_SECONDS = 10, 0.5


class CalendarWatcher:
    """The state of a watcher between two polls.

    :param calendar: makes the call that lists the calendar; it takes what ``list_events`` of the API does.
    :param connect: makes a hook; for each poll a new one, so that a corrected connection takes effect.
    :ivar wait: seconds until the next turn.
    """

    # Time, for tests to replace.
    sleep = staticmethod(asyncio.sleep)
    clock = staticmethod(time.time)

    def __init__(
        self,
        watch: ChangeFilter,
        calendar: Callable[..., api.Call[api.Json]],
        connect: Callable[[], DingTalkCalendarHook],
        store: WatcherCheckpoint,
        interval: float,
    ) -> None:
        self._watch = watch
        self._calendar = calendar
        self._connect = connect
        self._store = store
        self._interval = interval
        self.wait = interval
        self._is_loaded = False
        self._position: Position | None = None
        self._unsaved: Position | None = None
        self._reported = 0

    async def poll_calendar(self) -> list[list[CalendarChange]]:
        """Poll the calendar, if it is time to; return its changes, in parts that are one asset event each."""
        if self._unsaved is not None:
            return []  # what was reported has to be saved first
        if not self._is_loaded and (rest := await self._remaining_interval()) > 0:
            self.wait = rest
            return []
        async with self._connect() as hook:
            found = await self._follow_calendar(hook)
        self._reported = len(found)
        return [found[start : start + PART_LENGTH] for start in range(0, len(found), PART_LENGTH)]

    async def save_position(self) -> None:
        """Save the position of the last poll, once Airflow has stored the reported changes."""
        if self._unsaved is None:
            return
        if self._store and self._reported:
            await self._store.await_reply()
            for _ in range(NAPS):
                await self.sleep(NAP_SECONDS)
        await self._store.save(self._unsaved)
        self._position, self._unsaved, self._reported = self._unsaved, None, 0

    async def wait_interval(self) -> None:
        """Wait until the next turn."""
        await self.sleep(self.wait)
        self.wait = self._interval

    async def run_guarded(self, step: Callable[[], Awaitable[T]]) -> T | None:
        """Take a step; log its error, and say how long to wait after it."""
        try:
            return await step()
        except Exception as error:
            self.wait = wait_after_error(error, self._interval)
        return None

    async def _remaining_interval(self) -> float:
        """Load the position, and say in how many seconds a poll is due: restarts cost no calls."""
        self._position = await self._store.load()
        self._is_loaded = True
        if self._position is None:
            return 0.0
        log_loaded(self._position)
        return min(self._position.checked + self._interval - self.clock(), self._interval)

    async def _follow_calendar(self, hook: DingTalkCalendarHook) -> list[CalendarChange]:
        now = self.clock()
        needs = combine_needs([(self._watch, self._position)])
        listing = await CalendarLister(hook, self._calendar, needs).list_needed()
        found, self._unsaved = follow_listing(self._watch, self._position, listing, uuid4().hex, now)
        log_poll(self._unsaved, len(found), listing.calls)
        return found
