"""One poll of an event that a sensor waits for: the calls that it takes, and its result.

Written once, as calls that a worker sends with ``hook.follow`` and a triggerer with ``hook.afollow``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import MAX_ATTENDEES
from airflow_dingtalk_calendar.api.call import require_list
from airflow_dingtalk_calendar.exceptions import NotFoundError, RequestError
from airflow_dingtalk_calendar.models.copies import newest_bodies
from airflow_dingtalk_calendar.models.json_values import mapping_or_empty
from airflow_dingtalk_calendar.watch.conditions import Condition, Verdict, evaluate_condition

EventCalls = Generator[api.Call[Any], Any, Any]


@dataclass(frozen=True, slots=True)
class EventTarget:
    """What is waited for.

    :ivar condition: as :func:`~airflow_dingtalk_calendar.watch.conditions.parse_condition` returns it.
    :ivar timezone: IANA zone in which the days of an all-day event begin.
    """

    union_id: str
    event_id: str
    calendar_id: str
    condition: Condition
    timezone: str | None


def poll_event(watch: EventTarget, clock: Callable[[], float]) -> Generator[api.Call[Any], Any, Verdict]:
    """Read the event and judge it. One metered call; more where 500 people or more are invited and they matter.

    A transient error is a verdict: the condition may still be met later.

    :param clock: seconds since the epoch, asked after the event was read.
    :raises RequestError: for non-retryable errors.
    """
    try:
        event = yield from _read_event(watch)
    except RequestError as error:
        if not error.retryable:
            raise
        return Verdict("unknown", f"could not be read: {error}", pause=error.retry_after or 0.0)
    verdict = evaluate_condition(watch.condition, event, dt.datetime.fromtimestamp(clock(), dt.UTC), watch.timezone)
    if verdict.state == "met" and verdict.event is None:
        return verdict._replace(event={"id": watch.event_id, "status": "cancelled"})
    return verdict


def _read_event(watch: EventTarget) -> EventCalls:
    people = "responses" in watch.condition or "attendees" in watch.condition.get("fields", ())
    most = MAX_ATTENDEES if people else None
    call = api.get_event(watch.union_id, watch.event_id, calendar_id=watch.calendar_id, max_attendees=most)
    try:
        event = yield call
    except NotFoundError as error:
        if error.code not in ("itemNotFound", "instanceNotExist"):  # a 404 may also be of something in between
            raise
        return None
    invited = event.get("attendees")
    if people and isinstance(invited, list) and len(invited) >= MAX_ATTENDEES:
        return {**event, "attendees": (yield from _read_attendees(watch))}
    return event


def _read_attendees(watch: EventTarget) -> EventCalls:
    people: list[Any] = []
    seen: set[str] = set()
    first = api.list_attendees(watch.union_id, watch.event_id, calendar_id=watch.calendar_id, max_results=MAX_ATTENDEES)
    call: api.Call[api.Json] | None = require_list(first, "attendees")
    while call:
        page = yield call
        people += page["attendees"]
        call = api.next_page(call, page, seen)
    return newest_bodies(map(mapping_or_empty, people))  # the list may have shifted meanwhile
