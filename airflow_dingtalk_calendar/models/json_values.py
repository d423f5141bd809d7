"""JSON values: members of what DingTalk returned, whose shape is never taken for granted, and what can be sent."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any

Json = dict[str, Any]
Body = Mapping[str, Any]
MAPPINGS = (dict, Mapping)  # for isinstance: most are dicts, and checking for an abstract type is slow

NOT_UNICODE_TEXT = "is not valid Unicode (it has half a surrogate pair)"
NOT_JSON_TEXT = "holds something that is not JSON"
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def get_member(value: Any, *path: str) -> Any:
    """Return a member of a member; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def mapping_or_empty(value: Any) -> Body:
    """Return a mapping as it is, and an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def list_or_empty(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def mappings_in(value: Any) -> list[Body]:
    """Return the mappings in a list; of anything but a list, none."""
    return [one for one in list_or_empty(value) if isinstance(one, Mapping)]


def is_unicode(text: str) -> bool:
    """Whether a text can be sent. JSON can name half a surrogate pair (``"\\ud83d"``), which no encoding can write."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def encode_json(value: Any, path: str) -> tuple[bytes, list[tuple[str, str]]]:
    """Write a value as JSON text in UTF-8, and say by its path what in it cannot be written, if anything."""
    try:
        return _ENCODER.encode(value).encode(), []
    except UnicodeEncodeError:
        return b"", [(place, NOT_UNICODE_TEXT) for place in _find_half_pairs(value, path)]
    except (TypeError, ValueError, RecursionError):
        return b"", [(path, NOT_JSON_TEXT)]


def find_unsendable(value: Any, path: str) -> list[tuple[str, str]]:
    """Say what in a value cannot be written as JSON text in UTF-8, by its path."""
    return encode_json(value, path)[1]


def _find_half_pairs(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str) and not is_unicode(value):
        yield path
    for key, member in value.items() if isinstance(value, Mapping) else ():
        if is_unicode(str(key)):
            yield from _find_half_pairs(member, f"{path}.{key}")
        else:
            yield f"{path}, a key"
    for index, member in enumerate(value) if isinstance(value, (list, tuple)) else ():
        yield from _find_half_pairs(member, f"{path}[{index}]")


def find_pair(values: Iterable[Hashable]) -> tuple[int, int] | None:
    """Find the first value that stands there twice: where it does."""
    first: dict[Hashable, int] = {}
    for index, value in enumerate(values):
        if first.setdefault(value, index) != index:
            return first[value], index
    return None


def text_or_none(value: Any) -> str | None:
    """Return text as it is, and None for anything else."""
    return value if isinstance(value, str) else None


def text_or_empty(value: Any) -> str:
    """Return text as it is, and empty text for anything else."""
    return value if isinstance(value, str) else ""
