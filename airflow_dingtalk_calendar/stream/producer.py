"""Pushes as a shared stream of Airflow's (3.3 and newer): watchers get what DingTalk has pushed, and nothing is asked.

DingTalk is told that an event is done with once Airflow has stored what came of it for every watcher, and else asked to
push it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Hashable, Sequence
from functools import partial

from airflow.triggers.shared_stream import AdvanceItem, SharedStreamProducer

from airflow_dingtalk_calendar.exceptions import DingTalkError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS
from airflow_dingtalk_calendar.stream.deliveries import PushDelivery
from airflow_dingtalk_calendar.stream.pushes import CalendarPush
from airflow_dingtalk_calendar.stream.reconnect import ERROR_RETRY

log = logging.getLogger(__name__)


class PushProducer(SharedStreamProducer):
    """What DingTalk pushes to the app of a connection, for all watchers of that connection.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    """

    def __init__(self, dingtalk_conn_id: str) -> None:
        self._connect = partial(DingTalkCalendarHook, dingtalk_conn_id)
        self._arrived: asyncio.Queue[PushDelivery] = asyncio.Queue()  # bounded by what may be under way

    async def open_stream(self) -> AsyncIterator[tuple[CalendarPush, PushDelivery]]:
        """Yield pushes for ever, each with its delivery."""
        while True:
            try:
                async with APP_STREAMS.listen(self, self._connect):
                    while True:
                        delivery = await self._arrived.get()
                        yield delivery.push, delivery
            except DingTalkError as error:  # of the connection in Airflow, which a person has to correct
                log.error("Nothing is pushed until this is corrected; tried again in %.0f s: %s", ERROR_RETRY, error)
            except Exception:
                log.exception("Nothing is pushed as long as this lasts; tried again in %.0f s:", ERROR_RETRY)
            await DingTalkCalendarHook.clock.asleep(ERROR_RETRY)

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
