"""One row of a plan carried out: at most one call that reads, and the one that patches.

Like the request flow this is a generator that somebody else drives: :func:`apply_row` yields calls, takes the events
that they return, and ends with the row's result.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.answer_times import read_answer_time
from airflow_dingtalk_calendar.models.occurrences import warn_of_loss
from airflow_dingtalk_calendar.plans.results import CHANGED_SINCE, HAS_MEETING, RowResult
from airflow_dingtalk_calendar.plans.rows import Row

log = logging.getLogger(__name__)
RowCalls = Generator[api.Call[api.Event], api.Event, RowResult]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How rows are carried out.

    :ivar client_token: makes a row's own identity.
    :ivar retried: whether an earlier try of the task may have sent the row already.
    """

    client_token: Callable[[Row], str]
    skip_if_unchanged: bool = False
    repeat_meeting: bool = False
    retried: bool = False
    return_events: bool = False

    def patch_call(self, row: Row) -> api.Call[api.Event]:
        """Make the call that patches the row's event."""
        return api.patch_event_body(
            row.union_id,
            row.event_id,
            row.body,
            calendar_id=row.calendar_id,
            client_token=self.client_token(row),
            repeat_meeting=self.repeat_meeting,
        )

    def reads_first(self, row: Row) -> bool:
        """Whether the row takes a call that reads the event before the one that patches it."""
        reads = self.skip_if_unchanged or row.if_updated_at is not None or self._may_have_meeting(row)
        return bool(row.fields) and reads

    def count_calls(self, rows: Sequence[Row]) -> int:
        """Count the metered calls that rows take."""
        return sum(bool(row.fields) + self.reads_first(row) for row in rows)

    def _may_have_meeting(self, row: Row) -> bool:
        return self.retried and not self.repeat_meeting and "onlineMeetingInfo" in row.body

    def refuse_row(self, row: Row, event: api.Event) -> RowResult | None:
        """Decide by the event as it is whether its row is not to be sent."""
        unchanged = comparison.is_unchanged(row.body, event)
        if row.if_updated_at is not None and not _was_updated_at(row.if_updated_at, event.get("updateTime")):
            if self.retried and unchanged:  # then it was most likely the earlier try that changed it
                return RowResult(row, "unchanged")
            return RowResult(row, "skipped", code=CHANGED_SINCE, message="the event has changed since it was read")
        if self.skip_if_unchanged and unchanged:
            return RowResult(row, "unchanged")
        if self._may_have_meeting(row) and event.get("onlineMeetingInfo"):
            return RowResult(row, "rejected", code=HAS_MEETING, message=HAS_MEETING_TEXT)
        return None


HAS_MEETING_TEXT = (
    "the event has a video meeting, maybe made by an earlier try of this task, and sending this again would make "
    "another: look at the event, then clear the task, or set repeat_meeting"
)


def apply_row(row: Row, options: ApplyOptions) -> RowCalls:
    """Carry out a row.

    :raises RequestError: what the calls raise is not caught here.
    """
    if not row.fields:
        return RowResult(row, "unchanged")
    if options.reads_first(row):
        event = yield api.get_event(
            row.union_id,
            row.event_id,
            calendar_id=row.calendar_id,
            max_attendees=500 if "attendees" in row.body else None,
        )
        if refused := options.refuse_row(row, event):
            return refused
        if row.event is None and (loss := warn_of_loss(row.body, event)):
            log.warning("patches[%d].patch.start: %s", row.index, loss)
    event = yield options.patch_call(row)
    kept = event if options.return_events else None
    # An event that is its id and no more was neither in the answer nor to be read back.
    missing = comparison.not_applied(row.body, event) if event.keys() - {"id"} else []
    return RowResult(row, "updated", missing, event=kept)


def _was_updated_at(wanted: dt.datetime, found: Any) -> bool:
    """Whether a time that the service wrote is that moment; what cannot be read is not."""
    return read_answer_time(found) == wanted
