"""The policy for a change, whether it is a row of a plan or the only change of a task.

Read the event first if something depends on it; send nothing when it is so already, or has changed since somebody
decided about it; check who is busy when it moves; make no second video meeting and no second event; send; compare what
came of it.

Like the request flow this is a generator that the hook drives: :meth:`RowRun.steps` yields calls, receives what they
return, and ends with the row's result.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import client_token_header
from airflow_dingtalk_calendar.exceptions import NotFoundError, SecondMeetingError
from airflow_dingtalk_calendar.models.answer_times import read_answer_time
from airflow_dingtalk_calendar.models.json_values import Body, mapping_or_empty, text_or_none
from airflow_dingtalk_calendar.plans.actions.lifecycle import DeleteChange
from airflow_dingtalk_calendar.plans.conflicts import BusyCheck, Conflicts
from airflow_dingtalk_calendar.plans.created import CreatedEvents
from airflow_dingtalk_calendar.plans.results import CHANGED_SINCE, NO_EVENT_ID, RowResult
from airflow_dingtalk_calendar.plans.rows import Row

RowSteps = Generator[api.Call[Any], Any, RowResult]
# Makes the client token of a row's call: which of how many calls it is, and what makes it the same request.
TokenMaker = Callable[[int, int, tuple[Any, ...]], str]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How changes are applied.

    :ivar client_token: makes the client token of a call.
    :ivar retried: whether an earlier try of the task may have sent the same already.
    :ivar keep_before: read each event that the plan does not bring, so that the change can be undone.
    :ivar records_before: whether that lasts, so that a retry knows what an event was before an earlier try changed it.
    :ivar record_before: called with what an event was before a change to it is sent, to be kept for a retry.
    :ivar created: finds the events that it may have created, where that is known.
    :ivar busy: checks who is busy when a row moves its event, if requested.
    :ivar caution: called before a row is sent, with the event if it was read, to log what is uncertain about it.
    """

    client_token: TokenMaker
    skip_if_unchanged: bool = False
    repeat_meeting: bool = False
    retried: bool = False
    return_events: bool = False
    keep_before: bool = False
    records_before: bool = False
    record_before: Callable[[Row, Body], None] = lambda row, before: None
    created: CreatedEvents | None = None
    busy: BusyCheck | None = None
    caution: Callable[[Row, Body | None], None] = lambda row, event: None

    def reads_first(self, row: Row) -> bool:
        """Whether a row takes a call that reads before the first one that writes."""
        if row.change.creates:
            return self.created is not None
        guarded = row.if_updated_at is not None or row.if_fields is not None
        checked = self.checks_busy(row) or self.may_have_meeting(row)
        reads = self.skip_if_unchanged or guarded or self.keeps_before(row) or checked
        return bool(row.change.call_count) and reads

    def count_calls(self, rows: Iterable[Row]) -> int:
        """Count the metered calls that rows take."""
        every = list(rows)
        checks = self.created.count_calls(every) if self.created else 0
        checks += self.busy.count_calls(every) if self.busy else 0
        reads = (not row.change.creates and self.reads_first(row) for row in every)
        return sum(row.change.call_count for row in every) + sum(reads) + checks

    def keeps_before(self, row: Row) -> bool:
        """Whether the event is read so that the row can be undone."""
        return self.keep_before and row.event is None and row.created_by is None and row.change.needs_before

    def checks_busy(self, row: Row) -> bool:
        """Whether the event is read, and its people and rooms are asked about, because the row moves it."""
        return self.busy is not None and self.busy.concerns(row)

    def may_have_meeting(self, row: Row) -> bool:
        """Whether an earlier try may have made the video meeting that the row asks for."""
        return self.retried and not self.repeat_meeting and row.change.makes_meeting and not row.change.creates


