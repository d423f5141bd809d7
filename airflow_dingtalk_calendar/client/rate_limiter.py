"""Keeping under the service's rate: calls of one API are spaced evenly, never sent in a burst.

The limit counts per app and API (20 per second in the standard edition, page ``call-frequency-limit``), so one
rate serves all hooks of a process that use the same app. Several workers are bounded by an Airflow pool.

A caller queues, and asks how long to wait for its turn. The answer is a forecast, because it asks again
before it goes: so a hold, which a throttled answer brings about, reaches those who already wait as well.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork

# Calls do not arrive exactly as evenly as they leave, so "per second" is taken to mean a little longer. In a
# simulation, 1.02 saves half a second in 50 where nothing is late; where calls are late by some 10 ms, it costs two
# throttled answers more, each of which holds all callers for a second.
WINDOW_SECONDS = 1.03
MIN_SLEEP = 1e-6  # seconds that are not worth another sleep
Lane = tuple[tuple[str, ...], str]  # the identity of the app, and the API


@dataclass(slots=True)
class ApiQueue:
    """The calls of one app to one API: who waits, and when the last ones went.

    :ivar due: when the next call may go.
    :ivar held: until when nobody may go.
    """

    due: float = -math.inf
    held: float = -math.inf
    waiting: list[object] = field(default_factory=list)
    gone: deque[float] = field(default_factory=deque)

    def next_wait(self, place: object, now: float, per_second: float) -> float:
        """Return the seconds until this caller may go; 0: it goes now."""
        gap, most = WINDOW_SECONDS / per_second, math.ceil(per_second)
        while len(self.gone) > most:
            self.gone.popleft()
        earliest = self.gone[0] + most * gap if len(self.gone) == most else self.due
        seconds = max(self.due, self.held, earliest) + self.waiting.index(place) * gap - now
        if seconds > MIN_SLEEP:
            return seconds
        # Who wakes up late does not delay those behind it, but no more than one call is caught up.
        self.due = max(self.due + gap, now)
        self.waiting.remove(place)
        self.gone.append(now)
        return 0.0


class RateLimiter:
    """When the next call may go, by name of the lane: the app and the API. Times are a monotonic clock's."""

    def __init__(self) -> None:
        self.clear()
        clear_after_fork(self)

    def join_queue(self, name: Lane, now: float) -> object:
        """Queue up; the place is what :meth:`next_wait` and :meth:`leave_queue` take."""
        place = object()
        with self._lock:
            lane = self._lanes.setdefault(name, ApiQueue())
            if not lane.waiting:
                lane.due = max(lane.due, now)
            lane.waiting.append(place)
        return place

    def next_wait(self, name: Lane, place: object, now: float, per_second: float) -> float:
        """Return the seconds after which to ask again; 0: go now, the place is used up."""
        with self._lock:
            return self._lanes[name].next_wait(place, now, per_second)

    def leave_queue(self, name: Lane, place: object) -> None:
        """Give up a place, if it is not used up."""
        with self._lock:
            if place in self._lanes[name].waiting:
                self._lanes[name].waiting.remove(place)

    def hold_until(self, name: Lane, until: float) -> None:
        """Hold back all calls until this time, those already waiting and new ones."""
        with self._lock:
            lane = self._lanes.setdefault(name, ApiQueue())
            lane.held = max(lane.held, until)
            lane.due = max(lane.due, until)

    def clear(self) -> None:
        """Forget everything, and a lock that another process may have held when it forked this one."""
        self._lock = Lock()
        self._lanes: dict[Lane, ApiQueue] = {}


RATE_LIMITER = RateLimiter()
