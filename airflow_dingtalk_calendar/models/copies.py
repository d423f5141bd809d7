"""Copies of one thing in a list that was read page by page, while it changed: which of them is the newer one.

A list may shift between two of its pages, so that somebody is on both. Of an event the newer copy has the later
``updateTime``; where that is unknown, it is the one that was read later.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from typing import Any, TypeVar

from airflow_dingtalk_calendar.models.answer_times import read_answer_time
from airflow_dingtalk_calendar.models.json_values import Body, get_member, text_or_empty

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
    return (name, text_or_empty(time)) if isinstance(name, str) else id(body)


def _is_newer(one: Any, other: Any) -> bool:
    """Whether a time that the service wrote is surely later than another one."""
    # The SDK documents updateTime as UTC, the pages show it with an offset.
    first, second = (read_answer_time(time, assumed_zone=dt.UTC) for time in (one, other))
    return first is not None and second is not None and first > second
