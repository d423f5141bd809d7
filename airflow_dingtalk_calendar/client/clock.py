"""Time as a dependency: code that has no clock of its own can be tested without waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """How to read the time and wait.

    :ivar monotonic: seconds that only go forward, for what stays in this process.
    :ivar time: the time of day, for what other processes read.
    :ivar sleep: wait some seconds, in a thread.
    :ivar asleep: wait some seconds, in a coroutine.
    """

    monotonic: Callable[[], float]
    time: Callable[[], float]
    sleep: Callable[[float], None]
    asleep: Callable[[float], Awaitable[None]]
