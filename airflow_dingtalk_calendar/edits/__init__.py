"""Plan changes to many events: an event in, the patch that changes it out, or None when it is so already.

Each function takes an event as GetEvent or ListEvents returned it (a dict) and leaves it alone. The patch is a plain
dict in the API's spelling, which passes through XCom and which :meth:`EventPatch.parse
<airflow_dingtalk_calendar.models.EventPatch.parse>` takes. Nothing is sent, and nothing is metered::

    plan = {event["id"]: merge(shift(event, by=WEEK), retitle(event, "Sprint 41", "Sprint 42")) for event in events}

A patch has an event's shape, so an edit that builds on another takes ``{**event, **patch}``.

**Series.** GetEvent and ListEvents return a series as one event that has ``recurrence``: an edit of it is an edit of
all its times, past ones included. Those before a later start are taken away; a warning in the log counts them. To keep
them, split the series (:func:`~airflow_dingtalk_calendar.plans.split_series`). One time of a series has
``seriesMasterId``, and is refused: no source says whether patching it changes that time or the whole series
(UNVERIFIED), nor whether an id that only the expanded view knows can be patched at all. ``allow_instance=True`` makes
the patch all the same; :func:`~airflow_dingtalk_calendar.edits.is_instance` distinguishes them. The rule of a series is
always sent whole, because the service replaces it whole, and an instance has none of its own.

All functions raise :class:`~airflow_dingtalk_calendar.exceptions.InvalidInputError`, which names the field
(``event.start``) and never what is in it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.edits.base import is_instance, is_series
    from airflow_dingtalk_calendar.edits.combine import merge, quiet
    from airflow_dingtalk_calendar.edits.description import append_description
    from airflow_dingtalk_calendar.edits.reminders import add_reminder, drop_reminder
    from airflow_dingtalk_calendar.edits.series import extend_until, set_occurrences
    from airflow_dingtalk_calendar.edits.text import relocate, retitle
    from airflow_dingtalk_calendar.edits.times import all_day, move_to, resize, shift

__all__ = [
    "add_reminder",
    "all_day",
    "append_description",
    "drop_reminder",
    "extend_until",
    "is_instance",
    "is_series",
    "merge",
    "move_to",
    "quiet",
    "relocate",
    "resize",
    "retitle",
    "set_occurrences",
    "shift",
]

_MODULES = {
    "add_reminder": "reminders",
    "all_day": "times",
    "append_description": "description",
    "drop_reminder": "reminders",
    "extend_until": "series",
    "is_instance": "base",
    "is_series": "base",
    "merge": "combine",
    "move_to": "times",
    "quiet": "combine",
    "relocate": "text",
    "resize": "times",
    "retitle": "text",
    "set_occurrences": "series",
    "shift": "times",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
