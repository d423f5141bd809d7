"""Members of JSON that DingTalk returned, whose shape is never taken for granted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
Body = Mapping[str, Any]


def get_member(value: Any, *path: str) -> Any:
    """Return a member of a member; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def mapping_or_empty(value: Any) -> Body:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def mappings_in(value: Any) -> list[Body]:
    """Return the mappings in a list; of anything but a list, none."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def text_or_empty(value: Any) -> str:
    """Return text as it is, and empty text for anything else."""
    return value if isinstance(value, str) else ""
