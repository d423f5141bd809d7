"""A plan: its rows in their groups, and what rows must not ask for together."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models.validation_errors import limit_problems, printable_name
from airflow_dingtalk_calendar.plans.actions.base import Change
from airflow_dingtalk_calendar.plans.rows import Row, read_rows


@dataclass(frozen=True, slots=True)
class Plan:
    """Checked rows.

    :ivar groups: rows that are applied in order, group by group; in the order of their first rows.
    """

    rows: Sequence[Row]
    groups: Sequence[Sequence[Row]]

    def digest(self) -> str:
        """Name the plan by what is in it."""
        plan = sha256()
        for row in self.rows:
            # What is sent, and on which conditions. Neither events nor notes: a retry may have read them anew.
            parts = [row.identity, row.ordinal, row.group, row.name, str(row.if_updated_at), row.if_fields]
            plan.update(json.dumps(parts, sort_keys=True).encode())
        return plan.hexdigest()[:20]


def parse_plan(
    given: Iterable[Any],
    *,
    union_id: str | None = None,
    calendar_id: str = "primary",
    timezone: str | None = None,
) -> Plan:
    """Read a whole plan and check it.

    :param given: its rows.
    :param union_id: for rows that have none; ``calendar_id`` and ``timezone`` (IANA) likewise.
    :raises InvalidInputError: with the problems of all rows, by index and field path; the first of them if many.
    """
    problems: list[Problem] = []
    defaults = {"union_id": union_id, "calendar_id": calendar_id, "timezone": timezone}
    rows = read_rows(given, defaults, problems)
    problems += [*_check_names(rows), *_check_events(rows)]
    if problems:
        raise InvalidInputError(*limit_problems(problems, "plan"))
    rows = list(_add_later_changes(_number_repeated(rows)))
    return Plan(rows, list(_group_rows(rows).values()))


def _group_key(row: Row) -> tuple[str | None, int | None]:
    """Name a group; a row without one is a group of its own."""
    return (row.group, None) if row.group is not None else (None, row.index)


def _group_rows(rows: Iterable[Row]) -> dict[Any, list[Row]]:
    groups: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[_group_key(row)].append(row)
    return groups


def _number_repeated(rows: Iterable[Row]) -> Iterator[Row]:
    """Count rows that ask for the very same: without that, DingTalk would take them for one request.

    Two events that are alike, or the same person invited, uninvited, and invited again.
    """
    seen: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        if row.group is None and not row.change.creates:  # the only row of its event
            yield row
            continue
        before = seen[row.identity]
        yield replace(row, ordinal=before) if before else row
        seen[row.identity] += 1


def _add_later_changes(rows: Iterable[Row]) -> Iterator[Row]:
    """Give rows that create an event what later rows do to it."""
    every = list(rows)
    later: defaultdict[str, list[Change]] = defaultdict(list)
    for row in every:
        if row.created_by is not None:
            later[row.created_by].append(row.change)
    for row in every:
        yield replace(row, later=later[row.name]) if row.name is not None else row


def _check_names(rows: Sequence[Row]) -> Iterator[Problem]:
    """Check that each name is given once, and that rows name an event that an earlier row of their group creates."""
    named: dict[str, Row] = {}
    for row in rows:
        if row.name is not None and (first := named.setdefault(row.name, row)) is not row:
            yield Problem(f"plan[{row.index}].name", f"is the name of plan[{first.index}] already; use another one")
    for row in rows:
        if row.created_by is not None and (problem := _refuse_reference(row, named.get(row.created_by))):
            yield Problem(f"plan[{row.index}].event_id.created_by", problem)


def _refuse_reference(row: Row, creator: Row | None) -> str:
    name = printable_name(row.created_by)
    if creator is None:
        return f"no row that creates an event has the name {name}"
    if _group_key(creator) != _group_key(row):
        return f"plan[{creator.index}], which has the name {name}, is in another group: give both rows the same group"
    later = creator.index > row.index
    return f"plan[{creator.index}], which has the name {name}, comes later: put it first" if later else ""


def _check_events(rows: Sequence[Row]) -> Iterator[Problem]:
    """Find rows about one event that contradict each other, or whose order would be chance."""
    events: defaultdict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        if not row.change.creates:
            events[(row.created_by, row.event_id)].append(row)
    for (created_by, _), about in events.items():
        yield from _check_order(about)
        yield from _check_repeated(about)
        yield from _check_deleted(about, created=created_by is not None)


def _check_order(about: Sequence[Row]) -> Iterator[Problem]:
    first = about[0]
    for row in about[1:]:
        both_patch = first.change.action == row.change.action == "patch"  # refused anyway, whatever their groups are
        if _group_key(row) != _group_key(first) and row.created_by is None and not both_patch:
            text = f"is the event of plan[{first.index}], too, which is not in the same group: give both rows one group"
            yield Problem(f"plan[{row.index}].event_id", text)


def _check_repeated(about: Sequence[Row]) -> Iterator[Problem]:
    patches = [row for row in about if row.change.action == "patch"]
    for row in patches[1:]:
        text = f"is the event of plan[{patches[0].index}] again; put both changes into one patch"
        yield Problem(f"plan[{row.index}].event_id", text)


def _check_deleted(about: Sequence[Row], *, created: bool) -> Iterator[Problem]:
    deletes = [row for row in about if row.change.action == "delete"]
    for row in deletes[:1] if created else ():
        text = "deletes the event that this plan creates: leave out both rows"
        yield Problem(f"plan[{row.index}]", text)
    for row in about if deletes and not created else ():
        if row.index > deletes[0].index:
            yield Problem(f"plan[{row.index}].event_id", f"is the event that plan[{deletes[0].index}] deletes before")
