"""Stream mode: ping, disconnect, and what the emulator shows of connections."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW
from tests.emulator.conftest import Client
from tests.emulator.stream_client import StreamClient, eventually

if TYPE_CHECKING:
    import httpx


def test_a_ping_is_answered_with_its_data(stream: StreamClient, dingtalk: Emulator) -> None:
    """A ping is a frame of the system with something opaque in it, which its answer has to have."""
    dingtalk.configure(stream_ping_interval=30)
    socket = stream.open()
    dingtalk.advance_clock(29)
    assert dingtalk.connections()[0]["pings_unanswered"] == 0
    dingtalk.advance_clock(1)
    ping = stream.read(socket)
    assert (ping["type"], ping["headers"]["topic"], list(ping["data"])) == ("SYSTEM", "ping", ["opaque"])
    assert dingtalk.connections()[0]["pings_unanswered"] == 1
    stream.answer(socket, ping, ping["data"])
    assert eventually(lambda: dingtalk.connections()[0]["pings_answered"] == 1)
    assert dingtalk.connections()[0]["pings_unanswered"] == 0


def test_a_wrong_answer_to_a_ping_is_noted(stream: StreamClient, dingtalk: Emulator) -> None:
    """Other data, or another code, is no answer."""
    dingtalk.configure(stream_ping_interval=30)
    socket = stream.open()
    dingtalk.advance_clock(30)
    ping = stream.read(socket)
    stream.answer(socket, ping, {"status": "SUCCESS"})
    stream.answer(socket, ping, ping["data"], code=404)
    assert eventually(lambda: len(dingtalk.connections()[0]["problems"]) == 2)
    assert "the ping's data" in dingtalk.connections()[0]["problems"][0]
    assert dingtalk.connections()[0]["pings_answered"] == 0


def test_a_connection_is_disconnected_by_age(stream: StreamClient, dingtalk: Emulator) -> None:
    """With the switch, each connection gets a disconnect with a reason, and is closed ten seconds later."""
    dingtalk.configure(stream_connection_lifetime=1000)
    socket = stream.open()
    dingtalk.advance_clock(999)
    assert dingtalk.connections()[0]["closes_in"] is None
    dingtalk.advance_clock(1)
    frame = stream.read(socket)
    assert (frame["type"], frame["headers"]["topic"], list(frame["data"])) == ("SYSTEM", "disconnect", ["reason"])
    assert dingtalk.connections()[0]["closes_in"] == pytest.approx(10, abs=1)
    dingtalk.advance_clock(10)
    assert stream.is_closed(socket)
    assert dingtalk.connections() == []


def test_all_connections_can_be_disconnected(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Each is notified once; until it is closed a connection gets events, and the one that follows it does, too."""
    sockets = [stream.open() for _ in range(2)]
    dingtalk.disconnect_all()
    dingtalk.disconnect_all()
    assert [stream.read(socket)["headers"]["topic"] for socket in sockets] == ["disconnect"] * 2
    client.patch(REVIEW, summary="x")
    assert dingtalk.unacknowledged()[0]["connection"] in (1, 2)
    follower = stream.open()
    dingtalk.advance_clock(10)
    assert [one["number"] for one in dingtalk.connections()] == [3]
    dingtalk.advance_clock(50)
    assert stream.read(follower)["data"]["calendarEventId"] == REVIEW


def test_the_control_api_reads_and_disconnects(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Another process gets what the emulator returns in its own, and can disconnect with a reason."""
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    answer = client.control("GET", "stream").json()
    assert answer["unacknowledged"] == dingtalk.unacknowledged()
    assert [one["number"] for one in answer["connections"]] == [1]
    stream.read(socket)
    answer = client.control("POST", "stream/disconnect", json={"reason": "maintenance"}).json()
    assert answer["connections"][0]["closes_in"] == pytest.approx(10, abs=1)
    assert stream.read(socket)["data"] == {"reason": "maintenance"}


@pytest.mark.parametrize("body", ['{"reason": 5}', '{"why": "x"}', "[]"])
def test_a_wrong_disconnect_is_refused(stream: StreamClient, client: Client, dingtalk: Emulator, body: str) -> None:
    """Bad input gets a 400, and nobody is disconnected."""
    stream.open()
    assert client.control("POST", "stream/disconnect", content=body).status_code == 400
    assert dingtalk.connections()[0]["closes_in"] is None


def test_time_passes_for_a_running_emulator_too(http: httpx.Client) -> None:
    """What is due comes without anybody moving the clock."""
    with ExitStack() as sockets, Emulator(stream_ping_interval=0.05) as dingtalk:
        client = StreamClient(dingtalk, http, sockets)
        assert client.read(client.open())["headers"]["topic"] == "ping"


def test_a_clock_of_the_test_is_followed(http: httpx.Client) -> None:
    """A clock that is injected decides when something is due, whoever moves it."""
    now = [1_800_000_000.0]
    with ExitStack() as sockets, Emulator(clock=lambda: now[0]) as dingtalk:
        client = StreamClient(dingtalk, http, sockets)
        socket = client.open()
        now[0] += 60
        assert client.read(socket)["headers"]["time"] == str(int(now[0] * 1000))


def test_the_page_shows_connections_and_events(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Who is connected, what is not acknowledged, and what was wrong with an answer; all of it is escaped."""

    def page() -> str:
        return client.http.get(dingtalk.url + "/").text

    assert "No connection is open." in page()
    socket = stream.open(ua="<script>/1")
    client.patch(REVIEW, summary="Not <b>seen</b>")
    for expected in ("&lt;script&gt;/1", "1 pushed, 0 acknowledged", "Not acknowledged", "pushed, last on no. 1"):
        assert expected in page()
    assert "<script>" not in page()
    dingtalk.advance_clock(60)
    assert "pushed, 2 times, last on no. 1" in page()
    dingtalk.disconnect_all()
    assert "closes in 10 s" in page()
    socket.send("<i>")
    assert eventually(lambda: "not an answer: the answer must be the text of a JSON object" in page())
    stream.acknowledge(socket, stream.read(socket))
    assert eventually(lambda: "Every event that was pushed is acknowledged." in page())


def test_the_page_counts_a_crowd(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Of very many events some are shown and the rest counted; those that wait say so."""
    dingtalk.configure(stream_unconnected="kept")
    for _ in range(60):
        dingtalk.store.put_events([dingtalk.event(REVIEW)])
    text = client.http.get(dingtalk.url + "/").text
    assert "and 10 more" in text
    assert text.count("waits for a connection") == 50
