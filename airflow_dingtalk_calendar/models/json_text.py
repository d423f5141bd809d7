"""JSON text that somebody gave: read, or refused with what to do about it."""

from __future__ import annotations

import json
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.blanks import describe_blank, is_blank


class JsonObject(dict[str, Any]):
    """An object of JSON text.

    :ivar repeated: the keys that it has more than once.
    """

    repeated: frozenset[str] = frozenset()


def load_json(text: str, path: str) -> Any:
    """Read JSON text. Keys given twice and NaN pass: the validation of the whole can name their position.

    :raises InvalidPatchError: when it is none.
    """
    if is_blank(text):
        raise InvalidPatchError((path, f"{describe_blank(text)}: its source had no value"))
    try:
        return json.loads(text, object_pairs_hook=_make_object)
    except json.JSONDecodeError as error:
        problem = f"is not JSON (line {error.lineno}, column {error.colno})"
        if text.lstrip()[:1] in ("{", "["):
            problem += "; a mapping or list that a template renders needs | tojson"
    except (ValueError, RecursionError):
        problem = "is not JSON that can be read"
    raise InvalidPatchError((path, problem))


def load_object_or_text(text: str, path: str) -> Any:
    """Read JSON text of an object; any other text is meant as it is, unless it is a mapping as Python shows it.

    :raises InvalidPatchError: when it is such a mapping.
    """
    try:
        return load_json(text, path) if text.lstrip().startswith("{") else text
    except InvalidPatchError:
        if text.lstrip("{ \n\t")[:1] in ("'", '"'):
            raise
        return text


def _make_object(pairs: list[tuple[str, Any]]) -> JsonObject:
    found = JsonObject(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        found.repeated = frozenset(key for key in found if keys.count(key) > 1)
    return found
