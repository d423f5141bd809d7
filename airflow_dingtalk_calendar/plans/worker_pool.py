"""A pool of threads that share one hook, so one access token, one connection pool and one rate limit.

Threads and not coroutines, because checkpoint and progress (Airflow's state store, the log) are synchronous and must
not be called on an event loop. Only the thread that made the :class:`WorkerPool` touches them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from airflow_dingtalk_calendar.exceptions import Interrupted

T = TypeVar("T")
R = TypeVar("R")
API_THREADS = 32  # more do not make one API's calls quicker: Python code runs in one thread at a time
MAX_THREADS = 64  # fewer than the connections that are kept open
EXPECTED_LATENCY = 1.0  # seconds that a row may take and the rate still be sustained; more is rare
SLEEP_SLICE = 0.25  # seconds after which a sleeping thread checks whether to stop
# Seconds after which the caller can save, log and notice a stop although no result has come.
RESULT_TIMEOUT = 0.5


class WorkerPool(Generic[T, R]):
    """Do something with each of many items, in several threads.

    :param work: done with each item, and yields results; when it raises :class:`Interrupted`, what it has not yielded
        counts as not begun, and any other exception ends it all and is raised by :meth:`results`, after the results of
        what was under way.
    :param items: taken one by one; they may be made as they are taken.
    """

    def __init__(self, work: Callable[[T], Iterable[R]], items: Iterable[T], threads: int) -> None:
        self._work = work
        self._items = iter(items)
        self._lock = Lock()
        self._ended: SimpleQueue[tuple[bool, Any]] = SimpleQueue()
        # Daemons: a request that hangs must not keep a killed task's process alive.
        self._threads = [Thread(target=self._work_loop, name=f"dingtalk-{n}", daemon=True) for n in range(threads)]
        self._running = 0
        # A plain flag: a signal handler may set it while this very thread holds an Event's lock.
        self.stopping = False

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
            self._running += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Begin no more items. What is under way ends, and :meth:`results` still has it."""
        self.stopping = True

    def results(self) -> Iterator[R | None]:
        """Wait for results and yield them as they come; None now and then, so that the caller can do other things.

        :raises BaseException: what ended a thread, when all of them have ended.
        """
        failure: BaseException | None = None
        while self._running:
            try:
                worked, result = self._ended.get(timeout=RESULT_TIMEOUT)
            except Empty:
                yield None
                continue
            if worked:
                yield result
                continue
            self._running -= 1
            if isinstance(result, BaseException):
                self.stop()
                failure = failure or result
        if failure:
            raise failure

    @property
    def drained(self) -> bool:
        """Whether :meth:`results` has yielded all that there is so far."""
        return self._ended.empty()

    def hand_over(self, item: R) -> None:
        """Hand something over to who reads :meth:`results`, from within the work."""
        self._ended.put((True, item))

    def interruptible(self, sleep: Callable[[float], None]) -> Callable[[float], None]:
        """Make of a function that sleeps one that wakes up to stop.

        :raises Interrupted: by what is returned.
        """

        def nap(seconds: float) -> None:
            while seconds > 0 and not self.stopping:
                sleep(min(seconds, SLEEP_SLICE))
                seconds -= SLEEP_SLICE
            if self.stopping:
                raise Interrupted

        return nap

    def _work_loop(self) -> None:
        end: BaseException | None = None
        try:
            while not self.stopping and (item := self._next_item()):
                for result in self._work(item[0]):
                    self._ended.put((True, result))
        except Interrupted:
            pass
        except BaseException as error:  # of our own making; the one who reads the results shall know
            end = error
        self._ended.put((False, end))

    def _next_item(self) -> tuple[T] | None:
        with self._lock:  # generators cannot be asked by two threads at once
            return next(((item,) for item in self._items), None)


def thread_count(per_second: float, apis: int, items: int) -> int:
    """Return how many threads it takes to sustain a rate, which each of so many APIs has for itself."""
    return max(1, min(min(math.ceil(per_second * EXPECTED_LATENCY), API_THREADS) * apis, MAX_THREADS, items))
