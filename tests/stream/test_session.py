"""One connection to Stream mode for each app, against the emulator's gateway over real sockets."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream import session, tasks
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS, open_stream
from airflow_dingtalk_calendar.stream.reconnect import ERROR_RETRY
from tests.conftest import DATA, EVENT, event
from tests.processes import until
from tests.stream_listener import Listener, until_true

Scenario = Callable[[], Awaitable[Any]]
OTHER = "another-event"
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def waits(dingtalk: Emulator, naps: list[float], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited; other tasks go on meanwhile. The calendar has two events."""
    dingtalk.reset({**DATA, "events": [event(), event(OTHER)]})
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)
        await asyncio.sleep(0)

    clock = replace(DingTalkBaseHook.clock, asleep=wait, monotonic=lambda: time.monotonic() + sum(waited))
    monkeypatch.setattr(DingTalkBaseHook, "clock", clock)
    return waited


@asynccontextmanager
async def listening(dingtalk: Emulator, *listeners: Listener, conn_id: str = "dingtalk_default") -> AsyncIterator[None]:
    """Have listeners receive pushes, from when the connection is open on."""
    async with AsyncExitStack() as stack:
        for listener in listeners:
            await stack.enter_async_context(APP_STREAMS.listen(listener, partial(DingTalkCalendarHook, conn_id)))
        await until_true(lambda: all(listener.connected for listener in listeners))
        yield


def change(dingtalk: Emulator, *event_ids: str) -> None:
    """Change events, each of which is pushed."""
    for event_id in event_ids or (EVENT,):
        dingtalk.store.put_events([dingtalk.event(event_id)])


def statuses(dingtalk: Emulator) -> list[str]:
    """Return what has become of each event."""
    return [one["status"] for one in dingtalk.pushed_events()]


def tickets(dingtalk: Emulator) -> int:
    """Count the requests for a ticket."""
    return sum(one["action"] == "OpenConnection" for one in dingtalk.requests)


@pytest.mark.parametrize("spelling", ["camelCase", "CamelCase"])
@pytest.mark.parametrize("times", ["text", "number"])
def test_a_push_is_received_and_acknowledged(dingtalk: Emulator, spelling: str, times: str) -> None:
    """A change is received once, without a metered call, and the gateway finds nothing wrong with the answer."""
    dingtalk.configure(stream_keys=spelling, stream_times=times)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])
            assert dingtalk.connections()[0]["problems"] == []

    asyncio.run(scenario())
    assert listener.event_ids == [EVENT]
    assert {one["action"] for one in dingtalk.requests} == {"OpenConnection"}
    assert dingtalk.connections() == []


