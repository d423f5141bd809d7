"""Copies of one thing in a list that was read page by page, while it changed: which of them is the newer one.

A list may shift between two of its pages, so that somebody is on both. Of an event the newer copy has the later
``updateTime``; where that cannot be told, it is the one that was read later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from airflow_dingtalk_calendar.models.json_values import Body, get_member

T = TypeVar("T")
BodyT = TypeVar("BodyT", bound=Body)


def newest_copies(
    items: Iterable[T], key: Callable[[T], Hashable], update_time: Callable[[T], Any]
) -> dict[Hashable, T]:
    """Keep one copy of each thing, the newest, in the order in which they were first read."""
    kept: dict[Hashable, T] = {}
    for item in items:
        name = key(item)
        if name not in kept or not _is_newer(update_time(kept[name]), update_time(item)):
            kept[name] = item
    return kept


def newest_bodies(bodies: Iterable[BodyT]) -> list[BodyT]:
    """Keep one copy of each event, or of each person; what has no id is a thing of its own."""
    return list(newest_copies(bodies, body_key, lambda body: body.get("updateTime")).values())


def body_key(body: Body) -> Hashable:
    """Name something; occurrences that only a view knows may share an id, and differ in the series' own time."""
    name, time = body.get("id"), get_member(body, "originStart", "dateTime")
    return (name, time if isinstance(time, str) else "") if isinstance(name, str) else id(body)


def _is_newer(one: Any, other: Any) -> bool:
    """Whether a time that the service wrote is surely later than another one."""
    first, second = _parse_time(one), _parse_time(other)
    return first is not None and second is not None and first > second


def _parse_time(value: Any) -> dt.datetime | None:
    """Read ``updateTime``; without an offset it is in UTC (as the SDK says of it), and what is no time is None."""
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
