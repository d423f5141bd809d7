"""Plans: many changes in one task, applied row by row.

The public names write the rows of a plan; they are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.plans.brought_events import rows_with_events
    from airflow_dingtalk_calendar.plans.edited_rows import rows_for
    from airflow_dingtalk_calendar.plans.ics_rows import rows_from_ics, update_known
    from airflow_dingtalk_calendar.plans.room_swap import swap_room
    from airflow_dingtalk_calendar.plans.series_split import cancel_occurrence, split_series
    from airflow_dingtalk_calendar.plans.table_rows import rows_from_table

__all__ = [
    "cancel_occurrence",
    "rows_for",
    "rows_from_ics",
    "rows_from_table",
    "rows_with_events",
    "split_series",
    "swap_room",
    "update_known",
]

_MODULES = {
    "cancel_occurrence": "series_split",
    "rows_for": "edited_rows",
    "rows_from_ics": "ics_rows",
    "rows_from_table": "table_rows",
    "rows_with_events": "brought_events",
    "split_series": "series_split",
    "swap_room": "room_swap",
    "update_known": "ics_rows",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULES})
