"""What is reported about a plan: its preview, and in the end its outcome."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.api.call import describe_request
from airflow_dingtalk_calendar.exceptions import DingTalkError, PlanIncompleteError
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.plans.apply import RowRun
from airflow_dingtalk_calendar.plans.conflicts import BUSY, BUSY_UNKNOWN, Conflicts
from airflow_dingtalk_calendar.plans.impact import estimate_impact
from airflow_dingtalk_calendar.plans.results import (
    CHANGED_SINCE,
    GROUP_FAILED,
    NOT_TRIED,
    count_results,
    describe_results,
)
from airflow_dingtalk_calendar.plans.review import review_plan
from airflow_dingtalk_calendar.plans.undo import lasting_effects

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.api.call import Call
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions
    from airflow_dingtalk_calendar.plans.results import RowResult
    from airflow_dingtalk_calendar.plans.rows import Row


LEFT_OUT = (CHANGED_SINCE, GROUP_FAILED, BUSY, BUSY_UNKNOWN)  # codes of rows that may be no failures


def find_conflicts(rows: Sequence[Row], options: ApplyOptions) -> Generator[Call[Any], Any, dict[int, Conflicts]]:
    """Check who is busy when rows move their events, as a dry run does; by the row's index.

    A row that brings its event is judged by that.
    """
    found: dict[int, Conflicts] = {}
    for row in rows:
        if options.checks_busy(row):
            found[row.index] = yield from RowRun(row, options, current=row.event).preview()
    return found


def caution_lines(rows: Sequence[Row], conflicts: Mapping[int, Conflicts] | None = None) -> Iterator[str]:
    """Say each caution once, however many rows it is about."""
    about: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        for caution in _cautions_of(row, conflicts or {}):
            about[caution].append(row.index)
    for caution, indexes in about.items():
        more = f" (and {counted(len(indexes) - 1, 'more row')})" if len(indexes) > 1 else ""
        yield f"plan[{indexes[0]}].{caution}{more}"


def _cautions_of(row: Row, conflicts: Mapping[int, Conflicts]) -> list[str]:
    return [*row.cautions, *(conflicts[row.index].lines if row.index in conflicts else [])]


def preview_plan(
    rows: Sequence[Row], options: ApplyOptions, conflicts: Mapping[int, Conflicts] | None = None
) -> dict[str, Any]:
    """Show what would be sent: the result of a dry run.

    :param conflicts: who is busy, if that was checked, by the row's index.
    """
    impact = estimate_impact(rows, options)
    found = conflicts or {}
    shown = [_preview_row(row, found) for row in rows]
    return {
        "dry_run": True,
        "total": len(rows),
        "calls": impact.calls,
        "impact": impact.as_dict(),
        "cannot_undo": lasting_effects(rows, keep_before=options.keep_before),
        "markdown": review_plan(rows, impact, caution_lines(rows, found)),
        "rows": shown,
    }


def _preview_row(row: Row, conflicts: Mapping[int, Conflicts]) -> dict[str, Any]:
    requests = [describe_request(call) for call in row.change.make_calls(row.target())]
    return {
        "index": row.index,
        "action": row.change.action,
        "group": row.group,
        "union_id": row.union_id,
        "event_id": row.event_id or ({"created_by": row.created_by} if row.created_by else None),
        "requests": requests,
        "diff": row.change.describe(row.event),
        "cautions": _cautions_of(row, conflicts),
        **(conflicts[row.index].as_dict() if row.index in conflicts else {}),
    }


def summarize_counts(counts: Mapping[str, int]) -> str:
    """Log the outcome of the rows."""
    if not counts["total"]:
        return "The plan is empty: nothing to do."
    by_status = ", ".join(f"{count} {name}" for name, count in counts.items() if name != "total" and count)
    return f"Of {counted(counts['total'], 'row')}: {by_status}."


def log_outcome(log: Any, results: Sequence[RowResult], seconds: float) -> None:
    """Log the outcome without event content: counts, rows that failed, and rows that somebody else changed."""
    log.info("%s It took %.1f s.", summarize_counts(count_results(results)), seconds)
    for line in describe_results([result for result in results if result.failed]):
        log.warning(line)
    for line in describe_results([result for result in results if result.code in LEFT_OUT and not result.failed]):
        log.info(line)


def plan_error(results: Sequence[RowResult], *, tolerant: bool) -> DingTalkError | None:
    """Say with what the task has to fail, if it has to.

    :param tolerant: whether rows that failed by themselves are no reason.
    """
    failed = [result for result in results if result.failed]
    left = any(result.code == NOT_TRIED for result in results)
    if not left and (tolerant or not failed):
        return None
    counts = count_results(results)
    general = [result for result in failed if result.for_all and not result.again]
    if any(result.again for result in failed) or (left and not general):  # the latter: the task was asked to stop
        wait = max((result.retry_after or 0.0 for result in failed), default=0.0)
        return PlanIncompleteError(summarize_counts(counts), counts=counts, retry_after=wait or None)
    worst = (general or failed)[0]
    return DingTalkError(f"{summarize_counts(counts)} plan[{worst.row.index}]: {worst.code}: {worst.message}")
