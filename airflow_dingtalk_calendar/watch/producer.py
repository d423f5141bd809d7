"""The producer of a calendar's changes for Airflow's shared streams (3.3 and newer): one poll for all its watchers."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.watch.calendar_listing import CalendarLister
from airflow_dingtalk_calendar.watch.delivery import Delivery, Member, first_delivery
from airflow_dingtalk_calendar.watch.error_wait import wait_after_error
from airflow_dingtalk_calendar.watch.hub import CalendarHub
from airflow_dingtalk_calendar.watch.listings import combine_needs
from airflow_dingtalk_calendar.watch.poll_log import log_costs

T = TypeVar("T")


class CalendarProducer(SharedStreamProducer):
    """Polls a calendar for all its watchers, and saves the position of each when its changes are stored.

    It never ends, and one part of a poll is under way at a time: so a position is what the next poll begins with, and
    after a part that Airflow could not store, the next poll finds the same changes again.

    :param hub: the watchers.
    :param calendar: makes the call that lists the calendar; it takes what ``list_events`` of the API does.
    :param connect: makes a hook; for each poll a new one, so that a corrected connection takes effect.
    """

    # Time, for tests to replace.
    clock = staticmethod(time.time)

    def __init__(
        self,
        hub: CalendarHub,
        calendar: Callable[..., api.Call[api.Json]],
        connect: Callable[[], DingTalkCalendarHook],
    ) -> None:
        self._hub = hub
        self._calendar = calendar
        self._connect = connect
        self._interval = 0.0
        self._failure: tuple[type[Exception], str | None] | None = None

    async def open_stream(self) -> AsyncIterator[tuple[Delivery, Delivery]]:
        """Poll the calendar when a watcher needs it, and deliver what was found."""
        while True:
            await self._hub.waker.wait(self._hub.seconds_left())
            delivery = await self._next_poll()
            while delivery is not None:
                yield delivery, delivery
                await delivery.wait_settled()
                delivery = delivery.following()

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Save positions; what cannot be saved is saved before the next poll."""
        for delivery, outcome in batch:
            for member in delivery.confirmed(outcome.is_clean):
                await self._guard_member(member, partial(member.confirm, delivery.poll))
            delivery.settle()

    async def _next_poll(self) -> Delivery | None:
        """Make a poll if it is time to; an error is logged and waited out."""
        if self._hub.seconds_left() > 0:
            return None
        try:
            delivery = await self._poll_calendar()
        except Exception as error:
            before, self._failure = self._failure, (type(error), getattr(error, "code", None))
            is_repeated = before == self._failure
            self._hub.postpone(wait_after_error(error, self._hub.retry_interval(), is_repeated=is_repeated))
            return None
        # When no poll was due, nothing says that the failure is over.
        self._failure = None if delivery else self._failure
        return delivery

    async def _poll_calendar(self) -> Delivery | None:
        # A copy, and asked for again: watchers come and go while positions are read.
        prepared = [member for member in list(self._hub.members) if await self._prepare(member)]
        ready = [member for member in prepared if member in self._hub.members]
        if not self._hub.begin_poll(ready):
            return None
        self._log_costs(self._hub.shortest_interval())
        needs = combine_needs((member.watch, member.position) for member in ready)
        checked = self.clock()
        async with self._connect() as hook:
            listing = await CalendarLister(hook, self._calendar, needs).list_needed()
        self._hub.end_poll(ready)
        return first_delivery(listing, ready, checked)

    async def _prepare(self, member: Member) -> bool:
        return await self._guard_member(member, partial(member.prepare, self.clock, self._hub.now()))

    async def _guard_member(self, member: Member, step: Callable[[], Awaitable[None]]) -> bool:
        """Take a step for one watcher; its error is not the others'."""
        try:
            await step()
        except Exception as error:
            member.due_at = self._hub.now() + wait_after_error(error, member.interval)
            return False
        return True

    def _log_costs(self, interval: float) -> None:
        if interval != self._interval:
            self._interval = interval
            log_costs(interval)
