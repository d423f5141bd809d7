"""The wait of a producer: it ends when its time has passed, or when somebody wakes it."""

from __future__ import annotations

import asyncio

from airflow_dingtalk_calendar.watch.waker import Waker

LONG = 1000.0


def within(*steps: str) -> None:
    """Wake and wait in this order; a wait that is not ended by a wake-up would take too long."""

    async def run() -> None:
        waker = Waker()
        for step in steps:
            if step == "wake":
                waker.wake()
            elif step == "wake later":
                asyncio.get_running_loop().call_soon(waker.wake)
            else:
                await waker.wait(LONG if step == "wait" else 0.0)

    asyncio.run(asyncio.wait_for(run(), 5))


def test_a_wake_up_ends_the_wait() -> None:
    """Whoever wakes during the wait ends it."""
    within("wake later", "wait")


def test_a_wake_up_before_the_wait_counts() -> None:
    """What happened while the producer was at work is not missed, and several wake-ups are one."""
    within("wake", "wake", "wait", "no time")


def test_time_ends_the_wait_and_a_later_wake_up_the_next() -> None:
    """A wait that has timed out takes nothing away from the next one."""
    within("no time", "wake later", "wait", "wake", "wait")
