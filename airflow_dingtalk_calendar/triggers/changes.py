"""The trigger that starts DAGs when a calendar changes: an event source for Airflow's ``AssetWatcher``."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Hashable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.triggers import BaseEventTrigger
from airflow.triggers.base import TriggerEvent

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.watch.changes import DEFAULT_FIELDS, ChangeFilter, ChangeKind, parse_filter
from airflow_dingtalk_calendar.watch.sources import (
    POLL_INTERVAL,
    ChangeSource,
    SourceArguments,
    WatchSource,
    parse_source,
)

if TYPE_CHECKING:
    from airflow.triggers.shared_stream import SharedStreamProducer

    from airflow_dingtalk_calendar import api
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.stream.pushes import CalendarPush
    from airflow_dingtalk_calendar.watch.changes import CalendarChange
    from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint
    from airflow_dingtalk_calendar.watch.delivery import Delivery
    from airflow_dingtalk_calendar.watch.hub import CalendarKey
    from airflow_dingtalk_calendar.watch.watcher import CalendarWatcher

log = logging.getLogger(__name__)

_NO_STORE_TEXT = (
    "Airflow does not store this watcher's position (this requires Airflow 3.3 or newer): it is kept in memory only. "
    "When the triggerer restarts, changes since the last poll are lost."
)
_NO_STREAM_TEXT = (
    "This version of Airflow has no shared streams that the watcher supports (%s): each watcher polls the calendar by "
    "itself, and saves its position some seconds after a poll. Check for a newer version of airflow-dingtalk-calendar."
)

_NO_PUSH_TEXT = "No changes are reported, because a watcher with source='push' needs shared streams: use source='poll'."


class DingTalkCalendarChangesTrigger(BaseEventTrigger):
    """Report changes in one person's calendar, as the event source of an Airflow asset (Airflow 3)::

        CALENDAR = Asset("lins_calendar", watchers=[AssetWatcher(name="changes", trigger=DingTalkCalendarChangesTrigger(
            union_id="iiPLinYue8mQzX0vTdRk4YwgiEiE"))])

        with DAG("on_change", schedule=[CALENDAR]): ...

    The changes that a poll finds are one asset event, and one more for each further 1,000;
    :func:`airflow_dingtalk_calendar.assets.calendar.changes_in` reads them off its ``extra``. Each is a dict:
    ``change_id``; ``kind``, which is ``created`` (or newly visible), ``updated`` or ``deleted`` (or no longer visible);
    ``event_id``; ``fields``, the names of the watched fields that differ; ``series_master_id``, ``organizer_id``,
    ``update_time``, each None where DingTalk did not say; ``union_id``, ``calendar_id``; ``source``. There is no event
    content in it.

    A poll is one metered call (ListEvents with a ``syncToken``; permission ``Calendar.Event.Read``), and one more for
    each further 100 changed events: 720 calls a month with the default interval. The first start reports
    nothing and takes an initial snapshot, which lists the whole calendar, cancelled events too: one call for each 100
    events. So does a poll after DingTalk has refused the ``syncToken``; it reports real differences only.

    From Airflow 3.3 on the watchers of one calendar (connection, person and calendar) share these polls, whatever
    their fields and filters: the shortest of their intervals counts for all, and attendees are read if one needs them.
    Each has a position of its own, which is kept in the asset's state store, and saved when Airflow has confirmed that
    the changes are stored: every change is reported at least once, even if the triggerer was killed or down. One
    that is reported again has the same ``change_id``. Changes of one event between two polls are one. On Airflow 3.0
    to 3.2 there is no such store: a restart of the triggerer takes a new position, and what has changed since the last
    poll is lost. Changed parameters, except the interval, also start over.

    A DAG that is started by this trigger and changes events does not start itself as long as it writes fields that are
    not watched.

    The trigger never ends, because Airflow would start it again at once, over and over. Errors are logged:
    transient ones as a warning, with a retry after the interval; those that a person has to fix as an error, with a
    retry after an hour, or the interval if that is longer.

    .. seealso:: For DAGs that react to changes, see the guide :doc:`/howto/react`.

    :param union_id: unionId of the person whose calendar is watched.
    :param calendar_id: DingTalk documents only ``primary``.
    :param fields: names of the fields to watch, of those in the table of "Patches and new events". Of ``attendees``
        and ``responses`` DingTalk lists the first 100 people.
    :param summary_pattern: only events in whose title this regular expression is found. A changed title alone is no
        change, unless ``summary`` is watched.
    :param organizer_id: only events that this person (unionId) organizes: only these can be patched as that person.
    :param series_master_id: only this series: its master event and its instances.
    :param interval: seconds between two polls, or a timedelta; less if another watcher of the calendar wants less.
        With ``source="stream"``, of the safety poll: an hour, or with ``single_consumer`` a day, unless given.
    :param dingtalk_conn_id: connection of type ``dingtalk``.
    :param source: where changes come from. ``poll``: polls, one after each interval. ``stream``: the same
        polls, woken by what DingTalk pushes, seconds after a change. ``push``: what DingTalk pushes, without any call,
        one asset event each: ``change_id``, ``kind``, ``event_id``, ``union_ids``, ``update_time``, ``operator_type``,
        ``union_id``, ``calendar_id``, ``source``. The last two sources need Airflow 3.3 and
        ``airflow-dingtalk-calendar[stream]``.
    :param kinds: of ``push``: only these kinds of changes (``created``, ``updated``, ``deleted``).
    :param single_consumer: of ``stream``: whether nothing else has a Stream connection of the same app, which would
        get a part of the pushes.
    """

    def __init__(
        self,
        *,
        union_id: str,
        calendar_id: str = "primary",
        fields: Sequence[str] = DEFAULT_FIELDS,
        summary_pattern: str | None = None,
        organizer_id: str | None = None,
        series_master_id: str | None = None,
        interval: float | dt.timedelta | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        source: ChangeSource = "poll",
        kinds: Sequence[ChangeKind] | None = None,
        single_consumer: bool = False,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.union_id = union_id
        self.calendar_id = calendar_id
        self.fields = fields
        self.summary_pattern = summary_pattern
        self.organizer_id = organizer_id
        self.series_master_id = series_master_id
        self.interval = interval
        self.dingtalk_conn_id = dingtalk_conn_id
        self.source = source
        self.kinds = kinds
        self.single_consumer = single_consumer

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return what Airflow makes the trigger from again: the same for two that were given the same.

        :raises InvalidInputError: with all problems; Airflow shows it as an import error of the DAG file.
        """
        # Not in __init__, which the triggerer calls too: an error there would end all of it.
        self._check_parameters()
        return f"{type(self).__module__}.{type(self).__qualname__}", {
            **self._source_parameters(),
            **self._watch_source().as_arguments(),
            "dingtalk_conn_id": self.dingtalk_conn_id,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll the calendar again and again, and yield what has changed."""
        if self.source == "push":
            log.error(_NO_PUSH_TEXT)
            await asyncio.Event().wait()  # ended, it would be started again at once
        watching = self._make_watcher()
        while True:
            for changes in await watching.run_guarded(watching.poll_calendar) or ():
                yield TriggerEvent(self._payload(changes))  # type: ignore[no-untyped-call]
            await watching.run_guarded(watching.save_position)
            await watching.wait_interval()

    def shared_stream_key(self) -> Hashable | None:
        """Return what watchers have in common that share a poll, or a connection's pushes (Airflow 3.3 and newer)."""
        try:
            import airflow_dingtalk_calendar.watch.producer  # noqa: F401
        except ImportError as error:
            log.warning(_NO_STREAM_TEXT, error)
            return None
        return ("push", self.dingtalk_conn_id) if self.source == "push" else self._calendar_key()

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> SharedStreamProducer:
        """Make what polls the calendar for all its watchers, or receives a connection's pushes for all of them."""
        from airflow_dingtalk_calendar.stream.producer import PushProducer
        from airflow_dingtalk_calendar.watch.hub import CalendarKey, find_hub
        from airflow_dingtalk_calendar.watch.producer import CalendarProducer

        if kwargs.get("source") == "push":
            return PushProducer(kwargs["dingtalk_conn_id"])
        key = CalendarKey.from_kwargs(kwargs)
        return CalendarProducer(find_hub(key), *_calendar_access(key))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[Any]) -> AsyncIterator[TriggerEvent]:
        """Yield what has changed for this watcher; it makes no call and waits for nothing but the stream."""
        take = self._take_pushes if self.source == "push" else self._take_polls
        async with aclosing(take(shared_stream)) as payloads:
            async for payload in payloads:
                yield TriggerEvent(payload)  # type: ignore[no-untyped-call]

    async def _take_pushes(self, pushes: AsyncIterator[CalendarPush]) -> AsyncGenerator[dict[str, Any], None]:
        kinds = self._watch_source().kinds
        async for push in pushes:
            if push.concerns(self.union_id, self.calendar_id, kinds):
                yield {"changes": [push.payload(self.union_id)]}

    async def _take_polls(self, deliveries: AsyncIterator[Delivery]) -> AsyncGenerator[dict[str, Any], None]:
        from airflow_dingtalk_calendar.stream.wakes import WOKEN_RETRY, listen_for_polls
        from airflow_dingtalk_calendar.watch.delivery import Member
        from airflow_dingtalk_calendar.watch.hub import find_hub

        source, key = self._watch_source(), self._calendar_key()
        hub, pushed = find_hub(key), source.name == "stream"
        member = Member(
            self._change_filter(), self._checkpoint(), source.interval or POLL_INTERVAL, WOKEN_RETRY if pushed else None
        )
        async with AsyncExitStack() as stack:
            listening = listen_for_polls(key, hub.ask_poll, _calendar_access(key)[1])
            waker = await stack.enter_async_context(listening) if pushed else None
            stack.enter_context(hub.join(member))
            async for delivery in deliveries:
                with member.taking(delivery) as changes:
                    if waker:
                        waker.note_poll(delivery.poll.checked, [change.snapshot.event_id for change in changes])
                    if changes:
                        yield self._payload(changes)

    def _payload(self, changes: Iterable[CalendarChange]) -> dict[str, Any]:
        return {"changes": [change.payload(self.union_id, self.calendar_id, self.source) for change in changes]}

    def _make_watcher(self) -> CalendarWatcher:
        from airflow_dingtalk_calendar.watch.poll_log import log_costs
        from airflow_dingtalk_calendar.watch.watcher import CalendarWatcher

        watch, interval = self._change_filter(), self._watch_source().interval or POLL_INTERVAL
        log_costs(interval)
        calendar, connect = _calendar_access(self._calendar_key())
        return CalendarWatcher(watch, calendar, connect, self._checkpoint(), interval)

    def _checkpoint(self) -> WatcherCheckpoint:
        from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint, asset_states

        # Airflow sets the attribute on triggers from 3.3 on.
        store = WatcherCheckpoint(asset_states(getattr(self, "asset_state_store", None)), self._checkpoint_key())
        if not store:
            log.warning(_NO_STORE_TEXT)
        return store

    def _check_parameters(self) -> None:
        """Check all parameters, and name all problems."""
        problems: list[tuple[str, str]] = []
        for check in (self._list_path, self._change_filter, self._watch_source):
            try:
                check()
            except InvalidInputError as error:
                problems += error.problems
        if problems:
            raise InvalidInputError(*problems)

    def _watch_source(self) -> WatchSource:
        given = {
            "fields": None if tuple(self.fields) == DEFAULT_FIELDS else self.fields,
            "summary_pattern": self.summary_pattern,
            "organizer_id": self.organizer_id,
            "series_master_id": self.series_master_id,
        }
        filters = {name: value for name, value in given.items() if value is not None}
        arguments = SourceArguments(self.source, self.interval, self.kinds, self.single_consumer, filters)
        return parse_source(arguments, shares_streams=hasattr(BaseEventTrigger, "create_shared_stream_producer"))

    def _calendar_key(self) -> CalendarKey:
        from airflow_dingtalk_calendar.watch.hub import CalendarKey

        return CalendarKey.from_kwargs(self.serialize()[1])

    def _list_path(self) -> str:
        from airflow_dingtalk_calendar import api

        return api.list_events(self.union_id, calendar_id=self.calendar_id).path

    def _change_filter(self) -> ChangeFilter:
        return parse_filter(self.fields, self.summary_pattern, self.organizer_id, self.series_master_id)

    def _source_parameters(self) -> dict[str, Any]:
        """Return the parameters that say what is followed; a position is good for these."""
        return {
            "union_id": self.union_id,
            "calendar_id": self.calendar_id,
            "fields": list(self._change_filter().fields),
            "summary_pattern": self.summary_pattern,
            "organizer_id": self.organizer_id,
            "series_master_id": self.series_master_id,
        }

    def _checkpoint_key(self) -> str:
        # Neither interval nor source: a watcher that is woken in another way continues at its position.
        followed = json.dumps([self._source_parameters(), self.dingtalk_conn_id], sort_keys=True)
        return f"dingtalk_calendar/{hashlib.sha256(followed.encode()).hexdigest()[:16]}"


def _calendar_access(key: CalendarKey) -> tuple[Callable[..., api.Call[api.Json]], Callable[[], DingTalkCalendarHook]]:
    """Return what makes the calls that list a calendar, and what sends them."""
    from airflow_dingtalk_calendar import api
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    # With cancelled events: a list since a syncToken shows a deletion by nothing but the event's status.
    calendar = partial(api.list_events, key.union_id, calendar_id=key.calendar_id, show_deleted=True)
    return calendar, partial(DingTalkCalendarHook, key.dingtalk_conn_id)
