"""A watcher at work: look, tell, keep, wait, again; it never ends, whatever happens.

Airflow starts a watcher's trigger again within seconds when it has ended or raised an error (it stays assigned to the
triggerer, which finds it not running). Each start would cost calls, so errors are logged here and waited out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import NamedTuple, TypeVar
from uuid import uuid4

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import require_list
from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidRequestError, NotFoundError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS
from airflow_dingtalk_calendar.stream.wakes import CalendarWaker, WakeReason
from airflow_dingtalk_calendar.watch.changes import (
    Change,
    ChangeFilter,
    EventSnapshot,
    Position,
    find_changes,
    initial_position,
    is_event,
)
from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint

T = TypeVar("T")
log = logging.getLogger(__name__)
# After an error that a person has to mend: so long, or the interval if that is longer.
ERROR_WAIT = 3600.0
WOKEN_RETRY = 60.0  # seconds until a check that a push has woken is tried again
# When a position may be saved. What a trigger has yielded, the triggerer sends to its supervisor once a second, and the
# supervisor stores it before it reads on. So a round trip comes first: after it the triggerer is not waiting for an
# answer to something earlier. Then time for it to send, in many short naps, since a triggerer that is blocked sends
# nothing during one long nap. Whatever is asked of the supervisor after that comes behind the changes.
NAPS, NAP_SECONDS = 10, 0.5


class Listing(NamedTuple):
    """What listing a calendar, or what has changed in it, has brought.

    :ivar token: the next ``syncToken``.
    :ivar calls: how many it took.
    :ivar legible: whether all that was listed are events, so that one that is missing is gone.
    """

    sights: list[EventSnapshot]
    token: str | None
    calls: int
    legible: bool


class CalendarWatcher:
    """The state of a watcher between two checks.

    :param calendar: makes the call that lists the calendar; it takes what ``list_events`` of the API does.
    :param connect: makes a hook; for each check a new one, which notices a connection that was mended.
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
        waker: CalendarWaker | None = None,
    ) -> None:
        self._watch = watch
        self._calendar = calendar
        self._connect = connect
        self._store = store
        self._interval = interval
        self._waker = waker
        self._reason: WakeReason = "time"
        self._failed = False
        self.wait = interval
        self._is_loaded = False
        self._position: Position | None = None
        self._unsaved: Position | None = None
        self._told = 0

    async def check_calendar(self) -> list[Change]:
        """Check the calendar, if it is time to."""
        if self._unsaved is not None:
            return []  # what was told of has to be saved first
        if not self._is_loaded and (rest := await self._remaining_interval()) > 0:
            self.wait = rest
            return []
        async with self._connect() as hook:
            found = await (
                self._take_snapshot(hook) if self._position is None else self._check_changes(hook, self._position)
            )
        self._told = len(found)
        if self._waker:
            self._waker.note_check(self._reason, [change.sight.event_id for change in found])
        return found

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Hear of what DingTalk pushes for as long as the block lasts, if it is to wake checks."""
        async with AsyncExitStack() as stack:
            if self._waker:
                await stack.enter_async_context(APP_STREAMS.keep_listening(self._waker, self._connect))
            yield

    async def save_position(self) -> None:
        """Save the position that the last look led to, once Airflow has stored what was told of."""
        if self._unsaved is None:
            return
        if self._store and self._told:
            await self._store.await_reply()
            for _ in range(NAPS):
                await self.sleep(NAP_SECONDS)
        await self._store.save(self._unsaved)
        self._position, self._unsaved, self._told = self._unsaved, None, 0

    async def wait_interval(self) -> None:
        """Wait until the next turn."""
        if self._waker and not self._failed:
            self._reason = await self._waker.wait(self.wait)
        else:
            await self.sleep(self.wait)
        self.wait, self._failed = self._interval, False

    async def run_guarded(self, step: Callable[[], Awaitable[T]]) -> T | None:
        """Take a step; log its error, and say how long to wait after it."""
        try:
            return await step()
        except DingTalkError as error:
            self._failed = True
            if error.retryable:
                # What a push has announced is not announced again, so it is looked for soon.
                self.wait = max(
                    min(self._interval, WOKEN_RETRY) if self._waker else self._interval, error.retry_after or 0.0
                )
                log.warning("Not checked, tried again in %.0f s: %s", self.wait, error)
            else:
                self.wait = max(self._interval, ERROR_WAIT)
                log.error("Changes are not told of until this is mended; tried again in %.0f s: %s", self.wait, error)
        except Exception:
            self.wait = self._interval
            log.exception("Changes are not told of as long as this lasts; tried again in %.0f s:", self.wait)
        return None

    async def _remaining_interval(self) -> float:
        """Load the position, and say in how many seconds a check is due: restarts cost no calls."""
        self._position = await self._store.load()
        self._is_loaded = True
        if self._position is None:
            return 0.0
        log.info("Going on from check %d: %d events.", self._position.number, len(self._position.fingerprints))
        return min(self._position.checked + self._interval - self.clock(), self._interval)

    async def _take_snapshot(self, hook: DingTalkCalendarHook) -> list[Change]:
        now = self.clock()
        # An empty calendar, which DingTalk may list without its list, has a syncToken. What has neither would be a
        # position from which every event has been created since.
        seen = await self._list_pages(hook, require_list(self._calendar(), "events", or_token=True))
        self._unsaved = initial_position(uuid4().hex, seen.token, seen.sights, now)
        events = len(self._unsaved.fingerprints)
        log.info("Position taken: %d events, listed in %d calls; later changes are told of.", events, seen.calls)
        return []

    async def _check_changes(self, hook: DingTalkCalendarHook, position: Position) -> list[Change]:
        now = self.clock()
        recent = await self._list_since(hook, position.token) if position.token else None
        seen = recent or await self._list_whole(hook)
        complete = recent is None and seen.legible
        found, fingerprints = find_changes(self._watch, position, seen.sights, complete=complete)
        self._unsaved = replace(
            position, number=position.number + 1, token=seen.token, fingerprints=fingerprints, checked=now
        )
        log.info("Check %d: %d changes to tell of, in %d calls.", self._unsaved.number, len(found), seen.calls)
        return found

    async def _list_since(self, hook: DingTalkCalendarHook, token: str) -> Listing | None:
        """List what has changed since a token; None when the service does not take it any more."""
        try:
            return await self._list_pages(hook, self._calendar(sync_token=token))
        except (InvalidRequestError, NotFoundError) as error:
            log.warning("DingTalk does not take the syncToken any more, the whole calendar is listed: %s", error)
            return None

    async def _list_whole(self, hook: DingTalkCalendarHook) -> Listing:
        """List the whole calendar, of which an event that is not listed is gone: so nothing may be missing by mistake.

        :raises UnexpectedAnswerError: when a page has no list of events; the position stays as it is.
        """
        return await self._list_pages(hook, require_list(self._calendar(), "events"))

    async def _list_pages(self, hook: DingTalkCalendarHook, calendar: api.Call[api.Json]) -> Listing:
        """List all pages; one odd event among them does not keep the others from being seen."""
        sights: list[EventSnapshot] = []
        token, calls, illegible = None, 0, 0
        async for page in hook.apages(calendar):
            sights += self._watch.snapshots(page["events"])
            token, calls = page["syncToken"], calls + 1
            illegible += sum(not is_event(one) for one in page["events"])
        if illegible:
            log.warning("DingTalk has listed %d things that are no events; none counts as deleted now.", illegible)
        if token is None:
            log.warning("DingTalk has given no syncToken: the next check has to list the whole calendar.")
        return Listing(sights, token, calls, not illegible)
