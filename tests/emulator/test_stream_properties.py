"""Stream mode under any order of changes, answers, faults and lost connections."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW
from airflow_dingtalk_calendar.emulator.stream.faults import CONNECT_FAULTS, PUSH_FAULTS
from tests.emulator.stream_client import Frame, StreamClient

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
FAULTS = [
    *({"action": "StreamConnect", "kind": kind} for kind in sorted(CONNECT_FAULTS) if kind == "close"),
    *({"action": "StreamPush", "kind": kind} for kind in sorted(PUSH_FAULTS)),
]
STEPS = st.one_of(
    st.sampled_from([("change", REVIEW), ("change", ONE_TO_ONE), ("open",), ("drop",), ("read",), ("disconnect",)]),
    st.sampled_from(FAULTS).map(lambda rule: ("fault", rule)),
)
ANSWERS = st.lists(st.sampled_from(["SUCCESS", "LATER", "", "nonsense"]), max_size=20)
ROUND, SETTLING = 60.0, 25.0
# So slow that all faults of an example are over in the settling time, which is shorter than the one to redelivery.
SLOWNESS = {"hang": {"seconds": 1.0}, "drip": {"interval": 0.001}}


class Consumer:
    """A client that answers as its script says, at last always with SUCCESS, and keeps what it got.

    Each round of reading ends with a ping on each connection, so that nothing has to be waited for.
    """

    def __init__(self, stream: StreamClient, answers: list[str]) -> None:
        self.stream, self.answers = stream, answers
        self.sockets: list[ClientConnection] = []
        self.received: Counter[str] = Counter()
        self.acknowledged: set[str] = set()

    def read_round(self) -> None:
        """Let the time of a round pass, and read all that comes on each connection."""
        if not self.sockets:
            self.sockets.append(self.stream.open())
        self.stream.emulator.advance_clock(ROUND)
        self.stream.emulator.advance_clock(SETTLING)  # for what is pushed only now, and slowly
        self.sockets = [socket for socket in self.sockets if self._read_to_ping(socket)]

    def _read_to_ping(self, socket: ClientConnection) -> bool:
        try:
            while (text := socket.recv(timeout=5)) is not None:
                if text == "not a frame":
                    continue
                frame = self.stream.parse(text)
                if frame["headers"]["topic"] == "ping":
                    self.stream.answer(socket, frame, frame["data"])
                    return True
                if frame["type"] == "EVENT":
                    self._take(socket, frame)
        except ConnectionClosed:
            pass
        return False

    def _take(self, socket: ClientConnection, frame: Frame) -> None:
        event_id = frame["headers"]["eventId"]
        self.received[event_id] += 1
        status = self.answers.pop() if self.answers else "SUCCESS"
        if status:
            self.stream.acknowledge(socket, frame, status)
        if status == "SUCCESS":
            self.acknowledged.add(event_id)


def take_step(step: tuple[Any, ...], consumer: Consumer, dingtalk: Emulator) -> None:
    """Do one thing."""
    if step[0] == "change":
        dingtalk.store.put_events([dingtalk.event(step[1])])
    elif step[0] == "fault":
        dingtalk.fault(**step[1], **SLOWNESS.get(step[1]["kind"], {}))
    elif step[0] == "open":
        consumer.sockets.append(consumer.stream.open())
    elif step[0] == "disconnect":
        dingtalk.disconnect_all()
    elif step[0] == "drop" and consumer.sockets:
        consumer.sockets.pop().close()
    else:
        consumer.read_round()


@relaxed
@given(steps=st.lists(STEPS, max_size=15), answers=ANSWERS, seed=st.integers(0, 9))
def test_each_change_is_received_at_least_once(
    stream: StreamClient, dingtalk: Emulator, steps: list[tuple[Any, ...]], answers: list[str], seed: int
) -> None:
    """Whatever happens, each event that is kept comes until it is acknowledged."""
    dingtalk.reset(stream_unconnected="kept", stream_seed=seed, stream_ping_interval=ROUND, stream_redelivery=ROUND / 2)
    consumer = Consumer(stream, list(answers))
    for step in steps:
        take_step(step, consumer, dingtalk)
    dingtalk.store.faults.rules.clear()
    rounds = 0
    while dingtalk.unacknowledged() and rounds < 100:
        consumer.read_round()
        rounds += 1
    events = dingtalk.pushed_events()
    assert {event["status"] for event in events} <= {"acknowledged"}
    assert len(events) == sum(step[0] == "change" for step in steps)
    assert consumer.received.keys() == {event["event_id"] for event in events} == consumer.acknowledged
    assert all(event["pushes"] >= 1 for event in events)


@relaxed
@given(
    changes=st.lists(st.sampled_from([REVIEW, ONE_TO_ONE]), max_size=12),
    connections=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_without_faults_each_event_comes_once_and_in_order(
    stream: StreamClient, dingtalk: Emulator, changes: list[str], connections: int, seed: int
) -> None:
    """A client that acknowledges receives each change once, on one of its connections, on each in their order."""
    dingtalk.reset(stream_seed=seed, stream_ping_interval=ROUND)
    consumer = Consumer(stream, [])
    consumer.sockets = [stream.open() for _ in range(connections)]
    dingtalk.store.put_events([dingtalk.event(event_id) for event_id in changes])
    events = dingtalk.pushed_events()
    shares = [0] * connections
    for event in events:
        shares[event["connection"] - 1] += 1
    for number, socket in enumerate(consumer.sockets, 1):
        mine = [event["event_id"] for event in events if event["connection"] == number]
        frames = [stream.read(socket) for _ in mine]
        assert [frame["headers"]["eventId"] for frame in frames] == mine
    assert sum(shares) == len(changes) == len(events)
