"""An event: what a patch and a new event may hold, and recurrence rules.

The public names are loaded when they are first used: pydantic models take a while to define.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models.event_patch import EventPatch
    from airflow_dingtalk_calendar.models.new_event import NewEvent
    from airflow_dingtalk_calendar.models.rrule import from_rrule, to_rrule

__all__ = ["EventPatch", "NewEvent", "from_rrule", "to_rrule"]

_MODULES = {"EventPatch": "event_patch", "NewEvent": "new_event", "from_rrule": "rrule", "to_rrule": "rrule"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
