"""Rows about an event that was read: each brings the event along, and says when it was updated."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import Body, Json

_NO_UPDATE_TIME_TEXT = (
    "has no updateTime, by which guard detects that somebody has changed it: read it with get_event or list_events, "
    "or pass guard=False"
)


def write_event_row(event: Body, guard: bool, **members: Any) -> Json:
    """Write a row about an event.

    :param guard: let the row say when its event was updated (``if_updated_at``).
    :param members: what is to happen.
    """
    row: Json = {"event_id": event["id"], **members, "event": dict(event)}
    if not guard:
        return row
    if not isinstance(event.get("updateTime"), str):
        raise InvalidInputError(("", _NO_UPDATE_TIME_TEXT))
    return {**row, "if_updated_at": event["updateTime"]}


def join_rows(name: str, rows: Iterable[Json]) -> list[Json]:
    """Put rows into one group, in which the first that is not done ends it; one row alone needs none."""
    every = list(rows)
    return [{**row, "group": name} for row in every] if len(every) > 1 else every
