"""Keeping under the service's rate: calls of one API are spaced evenly, never sent in a burst.

The limit counts per app and API (20 per second in the standard edition, page ``call-frequency-limit``), so one
pace serves all hooks of a process that use the same app. Several workers are bounded by an Airflow pool.
"""

from __future__ import annotations

import os
from threading import Lock


class Pace:
    """When the next call may go."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next: dict[str, float] = {}

    def reserve(self, name: str, now: float, per_second: float) -> float:
        """Take the next place and return the seconds until then.

        :param name: whose rate it is: the app and the API.
        :param now: a monotonic clock's time.
        """
        with self._lock:
            place = max(self._next.get(name, now), now)
            self._next[name] = place + 1.0 / per_second
        return place - now

    def clear(self) -> None:
        """Forget all places, and a lock that another process may have held when it forked this one."""
        self._lock = Lock()
        self._next.clear()


PACE = Pace()
os.register_at_fork(after_in_child=PACE.clear)
