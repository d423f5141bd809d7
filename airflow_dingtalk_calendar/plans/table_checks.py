"""What is wrong with the rows of a table, by line and column. Applying the plan checks it as a whole once more."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models.components import NO_ZONE_TEXT
from airflow_dingtalk_calendar.models.datetimes import NO_OFFSET_TEXT
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.validation_errors import printable_name, suggest_name
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
from airflow_dingtalk_calendar.plans.table_columns import TableRow, members_of

_OPERATOR_HAS_ZONE = {NO_ZONE_TEXT, NO_OFFSET_TEXT}  # what the zone of the operator or connection may put right


def check_table_row(row: TableRow, timezone: str | None) -> list[Problem]:
    """Find what is wrong with one row.

    :param timezone: for times that have no zone of their own.
    """
    action = row.row.get("action", "patch")
    if action not in ACTIONS:
        return [row.problem(("action",), f"is not an action{suggest_name(str(action), ACTIONS)}")]
    return list(_find_misplaced(row, action)) or [*_find_missing(row, action), *_check_content(row, action, timezone)]


def find_repeated_events(rows: Iterable[TableRow]) -> Iterator[Problem]:
    """Find events that are patched by two lines."""
    first: dict[Any, int] = {}
    patches = [row for row in rows if row.row.get("action", "patch") == "patch" and "event_id" in row.row]
    for row in patches:
        line = first.setdefault(str(row.row["event_id"]), row.line)
        if line != row.line:
            yield row.problem(("event_id",), f"is the event of line {line} again; put both changes into one line")


def _find_misplaced(row: TableRow, action: str) -> Iterator[Problem]:
    known = members_of(ACTIONS[action])
    for name in row.row:
        if name not in known:
            yield row.problem((name,), f"the action {action} does not take {printable_name(name)}: leave it blank")


def _find_missing(row: TableRow, action: str) -> Iterator[Problem]:
    kind = ACTIONS[action]
    needed = {*kind.required, *(() if kind.creates else ("event_id",))}
    # Fields to be emptied are a patch, too.
    if action == "patch" and "clear" in row.row:
        needed.discard("patch")
    for name in sorted(needed - row.row.keys()):
        yield row.problem((name,), f"has no {name}, which the action {action} needs")


def _check_content(row: TableRow, action: str, timezone: str | None) -> Iterator[Problem]:
    zone = row.row.get("timezone", timezone)
    try:
        if action == "create" and "event" in row.row:
            NewEvent.parse(row.row["event"], timezone=zone)
        if action == "patch":
            EventPatch.parse(row.row.get("patch", {}), timezone=zone, clear=row.row.get("clear", ()))
    except InvalidInputError as error:
        for path, text in error.problems:
            if zone is not None or text not in _OPERATOR_HAS_ZONE:
                yield row.problem(tuple(re.split(r"[.\[]", path)), text)
