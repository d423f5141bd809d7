"""The sources of a watcher's changes, and which arguments each of them accepts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.watch.changes import CHANGE_KINDS, ChangeKind

ChangeSource = Literal["poll", "stream", "push"]
SOURCES: tuple[ChangeSource, ...] = get_args(ChangeSource)
# 720 of the 5,000 calls a month of a standard organisation.
POLL_INTERVAL = 3600.0
# Of a "stream": what no push announces is found so late. Daily where nobody else can have taken a push.
SAFETY_INTERVAL, SINGLE_CONSUMER_INTERVAL = 3600.0, 24 * 3600.0


@dataclass(frozen=True, slots=True)
class SourceArguments:
    """What was given, unchecked.

    :ivar filters: the arguments given that need the events themselves, which a push does not have.
    """

    source: Any
    interval: Any = None
    kinds: Any = None
    single_consumer: Any = False
    filters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WatchSource:
    """A checked choice.

    :ivar interval: seconds between two polls that nothing announces; None if there are none.
    :ivar kinds: which kinds of changes are reported.
    """

    name: ChangeSource
    interval: float | None
    kinds: tuple[ChangeKind, ...] = CHANGE_KINDS

    def as_arguments(self) -> dict[str, Any]:
        """Return what makes the same choice again; of polling, nothing that a version before did not know."""
        if self.name == "push":
            return {"source": self.name, "kinds": list(self.kinds)}
        named = {} if self.name == "poll" else {"source": self.name}
        return {**named, "interval": self.interval}


def parse_source(given: SourceArguments, *, shares_streams: bool) -> WatchSource:
    """Check the source of changes and its arguments.

    :param shares_streams: whether this Airflow has shared streams.
    :raises InvalidInputError: with all problems.
    """
    if given.source not in SOURCES:
        raise InvalidInputError(("source", f"must be one of {', '.join(SOURCES)}"))
    interval, _ = read_all(partial(_choose_interval, given), partial(_check_arguments, given, shares_streams))
    return WatchSource(given.source, interval, CHANGE_KINDS if given.kinds is None else tuple(given.kinds))


def parse_interval(interval: Any) -> float:
    """Read an interval in seconds.

    :raises InvalidInputError: for what is none.
    """
    seconds = interval.total_seconds() if isinstance(interval, dt.timedelta) else interval
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds < float("inf"):
        raise InvalidInputError(("interval", "must be a number of seconds above 0, or a timedelta"))
    return float(seconds)


def _choose_interval(given: SourceArguments) -> float | None:
    if given.source == "push":
        return None
    if given.interval is not None:
        return parse_interval(given.interval)
    if given.source == "poll":
        return POLL_INTERVAL
    return SINGLE_CONSUMER_INTERVAL if given.single_consumer else SAFETY_INTERVAL


def _check_arguments(given: SourceArguments, shares_streams: bool) -> None:
    problems = [*_find_source_problems(given, shares_streams)]
    if given.source == "push":
        problems += _find_useless(given)
    if problems:
        raise InvalidInputError(*problems)


def _find_source_problems(given: SourceArguments, shares_streams: bool) -> Iterator[tuple[str, str]]:
    if given.source != "poll" and not shares_streams:
        yield "source", f"{given.source} needs Airflow 3.3 or newer, whose watchers share streams: use poll, or upgrade"
    if not isinstance(given.single_consumer, bool):
        yield "single_consumer", "must be true or false"
    elif given.single_consumer and given.source != "stream":
        yield "single_consumer", "is for source='stream' only: leave it out"
    if given.kinds is not None and given.source != "push":
        yield "kinds", "is for source='push' only: leave it out"
    elif given.kinds is not None and not _are_kinds(given.kinds):
        yield "kinds", f"must be a list of {', '.join(CHANGE_KINDS)}"


def _find_useless(given: SourceArguments) -> Iterator[tuple[str, str]]:
    for name in given.filters:
        yield name, "is not part of a push: leave it out, or use source='stream'"
    if given.interval is not None:
        yield "interval", "is of no use, for nothing is polled: leave it out, or use source='stream'"


def _are_kinds(kinds: Any) -> bool:
    listed = isinstance(kinds, Sequence) and not isinstance(kinds, str) and bool(kinds)
    return listed and all(one in CHANGE_KINDS for one in kinds)
