"""Events under way: handed on once, acknowledged once everybody is done, remembered within bounds."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.exceptions import CredentialsError, TransportError
from airflow_dingtalk_calendar.stream.deliveries import MAX_ANSWERS, PushDeliveries
from airflow_dingtalk_calendar.stream.pushes import CalendarPush
from airflow_dingtalk_calendar.stream.reconnect import (
    ERROR_RETRY,
    LONGEST_WAIT,
    STABLE_SECONDS,
    ReconnectPolicy,
    draw_backoff,
)
from tests.stream_listener import Listener


def push(change_id: str) -> CalendarPush:
    """Make a push."""
    return CalendarPush(change_id, "updated", "an-event", ("lin",), "primary", None, "user")


def deliver(deliveries: PushDeliveries, listeners: Sequence[Listener], change_id: str = "c1") -> list[str]:
    """Deliver a push; return its answers, which grow."""
    answers: list[str] = []
    deliveries.receive(push(change_id), answers.append, listeners)
    return answers


@pytest.mark.parametrize(
    ("settles", "status"), [((True, True), "SUCCESS"), ((True, False), "LATER"), ((False, True), "LATER")]
)
def test_all_have_to_be_done(settles: tuple[bool, bool], status: str) -> None:
    """An event is done with if it is for all of them."""
    assert deliver(PushDeliveries(), [Listener(one) for one in settles]) == [status]


def test_nobody_is_there() -> None:
    """What no listener has received is not acknowledged."""
    assert deliver(PushDeliveries(), []) == ["LATER"]


def test_a_duplicate_under_way_waits_for_the_first() -> None:
    """Both are answered when the event is done with, and it is handed on once."""
    deliveries, listener = PushDeliveries(), Listener(None)
    first, again = deliver(deliveries, [listener]), deliver(deliveries, [listener])
    assert (first, again) == ([], [])
    listener.deliveries[0].settle(listener, clean=True)
    assert (first, again) == (["SUCCESS"], ["SUCCESS"])
    assert len(listener.deliveries) == 1


def test_settling_twice_counts_once() -> None:
    """Who settles again, or has nothing to settle, changes nothing."""
    deliveries, slow, other = PushDeliveries(), Listener(None), Listener(None)
    answers = deliver(deliveries, [slow, other])
    for _ in range(2):
        slow.deliveries[0].settle(slow, clean=True)
    slow.deliveries[0].settle(Listener(), clean=True)
    assert answers == []


def test_an_acknowledged_event_is_acknowledged_again() -> None:
    """A duplicate of it is answered at once, and not handed on."""
    deliveries, listener = PushDeliveries(), Listener()
    assert deliver(deliveries, [listener]) == ["SUCCESS"]
    assert deliver(deliveries, [listener]) == ["SUCCESS"]
    assert len(listener.deliveries) == 1


def test_the_memory_is_bounded() -> None:
    """Of events and of pushes of one event there are as many remembered as there may be."""
    deliveries, listener = PushDeliveries(max_pending=2, max_acknowledged=3), Listener()
    for number in range(100):
        deliver(deliveries, [listener], str(number))
    assert len(deliveries._acknowledged) == 3
    assert len(deliveries) == 0
    listener.settles = None
    answers = [deliver(deliveries, [listener], "new") for _ in range(100)]
    listener.deliveries[-1].settle(listener, clean=True)
    assert sum(len(one) for one in answers) == MAX_ANSWERS
    assert answers[-1] == ["SUCCESS"]


@given(
    pushed=st.lists(st.integers(0, 5), max_size=40),
    settled=st.lists(st.tuples(st.integers(0, 40), st.booleans()), max_size=40),
    most=st.integers(1, 4),
)
def test_every_push_is_answered_and_none_acknowledged_too_early(
    pushed: list[int], settled: list[tuple[int, bool]], most: int
) -> None:
    """Whatever the order, SUCCESS follows a clean end of that event, and in the end nothing is under way."""
    deliveries, listener = PushDeliveries(max_pending=most), Listener(None)
    answers, clean, ends = [], set[str](), iter(settled)
    for number in pushed:
        answers.append((str(number), deliver(deliveries, [listener], str(number))))
        index, how = next(ends, (0, True))
        if index < len(listener.deliveries):
            one = listener.deliveries[index]
            if how and one.push.change_id in deliveries._pending:
                clean.add(one.push.change_id)
            one.settle(listener, clean=how)
        assert len(deliveries) <= most
    for number, given_answers in answers:
        assert "SUCCESS" not in given_answers or number in clean
    deliveries.release(listener)
    assert len(deliveries) == 0
    assert all(len(given_answers) == 1 for _, given_answers in answers)


@given(st.integers(0, 10_000))
def test_backoff_grows_and_is_bounded(attempt: int) -> None:
    """Waits are random, longer each time, and a minute at most."""
    wait = draw_backoff(attempt)
    assert 0 <= wait <= LONGEST_WAIT
    assert wait >= min(2 ** min(attempt, 6), LONGEST_WAIT) / 2 or attempt == 0


def test_the_policy_forgets_failures_once_a_connection_is_stable() -> None:
    """A connection that lasted is followed by another at once; one that did not, by a wait."""
    policy = ReconnectPolicy()
    for _ in range(10):
        policy.next_wait(0.0)
    assert policy.attempt == 10
    assert policy.next_wait(STABLE_SECONDS) <= 1.0
    assert policy.attempt == 0


def test_waits_after_failures() -> None:
    """A transient failure is tried again soon, or when the service says; what a person has to correct, rarely."""
    policy = ReconnectPolicy()
    assert policy.wait_after(TransportError()) <= 2.0
    assert policy.wait_after(TransportError(retry_after=300.0)) == 300.0
    assert policy.wait_after(CredentialsError()) >= ERROR_RETRY
    assert policy.wait_after(KeyError()) >= ERROR_RETRY