@dataclass
class RowRun:
    """One row on its way.

    :ivar created: ids of the events that rows of the group have created, by name.
    :ivar current: the event as it is, where it was read to make the row, so that it is not read again.
    :ivar done: how many of its calls were sent and have succeeded.
    :ivar before: what the event was, as far as undoing the row takes it, if it was read; empty when an earlier try may
        have changed it and nobody knows any more.
    :ivar conflicts: who is busy when the row moves its event, as far as that was checked.
    """

    row: Row
    options: ApplyOptions
    created: Mapping[str, str] = field(default_factory=dict)
    current: Body | None = field(default=None, repr=False)
    done: int = 0
    before: Body | None = None
    conflicts: Conflicts = field(default_factory=Conflicts)

    @cached_property
    def calls(self) -> Sequence[api.Call[Any]]:
        """The calls that write, with their client tokens."""
        target, change = self.row.target(self.created), self.row.change
        calls = change.make_calls(target, repeat_meeting=self.options.repeat_meeting)
        ordinal = (self.row.ordinal,) if self.row.ordinal else ()
        parts = [(*change.token_parts(target, call), *ordinal) for call in calls]
        return [self._identify(call, number, len(calls), parts[number - 1]) for number, call in enumerate(calls, 1)]

    def _identify(self, call: api.Call[Any], number: int, total: int, parts: tuple[Any, ...]) -> api.Call[Any]:
        """Give a call its client token."""
        return replace(call, headers=client_token_header(self.options.client_token(number, total, parts)))

    @property
    def event_id(self) -> str:
        """The event's id as far as it is known; empty where the row creates the event."""
        row = self.row
        return row.event_id if row.created_by is None else self.created.get(row.created_by, "")

    @property
    def progress(self) -> str:
        """How far it has come, once it has begun; empty before."""
        return self.row.change.describe_progress(self.done) if self.done else ""

    def steps(self) -> RowSteps:
        """Apply the row.

        :raises DingTalkError: what the calls raise, :class:`SecondMeetingError`, and
            :class:`~airflow_dingtalk_calendar.exceptions.BusyError`.
        """
        row, options = self.row, self.options
        if not row.change.call_count:
            return RowResult(row, "unchanged", event=self._kept(self.current))
        if row.created_by is not None and row.created_by not in self.created:
            text = f"DingTalk created the event {row.created_by}, and its answer does not have the event's id"
            return RowResult(row, "rejected", code=NO_EVENT_ID, message=text)
        event = None
        try:
            if self.current is not None or options.reads_first(row):
                result, event = yield from self._read_first()
                if result:
                    return result
            options.caution(row, event)
            answer = yield from self._send_calls()
        except NotFoundError as error:
            return self._accept_missing(error)
        changed = mapping_or_empty(answer)
        return self._applied_result(changed, self._not_applied(changed))

    def preview(self) -> Generator[api.Call[Any], Any, Conflicts]:
        """Check who is busy when the row moves its event, as :meth:`steps` would; do not send anything."""
        busy = self.options.busy
        if busy is None or not busy.concerns(self.row):
            return Conflicts()
        if self.row.created_by is not None:
            return Conflicts(unknown={"event": "this plan creates it"})
        event = yield from self.read_event()
        return (yield from busy.find(self.row, event))

    def _read_first(self) -> Generator[api.Call[Any], Any, tuple[RowResult | None, Body | None]]:
        """Read what is there: a result, if it ends the row without another call, and the event."""
        row, options = self.row, self.options
        if row.change.creates and options.created:
            event = yield from options.created.find(row)
            return (None if event is None else self._applied_result(event)), event
        event = yield from self.read_event()
        refused = self._refuse(event) or (yield from self._refuse_busy(event))
        if refused is None and self.before is None and row.change.needs_before:
            known = options.records_before or not options.retried
            self.before = row.change.keep_before(event) if known else {}
            options.record_before(row, self.before)
        return refused, event

    def read_event(self) -> Generator[api.Call[Any], Any, Body]:
        """Read the event, unless that was done to make the row."""
        if self.current is not None:
            return self.current
        union_id, calendar_id, event_id = self.row.target(self.created)
        most = 500 if self.row.change.needs_attendees or self.options.checks_busy(self.row) else None
        event: Body = yield api.get_event(union_id, event_id, calendar_id=calendar_id, max_attendees=most)
        return event

    def _refuse_busy(self, event: Body) -> Generator[api.Call[Any], Any, RowResult | None]:
        """Check who is busy when the event moves, and decide whether the row is skipped for that."""
        row, busy = self.row, self.options.busy
        if busy is None or not busy.concerns(row):
            return None
        self.conflicts = found = yield from busy.find(row, event)
        if busy.refuse(row, found):
            return RowResult(row, "skipped", code=found.code, message=found.message, event_id=self.event_id)
        return None

    def _refuse(self, event: Body) -> RowResult | None:
        """Decide by the event as it is whether nothing is to be sent."""
        row, options = self.row, self.options
        unchanged = row.change.is_unchanged(event)
        if row.if_updated_at is not None and not _was_updated_at(row.if_updated_at, event.get("updateTime")):
            if options.retried and unchanged:  # then it was most likely the earlier try that changed it
                return self._unchanged_result(event)
            text = "the event has changed since it was read"
            return RowResult(row, "skipped", code=CHANGED_SINCE, message=text, event_id=self.event_id)
        if unchanged and (options.skip_if_unchanged or row.if_fields is not None):
            return self._unchanged_result(event)
        if changed := self._changed_fields(event):
            text = f"somebody has changed {', '.join(changed)} since"
            return RowResult(row, "skipped", code=CHANGED_SINCE, message=text, event_id=self.event_id)
        if options.may_have_meeting(row) and event.get("onlineMeetingInfo"):
            raise SecondMeetingError
        return None

    def _changed_fields(self, event: Body) -> list[str]:
        """Name the guarded fields that are not as they were left."""
        guard = self.row.if_fields or {}
        found = self.row.change.touched(event) if guard else {}
        return [name for name, fingerprint in guard.items() if found.get(name) != fingerprint]

    def _send_calls(self) -> Generator[api.Call[Any], Any, Any]:
        answer = None
        for call in self.calls:
            answer = yield call
            self.done += 1
        if self._is_others(answer):
            (call,) = self.calls
            answer = yield self._identify(call, 1, 1, (call.action, call.path, call.json, self.row.ordinal, "another"))
            self._is_others(answer)
        return answer

    def _is_others(self, answer: Any) -> bool:
        """Whether an answer is about an event that another row, which asks for the very same, has found in this try.

        Nobody knows which of the two made it; DingTalk gives the one that did its first answer again.
        """
        created, event_id = self.options.created, str(mapping_or_empty(answer).get("id") or "")
        return bool(self.row.change.creates and created and event_id and not created.claim(event_id))

    def _accept_missing(self, error: NotFoundError) -> RowResult:
        """Take an event that is not there for deleted, which may be the doing of an earlier try."""
        change = self.row.change
        if isinstance(change, DeleteChange) and error.code == "itemNotFound" and not change.fail_if_missing:
            text = "not there; deleted already, or not in this person's calendar"
            found = RowResult(self.row, "unchanged", code=error.code, message=text, request_id=error.request_id)
            return replace(found, event_id=self.event_id)
        raise error

    def _not_applied(self, event: Body) -> list[str]:
        # An event that is its id and no more was neither in the answer nor to be read back.
        return self.row.change.not_applied(event) if event.keys() - {"id"} else []

    def _applied_result(self, event: Body, not_applied: Sequence[str] = ()) -> RowResult:
        change = self.row.change
        return RowResult(
            self.row,
            "applied",
            not_applied,
            self.conflicts.code,
            self.conflicts.message,
            event_id=str(event.get("id") or "") if change.creates else self.event_id,
            left=change.left_in(event),
            before=self.before,
            event=self._kept(event or None),
            update_time=text_or_none(event.get("updateTime")),
        )

    def _unchanged_result(self, event: Body) -> RowResult:
        kept = self._kept(event)
        return RowResult(self.row, "unchanged", event_id=self.event_id, before=self.before, event=kept)

    def _kept(self, event: Body | None) -> Body | None:
        return event if self.options.return_events else None


def _was_updated_at(wanted: dt.datetime, found: Any) -> bool:
    """Whether a time that the service wrote is that moment; what cannot be read is not."""
    return read_answer_time(found) == wanted
