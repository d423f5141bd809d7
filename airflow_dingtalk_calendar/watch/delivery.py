"""A watcher of a calendar that several share, and how the changes of a poll are delivered to it.

A poll is delivered in parts, each of which is one asset event of a watcher. The outcome of a part says how many
watchers have failed, and not which. But one that has failed is given nothing any more. So a position is saved for those
that have taken a part of which nobody failed; after a part with a failure, an empty one shows who is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import ceil
from uuid import uuid4

from airflow_dingtalk_calendar.watch.changes import PART_LENGTH, CalendarChange, ChangeFilter, Position
from airflow_dingtalk_calendar.watch.checkpoint import WatcherCheckpoint
from airflow_dingtalk_calendar.watch.error_wait import wait_after_error
from airflow_dingtalk_calendar.watch.listings import Listing, follow_listing
from airflow_dingtalk_calendar.watch.poll_log import log_loaded, log_poll


@dataclass(frozen=True, eq=False, slots=True)
class CalendarPoll:
    """The result of one poll of the calendar.

    :ivar parts: in how many parts it is delivered.
    :ivar checked: when it was polled, in seconds since 1970.
    """

    listing: Listing
    parts: int
    checked: float


class Member:
    """One watcher of a calendar that several share.

    :param watch: which changes it reports.
    :param store: its position.
    :param interval: seconds between two polls.
    :param retry_interval: seconds after which a poll with a transient failure is retried; by default, the interval.
    :ivar due_at: when it needs a poll, on the hub's clock.
    :ivar position: what its changes are measured against; it moves when it was saved.
    """

    def __init__(
        self, watch: ChangeFilter, store: WatcherCheckpoint, interval: float, retry_interval: float | None = None
    ) -> None:
        self.watch = watch
        self.interval = interval
        self.retry_interval = min(interval, retry_interval or interval)
        self.due_at = 0.0
        self.position: Position | None = None
        self._store = store
        self._is_loaded = False
        self._unsaved: Position | None = None
        self._poll: CalendarPoll | None = None
        self._found: list[CalendarChange] = []
        self._reached: Position | None = None

    async def prepare(self, clock: Callable[[], float], now: float) -> None:
        """Load the position, or save what could not be saved before."""
        if self._unsaved is not None:
            await self._save()
        if not self._is_loaded:
            self.position = await self._store.load()
            self._is_loaded = True
            if self.position is not None:  # restarts cost no calls
                log_loaded(self.position)
                self.due_at = now + min(self.position.checked + self.interval - clock(), self.interval)

    @contextmanager
    def taking(self, delivery: Delivery) -> Iterator[Sequence[CalendarChange]]:
        """Give the changes of this part; the watcher has taken it when the block ends without an error."""
        if not self._can_follow(delivery):
            yield ()
            return
        start = delivery.part * PART_LENGTH
        yield self._found[start : start + PART_LENGTH]
        delivery.takers.add(self)

    async def confirm(self, poll: CalendarPoll) -> None:
        """Save the position after a poll whose changes Airflow has stored."""
        if poll is self._poll:
            self._unsaved = self._reached
            await self._save()

    def most_changes(self, listing: Listing) -> int:
        """Return how many changes a list can bring at most."""
        if self.position is None:
            return 0
        return listing.events + (len(self.position.fingerprints) if listing.complete else 0)

    async def _save(self) -> None:
        if self._unsaved is not None:
            await self._store.save(self._unsaved)
            self.position, self._unsaved = self._unsaved, None

    def _can_follow(self, delivery: Delivery) -> bool:
        if self not in delivery.members:
            return False
        try:
            self._follow(delivery.poll)
        except Exception as error:
            wait_after_error(error, self.interval)
            return False
        return True

    def _follow(self, poll: CalendarPoll) -> None:
        # Once for each poll: its parts are slices of the same changes.
        if poll is not self._poll:
            self._found, self._reached = follow_listing(
                self.watch, self.position, poll.listing, uuid4().hex, poll.checked
            )
            self._poll = poll
            log_poll(self._reached, len(self._found), poll.listing.calls)


class Delivery:
    """One part of a poll, on its way to the watchers.

    :param members: the watchers that it is for: those that have taken all parts before.
    :ivar takers: those of them that have taken this part.
    """

    def __init__(self, poll: CalendarPoll, part: int, members: Iterable[Member]) -> None:
        self.poll = poll
        self.part = part
        self.members = frozenset(members)
        self.takers: set[Member] = set()
        self._is_clean = False
        self._settled = asyncio.Event()

    def confirmed(self, is_clean: bool) -> list[Member]:
        """Note what has become of this part, and return the watchers that have all changes of the poll stored."""
        self._is_clean = is_clean
        return list(self.takers) if is_clean and self._is_last else []

    def settle(self) -> None:
        """Let the producer go on."""
        self._settled.set()

    async def wait_settled(self) -> None:
        """Wait until every watcher has done with this part."""
        await self._settled.wait()

    def following(self) -> Delivery | None:
        """Return the next part, for those that have taken this one; None after the last."""
        if not self.takers or (self._is_clean and self._is_last):
            return None
        return Delivery(self.poll, self.part + 1, self.takers)

    @property
    def _is_last(self) -> bool:
        return self.part + 1 >= self.poll.parts


def first_delivery(listing: Listing, members: list[Member], checked: float) -> Delivery:
    """Begin to deliver a poll."""
    most = max(member.most_changes(listing) for member in members)
    return Delivery(CalendarPoll(listing, max(1, ceil(most / PART_LENGTH)), checked), 0, members)
