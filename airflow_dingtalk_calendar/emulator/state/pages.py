"""What the tokens of paged answers stand for, and the changes that a syncToken asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..schema.event import Event
from .recurrence import zoned_datetime


@dataclass(frozen=True)
class ChangeRecord:
    """An event that changed, and everybody it concerned before or after."""

    event_id: str
    audience: frozenset[str]


@dataclass(frozen=True)
class EventQuery:
    """Which events somebody asks for; times filter on the event's start."""

    union_id: str
    time_min: datetime | None = None
    time_max: datetime | None = None
    show_deleted: bool = False
    series: str = ""

    def matches(self, event: Event) -> bool:
        """Return whether an event passes the filters."""
        start = zoned_datetime(event["start"])
        return (
            (self.time_min is None or start >= self.time_min)
            and (self.time_max is None or start < self.time_max)
            and (not self.series or event.get("seriesMasterId") == self.series)
        )


@dataclass(frozen=True)
class EventListPage:
    """What a token stands for.

    :param query: the question it continues.
    :param rest: the event ids still to come; ``None`` in a syncToken, which asks for what has changed.
    :param change_count: how many changes there had been when the first page was made.
    """

    query: EventQuery
    rest: tuple[str, ...] | None
    change_count: int


@dataclass(frozen=True)
class RemainingItems:
    """What a nextToken stands for.

    :param call_key: action and path parameters it continues.
    :param items: what is still to come.
    """

    call_key: tuple[str, ...]
    items: Sequence[Any]
