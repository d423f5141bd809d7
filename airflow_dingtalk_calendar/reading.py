"""From whatever a DAG hands over to plain data in the API's spelling, and from errors to plain problems.

Pure functions around pydantic: what comes in before it (JSON text, snake_case, ``None``, blanks that a
template left), and what goes out after it (every problem with its field path, never with a value).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar import moments
from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.suggesting import suggest_field, suggest_name

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MAX_DEPTH = 20
Loc = tuple[int | str, ...]

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
        return json.loads(text, object_pairs_hook=_refuse_duplicates, parse_constant=_refuse_constant)
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
    start, end = moments.to_time_object(data.get("start")), moments.to_time_object(data.get("end"))
    placed = {
        **data,
        "start": moments.add_zone(start, moments.zone_name(end) or default),
        "end": moments.add_zone(end, moments.zone_name(start) or default),
        "recurrence": _complete_range(
            data.get("recurrence"), moments.zone_name(start) or moments.zone_name(end) or default
        ),
    }
    return {name: value for name, value in placed.items() if value is not None}


def _complete_range(recurrence: Any, zone: str | None) -> Any:
    span = recurrence.get("range") if isinstance(recurrence, Mapping) else None
    if not isinstance(span, Mapping) or "endDate" not in span:
        return recurrence
    return {**recurrence, "range": {**span, "endDate": moments.complete_series_end(span["endDate"], zone)}}


def describe_errors(error: ValidationError, model: type[BaseModel], root: str) -> list[Problem]:
    """Say each of pydantic's errors in our words, by field path."""
    items = error.errors(include_url=False, include_input=False)
    return [Problem(format_path((root, *item["loc"])), _describe_error(item, model)) for item in items]


def format_path(loc: Loc) -> str:
    """Write a place in the input as people do: ``patch.attendees[0].id``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{printable_name(step)}" for step in loc).removeprefix(
        "."
    )


def _describe_error(item: ErrorDetails, model: type[BaseModel]) -> str:
    *above, name = item["loc"] or ("",)
    if item["type"] == "extra_forbidden":
        return f"is not a field{suggest_field(str(name), _field_names_at(model, above), at_the_root=not above)}"
    said = {
        "missing": "is required",
        "string_too_long": "has more than {max_length} characters",
        "too_long": "has more than {max_length} members",
        "too_short": "must not be empty",
        "literal_error": "must be one of {expected}",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "list_type": "must be a list",
        "model_type": _NOT_A_MAPPING.get(str(name), "must be a mapping"),
        "model_attributes_type": _NOT_A_MAPPING.get(str(name), "must be a mapping"),
    }.get(item["type"])
    return said.format(**item.get("ctx", {})) if said else item["msg"].removeprefix("Value error, ")


_NOT_A_MAPPING = dict.fromkeys(
    ("start", "end"), "must be ISO 8601 text, a datetime, a date, or a mapping with dateTime and timeZone"
)


def _field_names_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Names that would have been right at this place."""
    for step in loc:
        field = next((f for f in model.model_fields.values() if f.alias == step), None)
        model = _find_component(field.annotation) or model if field else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _find_component(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for inner in get_args(annotation) if (part := _find_component(inner))), None)


def printable_name(name: Any) -> str:
    """Show a key that somebody gave us: short and printable."""
    text = "".join(char if char.isprintable() else "?" for char in str(name)[:40])
    return text if len(str(name)) <= 40 else f"{text}…"


class _RefusedJsonError(ValueError):
    """Valid JSON that we refuse; its text holds no value."""


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _RefusedJsonError("has a key twice in one object")
    return found


def _refuse_constant(_: str) -> Any:
    raise _RefusedJsonError("has NaN or Infinity, which JSON does not know")
