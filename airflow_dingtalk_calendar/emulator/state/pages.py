"""What tokens of paged answers stand for, and the changes that a syncToken asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..schema.event import Event
from .recurrence import local


@dataclass(frozen=True)
class Change:
    """An event that changed, and everybody it concerned before or after."""

    event_id: str
    audience: frozenset[str]


@dataclass(frozen=True)
class Query:
    """Which events somebody asks for; times filter on the event's start."""

    union_id: str
    time_min: datetime | None = None
    time_max: datetime | None = None
    show_deleted: bool = False
    series: str = ""

    def wants(self, event: Event) -> bool:
        """Tell whether an event passes the filters."""
        start = local(event["start"])
        return (
            (self.time_min is None or start >= self.time_min)
            and (self.time_max is None or start < self.time_max)
            and (not self.series or event.get("seriesMasterId") == self.series)
        )


@dataclass(frozen=True)
class Page:
    """What a token stands for.

    :param query: the question it continues.
    :param rest: the event ids still to come; ``None`` in a syncToken, which asks for what has changed.
    :param seen: how many changes there had been when the first page was made.
    """

    query: Query
    rest: tuple[str, ...] | None
    seen: int


@dataclass(frozen=True)
class Rest:
    """What a nextToken stands for.

    :param question: action and path parameters it continues.
    :param found: what is still to come.
    """

    question: tuple[str, ...]
    found: Sequence[Any]
