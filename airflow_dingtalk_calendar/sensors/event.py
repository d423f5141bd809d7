"""The sensor that waits for an event."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_dingtalk_calendar.models.arguments import seconds_argument
from airflow_dingtalk_calendar.operators.base import CalendarOperator
from airflow_dingtalk_calendar.operators.call_counting import RescheduledCallCounting
from airflow_dingtalk_calendar.sensors.soft_fail import ConditionUnmetError, SoftFailing

if TYPE_CHECKING:
    from typing import NoReturn

    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.watch.conditions import Verdict
    from airflow_dingtalk_calendar.watch.event_poll import EventTarget

DurationInput = dt.timedelta | float | str

# Airflow up to 3.3.2 fails a task whose trigger fires before the scheduler has noticed that the worker is done with it
# (its issues 67287 and 72716). A worker may take 5 seconds to notice its task's end, the scheduler checks every second.
HEAD_START = 15.0
# Airflow's own time-out is for a triggerer that is down: a running trigger has its last poll before that.
GRACE = dt.timedelta(minutes=10)
# What Airflow says then: from 3.0 on, and before.
TRIGGER_TIMEOUTS = ("Trigger timeout", "Trigger/execution timeout")


class DingTalkCalendarEventSensor(CalendarOperator, BaseSensorOperator, SoftFailing, RescheduledCallCounting):
    """Wait until one event meets a condition, and return the event (DingTalk's GetEvent).

    Give exactly one condition:

    - ``starts_within``: the event starts within that time, or has started. ``ended``: it is over.
    - ``responses``: enough people have answered: ``{"accepted": 5}``, or ``{"answered": "all", "declined": 1}``, where
      all members have to hold. The organizer does not count, optional attendees only with ``count_optional``.
    - ``fields``: these fields have these values; people named under ``attendees`` are among those invited.
    - ``exists``: the event is there. ``cancelled``: it is cancelled or not there any more; DingTalk answers the same
      for an event of somebody else, so a wrong id looks the same.

    When an event is cancelled or not there, all but the last two fail at once, because they can no longer be met.

    **Calls.** A poll of the event is one metered call (more only if 500 people or more are invited and the condition is
    about them). ``starts_within`` and ``ended`` poll at the known time, and every ``recheck`` before it, because events
    are moved: about 4 calls a day by default. For the other conditions the time is not known; they poll every
    ``poke_interval``: 30 minutes are 1,440 calls in 30 days, 10 minutes are 4,320, which is 86 % of the 5,000 calls a
    month that a standard organisation has for everything.

    XCom ``metered_calls`` counts all of them, those in the triggerer too, but not those that a triggerer made before it
    was killed. In mode ``reschedule`` it and ``max_calls`` count from the try's first poll on Airflow 3.3 and later;
    on older versions, each poll counts by itself.

    **Modes.** With ``deferrable`` it polls once in the worker, and then waits in the triggerer without a worker slot;
    the other modes are Airflow's ``poke`` and ``reschedule``. All of them poll at the same times, but a deferred sensor
    is up to 15 seconds late if the condition is met right after deferring. ``exponential_backoff`` and ``max_wait``
    count for the conditions without a known time in the modes ``poke`` and ``reschedule`` only.

    A transient error does not end the wait: the sensor retries after 5 minutes, or ``poke_interval`` if
    that is less. After ``timeout`` (Airflow's default: 7 days from the start of the try; in mode ``reschedule`` of the
    first try) it polls a last time and fails.

    With ``soft_fail`` or ``never_fail`` it is skipped when it times out, or when the condition can no longer be met
    because the event is cancelled or not there. A misconfiguration (a wrong argument, credential or permission, no
    connection, the month's quota) still fails it, and an unexpected error skips it with ``never_fail`` only. The log
    says why it was skipped.

    Templates are rendered in nested values, too. XCom: ``return_value`` is the event,
    as DingTalk sent it; of one that is not there any more ``{"id": …, "status": "cancelled"}``.

    .. seealso:: For DAGs that wait for an event, see the guide :doc:`/howto/wait`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.CalendarOperator`.

    :param union_id: unionId of anybody who takes part in the event. (templated)
    :param event_id: the event's ``id``. A series starts and ends with its first event. (templated)
    :param starts_within: a timedelta, or seconds; 0 waits for the start itself. (templated)
    :param ended: true, to wait for the end. (templated)
    :param responses: of ``answered``, ``accepted``, ``declined`` and ``tentative`` the least number, or ``"all"``; a
        mapping, or the JSON text of one. ``answered`` is any of the other three. (templated)
    :param fields: written like a patch, see :class:`~airflow_dingtalk_calendar.models.EventPatch`; a mapping, or the
        JSON text of one. Times are compared as points in time. (templated)
    :param exists: true, to wait until the event is there. (templated)
    :param cancelled: true, to wait until it is not. (templated)
    :param count_optional: whether optional attendees count in ``responses``. (templated)
    :param recheck: the longest time between two polls where the time is known; a timedelta, or seconds. (templated)
    :param timezone: IANA zone in which the days of an all-day event begin, and for times in ``fields`` that have none
        of their own; default: the connection's. (templated)
    :param poke_interval: the time between two polls where the time is not known; a timedelta, or seconds.
    :param deferrable: wait in the triggerer; default: Airflow's ``[operators] default_deferrable``.
    :raises AirflowFailException: for non-retryable errors: a wrong argument, credential or permission, the month's
        quota, an event that is gone.
    :raises AirflowSensorTimeout: when the sensor times out.
    """

    template_fields: Sequence[str] = (
        *CalendarOperator.template_fields,
        "event_id",
        "starts_within",
        "ended",
        "responses",
        "fields",
        "exists",
        "cancelled",
        "count_optional",
        "recheck",
        "timezone",
    )
    template_fields_renderers = {"responses": "json", "fields": "json"}  # noqa: RUF012  # as Airflow declares it

    # Time, for tests to replace.
    _clock = staticmethod(time.time)
    _wake: float | None = None

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        calendar_id: str = "primary",
        starts_within: DurationInput | None = None,
        ended: bool | str = False,
        responses: Mapping[str, int | str] | str | None = None,
        fields: Mapping[str, Any] | str | None = None,
        exists: bool | str = False,
        cancelled: bool | str = False,
        count_optional: bool | str = False,
        recheck: DurationInput = dt.timedelta(hours=6),
        timezone: str | None = None,
        poke_interval: dt.timedelta | float = 1800.0,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(poke_interval=poke_interval, **kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.calendar_id = calendar_id
        self.starts_within = starts_within
        self.ended = ended
        self.responses = responses
        self.fields = fields
        self.exists = exists
        self.cancelled = cancelled
        self.count_optional = count_optional
        self.recheck = recheck
        self.timezone = timezone
        self.deferrable = deferrable
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> Any:
        """Wait, in the worker or, after a first poll, in the triggerer; return the event."""
        with self._skip_as_meant(AirflowSensorTimeout), self._count_calls(context, self._earlier_calls(context)):
            return super().execute(context)

    def poke(self, context: Context) -> PokeReturnValue:
        """Poll once; one metered call."""
        from airflow_dingtalk_calendar.watch.event_poll import poll_event

        self._wake = None
        with self._open_hook(context):
            recheck = seconds_argument("recheck", self.recheck)
            self._limit_calls()
            watch = self._event_target()
            verdict = self.hook.follow(poll_event(watch, self._clock))
        self.log.info("Event %s %s.", self.event_id, verdict.text)
        if verdict.state == "impossible":
            raise ConditionUnmetError(f"Event {self.event_id} {verdict.text}.")
        if verdict.state != "met":
            self._schedule_next(watch, verdict, recheck)
        return PokeReturnValue(verdict.state == "met", verdict.event)

    def _event_target(self) -> EventTarget:
        from airflow_dingtalk_calendar.watch.conditions import parse_condition, parse_day_zone
        from airflow_dingtalk_calendar.watch.event_poll import EventTarget

        names = ("starts_within", "ended", "responses", "fields", "exists", "cancelled")
        timezone = parse_day_zone(self.hook.get_conn().zone_for(self.timezone))
        given = {name: getattr(self, name) for name in names}
        condition = parse_condition(given, timezone, count_optional=self.count_optional)
        return EventTarget(self.union_id, self.event_id, self.calendar_id, condition, timezone)

    def _schedule_next(self, watch: EventTarget, verdict: Verdict, recheck: float) -> None:
        """Store when to poll again where that is not Airflow's ``poke_interval``; deferrable, leave the worker."""
        from airflow_dingtalk_calendar.watch.conditions import next_poll

        now = self._clock()
        wake = next_poll(verdict, dt.datetime.fromtimestamp(now, dt.UTC), self.poke_interval, recheck).timestamp()
        if self.deferrable:
            self._defer(watch, now, wake, recheck)
        if verdict.moment is not None or verdict.state == "unknown":
            self._wake = wake

    def _defer(self, watch: EventTarget, now: float, wake: float, recheck: float) -> NoReturn:
        from airflow_dingtalk_calendar.triggers.event import DingTalkCalendarEventTrigger

        deadline = now + max(self.timeout, HEAD_START)
        counter = self._call_counter
        self.defer(
            trigger=DingTalkCalendarEventTrigger(
                union_id=watch.union_id,
                event_id=watch.event_id,
                calendar_id=watch.calendar_id,
                condition=dict(watch.condition),
                timezone=watch.timezone,
                wake=max(wake, now + HEAD_START),
                deadline=deadline,
                interval=self.poke_interval,
                recheck=recheck,
                max_calls=counter.left if counter else None,
                dingtalk_conn_id=self.dingtalk_conn_id,
            ),
            method_name="execute_complete",
            kwargs={"calls": counter.by_action if counter else {}},
            timeout=dt.timedelta(seconds=deadline - now) + GRACE,
        )
        raise AssertionError("a deferred task does not come here")

    def _get_next_poke_interval(self, started_at: Any, run_duration: Callable[[], float], poke_count: int) -> float:
        """Sleep, or be rescheduled, until the time that ``poke`` has stored, or Airflow's interval, or the time-out.

        Airflow asks here in both modes; if a later version no longer does, ``poke_interval`` counts for everything.
        """
        if self._wake is None:
            pause = super()._get_next_poke_interval(started_at, run_duration, poke_count)
        else:
            pause = max(self._wake - self._clock(), 1.0)
        # A little past the time-out, so that Airflow finds it passed after the last poll, and does not poll again.
        return min(pause, max(self.timeout - run_duration(), 0.0) + 0.1)

    def execute_complete(self, context: Context, event: Any = None, calls: Mapping[str, int] | None = None) -> Any:
        """Return the event that the trigger found, or fail as it says.

        :param calls: the metered calls of the poll in the worker.
        """
        deferred = event.get("calls") if isinstance(event, dict) else None
        with self._count_calls(context, Counter(calls or {}) + Counter(deferred or {})):
            return self._finish_wait(event)

    def _finish_wait(self, event: Any) -> Any:
        match event:
            case {"status": "met", "event": dict(found)}:
                self.log.info("Event %s meets the condition.", self.event_id)
                return found
            case {"status": "impossible", "message": str(message)}:
                raise ConditionUnmetError(message)
            case {"status": "failed", "message": str(message)}:
                raise AirflowFailException(message)
            case {"status": "no_connection", "message": str(message)}:
                raise AirflowNotFoundException(message)
            case {"status": "timeout", "message": str(message)}:
                raise AirflowSensorTimeout(message)
            case {"status": "error", "message": str(message)}:
                raise RuntimeError(message)
        raise RuntimeError("The triggerer sent an unexpected result; does it run another version of this package?")

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        """Resume after the triggerer, with ``soft_fail`` and ``never_fail`` as in the other modes."""
        with self._skip_as_meant(Exception):
            if next_method == "__fail__" and (next_kwargs or {}).get("error") in TRIGGER_TIMEOUTS:
                raise AirflowSensorTimeout("The triggerer did not respond in time; is it down?")
            return super().resume_execution(next_method, next_kwargs, context)
