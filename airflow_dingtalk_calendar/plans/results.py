"""The results of a plan: one for each row, and their summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_dingtalk_calendar.exceptions import (
    MAX_WAIT_IN_TASK,
    CredentialsError,
    DingTalkError,
    InvalidConnectionError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RequestError,
    ThrottledError,
    TokenRejectedError,
    TransportError,
    UnexpectedAnswerError,
    end_sentence,
)
from airflow_dingtalk_calendar.plans.rows import Row

RowStatus = Literal["applied", "unchanged", "skipped", "rejected", "unknown", "partial"]
ROW_STATUSES: tuple[RowStatus, ...] = ("applied", "unchanged", "skipped", "rejected", "unknown", "partial")
NOT_TRIED = "notTried"
CHANGED_SINCE = "changedSince"
GROUP_FAILED = "groupFailed"
NO_EVENT_ID = "noEventId"
# Refusals that are not about the row, so that the next one would be refused, too.
_ACCOUNT_ERRORS = (
    CredentialsError,
    PermissionDeniedError,
    QuotaExceededError,
    TokenRejectedError,
)
_NETWORK_ERRORS = (TransportError, UnexpectedAnswerError)
# A user outside of the range that the app is authorised for is one row's, or some rows', user.
_ONE_USER_CODES = ("permissionDeny", "50002")
_NAMED = 10  # rows that the log names of each kind


@dataclass(frozen=True, slots=True)
class RowResult:
    """The result of one row.

    :ivar event_id: of the event, also of one that the row has created; empty when nobody knows it.
    :ivar code: DingTalk's error code, or ours: ``notTried``, ``changedSince``, ``groupFailed``, ``hasMeeting``,
        ``noEventId``, ``busy``, ``busyUnknown``; the last two also of a row that was applied.
    :ivar again: whether a retry of the task may bring a better result.
    :ivar retry_after: seconds to wait before the next try, where DingTalk asks for it.
    :ivar for_all: whether all other rows would be refused as this one was.
    :ivar left: fingerprints of what the change left in the event, to undo nothing that somebody changed since.
    :ivar before: what the event was, as far as undoing the change takes it, if it was read.
    :ivar event: the event as the change left it, as far as DingTalk's answer has it.
    :ivar update_time: when DingTalk says that it did; None where its answer does not say.
    """

    row: Row
    status: RowStatus
    not_applied: Sequence[str] = ()
    code: str = ""
    message: str = ""
    request_id: str = ""
    event_id: str = ""
    again: bool = False
    retry_after: float | None = None
    for_all: bool = False
    left: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, Any] | None = field(default=None, repr=False)
    event: Mapping[str, Any] | None = field(default=None, repr=False)
    update_time: str | None = None

    @property
    def failed(self) -> bool:
        """Whether the row was tried and is not as the plan wants it, as far as anybody knows."""
        return self.status in ("rejected", "unknown", "partial")

    @property
    def done(self) -> bool:
        """Whether the event is as the row wants it, so that the next row of its group can follow."""
        return self.status in ("applied", "unchanged")

    def as_dict(self, *, with_event: bool = False) -> dict[str, Any]:
        """Write the row of the report; ``fields`` are the names that the request had."""
        row = self.row
        return {
            "index": row.index,
            "action": row.change.action,
            "group": row.group,
            "union_id": row.union_id,
            "event_id": self.event_id or row.event_id or None,
            "status": self.status,
            "fields": row.fields,
            "not_applied": list(self.not_applied),
            "code": self.code,
            "message": self.message,
            "request_id": self.request_id,
            **({"name": row.name} if row.name is not None else {}),
            **({"event": self.event} if with_event else {}),
        }


def not_tried_result(row: Row) -> RowResult:
    """Make the result of a row that the task did not come to."""
    return RowResult(row, "skipped", code=NOT_TRIED, message="not tried in this run of the task", again=True)


def group_failed_result(row: Row, cause: RowResult) -> RowResult:
    """Make the result of a row after one that was not done; a retry that completes that one continues with it."""
    why = " ".join(filter(None, (cause.status, cause.code)))
    text = f"plan[{cause.row.index}], an earlier row of its group, was not done: {why}"
    return RowResult(row, "skipped", code=GROUP_FAILED, message=text, again=not is_final(cause))


def interrupted_result(row: Row, progress: str, event_id: str) -> RowResult:
    """Make the result of a row in the middle of which the task was asked to stop, between two of its calls."""
    text = f"{progress} The task was asked to stop."
    return RowResult(row, "partial", code=NOT_TRIED, message=text, event_id=event_id, again=True)


def crashed_result(row: Row, error: Exception) -> RowResult:
    """Make the result of a row in which this program failed, or Airflow: nobody knows how far it came."""
    return RowResult(
        row, "unknown", code=type(error).__name__, message="failed within the task: see its log", again=True
    )


def failed_result(
    row: Row, error: DingTalkError, *, retried: bool = False, progress: str = "", event_id: str = ""
) -> RowResult:
    """Make the result of a row of which a call failed; a failed read has changed nothing.

    :param retried: whether an earlier try may have sent this row. What is refused now for a reason that is not the
        row's own (quota, rate, permission), or because the event is not there, may have been done then: the earlier try
        may have deleted the event, too.
    :param progress: how far the row came, if some of its calls were done.
    :param event_id: of the row's event, where it is known.
    """
    for_all = _affects_all_rows(error)
    gone = isinstance(error, NotFoundError)
    doubtful = retried and (for_all or error.retryable or gone)
    unknown = doubtful or (isinstance(error, RequestError) and error.outcome == "unknown")
    return RowResult(
        row,
        "unknown" if unknown else "partial" if progress else "rejected",
        code=getattr(error, "code", "") or type(error).__name__,
        message=" ".join(filter(None, (progress, end_sentence(error.message), error.hint))),
        request_id=getattr(error, "request_id", ""),
        event_id=event_id,
        again=error.retryable,
        retry_after=error.retry_after,
        for_all=for_all,
    )


def _affects_all_rows(error: DingTalkError) -> bool:
    if isinstance(error, ThrottledError):  # DingTalk wants everybody to stay away, for longer than a task waits
        return (error.retry_after or 0.0) > MAX_WAIT_IN_TASK
    general = isinstance(error, _ACCOUNT_ERRORS) and error.code not in _ONE_USER_CODES
    return (
        general
        or isinstance(error, InvalidConnectionError)
        or (isinstance(error, _NETWORK_ERRORS) and not error.retryable)
    )


def count_results(results: Iterable[RowResult]) -> dict[str, int]:
    """Count the results by status, and all of them."""
    found = Counter(result.status for result in results)
    return {"total": found.total(), **{status: found[status] for status in ROW_STATUSES}}


def is_final(result: RowResult) -> bool:
    """Whether a retry of the task has nothing to do for this row."""
    return result.status != "unknown" and not result.again and not result.for_all


def describe_results(results: Sequence[RowResult]) -> Iterator[str]:
    """Name rows for the log, without event content: the first ones, then how many more there are."""
    for result in results[:_NAMED]:
        trail = f" (request id {result.request_id})" if result.request_id else ""
        event = result.event_id or result.row.event_id or "that it creates"
        yield f"plan[{result.row.index}], event {event}: {result.status}, {result.code}{trail}"
    if len(results) > _NAMED:
        yield f"and {len(results) - _NAMED} more; XCom results has all of them"
