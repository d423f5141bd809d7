"""The pace by simulation: callers that wake up late, give up, and are held back."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from itertools import count, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.client.rate_limiter import (
    FEWEST_LATENCIES,
    STEADY_WINDOW,
    VARYING_WINDOW,
    RateLimiter,
    Turn,
)

Holds = list[tuple[float, float]]


def departures(
    callers: int,
    calls: int,
    rate: float,
    *,
    late: float = 0.0,
    holds: Holds | None = None,
    stalled: Callable[[float], float] = lambda sent: 0.0,
    service: tuple[float, float] = (0.01, 0.3),
) -> list[float]:
    """Simulate callers that call again and again; return when the calls went.

    :param late: seconds that a sleep may take longer than asked for, at most.
    :param holds: at which time somebody holds the pace, and for how many seconds.
    :param stalled: how much later than usual a call arrives, by when it went.
    :param service: seconds that an answer takes, from and to.
    """
    pace, chance, order = RateLimiter(), random.Random(0), count()  # noqa: S311  # no secret
    events: list[tuple[float, int, Turn | None]] = [(0.0, next(order), None) for _ in range(callers)]
    held = sorted(holds or [], reverse=True)
    gone: list[float] = []
    while len(gone) < calls:
        now, _, turn = heapq.heappop(events)
        while held and held[-1][0] <= now:
            at, seconds = held.pop()
            pace.hold_until("api", at + seconds)
        if turn and turn.sent < now:
            pace.note_answer(turn, now)
            turn = None
        turn = turn or pace.join_queue("api", now)
        if wait := pace.next_wait(turn, now, rate):
            heapq.heappush(events, (now + wait + chance.uniform(0, late), next(order), turn))
        else:
            gone.append(now)
            heapq.heappush(events, (now + stalled(now) + chance.uniform(*service), next(order), turn))
    return gone


rates = st.floats(0.2, 100)
seconds = st.floats(0, 3)


@given(callers=st.integers(1, 40), rate=rates, late=st.floats(0, 0.5), holds=st.lists(st.tuples(seconds, seconds)))
def test_no_second_has_more_calls_than_allowed(callers: int, rate: float, late: float, holds: Holds) -> None:
    """However late callers wake up and whatever holds come, no second has more calls than the rate says."""
    gone = departures(callers, 120, rate, late=late, holds=holds)
    most = math.ceil(rate)
    assert all(later - earlier >= 1 for earlier, later in zip(gone, gone[most:], strict=False))


@given(callers=st.integers(1, 40), rate=rates, late=st.floats(0, 0.5), holds=st.lists(st.tuples(seconds, seconds)))
def test_nobody_goes_during_a_hold(callers: int, rate: float, late: float, holds: Holds) -> None:
    """From a hold to its end no call goes, not even of those who waited before it came."""
    gone = departures(callers, 120, rate, late=late, holds=holds)
    for at, length in holds:
        assert [time for time in gone if at <= time < at + length - 1e-6] == []


@given(callers=st.integers(1, 40), rate=st.floats(1, 100))
def test_there_is_no_burst(callers: int, rate: float) -> None:
    """Calls are spaced evenly from the first one on; no more than one is caught up when the margin gets smaller."""
    gone = departures(callers, 60, rate, holds=[(1.0, 1.0)], service=(0.1, 0.1))
    assert all(later - earlier >= VARYING_WINDOW / rate - 1e-6 for earlier, later in pairwise(gone[:FEWEST_LATENCIES]))
    assert all(later - earlier >= STEADY_WINDOW / rate - 1e-6 for earlier, later in zip(gone, gone[2:], strict=False))


@pytest.mark.parametrize("late", [0.0, 0.005, 0.03])
def test_the_rate_is_used_up(late: float) -> None:
    """Twenty callers make 1,000 calls at 20 per second within 5 % of the time that they take at least."""
    gone = departures(20, 1000, 20, late=late)
    assert gone[-1] < 1000 / 20 * 1.05


@pytest.mark.parametrize("length", [0.03, 0.1, 0.2])
def test_calls_that_arrive_late_are_counted_from_there(length: float) -> None:
    """After calls that were held up on their way, no second has more arrivals than allowed either."""

    def stalled(sent: float) -> float:
        return max(0.0, 10.0 + length - sent) if sent >= 10.0 else 0.0

    gone = departures(20, 400, 20, stalled=stalled, service=(0.08, 0.085))
    arrived = sorted(sent + stalled(sent) for sent in gone)
    assert all(later - earlier >= 1 for earlier, later in zip(arrived, arrived[20:], strict=False))
    assert gone[-1] < 400 / 20 * 1.05


@pytest.mark.parametrize(
    ("service", "most"),
    [((0.08, 0.085), 1.02), ((0.3, 0.305), 1.02), ((0.08, 0.1), 1.025), ((0.1, 0.4), 1.05), ((0.05, 2.0), 1.06)],
)
def test_the_margin_is_as_large_as_the_service_varies(service: tuple[float, float], most: float) -> None:
    """A steady service is used up but for 2 %, by 64 callers, and one that varies by more for more: at most 6 %."""
    gone = departures(64, 2000, 20, service=service)
    assert gone[-1] < 2000 / 20 * most
    assert all(later - earlier >= 1 for earlier, later in zip(gone, gone[20:], strict=False))


@given(lates=st.lists(st.floats(0, 0.05), min_size=20, max_size=60))
def test_calls_of_a_steady_service_are_counted_when_they_arrive(lates: list[float]) -> None:
    """Calls that are late now and then by some hundredths of a second never make a second of too many arrivals."""

    def stalled(sent: float) -> float:
        number = int(sent * 7)
        return lates[number % len(lates)] if number % 12 == 0 else 0.0

    gone = departures(20, 200, 20, stalled=stalled, service=(0.08, 0.081))
    arrived = sorted(sent + stalled(sent) for sent in gone)
    assert all(later - earlier >= 1 for earlier, later in zip(arrived, arrived[20:], strict=False))


def test_connections_that_have_to_be_opened() -> None:
    """The first calls arrive later than the others, because connections are opened: none is throttled for that."""

    def opened(sent: float) -> float:
        return 0.1 if sent < 0.2 else 0.0

    gone = departures(20, 100, 20, stalled=opened, service=(0.08, 0.085))
    arrived = sorted(sent + opened(sent) for sent in gone)
    assert all(later - earlier >= 1 for earlier, later in zip(arrived, arrived[20:], strict=False))


def test_callers_go_in_the_order_they_came() -> None:
    """Nobody is overtaken by somebody who came later and asked first."""
    pace = RateLimiter()
    first, second = pace.join_queue("api", 0), pace.join_queue("api", 0)
    assert pace.next_wait(second, 0, 10) == pytest.approx(0.1 * VARYING_WINDOW)
    assert pace.next_wait(first, 0, 10) == 0
    assert pace.next_wait(second, 0.05, 10) == pytest.approx(0.1 * VARYING_WINDOW - 0.05)
    assert pace.next_wait(second, 0.2, 10) == 0


def test_somebody_who_never_asks_again_blocks_nobody() -> None:
    """A caller that was killed while it waited costs its turn, no more."""
    pace = RateLimiter()
    pace.join_queue("api", 0)
    other = pace.join_queue("api", 0)
    assert pace.next_wait(other, 0, 10) == pytest.approx(0.1 * VARYING_WINDOW)
    assert pace.next_wait(other, 0.2, 10) == 0


def test_a_hold_is_for_one_api() -> None:
    """Another API goes on, and a shorter hold does not end a longer one."""
    pace = RateLimiter()
    pace.hold_until("api", 5)
    pace.hold_until("api", 2)
    assert pace.next_wait(pace.join_queue("other", 0), 0, 10) == 0
    assert pace.next_wait(pace.join_queue("api", 0), 0, 10) == 5
