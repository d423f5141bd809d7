"""Stream mode: each kind of fault as a client sees it, and what becomes of the event."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidMessage

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.fault_rules import FAULT_KINDS, STREAM_ACTIONS
from airflow_dingtalk_calendar.emulator.state.sample import HOLIDAY, ONE_TO_ONE, REVIEW
from airflow_dingtalk_calendar.emulator.stream.faults import CONNECT_FAULTS, PUSH_FAULTS
from airflow_dingtalk_calendar.emulator.stream.frames import encode_frame
from tests.emulator.conftest import Client
from tests.emulator.stream_client import StreamClient, eventually

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection


@pytest.fixture
def change(client: Client) -> Any:
    """Change events, each of which is pushed."""

    def patch(*event_ids: str) -> None:
        for event_id in event_ids:
            assert client.patch(event_id, summary="x").status_code == 200

    return patch


def subjects(stream: StreamClient, socket: Any, count: int) -> list[str]:
    """Read frames; return the events that they are about."""
    return [stream.read(socket)["data"]["calendarEventId"] for _ in range(count)]


@pytest.fixture
def hanging(stream: StreamClient, dingtalk: Emulator) -> Iterator[Future[ClientConnection]]:
    """A connection that is being opened, and whose handshake is answered after 500 seconds."""
    dingtalk.fault(action="StreamConnect", kind="hang", seconds=500)
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(stream.open)
        dingtalk.reset()  # which ends it, if it hangs still


def test_a_handshake_that_is_not_answered(hanging: Future[ClientConnection], dingtalk: Emulator) -> None:
    """The client waits, and nobody is connected."""
    assert eventually(lambda: dingtalk.store.faults.rules[0].times == 0)
    dingtalk.advance_clock(499)
    with pytest.raises(TimeoutError):
        hanging.result(timeout=0.02)
    assert dingtalk.connections() == []


def test_a_handshake_that_is_answered_late(hanging: Future[ClientConnection], dingtalk: Emulator) -> None:
    """Once the time has passed the connection opens like any other."""
    assert eventually(lambda: dingtalk.store.faults.rules[0].times == 0)
    dingtalk.advance_clock(500)
    assert hanging.result(timeout=5)
    assert len(dingtalk.connections()) == 1


def test_a_connection_that_is_closed_at_once(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """It opens and is closed; nothing is pushed to it."""
    dingtalk.fault(action="StreamConnect", kind="close")
    assert stream.is_closed(stream.open())
    change(REVIEW)
    assert dingtalk.pushed_events()[0]["status"] == "lost"


def test_a_handshake_that_is_reset(stream: StreamClient, dingtalk: Emulator) -> None:
    """The connection is gone before there is an answer, and so is the ticket."""
    dingtalk.fault(action="StreamConnect", kind="reset")
    with pytest.raises((ConnectionError, EOFError, InvalidMessage)):
        stream.open()
    assert dingtalk.connections() == []


def test_a_duplicate(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """The same frame comes twice."""
    dingtalk.fault(kind="duplicate")
    socket = stream.open()
    change(REVIEW, ONE_TO_ONE)
    first, second = stream.read(socket), stream.read(socket)
    assert first == second
    assert subjects(stream, socket, 1) == [ONE_TO_ONE]


def test_out_of_order(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """What was to come first comes after the next."""
    dingtalk.fault(kind="out_of_order", times=2)
    socket = stream.open()
    change(REVIEW, ONE_TO_ONE, HOLIDAY)
    assert subjects(stream, socket, 3) == [HOLIDAY, REVIEW, ONE_TO_ONE]


def test_garbage(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """In the place of the event comes something else; the event comes at the time-out."""
    dingtalk.fault(kind="garbage", text='{"type": "EVENT"')
    socket = stream.open()
    change(REVIEW)
    assert socket.recv(timeout=5) == '{"type": "EVENT"'
    dingtalk.advance_clock(60)
    assert subjects(stream, socket, 1) == [REVIEW]


@pytest.mark.parametrize("rule", [{"kind": "truncated"}, {"kind": "raw", "text": "no frame at all"}, {"kind": "reset"}])
def test_a_connection_that_breaks_in_a_push(
    stream: StreamClient, change: Any, dingtalk: Emulator, rule: dict[str, str]
) -> None:
    """Half a frame, bytes that are no frame, or a reset: the connection is lost, and the event comes on another."""
    dingtalk.fault(action="StreamPush", **rule)
    broken = stream.open()
    change(REVIEW)
    with pytest.raises(ConnectionClosedError):
        broken.recv(timeout=5)
    other = stream.open()
    dingtalk.advance_clock(60)
    assert subjects(stream, other, 1) == [REVIEW]


def test_a_close_instead_of_a_push(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """The connection is closed properly, and the event comes on another."""
    dingtalk.fault(action="StreamPush", kind="close")
    socket = stream.open()
    change(REVIEW)
    assert stream.is_closed(socket)
    other = stream.open()
    dingtalk.advance_clock(60)
    assert subjects(stream, other, 1) == [REVIEW]


def test_a_slow_push(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """It comes late, and what follows it on the connection waits."""
    dingtalk.configure(stream_redelivery=1000)
    dingtalk.fault(action="StreamPush", kind="hang", seconds=100)
    socket = stream.open()
    change(REVIEW, ONE_TO_ONE)
    dingtalk.advance_clock(99)
    with pytest.raises(TimeoutError):
        socket.recv(timeout=0.02)
    dingtalk.advance_clock(1)
    assert subjects(stream, socket, 2) == [REVIEW, ONE_TO_ONE]


def test_a_push_that_drips(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """It comes byte by byte."""
    dingtalk.configure(stream_redelivery=10**6)
    dingtalk.fault(action="StreamPush", kind="drip", interval=1)
    socket = stream.open()
    change(REVIEW)
    dingtalk.advance_clock(300)
    with pytest.raises(TimeoutError):
        socket.recv(timeout=0.02)
    dingtalk.advance_clock(5000)
    assert subjects(stream, socket, 1) == [REVIEW]


def test_the_gateway_goes_silent(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """A push that never comes holds up everything on its connection, pings too; a new connection is served."""
    dingtalk.configure(stream_ping_interval=30)
    dingtalk.fault(action="StreamPush", kind="hang", seconds=999_999)
    silent = stream.open()
    change(REVIEW)
    dingtalk.advance_clock(30)
    with pytest.raises(TimeoutError):
        silent.recv(timeout=0.02)
    silent.close()
    other = stream.open()
    dingtalk.advance_clock(30)
    frames = [stream.read(other) for _ in range(2)]
    assert {frame["type"] for frame in frames} == {"EVENT", "SYSTEM"}


def test_skip_and_times_count_pushes(stream: StreamClient, change: Any, dingtalk: Emulator) -> None:
    """Rules count pushes as they count requests, and requests do not use them up."""
    dingtalk.fault(kind="garbage", skip=1)
    socket = stream.open()
    change(REVIEW, ONE_TO_ONE, HOLIDAY)
    assert subjects(stream, socket, 1) == [REVIEW]
    assert socket.recv(timeout=5) == "not a frame"
    assert subjects(stream, socket, 1) == [HOLIDAY]


@pytest.mark.parametrize("kind", ["hang", "close", "reset", "truncated"])
def test_a_rule_for_any_request_hits_no_push(stream: StreamClient, dingtalk: Emulator, kind: str) -> None:
    """What has to be named is named: connections and pushes are no requests."""
    socket, ticket = stream.open(), stream.ask_ticket().json()
    dingtalk.fault(kind=kind)
    dingtalk.store.put_events([dingtalk.event(REVIEW)])
    assert subjects(stream, socket, 1) == [REVIEW]
    assert stream.connect(ticket)
    assert dingtalk.store.faults.rules[0].times == 1


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "duplicate", "action": "PatchEvent"}, "duplicate cannot hit PatchEvent"),
        ({"kind": "duplicate", "action": "StreamConnect"}, "duplicate cannot hit StreamConnect"),
        ({"kind": "error", "action": "StreamPush"}, "error cannot hit StreamPush"),
        ({"kind": "close", "action": "StreamPushes"}, "did you mean 'StreamPush'"),
        ({"kind": "garbage", "text": 5}, "text cannot be 5"),
    ],
)
def test_a_rule_that_could_do_nothing_is_refused(dingtalk: Emulator, rule: dict[str, Any], message: str) -> None:
    """A kind that is not for an action is named."""
    with pytest.raises(ValueError, match=message):
        dingtalk.fault(**rule)


def test_every_kind_does_something_to_what_it_can_hit() -> None:
    """What a rule can name is what there is a function for."""
    functions = dict(zip(STREAM_ACTIONS, (CONNECT_FAULTS, PUSH_FAULTS), strict=True))
    for action, table in functions.items():
        assert table.keys() == {name for name, kind in FAULT_KINDS.items() if kind.can_hit(action)}


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65535, 65536])
def test_frames_of_any_length_are_encoded_as_a_websocket_does(length: int) -> None:
    """The bytes are those that the library would send."""
    from websockets.frames import Frame, Opcode

    text = "x" * length
    assert encode_frame(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
