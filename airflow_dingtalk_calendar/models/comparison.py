"""Does an event have what a request asks for? Compared in normal form: times as instants, ``"15"`` as 15.

One judgement for each field of a body serves all who ask: whether a patch would change anything, what it would change,
and what of it was not applied. It is ``unknown`` where the event does not show it:

- ``extra`` and email addresses never come back;
- a field that PatchEvent's page does not document in its answer (``freeBusyStatus``, ``cardInstances``, ``categories``,
  unchecked ones) may be left out of it; where it is shown, it is compared.
"""

from __future__ import annotations

from typing import Any

from airflow_dingtalk_calendar.models.field_comparers import Judgement
from airflow_dingtalk_calendar.models.fields import find_field
from airflow_dingtalk_calendar.models.json_values import Body, mapping_or_empty

# The members of ``extra`` that say how a change is made, and change nothing of the event.
NOTIFICATION_SWITCHES = frozenset({"noPushNotification", "noChatNotification"})


def compare_fields(body: Body, event: Body) -> dict[str, Judgement]:
    """Judge of each field of a request body whether the event has it."""
    return {name: _compare_field(name, body, event) for name in body if name != "id"}


def not_applied(body: Body, event: Body) -> list[str]:
    """Name the fields of a request body that the event, as the service returned it, does not have."""
    return [name for name, judgement in compare_fields(body, event).items() if judgement == "other"]


def not_shown(body: Body, event: Body) -> list[str]:
    """Name the fields of a request body whose values the event does not show."""
    return [name for name, judgement in compare_fields(body, event).items() if judgement == "unknown"]


def is_unchanged(body: Body, event: Body) -> bool:
    """Whether the event surely has already all that the body asks for, so that sending it would change nothing.

    A video meeting counts as there when the event has one; a list of attendees, when it is the event's whole list.
    """
    differing = {name for name, judgement in compare_fields(body, event).items() if judgement != "same"}
    return not differing or (differing == {"extra"} and _only_notifies(body["extra"]))


def unmet_fields(wanted: Body, event: Body) -> list[str]:
    """Name the fields that an event does not have yet; of people it has to have those named, and may have more."""
    return [name for name in not_applied(wanted, event) if not _is_enough(name, wanted, event)]


def _is_enough(name: str, wanted: Body, event: Body) -> bool:
    suffices = find_field(name).suffices
    return suffices is not None and suffices(wanted[name], event.get(name))


def _compare_field(name: str, body: Body, event: Body) -> Judgement:
    """Compare one field; a value that nobody has checked (``unchecked_fields``) may be of any shape."""
    field = find_field(name)
    if not field.is_shown_in(event):
        return "unknown"
    if body[name] is None:
        return "other" if event.get(name) else "same"
    try:
        return field.comparer(name, body, event)
    except (AttributeError, KeyError, TypeError, ValueError):
        return "other"


def _only_notifies(extra: Any) -> bool:
    return bool(mapping_or_empty(extra)) and set(extra) <= NOTIFICATION_SWITCHES
