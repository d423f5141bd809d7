"""What a task has changed in calendars, said as a watcher of the calendar says it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airflow_dingtalk_calendar.models.fields import find_field
from airflow_dingtalk_calendar.plans.results import RowResult
from airflow_dingtalk_calendar.watch.changes import CalendarChange, EventSnapshot

# What watchers call the members of requests that are no fields of a patch.
_OTHER_NAMES = {"responseStatus": "responses", "meetingRooms": "meeting_rooms"}


def made_changes(
    results: Iterable[RowResult], change_id: Callable[..., str]
) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Return whose calendar was changed (unionId, calendar), and how, for each row that has changed something.

    A row of which nobody knows whether it was done is none of them.

    :param change_id: names a change by what makes it another one.
    """
    for result in results:
        if result.status in ("applied", "partial"):
            change = _made_change(result, change_id)
            calendar = (result.row.union_id, result.row.calendar_id)
            yield calendar, change.payload(*calendar, source="task")


def _made_change(result: RowResult, change_id: Callable[..., str]) -> CalendarChange:
    row, event_id = result.row, result.event_id or result.row.event_id
    fields = _changed_fields(result) if row.change.kind == "updated" else ()
    snapshot = EventSnapshot(event_id, None, update_time=result.update_time)
    return CalendarChange(
        row.change.kind, snapshot, fields, change_id("asset", row.index, event_id, row.change.kind, fields)
    )


def _changed_fields(result: RowResult) -> tuple[str, ...]:
    """Name what was sent as watchers name it, without what did not come true and what is only said to DingTalk."""
    sent = [name for name in result.row.fields if name not in result.not_applied and find_field(name).shown != "never"]
    return tuple(_OTHER_NAMES.get(name) or find_field(name).name for name in sent)
