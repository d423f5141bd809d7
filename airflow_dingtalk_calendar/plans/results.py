"""What became of the rows of a plan: one result a row, what they amount to, and how they are kept for a retry."""

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

RowStatus = Literal["updated", "unchanged", "skipped", "rejected", "unknown"]
ROW_STATUSES: tuple[RowStatus, ...] = ("updated", "unchanged", "skipped", "rejected", "unknown")
NOT_TRIED = "notTried"
CHANGED_SINCE = "changedSince"
HAS_MEETING = "hasMeeting"
# Refusals that are not about the row, so that the next one would hear the same.
_ACCOUNT_ERRORS = (
    CredentialsError,
    PermissionDeniedError,
    QuotaExceededError,
    TokenRejectedError,
)
_NETWORK_ERRORS = (TransportError, UnexpectedAnswerError)
# A user outside of the range that the app is authorised for is one row's, or some rows', user.
_ONE_USER_CODES = ("permissionDeny", "50002")


@dataclass(frozen=True, slots=True)
class RowResult:
    """What became of one row.

    :ivar code: DingTalk's error code, or ours: ``notTried``, ``changedSince``, ``hasMeeting``.
    :ivar again: whether a retry of the task may bring a better result.
    :ivar retry_after: seconds that DingTalk wants to be left alone for.
    :ivar for_all: whether all other rows would be refused as this one was.
    :ivar event: the updated event, where somebody wants it.
    """

    row: Row
    status: RowStatus
    not_applied: Sequence[str] = ()
    code: str = ""
    message: str = ""
    request_id: str = ""
    again: bool = False
    retry_after: float | None = None
    for_all: bool = False
    event: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def failed(self) -> bool:
        """Whether the row was tried and is not as the plan wants it, as far as anybody knows."""
        return self.status in ("rejected", "unknown")

    def as_dict(self, *, with_event: bool = False) -> dict[str, Any]:
        """Write the row of the report; ``fields`` are the names that the event was to get."""
        return {
            "index": self.row.index,
            "union_id": self.row.union_id,
            "event_id": self.row.event_id,
            "status": self.status,
            "fields": self.row.fields,
            "not_applied": list(self.not_applied),
            "code": self.code,
            "message": self.message,
            "request_id": self.request_id,
            **({"event": self.event} if with_event else {}),
        }


def not_tried_result(row: Row) -> RowResult:
    """Make the result of a row that the task did not come to."""
    return RowResult(row, "skipped", code=NOT_TRIED, message="not tried in this run of the task", again=True)


def crashed_result(row: Row, error: Exception) -> RowResult:
    """Make the result of a row in which this program failed, or Airflow: nobody knows how far it came."""
    return RowResult(
        row, "unknown", code=type(error).__name__, message="failed within the task: see its log", again=True
    )


def failed_result(row: Row, error: DingTalkError, *, retried: bool = False) -> RowResult:
    """Make the result of a row whose call failed; a failed read has changed nothing.

    :param retried: whether an earlier try may have sent this row. What is refused now for a reason that is not the
        row's own (quota, rate, permission) may have been done then.
    """
    request = error if isinstance(error, RequestError) else RequestError()  # others are raised before there is one
    for_all = _affects_all_rows(error)
    doubtful = retried and (for_all or error.retryable)
    return RowResult(
        row,
        "unknown" if doubtful or request.outcome == "unknown" else "rejected",
        code=request.code or type(error).__name__,
        message=f"{end_sentence(error.message)} {error.hint}".strip(),
        request_id=request.request_id,
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


def describe_results(results: Sequence[RowResult], most: int = 10) -> Iterator[str]:
    """Name rows for the log, without event content: the first ones, then how many more there are."""
    for result in results[:most]:
        trail = f" (request id {result.request_id})" if result.request_id else ""
        yield f"patches[{result.row.index}], event {result.row.event_id}: {result.status}, {result.code}{trail}"
    if len(results) > most:
        yield f"and {len(results) - most} more; XCom results has all of them"
