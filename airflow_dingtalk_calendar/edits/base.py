"""What all edits share: which kind of event it is, and the patch that only says what would change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.comparison import is_unchanged
from airflow_dingtalk_calendar.models.event_patch import EventPatch

Event = Mapping[str, Any]
Patch = dict[str, Any]


def is_series(event: Event) -> bool:
    """Return whether an event is a whole series.

    :param event: as GetEvent or ListEvents returned it.
    """
    return bool(event.get("recurrence")) and not is_instance(event)


def is_instance(event: Event) -> bool:
    """Return whether an event is one time of a series.

    :param event: as GetEvent or ListEvents returned it.
    """
    # The page of ListEvents names recurrenceId here, but its table and the SDK have seriesMasterId only. That a series
    # may have its own id there is not excluded.
    return event.get("seriesMasterId") not in (None, "", event.get("id"))


def refuse_instance(event: Any, allow_instance: bool) -> None:
    """Refuse what is no event, and one time of a series unless it is allowed.

    :raises InvalidInputError: with the remedy.
    """
    if not isinstance(event, Mapping):
        raise InvalidInputError(("event", "must be an event as get_event and list_events return it"))
    if is_instance(event) and not allow_instance:
        text = "the event is one time of a series, and whether patching it changes the series is not documented: "
        raise InvalidInputError(("event.seriesMasterId", f"{text}edit the series, or say allow_instance=True"))


def date_argument(name: str, value: Any) -> dt.date:
    """Read an argument that is a day.

    :raises InvalidInputError: with the argument's name.
    """
    try:
        return datetimes.parse_day(value)
    except ValueError as error:
        raise InvalidInputError((name, str(error))) from None


def patch_if_needed(event: Event, patch: Patch) -> Patch | None:
    """Return the patch if it would change the event, and if it is one that can be sent."""
    if is_unchanged(patch, event):
        return None
    EventPatch.parse(patch)
    return patch
