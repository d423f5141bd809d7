"""Events for rows that do not bring theirs, so that a preview shows what the rows change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from airflow_dingtalk_calendar.exceptions import NotFoundError
from airflow_dingtalk_calendar.models.json_values import Body, Json

Names = tuple[str, str, str]


def rows_with_events(rows: Iterable[Mapping[str, Any]], get_event: Callable[..., Body]) -> list[Json]:
    """Give each row its event as it is now: the rows of an undo, for one, do not bring it.

    The event is for people (the diff, whom it notifies); what a row changes, and under which condition, stays. A row
    stays as it is if it brings its event, if another row creates it, or if the event is not there. One metered call
    for each event (GetEvent; permission ``Calendar.Event.Read``).

    :param rows: each with ``union_id`` and ``event_id``.
    :param get_event: reads one event, as ``DingTalkCalendarHook.get_event`` does.
    :raises DingTalkError: what the hook raises, but for an event that is not there.
    """
    known: dict[Names, Body | None] = {}
    return [_add_event(row, get_event, known) for row in rows]


def _add_event(row: Mapping[str, Any], get_event: Callable[..., Body], known: dict[Names, Body | None]) -> Json:
    event_id = row.get("event_id")
    if "event" in row or not isinstance(event_id, str):
        return dict(row)
    names = (row["union_id"], event_id, row.get("calendar_id", "primary"))
    if names not in known:
        known[names] = _read_event(get_event, *names)
    event = known[names]
    return {**row, "event": event} if event is not None else dict(row)


def _read_event(get_event: Callable[..., Body], union_id: str, event_id: str, calendar_id: str) -> Body | None:
    try:
        return get_event(union_id, event_id, calendar_id=calendar_id)
    except NotFoundError:
        return None
