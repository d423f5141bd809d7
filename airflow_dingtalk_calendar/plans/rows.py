"""The rows of a plan: what may be in a row, and every problem before anything is sent.

A row is plain JSON, so that an ordinary task can make it and XCom can carry it::

    {"union_id": "iiPLin", "event_id": "E", "patch": {"summary": "Sprint 42"}}
    {"action": "delete", "union_id": "iiPLin", "event_id": "E", "push_notification": false}
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.arguments import list_argument
from airflow_dingtalk_calendar.models.types import parse_id, read_argument
from airflow_dingtalk_calendar.models.validation_errors import printable_name, suggest_name
from airflow_dingtalk_calendar.plans.actions.base import COMMON_MEMBERS, EVENT_MEMBERS, Change, Target
from airflow_dingtalk_calendar.plans.actions.patch import PatchChange
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS

_SORTING = json.JSONEncoder(sort_keys=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One change to one event, checked.

    :ivar index: place in the plan.
    :ivar event_id: empty where a row creates the event: this one, or the one that ``created_by`` names.
    :ivar created_by: name of the row that creates the event.
    :ivar name: by which later rows of the group may name the event that this one creates.
    :ivar group: rows of one group are applied in order; None makes a group of this row alone.
    :ivar identity: digest of what it sends: rows that ask for the very same have the same one.
    :ivar notes: what the author of the row says to the reviewer of the plan.
    :ivar if_updated_at: only if the event has not changed since then.
    :ivar if_fields: only if these fields have not changed since then: fingerprints, by name.
    :ivar event: the event as it was read, to show what would change, and to undo it.
    :ivar ordinal: how many rows before this one ask for the very same.
    :ivar later: of a row that creates an event, what later rows of its group do to this event.
    """

    index: int
    union_id: str
    calendar_id: str
    change: Change
    event_id: str = ""
    created_by: str | None = None
    name: str | None = None
    group: str | None = None
    identity: str = ""
    notes: tuple[str, ...] = ()
    if_updated_at: dt.datetime | None = None
    if_fields: Mapping[str, str] | None = None
    event: Mapping[str, Any] | None = field(default=None, repr=False)
    ordinal: int = 0
    later: Sequence[Change] = ()

    def target(self, created: Mapping[str, str] | None = None) -> Target:
        """Say which event it is.

        :param created: ids of events that rows of the group have created, by name. Without it, a name stands in
            the place of the id, for a dry run and a check before anything is created.
        """
        event_id = _name_event(self.event_id, self.created_by, created)
        return Target(self.union_id, self.calendar_id, event_id)

    @property
    def fields(self) -> list[str]:
        """Names of what the request sends."""
        return self.change.fields

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is allowed although its effect is open, or takes something away from the event as it was read."""
        return (*(f"notes: {note}" for note in self.notes), *self.change.cautions_about(self.event))


def read_rows(given: Iterable[Any], defaults: Mapping[str, Any], problems: list[Problem]) -> list[Row]:
    """Read rows and check each by itself.

    :param defaults: ``union_id``, ``calendar_id`` and ``timezone`` (IANA), for rows that have none.
    :param problems: takes those of all rows, by index and field path.
    """
    rows: list[Row] = []
    for index, one in enumerate(given):
        try:
            rows.append(_parse_row(index, one, defaults))
        except InvalidInputError as error:
            problems += error.problems
    return rows


def parse_change(
    kind: type[Change], arguments: Mapping[str, Any], *, union_id: Any, calendar_id: Any, event_id: Any = ""
) -> Row:
    """Read the arguments of an operator as the only row of a plan.

    :raises InvalidInputError: with all problems, by argument.
    """
    ids = {"union_id": union_id, "calendar_id": calendar_id, **({} if kind.creates else {"event_id": event_id})}
    problems: list[Problem] = []
    checked = {name: _collect_problems(problems, "", api.check_id, name, value) for name, value in ids.items()}
    change = _collect_problems(problems, "", kind.parse, {**arguments, "event_id": event_id})
    row = None if problems else Row(0, change=change, **checked)
    if row:
        _collect_problems(problems, "", change.make_calls, row.target())
    if problems or row is None:
        raise InvalidInputError(*problems)
    return row


def _parse_row(index: int, given: Any, defaults: Mapping[str, Any]) -> Row:
    place = f"plan[{index}]"
    if not isinstance(given, Mapping):
        raise InvalidInputError((place, "must be a mapping, such as one with event_id and patch"))
    kind = _find_action(place, given.get("action"))
    refuse_unknown(place, given, kind)
    # None is a member without a value, as a template or an empty cell leaves it. Only a patch of None says something:
    # the edit has found nothing to change.
    members = {**defaults, **{name: value for name, value in given.items() if value is not None or name == "patch"}}
    problems: list[Problem] = []
    parts = {
        name: _collect_problems(problems, f"{place}.", reader, members.get(name))
        for name, reader in (_CREATE_READERS if kind.creates else _EVENT_READERS).items()
    }
    event_id, created_by = parts.pop("event_id", None) or ("", None)
    members["event_id"] = event_id or None
    change = _collect_problems(problems, f"{place}.", kind.parse, members)
    target = Target(parts["union_id"], parts["calendar_id"], _name_event(event_id, created_by))
    # Made here to find what is wrong with them: no row is sent before all can be.
    calls = [] if problems else _collect_problems(problems, f"{place}.", change.make_calls, target)
    if problems:
        raise InvalidInputError(*problems)
    identity = _digest_calls(change, target, calls)
    return Row(index, change=change, event_id=event_id, created_by=created_by, identity=identity, **parts)


def _name_event(event_id: str, created_by: str | None, created: Mapping[str, str] | None = None) -> str:
    """Return the id of a row's event, or what stands for it until another row has created the event."""
    if created_by is None:
        return event_id
    return f"created_by:{created_by}" if created is None else created[created_by]


