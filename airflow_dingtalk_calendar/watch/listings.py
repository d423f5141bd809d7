"""The result of listing a calendar, and the position that follows from it: decisions only, without any call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from airflow_dingtalk_calendar.watch.changes import (
    CalendarChange,
    ChangeFilter,
    EventSnapshot,
    Position,
    find_changes,
    initial_position,
)

Snapshots = Mapping[ChangeFilter, Sequence[EventSnapshot]]


class Listing(NamedTuple):
    """The result of listing a calendar, or the changes in it.

    :ivar snapshots: the events, as each filter sees them.
    :ivar events: how many there were.
    :ivar token: the next ``syncToken``.
    :ivar calls: how many it took.
    :ivar complete: whether all events of the calendar were listed, so that one that is missing is gone.
    """

    snapshots: Snapshots
    events: int
    token: str | None
    calls: int
    complete: bool


@dataclass(frozen=True, slots=True)
class ListingNeeds:
    """What several watchers of a calendar need together.

    :ivar watches: their filters, each once.
    :ivar tokens: the ``syncToken`` of each position, each once, the oldest first.
    :ivar first: whether one has no position yet, which takes a list of the whole calendar.
    :ivar whole: whether one has a position without ``syncToken``: a whole list, from which events may be missing.
    """

    watches: tuple[ChangeFilter, ...]
    tokens: tuple[str, ...]
    first: bool
    whole: bool

    @property
    def attendees(self) -> bool:
        """Whether the events have to be read with the people invited."""
        return any(watch.needs_attendees for watch in self.watches)


def combine_needs(members: Iterable[tuple[ChangeFilter, Position | None]]) -> ListingNeeds:
    """Say what to list for several watchers.

    Not the oldest position alone: which of two tokens is older is known only by comparing the clocks of two
    triggerers. Each token once is more than one call only in the first poll together; after it, all have the same.
    """
    watching = list(members)
    positions = sorted((position for _, position in watching if position), key=lambda position: position.checked)
    return ListingNeeds(
        tuple(dict.fromkeys(watch for watch, _ in watching)),
        tuple(dict.fromkeys(position.token for position in positions if position.token)),
        len(positions) < len(watching),
        any(not position.token for position in positions),
    )


def merge_listings(listings: Sequence[Listing]) -> Listing:
    """Take several lists of one calendar for one; its token is the first, since which every list is at least as new."""
    snapshots: dict[ChangeFilter, list[EventSnapshot]] = {}
    for listing in listings:
        for watch, seen in listing.snapshots.items():
            snapshots.setdefault(watch, []).extend(seen)
    return Listing(
        snapshots,
        sum(listing.events for listing in listings),
        listings[0].token,
        sum(listing.calls for listing in listings),
        any(listing.complete for listing in listings),
    )


def follow_listing(
    watch: ChangeFilter, position: Position | None, listing: Listing, epoch: str, checked: float
) -> tuple[list[CalendarChange], Position]:
    """Find what has changed since a position, and the position after that; without one, take a first one.

    :param epoch: the name of a first position.
    """
    seen = listing.snapshots[watch]
    if position is None:
        return [], initial_position(epoch, listing.token, seen, checked)
    found, fingerprints = find_changes(watch, position, seen, complete=listing.complete)
    number = position.number + 1
    return found, replace(position, number=number, token=listing.token, fingerprints=fingerprints, checked=checked)
