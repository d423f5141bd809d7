"""Pushes as a shared stream of Airflow's (3.3 and newer): watchers get what DingTalk has pushed, and nothing is asked.

An event is acknowledged once Airflow has stored its changes for every watcher; otherwise DingTalk is asked to
push it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Sequence
from functools import partial

from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS
from airflow_dingtalk_calendar.stream.deliveries import PushDelivery
from airflow_dingtalk_calendar.stream.pushes import CalendarPush


class PushProducer(SharedStreamProducer):
    """What DingTalk pushes to the app of a connection, for all watchers of that connection.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    """

    def __init__(self, dingtalk_conn_id: str) -> None:
        self._connect = partial(DingTalkCalendarHook, dingtalk_conn_id)
        self._arrived: asyncio.Queue[PushDelivery] = asyncio.Queue()  # bounded by what may be under way

    async def open_stream(self) -> AsyncIterator[tuple[CalendarPush, PushDelivery]]:
        """Yield pushes without an end, each with its delivery."""
        async with APP_STREAMS.keep_listening(self, self._connect):
            while True:
                delivery = await self._arrived.get()
                yield delivery.push, delivery

    async def advance(self, batch: Sequence[AdvanceItem]) -> None:
        """Acknowledge what Airflow has stored."""
        for delivery, outcome in batch:
            delivery.settle(self, clean=outcome.is_clean)

    def get_advance_lane(self, broker_payload: PushDelivery) -> Hashable:
        """Let no event wait for another one's being stored."""
        return broker_payload.push.change_id

    def receive_push(self, delivery: PushDelivery) -> None:
        """Take a push."""
        self._arrived.put_nowait(delivery)

    def note_connected(self) -> None:
        """Do nothing: what was pushed to nobody cannot be had from here."""
