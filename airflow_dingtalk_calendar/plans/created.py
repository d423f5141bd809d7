"""Events that an earlier try of a task may have created without being able to say so.

A retry sends the same request under the same client token, by which DingTalk knows it for a day. What DingTalk does
with it then is not documented: it may answer with the first event, or create a second one. So a retry looks first: an
event of the same organizer that begins at the same time, has all that the request asks for, and was created since the
first try began, is the one that was asked for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import require_list
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.answer_times import read_answer_time
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty, mappings_in
from airflow_dingtalk_calendar.plans.rows import Row

CLOCK_SKEW = dt.timedelta(minutes=2)  # between DingTalk's clock, by minutes, and that of the workers


@dataclass
class CreatedEvents:
    """Finds events that were created since a moment.

    :param since: when the first try began.
    :param claimed: ids that are some row's already, since a plan may create two events that are the same.
    """

    since: dt.datetime
    claimed: set[str] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def find(self, row: Row) -> Generator[api.Call[Any], Any, Body | None]:
        """Find the event of a row that creates one: one metered call (ListEvents)."""
        page = yield self._list_call(row)
        with self._lock:
            for event in mappings_in(page["events"]):
                if self._is_created_by(row, event) and event["id"] not in self.claimed:
                    self.claimed.add(event["id"])
                    return event
        return None

    def _list_call(self, row: Row) -> api.Call[api.Json]:
        first, last = _times_around(_start_of(row))
        return require_list(
            api.list_events(row.union_id, calendar_id=row.calendar_id, time_min=first, time_max=last, max_results=100),
            "events",
        )

    def _is_created_by(self, row: Row, event: Body) -> bool:
        created = read_answer_time(event.get("createTime"), assumed_zone=dt.UTC)
        return (
            isinstance(event.get("id"), str)
            and event.get("status") != "cancelled"
            and created is not None
            and created >= self.since - CLOCK_SKEW
            and get_member(event, "organizer", "id") in (None, row.union_id)
            # of many people, a list of events shows some only
            and set(row.change.not_applied(event)) <= {"attendees"}
        )


def _start_of(row: Row) -> Body:
    body: Body = row.change.make_calls(row.target())[0].json or {}
    return mapping_or_empty(body.get("start"))


def _times_around(start: Body) -> tuple[dt.datetime, dt.datetime]:
    """Return a span of time in which an event with this start begins, wherever a day of its begins."""
    if "date" in start:
        day = dt.datetime.combine(dt.date.fromisoformat(start["date"]), dt.time.min, dt.UTC)
        return day - dt.timedelta(days=1), day + dt.timedelta(days=2)
    moment = datetimes.parse_wire_datetime(start["dateTime"])
    return moment - dt.timedelta(minutes=1), moment + dt.timedelta(minutes=1)
