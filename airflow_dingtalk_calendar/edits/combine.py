"""Several edits of one event in one patch, and a patch that disturbs nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar.edits.base import Patch
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.normalize import normalize_mapping

# Text, as the page of PatchEvent types the members of extra.
QUIET_SWITCHES = {"noPushNotification": "true", "noChatNotification": "true"}


def merge(*patches: Mapping[str, Any] | None) -> Patch | None:
    """Put patches of one event together; None when none of them changes anything.

    :param patches: what edits of the event made, None included.
    :raises InvalidInputError: when two set a field to different values.
    """
    merged: Patch = {}
    problems: list[tuple[str, str]] = []
    for patch in patches:
        data, refused = normalize_mapping(patch or {}, "patch")
        problems += refused
        for name, value in data.items():
            problems += _find_conflicts(merged, name, value)
            # extra is a set of switches. Any other object DingTalk replaces whole, so two of them cannot be put
            # together.
            merged[name] = {**merged.get(name, {}), **value} if name == "extra" else value
    if problems:
        raise InvalidInputError(*problems)
    return merged or None


def quiet(patch: Mapping[str, Any] | None) -> Patch | None:
    """Let a change send no push message and no chat card; no change stays none.

    :param patch: one that another edit made, or None.
    """
    return merge(patch, {"extra": QUIET_SWITCHES}) if patch else None


def is_quiet(body: Mapping[str, Any]) -> bool:
    """Return whether a request sends neither a push message nor a chat card."""
    return QUIET_SWITCHES.items() <= dict(body.get("extra") or {}).items()


def _find_conflicts(merged: Patch, name: str, value: Any) -> list[tuple[str, str]]:
    inside = (merged.get(name, {}), value, "patch.extra")
    there, given, path = inside if name == "extra" else (merged, {name: value}, "patch")
    text = "two patches set it differently; let one edit build on the other: edit {**event, **patch}"
    return [(f"{path}.{key}", text) for key in given if there.get(key, given[key]) != given[key]]
