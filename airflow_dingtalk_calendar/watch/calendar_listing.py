"""Listing a calendar for its watchers: the whole of it, or what has changed since a ``syncToken``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from functools import partial

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import require_list
from airflow_dingtalk_calendar.exceptions import InvalidRequestError, NotFoundError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.watch.changes import ChangeFilter, EventSnapshot, is_event
from airflow_dingtalk_calendar.watch.listings import Listing, ListingNeeds, merge_listings

log = logging.getLogger(__name__)


class CalendarLister:
    """Lists one calendar.

    :param calendar: makes the call that lists the calendar; it takes what ``list_events`` of the API does.
    :param needs: what its watchers need together.
    """

    def __init__(
        self, hook: DingTalkCalendarHook, calendar: Callable[..., api.Call[api.Json]], needs: ListingNeeds
    ) -> None:
        self._hook = hook
        # One attendee is the fewest that ListEvents returns.
        self._calendar = partial(calendar, max_results=100, max_attendees=100 if needs.attendees else 1)
        self._needs = needs

    async def list_needed(self) -> Listing:
        """List what the watchers need."""
        if self._needs.whole:
            return await self._list_whole()
        first = [await self._list_first()] if self._needs.first else []
        changed = await self._list_changed(self._needs.tokens)
        return await self._list_whole() if changed is None else merge_listings([*first, *changed])

    async def _list_first(self) -> Listing:
        """List the whole calendar, for who has no position."""
        # An empty calendar, which DingTalk may list without its list, has a syncToken. What has neither would be a
        # position from which every event has been created since.
        listing = await self._list_pages(require_list(self._calendar(), "events", or_token=True))
        return listing._replace(complete=False)

    async def _list_changed(self, tokens: Collection[str]) -> list[Listing] | None:
        """List what has changed since each token; None when the service does not take one of them any more."""
        try:
            pages = [await self._list_pages(self._calendar(sync_token=token)) for token in tokens]
        except (InvalidRequestError, NotFoundError) as error:
            log.warning("DingTalk does not take the syncToken any more, the whole calendar is listed: %s", error)
            return None
        return [listing._replace(complete=False) for listing in pages]

    async def _list_whole(self) -> Listing:
        """List the whole calendar, in which an event that is not listed is gone: so no event may be missing by mistake.

        :raises UnexpectedAnswerError: when a page has no list of events; the position stays as it is.
        """
        return await self._list_pages(require_list(self._calendar(), "events"))

    async def _list_pages(self, calendar: api.Call[api.Json]) -> Listing:
        """List all pages; a malformed event does not hide the others."""
        snapshots: dict[ChangeFilter, list[EventSnapshot]] = {watch: [] for watch in self._needs.watches}
        token, calls, events, illegible = None, 0, 0, 0
        async for page in self._hook.apages(calendar):
            for watch, seen in snapshots.items():
                seen += watch.snapshots(page["events"])
            token, calls = page["syncToken"], calls + 1
            events += len(page["events"])
            illegible += sum(not is_event(one) for one in page["events"])
        if illegible:
            log.warning("DingTalk has listed %d things that are no events; none counts as deleted now.", illegible)
        if token is None:
            log.warning("DingTalk has given no syncToken: the next poll has to list the whole calendar.")
        return Listing(snapshots, events, token, calls, complete=not illegible)
