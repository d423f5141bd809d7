"""One row of a plan carried out: at most one call that reads, and the one that patches.

Like :mod:`~airflow_dingtalk_calendar.flow` these are steps for somebody else to carry out: :func:`steps` yields
calls, takes the events that they return, and ends with the row's result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar import api, compare
from airflow_dingtalk_calendar.plan import Row
from airflow_dingtalk_calendar.results import CHANGED_SINCE, HAS_MEETING, Result

Calls = Generator[api.Call[api.Event], api.Event, Result]


@dataclass(frozen=True, slots=True)
class Choices:
    """How rows are carried out.

    :ivar client_token: makes a row's own identity.
    :ivar retried: whether an earlier try of the task may have sent the row already.
    """

    client_token: Callable[[Row], str]
    skip_if_unchanged: bool = False
    repeat_meeting: bool = False
    retried: bool = False
    return_events: bool = False

    def call(self, row: Row) -> api.Call[api.Event]:
        """Make the call that patches the row's event."""
        return api.patch_event_body(
            row.union_id,
            row.event_id,
            row.body,
            calendar_id=row.calendar_id,
            client_token=self.client_token(row),
            repeat_meeting=self.repeat_meeting,
        )

    def reads(self, row: Row) -> bool:
        """Whether the row takes a call that reads the event before the one that patches it."""
        return self.skip_if_unchanged or row.if_updated_at is not None or self._may_have_met(row)

    def calls(self, rows: Sequence[Row]) -> int:
        """Count the metered calls that rows take."""
        return len(rows) + sum(map(self.reads, rows))

    def _may_have_met(self, row: Row) -> bool:
        return self.retried and not self.repeat_meeting and "onlineMeetingInfo" in row.body

    def refusal(self, row: Row, event: api.Event) -> Result | None:
        """Decide by the event as it is whether its row is not to be sent."""
        unchanged = compare.is_unchanged(row.body, event)
        if row.if_updated_at is not None and not _same_instant(row.if_updated_at, event.get("updateTime")):
            if self.retried and unchanged:  # then it was most likely the earlier try that changed it
                return Result(row, "unchanged")
            return Result(row, "skipped", code=CHANGED_SINCE, message="the event has changed since it was read")
        if self.skip_if_unchanged and unchanged:
            return Result(row, "unchanged")
        if self._may_have_met(row) and event.get("onlineMeetingInfo"):
            return Result(row, "rejected", code=HAS_MEETING, message=MET)
        return None


MET = (
    "the event has a video meeting, maybe made by an earlier try of this task, and sending this again would make "
    "another: look at the event, then clear the task, or set repeat_meeting"
)


def steps(row: Row, choices: Choices) -> Calls:
    """Carry out a row.

    :raises RequestError: what the calls raise is not caught here.
    """
    if choices.reads(row):
        event = yield api.get_event(
            row.union_id,
            row.event_id,
            calendar_id=row.calendar_id,
            max_attendees=500 if "attendees" in row.body else None,
        )
        if refused := choices.refusal(row, event):
            return refused
    event = yield choices.call(row)
    kept = event if choices.return_events else None
    return Result(row, "updated", compare.not_applied(row.body, event), event=kept)


def _same_instant(wanted: dt.datetime, found: Any) -> bool:
    """Whether a time that the service wrote is that moment; what cannot be read is not."""
    try:
        moment = dt.datetime.fromisoformat(found)
    except (TypeError, ValueError):
        return False
    return moment.tzinfo is not None and moment == wanted
