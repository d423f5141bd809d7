"""Edits of what an event says: title, place and description."""

from __future__ import annotations

import re

from airflow_dingtalk_calendar.edits.base import Event, Patch, patch_if_needed, refuse_instance
from airflow_dingtalk_calendar.exceptions import InvalidInputError


def retitle(event: Event, old: str | re.Pattern[str], new: str, *, allow_instance: bool = False) -> Patch | None:
    """Replace a text in the title, wherever it occurs; None when it does not.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param old: text as it stands, or a compiled regular expression; then ``new`` may name its groups (``\\1``).
    :param new: what stands there instead.
    """
    refuse_instance(event, allow_instance)
    if not old:
        raise InvalidInputError(("old", "must not be empty"))
    title = event.get("summary") or ""
    if not isinstance(title, str):
        raise InvalidInputError(("event.summary", "must be text, as the service returns it"))
    try:
        changed = old.sub(new, title) if isinstance(old, re.Pattern) else title.replace(old, new)
    except (re.error, IndexError):
        raise InvalidInputError(("new", "names a group that the regular expression does not have")) from None
    if title and not changed.strip():
        raise InvalidInputError(("new", "would leave the title blank"))
    return patch_if_needed(event, {"summary": changed}) if changed != title else None


def relocate(event: Event, location: str, *, allow_instance: bool = False) -> Patch | None:
    """Give an event another location, which is text only and books no room.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param location: not blank; ``clear=["location"]`` of the operator empties it.
    """
    refuse_instance(event, allow_instance)
    if not isinstance(location, str) or not location.strip():
        raise InvalidInputError(("location", "must be text that is not blank; clear=['location'] empties it"))
    return patch_if_needed(event, {"location": {"displayName": location}})
