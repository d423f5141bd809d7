"""From whatever a DAG hands over to plain data in the API's spelling: what happens before pydantic.

JSON text is read, snake_case becomes camelCase, ``None`` is left out, and blanks that a template left are found.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.validation_errors import (
    Loc,
    format_path,
    printable_name,
    suggest_name,
)

MAX_DEPTH = 20
# What "empty" is for each field that can be emptied. Only reminders: [] is documented to mean "none"; that the
# service takes the others is unverified. An event cannot be emptied of attendees or times.
CLEARED_VALUES: dict[str, Any] = {
    "summary": "",
    "description": "",
    "location": {"displayName": ""},
    "richTextDescription": {"text": ""},
    "reminders": [],
    "uiConfigs": [],
    "cardInstances": [],
    "categories": [],
}
# Fields whose value may come as JSON text, because a template cannot render anything but text.
STRUCTURED_FIELDS = frozenset(
    {"start", "end", "recurrence", "attendees", "extra", "reminders", "onlineMeetingInfo"}
    | {"uiConfigs", "cardInstances", "categories"}
)


def parse_mapping(value: Any, path: str) -> Mapping[Any, Any]:
    """Take a mapping, or JSON text of an object."""
    if isinstance(value, str):
        value = parse_json(value, path)
    if isinstance(value, Mapping):
        return value
    if isinstance(value, (list, tuple)):
        raise InvalidPatchError(
            (
                path,
                f"must be a mapping, not a list; .expand({path}={{…}}) maps over items: expand over a list of mappings",
            )
        )
    raise InvalidPatchError((path, f"must be a mapping or the JSON text of one, not {type(value).__name__}"))


def parse_json(text: str, path: str) -> Any:
    """Read JSON text strictly: no duplicate keys, no NaN."""
    try:
        return json.loads(text, object_pairs_hook=_refuse_repeated_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        if text.strip() in ("", "None"):
            raise InvalidPatchError(
                (path, "is blank, or the word None: what it was to come from had no value")
            ) from None
        problem = f"is not JSON (line {error.lineno}, column {error.colno})"
        problem += "; a mapping rendered by a template needs | tojson" if text.lstrip()[:2] in ("{'", '{"') else ""
    except (ValueError, RecursionError) as error:
        problem = str(error) if isinstance(error, _RefusedJsonError) else "is not JSON that can be read"
    raise InvalidPatchError((path, problem))


def normalize_value(value: Any, loc: Loc) -> Any:
    """Copy into dicts and lists with camelCase keys, without None members.

    :param loc: the way to this place in the input, which begins with the input's own name.
    """
    if isinstance(value, (str, bytes, int)):  # told apart first, because looking for abstract types takes a while
        return value
    if len(loc) > MAX_DEPTH:
        raise InvalidPatchError((format_path(loc), "is nested too deeply"))
    if isinstance(value, (dict, Mapping)):
        return _normalize_mapping(value, loc)
    if isinstance(value, (list, Sequence)):
        return [normalize_value(item, (*loc, index)) for index, item in enumerate(value)]
    return value


def _normalize_mapping(value: Mapping[Any, Any], loc: Loc) -> dict[str, Any]:
    tidied: dict[str, Any] = {}
    for key, member in value.items():
        if not isinstance(key, str):
            raise InvalidPatchError((format_path(loc), "has a key that is not text"))
        name = to_camel(key) if "_" in key else key
        if name in tidied:
            raise InvalidPatchError((format_path((*loc, name)), "is given twice, in snake_case and in camelCase"))
        if member is not None:
            place = (*loc, name)
            tidied[name] = normalize_value(_parse_structured(member, place), place)
    return tidied


def _parse_structured(value: Any, loc: Loc) -> Any:
    """Read a field's value from JSON text, where only a structure makes sense."""
    is_text = isinstance(value, str) and len(loc) == 2 and loc[1] in STRUCTURED_FIELDS
    is_json = is_text and value.lstrip()[:1] in ("[", "{")
    return parse_json(value, format_path(loc)) if is_json else value


def apply_clear(data: dict[str, Any], clear: Collection[str], root: str) -> tuple[dict[str, Any], list[Problem]]:
    """Empty the fields named in ``clear`` that have no value; refuse blanks in all others."""
    names = [to_camel(name) if "_" in name else name for name in clear]
    problems = [
        Problem("clear", f"cannot clear {printable_name(name)}{suggest_name(name, CLEARED_VALUES)}")
        for name in names
        if name not in CLEARED_VALUES
    ]
    blanks = {name: list(find_blanks(value, (root, name))) for name, value in data.items()}
    for name, locs in blanks.items():
        if name not in names:
            problems += [
                Problem(format_path(loc), _BLANK_TEXT if name in CLEARED_VALUES else _LOST_TEXT) for loc in locs
            ]
    kept = {name: value for name, value in data.items() if not blanks[name]}
    return {**{name: CLEARED_VALUES[name] for name in names if name in CLEARED_VALUES}, **kept}, problems


_BLANK_TEXT = "came out blank (or as the word None); name the field in clear=[…] to empty it, or leave it out"
_LOST_TEXT = "came out blank (or as the word None); give it a value, or leave it out"


def find_blanks(value: Any, loc: Loc) -> Iterator[Loc]:
    """Find the texts that are blank, or the word ``None``: what a template makes of a variable that is not set."""
    if isinstance(value, str) and value.strip() in ("", "None"):
        yield loc
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield from find_blanks(member, (*loc, step))


def normalize_times(data: Any, default: str | None) -> Any:
    """Bring both ends into object form in one time zone, and complete the end of a series in it."""
    if not isinstance(data, Mapping) or not {"start", "end", "recurrence"} & data.keys():
        return data
    start, end = datetimes.to_time_object(data.get("start")), datetimes.to_time_object(data.get("end"))
    placed = {
        **data,
        "start": datetimes.add_zone(start, datetimes.zone_name(end) or default),
        "end": datetimes.add_zone(end, datetimes.zone_name(start) or default),
        "recurrence": _complete_range(
            data.get("recurrence"),
            datetimes.zone_name(start) or datetimes.zone_name(end) or default,
            all_day=isinstance(start, Mapping) and "date" in start,
        ),
    }
    return {name: value for name, value in placed.items() if value is not None}


def _complete_range(recurrence: Any, zone: str | None, *, all_day: bool) -> Any:
    span = recurrence.get("range") if isinstance(recurrence, Mapping) else None
    if not isinstance(span, Mapping) or "endDate" not in span:
        return recurrence
    return {**recurrence, "range": {**span, "endDate": datetimes.complete_series_end(span["endDate"], zone, all_day)}}


class _RefusedJsonError(ValueError):
    """Valid JSON that we refuse; its text holds no value."""


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RefusedJsonError("has a key twice in one object")
    return found


def _refuse_constant(_: str) -> Any:
    raise _RefusedJsonError("has NaN or Infinity, which JSON does not know")
