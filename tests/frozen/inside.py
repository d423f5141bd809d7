"""What the collectors need from the inside of the package: no other import here names an internal module."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER
from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.plans.results import RowResult
from airflow_dingtalk_calendar.watch.changes import (
    Position,
    find_changes,
    initial_position,
    parse_filter,
)
from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint

__all__ = [
    "FIELDS",
    "Checkpoint",
    "Position",
    "RowResult",
    "WatcherCheckpoint",
    "find_changes",
    "forget",
    "initial_position",
    "parse_filter",
    "parse_plan",
    "position_key",
    "snapshots",
]


def forget() -> None:
    """Forget access tokens and rate limits, as a new process would."""
    TOKEN_CACHE.clear()
    RATE_LIMITER.clear()


def position_key(trigger: Any) -> str:
    """Return the key under which a watcher keeps its position."""
    return str(trigger._checkpoint_key())


def snapshots(fields: Sequence[str], events: Sequence[Any]) -> list[Any]:
    """See events as a watcher of these fields does."""
    return list(parse_filter(fields).snapshots(events))
