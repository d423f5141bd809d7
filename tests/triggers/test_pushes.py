"""Watchers that report what DingTalk pushes, on Airflow's own shared streams, against the emulator's gateway."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow shares streams from 3.3 on")

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS
from airflow_dingtalk_calendar.stream.deliveries import MAX_PENDING
from airflow_dingtalk_calendar.stream.producer import PushProducer
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as ChangesTrigger
from tests.conftest import EVENT, ORGANIZER
from tests.shared_streams import StreamRunner
from tests.stream.test_session import OTHER, change, statuses, waits
from tests.stream_listener import until_true

__all__ = ["waits"]  # a fixture


def watch(union_id: str = ORGANIZER, **options: Any) -> ChangesTrigger:
    """Make a watcher as Airflow does: from what it has stored."""
    _, kwargs = ChangesTrigger(union_id=union_id, source="push", **options).serialize()
    return ChangesTrigger(**json.loads(json.dumps(kwargs)))


async def until_connected(dingtalk: Emulator) -> None:
    """Wait for the connection."""
    await until_true(dingtalk.connections)


def test_a_push_is_reported_without_any_call(dingtalk: Emulator) -> None:
    """What comes of a push is its ids and kind; DingTalk is asked for a ticket and for nothing else."""
    runner = StreamRunner()

    async def scenario() -> None:
        async with runner.running(watch()):
            await until_connected(dingtalk)
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    (reported,) = runner.stored[1]
    assert reported == {
        "change_id": reported["change_id"],
        "kind": "updated",
        "event_id": EVENT,
        "union_ids": sorted([ORGANIZER, "iiPguest"]),
        "update_time": reported["update_time"],
        "operator_type": "user",
        "union_id": ORGANIZER,
        "calendar_id": "primary",
        "source": "push",
    }
    assert {one["action"] for one in dingtalk.requests} == {"OpenConnection"}
    assert dingtalk.effects["calls"] == {}


def test_each_watcher_reports_its_own(dingtalk: Emulator) -> None:
    """Watchers of a connection share one socket; filters are by person and by kind, and what nobody wants is done."""
    runner = StreamRunner()
    watchers = [watch(), watch("iiPguest"), watch("nobody"), watch(kinds=["deleted"]), watch(calendar_id="another")]

    async def scenario() -> None:
        async with runner.running(*watchers):
            await until_connected(dingtalk)
            change(dingtalk, EVENT, OTHER)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"] * 2)
            assert len(dingtalk.connections()) == 1

    asyncio.run(scenario())
    events = [[one["event_id"] for one in reported] for reported in runner.stored.values()]
    assert events == [[EVENT, OTHER], [EVENT, OTHER], [], [], []]
    assert sum(one["action"] == "OpenConnection" for one in dingtalk.requests) == 1


def test_nothing_is_acknowledged_before_it_is_stored(dingtalk: Emulator) -> None:
    """As long as Airflow has not stored what came of a push, it is not acknowledged to DingTalk."""
    runner = StreamRunner(stores=False)

    async def scenario() -> None:
        async with runner.running(watch(), watch(kinds=["created"])):
            await until_connected(dingtalk)
            change(dingtalk, EVENT, OTHER)
            await until_true(lambda: len(runner._held) == 2)
            await asyncio.sleep(0.05)
            assert statuses(dingtalk) == ["pushed"] * 2
            runner.store_held()
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"] * 2)

    asyncio.run(scenario())


def test_what_is_never_stored_is_asked_for_again(dingtalk: Emulator) -> None:
    """A push whose events are not stored in time is answered LATER, and reported anew under the same name."""
    runner = StreamRunner(stores=False, ack_timeout=0.1)

    async def scenario() -> None:
        async with runner.running(watch()):
            await until_connected(dingtalk)
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["later"])
        assert len(runner.failed) == 1
        await until_true(lambda: not dingtalk.connections())  # lest the next push goes to the connection that ends
        runner.stores = True
        async with runner.running(watch()):
            await until_connected(dingtalk)
            dingtalk.advance_clock(60)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    dingtalk.configure(stream_unconnected="kept")
    asyncio.run(scenario())
    assert [one["event_id"] for one in runner.stored[2]] == [EVENT]


def test_a_watcher_that_is_taken_away_leaves_its_events_to_the_gateway(dingtalk: Emulator) -> None:
    """What was pushed and not stored when the last watcher went comes again when there is one."""
    dingtalk.configure(stream_unconnected="kept")
    runner = StreamRunner(stores=False)

    async def scenario() -> None:
        async with runner.running(watch()):
            await until_connected(dingtalk)
            change(dingtalk)
            await until_true(lambda: runner._held)
        await until_true(lambda: not dingtalk.connections())
        assert statuses(dingtalk) != ["acknowledged"]
        runner.stores = True
        async with runner.running(watch()):
            dingtalk.advance_clock(60)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    assert [one["event_id"] for one in runner.stored[2]] == [EVENT]


def test_a_slow_store_does_not_hold_up_the_others(dingtalk: Emulator) -> None:
    """Each event is acknowledged by itself: one that is not stored yet holds up no other."""
    runner = StreamRunner(stores=False)

    async def scenario() -> None:
        async with runner.running(watch()):
            await until_connected(dingtalk)
            change(dingtalk, EVENT)
            await until_true(lambda: runner._held)
            runner.stores = True
            change(dingtalk, OTHER)
            await until_true(lambda: statuses(dingtalk) == ["pushed", "acknowledged"])

    asyncio.run(scenario())


def test_a_thousand_changes_for_25_assets(dingtalk: Emulator) -> None:
    """A burst that Airflow is slow to store is reported whole, and what is too much at once is left to the gateway."""
    runner = StreamRunner(stores=False)

    async def scenario() -> None:
        async with runner.running(*(watch() for _ in range(25))):
            await until_connected(dingtalk)
            (stream,) = APP_STREAMS._streams.values()
            for _ in range(40):
                change(dingtalk, *[EVENT] * 25)
                await asyncio.sleep(0)
            await until_true(lambda: statuses(dingtalk).count("later") == 1000 - MAX_PENDING)
            assert len(stream.deliveries) == MAX_PENDING
            runner.store_held()

            def are_done() -> bool:
                dingtalk.advance_clock(2.0)
                return set(statuses(dingtalk)) == {"acknowledged"}

            await until_true(are_done, 60)
            assert len(stream.deliveries) == 0

    asyncio.run(scenario())
    assert [len({one["change_id"] for one in reported}) for reported in runner.stored.values()] == [1000] * 25
    assert runner.failed == []


def test_a_wrong_connection_never_ends_the_stream(
    dingtalk: Emulator, connect: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """A connection that cannot be read is an error in the log; corrected, pushes come."""
    connect(login="")
    runner = StreamRunner()

    async def scenario() -> None:
        async with runner.running(watch()):
            await until_true(lambda: "login" in caplog.text)
            connect()
            await until_connected(dingtalk)
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    assert len(runner.stored[1]) == 1
    assert runner.failed == []


def test_fewer_are_under_way_than_airflow_holds() -> None:
    """A watcher's queue is never overrun by pushes."""
    from airflow.triggers.shared_stream import DEFAULT_SUBSCRIBER_QUEUE_MAX

    assert MAX_PENDING < DEFAULT_SUBSCRIBER_QUEUE_MAX
    assert isinstance(ChangesTrigger.create_shared_stream_producer(watch().serialize()[1]), PushProducer)
