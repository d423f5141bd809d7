"""The trigger that waits for an event."""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowNotFoundException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_dingtalk_calendar.exceptions import DingTalkError

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.client.call_counter import CallCounter
    from airflow_dingtalk_calendar.watch.conditions import Verdict

# Sleeping follows a clock that neither a suspended machine nor a corrected time of day moves; appointments do not.
MAX_NAP = 300.0  # seconds


class RedactedEvent(TriggerEvent):
    """The trigger's event. A triggerer writes it to its log, which must not contain titles and people."""

    def __init__(self, payload: dict[str, Any]) -> None:
        super().__init__(payload)  # type: ignore[no-untyped-call]

    def __repr__(self) -> str:
        return f"TriggerEvent<{self.payload['status']}>"

    __str__ = __repr__


class DingTalkCalendarEventTrigger(BaseTrigger):
    """Poll an event until it meets a condition. Each poll is one metered call.

    The sensor has polled once before this trigger starts. All times in its arguments are wall-clock times, so that a
    trigger restarted after the triggerer ended or was killed continues where it was. The Airflow connection is read
    again for each poll, and no socket is open in between.

    It fires once, with ``{"status": "met", "event": {…}}``, or with a ``message`` and the status ``impossible`` (the
    condition can no longer be met), ``failed`` (a non-retryable error), ``no_connection`` (the triggerer finds no such
    Airflow connection), ``timeout`` or ``error`` (something else went wrong). ``calls`` are the metered calls that it
    has made, by action; those made before a restart are not included.

    .. seealso:: For DAGs that wait for an event, see the guide :doc:`/howto/wait`.

    :param union_id: unionId of anybody who takes part in the event.
    :param event_id: the event's ``id``.
    :param calendar_id: DingTalk documents only ``primary``.
    :param condition: as :func:`~airflow_dingtalk_calendar.watch.conditions.parse_condition` returns it.
    :param timezone: IANA zone in which the days of an all-day event begin.
    :param wake: when to poll first, in seconds since the epoch.
    :param deadline: when to give up, after a last poll, in seconds since the epoch.
    :param interval: seconds between two polls, for a condition whose time cannot be known.
    :param recheck: maximum seconds until the next poll, for a condition whose time is known.
    :param max_calls: the trigger fails instead of making more metered calls than this; None for no limit.
    :param dingtalk_conn_id: connection of type ``dingtalk``.
    """

    # Time, for tests to replace.
    _clock = staticmethod(time.time)
    _asleep = staticmethod(asyncio.sleep)

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        calendar_id: str,
        condition: dict[str, Any],
        timezone: str | None,
        wake: float,
        deadline: float,
        interval: float,
        recheck: float,
        dingtalk_conn_id: str,
        max_calls: int | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.union_id = union_id
        self.event_id = event_id
        self.calendar_id = calendar_id
        self.condition = condition
        self.timezone = timezone
        self.wake = wake
        self.deadline = deadline
        self.interval = interval
        self.recheck = recheck
        self.dingtalk_conn_id = dingtalk_conn_id
        self.max_calls = max_calls

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and the arguments from which Airflow recreates this trigger."""
        names = ("union_id", "event_id", "calendar_id", "condition", "timezone", "wake", "deadline", "interval")
        arguments = {name: getattr(self, name) for name in (*names, "recheck", "dingtalk_conn_id")}
        if self.max_calls is not None:  # which a triggerer of an earlier release does not know
            arguments["max_calls"] = self.max_calls
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and fire once. Cancelled, as by a triggerer that is stopped, it just ends."""
        try:
            payload = await self._await_outcome()
        except DingTalkError as error:
            payload = {"status": "failed", "message": str(error)}
        except AirflowNotFoundException:
            message = f"The triggerer does not find the connection {self.dingtalk_conn_id}."
            payload = {"status": "no_connection", "message": message}
        except Exception as error:
            self.log.exception("Waiting for event %s failed.", self.event_id)
            # The text of an error that is not ours may hold anything; the triggerer's log has it, masked.
            payload = {"status": "error", "message": f"{type(error).__name__} in the triggerer; see its log"}
        self.log.info("%s", self._call_counter)
        yield RedactedEvent({**payload, "calls": self._call_counter.by_action})

    @cached_property
    def _call_counter(self) -> CallCounter:
        """What counts the calls of this trigger since it was started, on behalf of its task."""
        from airflow_dingtalk_calendar.hooks.metrics import make_counter

        return make_counter(self.task_instance, limit=self.max_calls)

    async def _await_outcome(self) -> dict[str, Any]:
        from airflow_dingtalk_calendar.watch.conditions import next_poll

        wake = self.wake
        while True:
            await self._sleep_until(min(wake, self.deadline))
            verdict = await self._poll_event()
            if verdict.state == "met":
                return {"status": "met", "event": verdict.event}
            if verdict.state == "impossible":
                return {"status": "impossible", "message": f"Event {self.event_id} {verdict.text}."}
            now = self._clock()
            if now >= self.deadline:
                return {"status": "timeout", "message": f"Event {self.event_id} {verdict.text}; timed out."}
            wake = next_poll(verdict, _utc_datetime(now), self.interval, self.recheck).timestamp()
            again = _utc_datetime(min(wake, self.deadline)).isoformat(timespec="seconds")
            self.log.info("Event %s %s; next poll at %s.", self.event_id, verdict.text, again)

    async def _sleep_until(self, moment: float) -> None:
        while (left := moment - self._clock()) > 0:
            await self._asleep(min(left, MAX_NAP))

    async def _poll_event(self) -> Verdict:
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
        from airflow_dingtalk_calendar.watch.event_poll import EventTarget, poll_event

        watch = EventTarget(self.union_id, self.event_id, self.calendar_id, self.condition, self.timezone)
        async with DingTalkCalendarHook(self.dingtalk_conn_id) as hook:
            hook.call_counter = self._call_counter
            return await hook.afollow(poll_event(watch, self._clock))


def _utc_datetime(moment: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(moment, dt.UTC)
