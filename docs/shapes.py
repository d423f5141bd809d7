"""What an object of a patch may hold, in words, read from its model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = {"string": "text", "integer": "integer", "boolean": "true or false"}


def members(model: type[BaseModel]) -> Iterator[str]:
    """Write one line of reST for each member."""
    schema = model.model_json_schema()
    for name, spec in schema["properties"].items():
        needed = " Needed." if name in schema.get("required", ()) else ""
        yield f"* ``{name}``: {_in_words(spec)}.{needed}"


def _in_words(spec: dict[str, Any]) -> str:
    choices = [one for one in spec.get("anyOf", [spec]) if one.get("type") != "null"]
    return " or ".join(map(_kind, choices))


def _kind(spec: dict[str, Any]) -> str:
    match spec:
        case {"$ref": path}:
            name = path.rsplit("/", 1)[-1]
            module = "recurrence" if name.startswith("Recurrence") else "components"
            return f":class:`~airflow_dingtalk_calendar.models.{module}.{name}`"
        case {"enum": words}:
            return "one of " + ", ".join(f"``{word}``" for word in words)
        case {"const": word}:
            return f"``{word}``"
        case {"type": "array", "items": items}:
            return f"list of {_kind(items)}{_limits(spec, 'Items')}"
        case {"type": kind}:
            return f"{KINDS[kind]}{_limits(spec, 'Length')}"
    return "text, datetime or date"


def _limits(spec: dict[str, Any], what: str) -> str:
    least, most = spec.get("ge", spec.get(f"min{what}")), spec.get("le", spec.get(f"max{what}"))
    if most is None or most >= 2**31 - 1:
        return "" if least is None else f", {least} or more"
    return f", at most {most:,}" if least is None else f", {least} to {most:,}"
