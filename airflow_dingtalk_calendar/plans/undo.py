"""The undo of a plan: the plan that restores what a plan changed, and what no plan can restore.

It is made of what each event was (the row's own ``event``, or what was read before the change) and of what became of
each row. Its rows carry ``if_fields``, fingerprints of what the plan left in the fields that they would touch: where
somebody has changed one since, the row is skipped, and that change stays. Not ``updateTime`` alone decides, for it is
documented to the minute only, and whether somebody's answer changes it is not documented.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar.models.json_values import Body, Json
from airflow_dingtalk_calendar.plans.plan import Plan
from airflow_dingtalk_calendar.plans.results import RowResult
from airflow_dingtalk_calendar.plans.rows import Row

MAX_NAMED_ROWS = 20
UNKNOWN_BEFORE = "what the event was: the row does not bring it, and it was not read before the first change"
UNKNOWN_CREATE = "an event that may have been created: look for it in the calendar"
NOTICES = "notices that are sent"


@dataclass(frozen=True, slots=True)
class Undo:
    """What takes a plan back.

    :ivar plan: rows, as the operator that applies a plan takes them; the last change is the first to be undone.
    :ivar lasting: what cannot be undone, each with the rows that it is about.
    """

    plan: Sequence[Json]
    lasting: Sequence[Json]


def make_undo(plan: Plan, results: Sequence[RowResult]) -> Undo:
    """Make the undo of what was done, or may have been.

    :param results: one for each row, in the order of the plan.
    """
    undone = {result.row.index: rows for result in results if (rows := _undo_result(result))}
    rows = [row for group in reversed(plan.groups) for row in _undo_group(group, undone)]
    done = [result.row for result in results if _may_be_done(result)]
    unknown = [
        result.row for result in results if result.row.change.creates and _may_be_done(result) and not result.event_id
    ]
    return Undo(rows, _name_rows([*_effects_of(done, results), *((UNKNOWN_CREATE, row) for row in unknown)]))


def lasting_effects(rows: Iterable[Row], *, keep_before: bool) -> list[Json]:
    """Name what of a plan cannot be undone, before it is applied."""
    return _name_rows(
        (effect, row)
        for row in rows
        for effect in _row_effects(row, row.event, known=keep_before or row.event is not None)
    )


def _effects_of(rows: Iterable[Row], results: Sequence[RowResult]) -> list[tuple[str, Row]]:
    befores = {result.row.index: _event_before(result) for result in results}
    return [
        (effect, row)
        for row in rows
        for effect in _row_effects(row, befores[row.index], known=befores[row.index] is not None)
    ]


def _row_effects(row: Row, event: Body | None, *, known: bool) -> Iterator[str]:
    """Name what of a row cannot be undone.

    :param known: whether what the event was is known by the time of the undo.
    """
    yield from row.change.lasting_effects(event)
    notified = row.change.notified_people(row.event)  # what was read for the undo need not have all people
    if notified is None or notified:
        yield NOTICES
    if row.change.needs_before and row.created_by is None and not known:
        yield UNKNOWN_BEFORE


def _name_rows(found: Iterable[tuple[str, Row]]) -> list[Json]:
    about: defaultdict[str, list[int]] = defaultdict(list)
    for effect, row in found:
        about[effect].append(row.index)
    return [
        {"effect": effect, "count": len(indexes), "rows": indexes[:MAX_NAMED_ROWS]} for effect, indexes in about.items()
    ]


def _may_be_done(result: RowResult) -> bool:
    """Whether the row was done, or may have been; what this try left alone, an earlier try may have done."""
    return result.status in ("applied", "partial", "unknown") or (
        result.status in ("unchanged", "skipped") and result.before is not None
    )


def _event_before(result: RowResult) -> Body | None:
    return result.before or result.row.event  # of an empty one, nobody knows any more what it was


def _undo_result(result: RowResult) -> list[Json]:
    row, change = result.row, result.row.change
    event_id = result.event_id or row.event_id
    before = _event_before(result)
    if not (_may_be_done(result) and event_id) or (row.created_by is not None and not change.creates):
        return []  # the undo of a create takes away what was done to the event since
    if change.needs_before and (before is None or change.is_unchanged(before)):
        return []
    # When the outcome is unknown there is no answer to compare with: what was sent stands for what is there.
    left = result.left or change.left_in({})
    ids = {"union_id": row.union_id, "calendar_id": row.calendar_id, "event_id": event_id}
    return [{**ids, **made} for made in change.undo_rows(before or {}, left)]


def _undo_group(group: Sequence[Row], undone: Mapping[int, Sequence[Json]]) -> list[Json]:
    """Undo a group from its last row to its first, in one group if that takes several rows."""
    rows = [made for row in reversed(group) for made in undone.get(row.index, ())]
    later = {row.created_by for row in group if row.created_by is not None}
    if later:
        rows = [_unguard(made, group, later) for made in rows]
    return [{**made, "group": f"undo-{group[0].index}"} for made in rows] if len(rows) > 1 else rows


def _unguard(made: Json, group: Sequence[Row], later: Iterable[Any]) -> Json:
    """Let a deletion go by the fields that rows of the plan did not change after they had created the event."""
    if made["action"] != "delete":
        return made
    changed = {name for row in group if row.created_by in later for name in row.change.touched({})}
    return {**made, "if_fields": {name: one for name, one in made["if_fields"].items() if name not in changed}}
