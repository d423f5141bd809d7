"""Patches of one event put together, and kept quiet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar import reading
from airflow_dingtalk_calendar.exceptions import InvalidInputError

Patch = dict[str, Any]

QUIET_SWITCHES = {"noPushNotification": "true", "noChatNotification": "true"}


def quiet(patch: Mapping[str, Any] | None) -> Patch | None:
    """Let a change send no push message and no chat card; no change stays none.

    :param patch: one that another edit made, or None.
    """
    return merge(patch, {"extra": QUIET_SWITCHES}) if patch else None


def merge(*patches: Mapping[str, Any] | None) -> Patch | None:
    """Put patches of one event together; None when none of them changes anything.

    :param patches: what edits of the event made, None included.
    :raises InvalidInputError: when two set a field to different values.
    """
    merged: Patch = {}
    problems: list[tuple[str, str]] = []
    for patch in patches:
        for name, value in reading.normalize_value(patch or {}, ("patch",)).items():
            problems += _find_conflicts(merged, name, value)
            merged[name] = {**merged.get(name, {}), **value} if name == "extra" else value
    if problems:
        raise InvalidInputError(*problems)
    return merged or None


def _find_conflicts(merged: Patch, name: str, value: Any) -> list[tuple[str, str]]:
    if name == "extra":
        return [c for key in value for c in _conflict_of(merged.get(name, {}), key, value[key], f"patch.extra.{key}")]
    return _conflict_of(merged, name, value, f"patch.{name}")


def _conflict_of(there: Mapping[str, Any], name: str, value: Any, path: str) -> list[tuple[str, str]]:
    text = "two patches set it differently; let one edit build on the other: edit {**event, **patch}"
    return [(path, text)] if there.get(name, value) != value else []
