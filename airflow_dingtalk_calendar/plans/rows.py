"""The rows of a plan, one for each event: what may be in a row, and every problem before anything is sent.

A row is plain JSON, so that an ordinary task can make it and XCom can carry it::

    {"union_id": "iiPLin", "event_id": "E", "patch": {"summary": "Sprint 42"}}
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.exceptions import InvalidInputError, InvalidPatchError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.validation_errors import limit_problems, printable_name, suggest_name

ROW_MEMBERS = (
    *("union_id", "calendar_id", "event_id", "patch"),
    *("clear", "unchecked_fields", "timezone", "if_updated_at", "event"),
)


@dataclass(frozen=True, slots=True)
class Row:
    """One event and the request that patches it, checked.

    :ivar index: place in the plan.
    :ivar body: the request's body; the ``id`` alone where nothing is to change.
    :ivar cautions: what is allowed although DingTalk's own material leaves its effect open.
    :ivar if_updated_at: patch only if the event has not changed since then.
    :ivar event: the event as it was read, to show what would change.
    """

    index: int
    union_id: str
    calendar_id: str
    event_id: str
    body: Mapping[str, Any] = field(repr=False)
    cautions: tuple[str, ...] = ()
    if_updated_at: dt.datetime | None = None
    event: Mapping[str, Any] | None = field(default=None, repr=False)

    @property
    def key(self) -> list[Any]:
        """What makes this request the same or another one, wherever in the plan it stands."""
        return [self.union_id, self.calendar_id, self.event_id, self.body]

    @property
    def fields(self) -> list[str]:
        """Names that the request sends."""
        return [name for name in self.body if name != "id"]


def parse_rows(
    patches: Iterable[Any],
    *,
    union_id: str | None = None,
    calendar_id: str = "primary",
    timezone: str | None = None,
) -> list[Row]:
    """Read all rows and check them.

    :param union_id: for rows that have none; ``calendar_id`` and ``timezone`` (IANA) likewise.
    :raises InvalidInputError: with the problems of all rows, by index and field path; the first of them if many.
    """
    rows: list[Row] = []
    problems: list[Problem] = []
    defaults = {"union_id": union_id, "calendar_id": calendar_id, "timezone": timezone}
    for index, given in enumerate(patches):
        try:
            rows.append(_parse_row(index, given, defaults))
        except InvalidInputError as error:
            problems += error.problems
    problems += _find_repeated(rows)
    if problems:
        raise InvalidInputError(*limit_problems(problems, "patches"))
    return rows


def plan_digest(rows: Iterable[Row]) -> str:
    """Name a plan by what is in it."""
    plan = sha256()
    for row in rows:
        plan.update(json.dumps([*row.key, str(row.if_updated_at)], sort_keys=True).encode())
    return plan.hexdigest()[:20]


def _parse_row(index: int, given: Any, defaults: Mapping[str, Any]) -> Row:
    place = f"patches[{index}]"
    if not isinstance(given, Mapping):
        raise InvalidInputError((place, "must be a mapping with event_id and patch"))
    if unknown := [name for name in given if name not in ROW_MEMBERS]:
        raise InvalidInputError(*(_unknown_member(place, name) for name in unknown))
    row = {**defaults, **{name: value for name, value in given.items() if value is not None or name == "patch"}}
    problems: list[Problem] = []
    union_id, calendar_id, event_id = (
        _collect_problems(problems, place, _parse_id, name, row.get(name))
        for name in ("union_id", "calendar_id", "event_id")
    )
    patch = _collect_problems(problems, place, _parse_patch, row)
    since = _collect_problems(problems, place, _parse_if_updated_at, row.get("if_updated_at"))
    event = _collect_problems(problems, place, _check_event, row.get("event"))
    body = _collect_problems(problems, place, _write_body, patch, union_id, calendar_id, event_id) if patch else None
    if problems or body is None:
        raise InvalidInputError(*problems)
    return Row(index, union_id, calendar_id, event_id, body, patch.cautions_about(event), since, event)


def _collect_problems(problems: list[Problem], place: str, reader: Any, *arguments: Any) -> Any:
    """Read a part of a row; note its problems, by their place in the plan."""
    try:
        return reader(*arguments)
    except InvalidInputError as error:
        problems += [Problem(f"{place}.{path}", text) for path, text in error.problems]


def _parse_id(name: str, value: Any) -> str:
    if value is None:
        where = "give it in the row" if name == "event_id" else "give it in the row, or to the operator for all rows"
        raise InvalidInputError((name, f"is absent: {where}"))
    return api.check_id(name, value)


def _parse_patch(row: Mapping[str, Any]) -> EventPatch:
    """Read what an event is to get; of None, which an edit returns that has nothing to do, nothing."""
    if "patch" not in row:
        raise InvalidPatchError(("patch", "is absent: give it in the row; None changes nothing"))
    if row["patch"] is None and not (row.get("clear") or row.get("unchecked_fields")):
        return EventPatch()
    return EventPatch.parse(
        {} if row["patch"] is None else row["patch"],
        timezone=row["timezone"],
        clear=row.get("clear", ()),
        unchecked_fields=row.get("unchecked_fields"),
    )


def _write_body(
    patch: EventPatch, union_id: str | None, calendar_id: str | None, event_id: str | None
) -> Mapping[str, Any]:
    """Write the body, and make a call of it: no row is sent before all of them can be.

    :param event_id: None, like the other ids, when that of the row is wrong.
    """
    body = patch.to_body(event_id or "")
    if union_id and calendar_id and event_id:
        api.patch_event_body(union_id, event_id, body, calendar_id=calendar_id)
    return body


def _parse_if_updated_at(value: Any) -> dt.datetime | None:
    try:
        return None if value is None else datetimes.parse_wire_datetime(datetimes.format_instant(value))
    except ValueError as error:
        raise InvalidInputError(("if_updated_at", str(error))) from None


def _check_event(value: Any) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, Mapping):
        return value
    raise InvalidInputError(("event", "must be a mapping: the event as it was read"))


def _unknown_member(place: str, name: Any) -> Problem:
    known = suggest_name(str(name), ROW_MEMBERS)
    return Problem(place, f"has no place for {printable_name(name)}{known}; what to change belongs into patch")


def _find_repeated(rows: Sequence[Row]) -> list[Problem]:
    """Find events that more than one row patches: which of them would be the last is chance."""
    counts = Counter(row.event_id for row in rows)
    first: dict[str, int] = {}
    problems: list[Problem] = []
    for row in rows:
        if counts[row.event_id] > 1 and first.setdefault(row.event_id, row.index) != row.index:
            text = f"is the event of patches[{first[row.event_id]}] again; put both changes into one patch"
            problems.append(Problem(f"patches[{row.index}].event_id", text))
    return problems