def _digest_calls(change: Change, target: Target, calls: Iterable[api.Call[Any]]) -> str:
    """Say by a digest what calls send; the calls themselves are too large to be kept for each row."""
    parts = [change.action, *(change.token_parts(target, call) for call in calls)]
    return sha256(_SORTING.encode(parts).encode()).hexdigest()[:32]


def _find_action(place: str, name: Any) -> type[Change]:
    if name is None:
        return PatchChange
    if isinstance(name, str) and name in ACTIONS:
        return ACTIONS[name]
    raise InvalidInputError((f"{place}.action", f"is not an action{suggest_name(str(name), ACTIONS)}"))


def refuse_unknown(place: str, given: Mapping[Any, Any], kind: type[Change]) -> None:
    """Refuse members that the action has no place for.

    :raises InvalidInputError: naming them.
    """
    known = [*COMMON_MEMBERS, *kind.members, *(() if kind.creates else EVENT_MEMBERS)]
    if unknown := [name for name in given if name not in known]:
        raise InvalidInputError(*(Problem(place, _describe_unknown(name, kind, known)) for name in unknown))


def _describe_unknown(name: Any, kind: type[Change], known: Sequence[str]) -> str:
    near = suggest_name(str(name), known)
    more = "; what to change belongs into patch" if kind is PatchChange else ""
    return f"has no place for {printable_name(name)} in the action {kind.action}{near}{more}"


def _collect_problems(problems: list[Problem], place: str, reader: Any, *arguments: Any) -> Any:
    """Read a part of a row; note its problems, by their place in the plan."""
    try:
        return reader(*arguments)
    except InvalidInputError as error:
        problems += [Problem(f"{place}{path}", text) for path, text in error.problems]


def _parse_union_id(value: Any) -> str:
    return _parse_given_id("union_id", value, "give it in the row, or to the operator for all rows")


def _parse_calendar_id(value: Any) -> str:
    return _parse_given_id("calendar_id", value, "give it in the row, or to the operator for all rows")


def _parse_given_id(name: str, value: Any, remedy: str) -> str:
    if value is None:
        raise InvalidInputError((name, f"is absent: {remedy}"))
    return api.check_id(name, value)


def _parse_event_id(value: Any) -> tuple[str, str | None]:
    """Read an event's id, or the name of the row that creates the event."""
    if not isinstance(value, Mapping):
        return _parse_given_id("event_id", value, "give it in the row"), None
    if list(value) != ["created_by"]:
        raise InvalidInputError(("event_id", 'must be an id, or {"created_by": name}'))
    return "", read_argument("event_id.created_by", parse_id, value["created_by"])


def _parse_label(label: str, value: Any) -> str | None:
    return None if value is None else read_argument(label, parse_id, value)


def _parse_notes(value: Any) -> tuple[str, ...]:
    given = [] if value is None else list_argument("notes", value)
    return tuple(read_argument("notes", parse_id, one) for one in given)


def _parse_if_updated_at(value: Any) -> dt.datetime | None:
    try:
        return None if value is None else datetimes.parse_wire_datetime(datetimes.format_instant(value))
    except ValueError as error:
        raise InvalidInputError(("if_updated_at", str(error))) from None


def _parse_if_fields(value: Any) -> Mapping[str, str] | None:
    if value is None:
        return None
    if isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair):
        return dict(value)
    raise InvalidInputError(("if_fields", "must be a mapping of fields to fingerprints, as the undo of a plan has it"))


def _check_event(value: Any) -> Mapping[str, Any] | None:
    if value is None or isinstance(value, Mapping):
        return value
    raise InvalidInputError(("event", "must be a mapping: the event as it was read"))


_COMMON_READERS: dict[str, Any] = {
    "union_id": _parse_union_id,
    "calendar_id": _parse_calendar_id,
    "group": lambda value: _parse_label("group", value),
    "notes": _parse_notes,
}
_CREATE_READERS = {**_COMMON_READERS, "name": lambda value: _parse_label("name", value)}
_EVENT_READERS = {
    **_COMMON_READERS,
    "event_id": _parse_event_id,
    "if_updated_at": _parse_if_updated_at,
    "if_fields": _parse_if_fields,
    "event": _check_event,
}
