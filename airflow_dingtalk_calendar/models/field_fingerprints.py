"""Fingerprints: a short hash of what an event has in a field, so that a change is noticed without keeping the content.

Each function brings a field's value, as the service returned it, into a form that is the same for every notation. Kept
fingerprints depend on it to the byte: another form is a change of every event that is watched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

from airflow_dingtalk_calendar.models.answer_times import normalize_answer_time
from airflow_dingtalk_calendar.models.json_values import get_member, mappings_in

# Characters of a fingerprint, 36 bits: one in 70 thousand million changes goes unnoticed.
FINGERPRINT_LENGTH = 6
NormalForm = Callable[[Any], Any]


def hash_value(normal_form: NormalForm, value: Any) -> str:
    """Return the short hash of a value; what is nested beyond reading is all the same."""
    try:
        text = json.dumps(normal_form(value), sort_keys=True, default=str)
    except RecursionError:
        text = ""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest).decode()[:FINGERPRINT_LENGTH]


def whole_value(value: Any) -> Any:
    """Return a value as it is; nothing, in any spelling, as empty text."""
    return value or ""


def one_member(name: str) -> NormalForm:
    """Read one member of an object."""
    return lambda value: get_member(value, name) or ""


def event_end(value: Any) -> Any:
    """Read one end of an event: its day, or its moment and zone."""
    return get_member(value, "date") or [
        normalize_answer_time(get_member(value, "dateTime")),
        get_member(value, "timeZone"),
    ]


def member_tuples(*names: str) -> NormalForm:
    """Read a list without regard to its order: of each object in it these members, as text."""
    return lambda value: sorted([str(one.get(name) or "") for name in names] for one in mappings_in(value))


def hidden_configs(value: Any) -> Any:
    """Read the list of what an event's page does not show; a service may leave out what it does."""
    configs = ([str(one.get("uiName") or ""), str(one.get("uiStatus") or "")] for one in mappings_in(value))
    return sorted(one for one in configs if one[1] not in ("", "enable"))
