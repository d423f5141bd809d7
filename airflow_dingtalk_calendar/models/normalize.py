"""From the values a DAG passes to plain data in the API's spelling: what happens before pydantic.

JSON text is read, snake_case becomes camelCase, and ``None`` is left out. What is wrong is noted rather than raised, so
that one error can name all problems; :data:`UNREADABLE` stands in its place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.blanks import UNDEFINED_TEXT, describe_type, explain_refusal, is_undefined
from airflow_dingtalk_calendar.models.fields import find_field
from airflow_dingtalk_calendar.models.json_text import JsonObject, load_json
from airflow_dingtalk_calendar.models.json_values import MAPPINGS
from airflow_dingtalk_calendar.models.validation_errors import Loc, format_path

# Deeper than any field of an event, and far from Python's recursion limit, which a hostile text would reach.
MAX_DEPTH = 20
PLAIN = (str, bytes, int)  # checked first, because most values are


class Unreadable:
    """Stands where something could not be read, so that nothing is concluded from its absence."""


UNREADABLE = Unreadable()


def parse_mapping(value: Any, path: str) -> Mapping[Any, Any]:
    """Take a mapping, or JSON text of an object.

    :raises InvalidPatchError: when it is neither.
    """
    found = _load_mapping(value, path)
    if isinstance(value, str):
        _refuse_lax_json(found, path)
    return found


def parse_json(text: str, path: str) -> Any:
    """Read JSON text strictly: no duplicate keys, no NaN.

    :raises InvalidPatchError: when it is none.
    """
    found = load_json(text, path)
    _refuse_lax_json(found, path)
    return found


def normalize_mapping(value: Any, root: str) -> tuple[dict[str, Any], list[Problem]]:
    """Copy a mapping, or JSON text of one, into dicts and lists with camelCase keys, without None members.

    :param root: the input's name, with which the paths of its problems begin.
    :return: the copy, and what is wrong with the input so far.
    :raises InvalidPatchError: when it is no mapping at all.
    """
    problems: list[Problem] = []
    return _normalize_members(_load_mapping(value, root), (root,), problems), problems


def note_problem(problems: list[Problem], loc: Loc, text: str) -> Unreadable:
    """Note that a place is wrong, and return what to put there."""
    problems.append(Problem(format_path(loc), text))
    return UNREADABLE


def normalize_times(data: Any, default: str | None) -> Any:
    """Bring both ends into object form in one time zone, and complete the end of a series in it."""
    if not isinstance(data, MAPPINGS) or not {"start", "end", "recurrence"} & data.keys():
        return data
    start, end = datetimes.to_time_object(data.get("start")), datetimes.to_time_object(data.get("end"))
    start_zone, end_zone = datetimes.zone_name(start), datetimes.zone_name(end)
    placed = {
        **data,
        "start": datetimes.add_zone(start, end_zone or default),
        "end": datetimes.add_zone(end, start_zone or default),
    }
    if (recurrence := data.get("recurrence")) is not None:
        placed["recurrence"] = _complete_range(recurrence, start_zone or end_zone or default, start)
    return {name: value for name, value in placed.items() if value is not None}


def _complete_range(recurrence: Any, zone: str | None, start: Any) -> Any:
    span = recurrence.get("range") if isinstance(recurrence, MAPPINGS) else None
    if not isinstance(span, MAPPINGS) or "endDate" not in span:
        return recurrence
    all_day = isinstance(start, MAPPINGS) and "date" in start
    return {**recurrence, "range": {**span, "endDate": datetimes.complete_series_end(span["endDate"], zone, all_day)}}


def _load_mapping(value: Any, path: str) -> Mapping[Any, Any]:
    if isinstance(value, str):
        value = load_json(value, path)
    if isinstance(value, MAPPINGS):
        return value
    problem = f"must be a mapping or the JSON text of one, not {describe_type(value)}"
    if isinstance(value, (list, tuple)):
        problem = (
            f"must be a mapping, not a list; .expand({path}={{…}}) maps over items: expand over a list of mappings"
        )
    raise InvalidPatchError((path, explain_refusal(problem, value)))


def _refuse_lax_json(value: Any, path: str) -> None:
    problems: list[Problem] = []
    _normalize_value(value, (path,), problems, rename=False)
    if problems:
        raise InvalidPatchError(*problems)


def _normalize_value(value: Any, loc: Loc, problems: list[Problem], *, rename: bool) -> Any:
    if isinstance(value, PLAIN):
        return value
    if not isinstance(value, list) and isinstance(value, MAPPINGS):
        return _normalize_members(value, loc, problems, rename=rename)
    if isinstance(value, (list, Sequence)):
        if len(loc) > MAX_DEPTH:
            return note_problem(problems, loc, "is nested too deeply")
        return [_normalize_item(item, (*loc, index), problems, rename=rename) for index, item in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        return note_problem(problems, loc, "is NaN or Infinity, which JSON does not know")
    return note_problem(problems, loc, UNDEFINED_TEXT) if is_undefined(value) else value


def _normalize_item(value: Any, loc: Loc, problems: list[Problem], *, rename: bool) -> Any:
    # Unlike a member, an item cannot be left out silently: the list would mean something else.
    if value is None and rename:
        return note_problem(problems, loc, "is None; leave it out, or give it a value")
    return _normalize_value(value, loc, problems, rename=rename)


def _normalize_members(
    value: Mapping[Any, Any], loc: Loc, problems: list[Problem], *, rename: bool = True
) -> dict[str, Any]:
    tidied: dict[str, Any] = {}
    if len(loc) > MAX_DEPTH:
        note_problem(problems, loc, "is nested too deeply")
        return tidied
    repeated = value.repeated if isinstance(value, JsonObject) else ()
    top = rename and len(loc) == 1  # the fields, whose text may be JSON
    for key, member in value.items():
        if not isinstance(key, str):
            note_problem(problems, loc, "has a key that is not text")
            continue
        name = to_camel(key) if "_" in key and rename else key
        if name in tidied:
            tidied[name] = note_problem(problems, (*loc, name), "is given twice, in snake_case and in camelCase")
        elif key in repeated:
            tidied[name] = note_problem(problems, (*loc, name), "is given twice in one JSON object")
        elif member is not None:
            if top and isinstance(member, str):
                member = _parse_structured(member, (*loc, name), problems)
            plain = isinstance(member, PLAIN)
            tidied[name] = member if plain else _normalize_value(member, (*loc, name), problems, rename=rename)
    return tidied


def _parse_structured(value: str, loc: Loc, problems: list[Problem]) -> Any:
    """Read a field's value from JSON text, where the field has a reader: a template renders nothing but text."""
    if value.lstrip()[:1] not in ("[", "{"):
        return value
    reader = find_field(str(loc[1])).reader
    try:
        return value if reader is None else reader(value, format_path(loc))
    except InvalidPatchError as error:
        problems += error.problems
        return UNREADABLE
