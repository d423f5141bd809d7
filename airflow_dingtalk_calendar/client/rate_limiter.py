"""Keeping under the service's rate: calls of one API are spaced evenly, never sent in a burst.

The limit counts per app and API (20 per second in the standard edition, page ``call-frequency-limit``), so one
rate serves all hooks of a process that use the same app. Several workers are bounded by an Airflow pool.

A caller queues, and asks how long to wait for its turn. The answer is a forecast, because it asks again
before it goes: so a hold, which a throttled answer brings about, reaches those who already wait as well.

The service counts a call when it arrives, and one may leave on time and arrive late: its connection had to be opened,
or a process stood still. Then the calls behind it would be too many for the second that begins with it. An answer that
took longer than usual shows it, in time for the call that is a second later. Where the service always takes the same
time, any delay arose on the way; where its latency varies, only an outlier is taken for one.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from dataclasses import dataclass, field
from threading import Lock

from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork

# Calls do not arrive exactly as evenly as they leave, so "per second" is taken to mean a little longer: as much as a
# call may be late unnoticed, within these two. A throttled answer holds the callers of an API for a second, which costs
# more. Measured with 4,000 calls, 160 a second of eight APIs, on two cores: none was throttled in nine runs, six of
# them beside other programs; with 1.01 and only outliers counted as late, 3 and 4 in two.
STEADY_WINDOW, VARYING_WINDOW = 1.01, 1.03
FEWEST_LATENCIES, LATENCIES = 10, 20  # answers that say what is usual; a quarter of them may have been late
REVIEW_EVERY = 5  # answers after which what is usual is worked out again; while there are fewer than LATENCIES: 1
OUTLIER_RANGES = 1.5  # interquartile ranges above the third quartile: what is late where latencies vary (Tukey's fence)
MIN_SLEEP = 1e-6  # seconds that are not worth another sleep
Lane = tuple[tuple[str, ...], str]  # the identity of the app, and the API


@dataclass(eq=False, slots=True)
class Turn:
    """The turn of one call.

    :ivar queue: of the calls to the same API.
    :ivar sent: when it went.
    :ivar answered: when its answer was there.
    """

    queue: ApiQueue
    sent: float = math.inf
    answered: float = -math.inf


@dataclass(slots=True)
class ApiQueue:
    """The calls of one app to one API: who waits, and when the last ones went.

    :ivar due: when the next call may go.
    :ivar held: until when nobody may go.
    :ivar answers: how many there were.
    :ivar latencies: how long the last ones took.
    :ivar third: their third quartile, once there are enough.
    :ivar spread: the range between their first and third quartile, likewise.
    :ivar delay: by how much the third quartile is above the quickest answer: as late as that, a call may have been
        without showing it.
    """

    due: float = -math.inf
    held: float = -math.inf
    waiting: list[Turn] = field(default_factory=list)
    gone: deque[Turn] = field(default_factory=deque)
    answers: int = 0
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=LATENCIES))
    third: float = math.inf
    spread: float = math.inf
    delay: float = math.inf

    def next_wait(self, turn: Turn, now: float, per_second: float) -> float:
        """Return the seconds until this caller may go; 0: it goes now."""
        gap, most = self._window() / per_second, math.ceil(per_second)
        while len(self.gone) > most:
            self.gone.popleft()
        earliest = self._arrival(self.gone[0]) + most * gap if len(self.gone) == most else self.due
        seconds = max(self.due, self.held, earliest) + self.waiting.index(turn) * gap - now
        if seconds > MIN_SLEEP:
            return seconds
        # Who wakes up late does not delay those behind it, but no more than one call is caught up.
        self.due = max(self.due + gap, now)
        self.waiting.remove(turn)
        turn.sent = now
        self.gone.append(turn)
        return 0.0

    def note_answer(self, turn: Turn, now: float) -> None:
        """Note that a call has its answer."""
        turn.answered = now
        self.latencies.append(now - turn.sent)
        self.answers += 1
        if self.answers >= FEWEST_LATENCIES and (self.answers < LATENCIES or self.answers % REVIEW_EVERY == 0):
            self._review_latencies()

    def _review_latencies(self) -> None:
        latencies = sorted(self.latencies)
        self.third = latencies[len(latencies) * 3 // 4]
        self.spread = self.third - latencies[len(latencies) // 4]
        self.delay = self.third - latencies[0]

    def _window(self) -> float:
        return min(max(STEADY_WINDOW, 1 + self.delay), VARYING_WINDOW)

    def _arrival(self, turn: Turn) -> float:
        """Return when a call reached the service, as far as its answer shows that it was late."""
        late = turn.answered - turn.sent - self.third
        usual = 0.0 if 1 + self.delay < VARYING_WINDOW else OUTLIER_RANGES * self.spread
        return turn.sent + late if late > usual else turn.sent


class RateLimiter:
    """When the next call may go, by name of the lane: the app and the API. Times are a monotonic clock's."""

    def __init__(self) -> None:
        self.clear()
        clear_after_fork(self)

    def join_queue(self, name: Lane, now: float) -> Turn:
        """Queue up; the turn is what the other methods take."""
        with self._lock:
            queue = self._queues[name]
            if not queue.waiting:
                queue.due = max(queue.due, now)
            queue.waiting.append(turn := Turn(queue))
        return turn

    def next_wait(self, turn: Turn, now: float, per_second: float) -> float:
        """Return the seconds after which to ask again; 0: go now."""
        with self._lock:
            return turn.queue.next_wait(turn, now, per_second)

    def leave_queue(self, turn: Turn) -> None:
        """Give up a turn that has not come."""
        with self._lock:
            if turn in turn.queue.waiting:
                turn.queue.waiting.remove(turn)

    def note_answer(self, turn: Turn, now: float) -> None:
        """Say when the call had its answer, which tells whether it may have reached the service late."""
        with self._lock:
            turn.queue.note_answer(turn, now)

    def hold_until(self, name: Lane, until: float) -> None:
        """Hold back all calls until this time, those already waiting and new ones."""
        with self._lock:
            queue = self._queues[name]
            queue.held = max(queue.held, until)
            queue.due = max(queue.due, until)

    def clear(self) -> None:
        """Forget everything, and a lock that another process may have held when it forked this one."""
        self._lock = Lock()
        self._queues: defaultdict[Lane, ApiQueue] = defaultdict(ApiQueue)


RATE_LIMITER = RateLimiter()