def test_a_cancellation_that_is_lost(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream ends although what opens its connection returns a result when it is cancelled."""
    monkeypatch.setattr(tasks, "CANCEL_AGAIN", 0.01)
    opening = asyncio.Event()

    async def open_anyway() -> Any:
        socket = await open_stream(DingTalkCalendarHook)
        opening.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        return socket

    async def scenario() -> None:
        stream, listener = session.AppStream(DingTalkCalendarHook.clock), Listener()
        stream.add_listener(listener, open_anyway)
        await opening.wait()
        async with asyncio.timeout(10):
            assert await stream.remove_listener(listener)
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scenario())
    assert tickets(dingtalk) == 1
    until(lambda: not dingtalk.connections(), 10, lambda: "still connected")


def test_a_ping_is_answered(dingtalk: Emulator) -> None:
    """The service's ping is answered with its data."""

    async def scenario() -> None:
        async with listening(dingtalk, Listener()):
            dingtalk.advance_clock(60)
            await until_true(lambda: dingtalk.connections()[0]["pings_answered"] == 1)
            assert dingtalk.connections()[0]["problems"] == []

    asyncio.run(scenario())


def test_a_disconnect_is_bridged(dingtalk: Emulator) -> None:
    """Informed that its connection will be closed, a client has another one before that, and both are served."""
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            dingtalk.disconnect_all()
            await until_true(lambda: len(dingtalk.connections()) == 2)
            for _ in range(8):
                change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"] * 8)
            assert {one["connection"] for one in dingtalk.pushed_events()} == {1, 2}
            dingtalk.advance_clock(10)
            await until_true(lambda: len(dingtalk.connections()) == 1)

    asyncio.run(scenario())
    assert listener.connected == 2
    assert tickets(dingtalk) == 2


@pytest.mark.parametrize("unconnected", ["lost", "kept"])
def test_a_lost_connection_is_opened_again(dingtalk: Emulator, unconnected: str) -> None:
    """After a reset in a push there is a new connection, of which listeners are notified; the event comes again."""
    dingtalk.configure(stream_unconnected=unconnected)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            dingtalk.fault(action="StreamPush", kind="reset")
            change(dingtalk)
            await until_true(lambda: listener.connected == 2)
            dingtalk.advance_clock(60)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    assert listener.event_ids == [EVENT]


def test_a_gateway_that_is_restarted(dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """What ends without a word is opened again, and a failure to do so is said once, and that it is over."""
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            for _ in range(2):
                dingtalk.fault(action="OpenConnection", kind="error", status=503, code="ServiceUnavailable", times=5)
            dingtalk.store.stream.reset()
            await until_true(lambda: listener.connected == 2)
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    reported = [
        one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING and "Stream mode" in one.message
    ]
    assert len(reported) == 2
    assert "ServiceUnavailable" in reported[0]
    assert reported[1] == "Connected to Stream mode again."


def test_wrong_credentials_are_said_once_and_tried_slowly(
    dingtalk: Emulator, connect: Callable[..., None], caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    """A secret that DingTalk refuses is an error in the log, once, without the secret; corrected, it connects."""
    connect(password="a-wrong-secret")
    listener = Listener()

    async def scenario() -> None:
        async with APP_STREAMS.listen(listener, DingTalkCalendarHook):
            await until_true(lambda: tickets(dingtalk) >= 3)
            connect()
            await until_true(lambda: listener.connected)

    asyncio.run(scenario())
    errors = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert len(errors) == 1
    assert "password" in errors[0].getMessage()
    assert "a-wrong-secret" not in caplog.text
    assert [wait >= ERROR_RETRY for wait in waits[:3]] == [True] * 3


def test_one_connection_for_each_app(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Connection ids with the same app share a socket, and every listener receives everything."""
    monkeypatch.setenv("AIRFLOW_CONN_SECOND", json.dumps(dingtalk.connection()))
    first, second, third = Listener(), Listener(), Listener()

    async def scenario() -> None:
        async with listening(dingtalk, first, second), listening(dingtalk, third, conn_id="second"):
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])
            assert len(dingtalk.connections()) == 1
        assert dingtalk.connections() == [] or await until_true(lambda: not dingtalk.connections()) is None

    asyncio.run(scenario())
    assert first.event_ids == second.event_ids == third.event_ids == [EVENT]
    assert tickets(dingtalk) == 1


def test_a_wrong_connection_id_does_not_keep_the_others_away(
    dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two connection ids of one app, one with an old secret, the other one's secret opens the connection."""
    monkeypatch.setenv("AIRFLOW_CONN_OLD", json.dumps({**dingtalk.connection(), "password": "an-old-secret"}))
    old, good = Listener(), Listener()

    async def scenario() -> None:
        async with (
            APP_STREAMS.listen(old, partial(DingTalkCalendarHook, "old")),
            APP_STREAMS.listen(good, DingTalkCalendarHook),
        ):
            await until_true(lambda: old.connected and good.connected)

    asyncio.run(scenario())


def test_who_comes_later_is_notified_of_the_connection(dingtalk: Emulator) -> None:
    """A listener that joins an open connection is notified at once."""
    first, second = Listener(), Listener()

    async def scenario() -> None:
        async with listening(dingtalk, first), APP_STREAMS.listen(second, DingTalkCalendarHook):
            assert second.connected == 1

    asyncio.run(scenario())


def test_an_event_is_acknowledged_when_all_are_done(dingtalk: Emulator) -> None:
    """Pushed again meanwhile it is not handed on again; once it is settled, it is acknowledged to the gateway."""
    slow, quick = Listener(settles=None), Listener()

    async def scenario() -> None:
        async with listening(dingtalk, slow, quick):
            change(dingtalk)
            await until_true(lambda: slow.deliveries)
            dingtalk.advance_clock(60)
            await until_true(lambda: dingtalk.pushed_events()[0]["pushes"] == 2)
            assert statuses(dingtalk) == ["pushed"]
            slow.deliveries[0].settle(slow, clean=True)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    assert slow.event_ids == quick.event_ids == [EVENT]


def test_what_is_not_clean_comes_again(dingtalk: Emulator) -> None:
    """An event that somebody could not store is asked for later, and handed on anew."""
    listener = Listener(settles=False)

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            change(dingtalk)
            await until_true(lambda: statuses(dingtalk) == ["later"])
            listener.settles = True
            dingtalk.advance_clock(60)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    first, again = (one.push for one in listener.deliveries)
    assert first.change_id == again.change_id


def test_who_leaves_leaves_nothing_acknowledged(dingtalk: Emulator) -> None:
    """What a listener has not settled when it goes comes again, to whoever is there then."""
    going, staying = Listener(settles=None), Listener()

    async def scenario() -> None:
        async with listening(dingtalk, staying):
            async with listening(dingtalk, going):
                change(dingtalk)
                await until_true(lambda: going.deliveries)
            await until_true(lambda: statuses(dingtalk) == ["later"])
            dingtalk.advance_clock(60)
            await until_true(lambda: statuses(dingtalk) == ["acknowledged"])

    asyncio.run(scenario())
    assert staying.event_ids == [EVENT, EVENT]


def test_a_silent_connection_is_replaced(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any frame for too long a connection counts as dead, although its socket is open."""
    monkeypatch.setattr(session, "MAX_SILENCE", 0.05)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            await until_true(lambda: listener.connected >= 3)

    asyncio.run(scenario())


def test_a_service_that_does_not_close_after_its_disconnect(
    dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old connection is closed from this side, and the new one stays."""
    monkeypatch.setattr(session, "LAST_FRAMES", 0.05)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            dingtalk.disconnect_all()
            await until_true(lambda: listener.connected == 2)
            await until_true(lambda: [one["number"] for one in dingtalk.connections()] == [2])

    asyncio.run(scenario())
    assert listener.connected == 2


def test_a_connection_that_is_closed_at_once_is_not_hammered(dingtalk: Emulator, waits: list[float]) -> None:
    """Connections that come to nothing are opened less and less often."""
    dingtalk.fault(action="StreamConnect", kind="close", times=5)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            await until_true(lambda: listener.connected == 6)

    asyncio.run(scenario())
    assert [least <= wait <= 2 * least for wait, least in zip(waits, (1, 2, 4, 8), strict=False)] == [True] * 4


def test_a_handshake_that_is_never_answered(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """It is given up after the connection's timeout, and tried again."""
    connect({"timeout": 0.1})
    dingtalk.fault(action="StreamConnect", kind="hang", seconds=5000)
    listener = Listener()

    async def scenario() -> None:
        async with listening(dingtalk, listener):
            pass

    asyncio.run(scenario())
    assert tickets(dingtalk) == 2


def test_too_many_under_way_are_asked_for_later(dingtalk: Emulator) -> None:
    """The memory for events that nobody has settled is bounded; the others come again."""
    listener = Listener(settles=None)

    async def scenario() -> None:
        async with APP_STREAMS.listen(listener, DingTalkCalendarHook) as stream:
            stream.deliveries._max_pending = 3
            await until_true(lambda: listener.connected)
            change(dingtalk, *[EVENT] * 10)
            await until_true(lambda: sorted(statuses(dingtalk)) == ["later"] * 7 + ["pushed"] * 3)
            assert len(stream.deliveries) == 3

    asyncio.run(scenario())
    assert len(listener.deliveries) == 3


def test_nothing_secret_is_logged(dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Neither ticket nor secret nor what an event says is in the log, at any level."""
    caplog.set_level(1)
    logging.getLogger("websockets").setLevel(1)
    issued: list[str] = []
    issue = dingtalk.store.stream.issue_ticket

    def note_ticket(*given: Any, **named: Any) -> str:
        issued.append(issue(*given, **named))
        return issued[-1]

    dingtalk.store.stream.issue_ticket = note_ticket  # type: ignore[method-assign]
    dingtalk.fault(action="StreamConnect", kind="reset")
    try:
        asyncio.run(_receive_one(dingtalk))
    finally:
        del dingtalk.store.stream.issue_ticket  # type: ignore[method-assign]
    ours = "\n".join(one.getMessage() + (one.exc_text or "") for one in caplog.records if "emulator" not in one.name)
    assert len(issued) == 2
    assert not any(secret in ours for secret in [*issued, dingtalk.app_secret, "Planning", EVENT])


async def _receive_one(dingtalk: Emulator) -> None:
    async with listening(dingtalk, Listener()):
        change(dingtalk)
        await until_true(lambda: statuses(dingtalk) == ["acknowledged"])
