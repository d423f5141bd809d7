"""What the collectors need from the inside of the package: no other import here names an internal module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_dingtalk_calendar.auth import TOKENS
from airflow_dingtalk_calendar.changes import FIELDS, Position, compare, first, watch
from airflow_dingtalk_calendar.operators.books import Record
from airflow_dingtalk_calendar.pace import PACE
from airflow_dingtalk_calendar.plan import read as rows_of
from airflow_dingtalk_calendar.results import Result
from airflow_dingtalk_calendar.triggers.stores import Store

__all__ = [
    "FIELDS",
    "Position",
    "Record",
    "Result",
    "Store",
    "compare",
    "first",
    "forget",
    "position_key",
    "rows_of",
    "sights",
    "watch",
]


def forget() -> None:
    """Forget access tokens and paces, as a new process would."""
    TOKENS.clear()
    PACE.clear()


def position_key(trigger: Any) -> str:
    """Return the key under which a watcher keeps its position."""
    return str(trigger._key())


def sights(fields: Sequence[str], events: Sequence[Any]) -> list[Any]:
    """See events as a watcher of these fields does."""
    return list(watch(fields).sights(events))
