"""Where the watchers of one calendar and its producer meet: one for each calendar in a process.

Airflow makes the producer from the parameters of one watcher and gives it no state store. So what each watcher wants,
and where its position is kept, it says here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from airflow_dingtalk_calendar.watch.delivery import Member
from airflow_dingtalk_calendar.watch.waker import Waker

# Airflow starts the watchers of a calendar one after the other: so long after the last one that came, a poll waits for
# another, so that they share it.
SETTLE_SECONDS = 1.0
# No watchers to poll for: the next one to join wakes the producer.
IDLE_SECONDS = 3600.0


class CalendarKey(NamedTuple):
    """What the watchers of one calendar have in common."""

    dingtalk_conn_id: str
    union_id: str
    calendar_id: str

    @classmethod
    def from_kwargs(cls, kwargs: Mapping[str, Any]) -> CalendarKey:
        """Read it off the arguments of a trigger."""
        return cls(*(kwargs[name] for name in cls._fields))


class CalendarHub:
    """The watchers of one calendar, and what wakes their producer.

    :ivar members: the watchers that run at the moment.
    :ivar waker: ends the producer's wait.
    """

    # Time, for tests to replace; it never goes back.
    now = staticmethod(time.monotonic)

    def __init__(self) -> None:
        self.members: list[Member] = []
        self.waker = Waker()
        self._is_asked = False
        self._settled_at = 0.0
        self._blocked_until = 0.0

    @contextmanager
    def join(self, member: Member) -> Iterator[None]:
        """Be a watcher of this calendar. One that joins gets a poll that is due by its own position."""
        member.due_at = self.now()
        self._settled_at = member.due_at + SETTLE_SECONDS
        self.members.append(member)
        self.waker.wake()
        try:
            yield
        finally:
            self.members.remove(member)

    def ask_poll(self) -> None:
        """Have the calendar polled now, to be called in the triggerer's event loop.

        Calls before the poll begins are one. A wait after an error is kept.
        """
        self._is_asked = True
        self.waker.wake()

    def postpone(self, seconds: float) -> None:
        """Repeat a failed poll after some time, and make none before, even if a watcher joins or asks for one."""
        self._is_asked = True
        self._blocked_until = self.now() + seconds

    def begin_poll(self, ready: list[Member]) -> bool:
        """Return whether a poll is due for these watchers; then it counts as begun."""
        is_due = self._is_asked or any(member.due_at <= self.now() for member in ready)
        self._is_asked = False
        return bool(ready) and is_due

    def end_poll(self, members: list[Member]) -> None:
        """Have the next poll of these watchers an interval from now."""
        for member in members:
            member.due_at = self.now() + member.interval

    def seconds_left(self) -> float:
        """Return in how many seconds something is to be done."""
        if not self.members:
            return IDLE_SECONDS
        due_at = 0.0 if self._is_asked else min(member.due_at for member in self.members)
        return max(due_at, self._settled_at, self._blocked_until) - self.now()

    def shortest_interval(self) -> float:
        """Return the interval between two polls."""
        return min((member.interval for member in self.members), default=IDLE_SECONDS)

    def retry_interval(self) -> float:
        """Return how long to wait after a transient failure."""
        return min((member.retry_interval for member in self.members), default=IDLE_SECONDS)


_hubs: WeakValueDictionary[CalendarKey, CalendarHub] = WeakValueDictionary()


def find_hub(key: CalendarKey) -> CalendarHub:
    """Return the hub of a calendar: the same as long as a watcher or a producer has it."""
    hub = _hubs.get(key)
    if hub is None:
        hub = _hubs[key] = CalendarHub()
    return hub
