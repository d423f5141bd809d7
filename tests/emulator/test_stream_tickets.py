"""Stream mode: the ticket, and opening a connection with it."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW, SAMPLE
from tests.emulator.answers import error_of
from tests.emulator.conftest import Client
from tests.emulator.stream_client import StreamClient

if TYPE_CHECKING:
    import httpx


def refused(stream: StreamClient, answer: dict[str, str]) -> bool:
    """Return whether the handshake with a ticket is refused."""
    try:
        stream.connect(answer)
    except InvalidStatus as error:
        return error.response.status_code == 403
    return False


def test_a_ticket_opens_a_connection(stream: StreamClient, dingtalk: Emulator) -> None:
    """The answer has the address of the WebSocket and a ticket; there is a connection then, for the app that asked."""
    answer = stream.ask_ticket().json()
    assert answer.keys() == {"endpoint", "ticket"}
    assert answer["endpoint"] == dingtalk.url.replace("http://", "ws://") + "/connect"
    assert dingtalk.connections() == []
    stream.connect(answer)
    (connection,) = dingtalk.connections()
    assert (connection["app_key"], connection["agent"]) == (dingtalk.app_key, "tests-python/1")


def test_a_ticket_is_good_once(stream: StreamClient, dingtalk: Emulator) -> None:
    """The second connection with the same ticket is refused, and the first one stays."""
    answer = stream.ask_ticket().json()
    stream.connect(answer)
    assert refused(stream, answer)
    assert len(dingtalk.connections()) == 1


def test_a_ticket_expires(stream: StreamClient, dingtalk: Emulator) -> None:
    """It is good for 90 seconds, or as long as the switch says."""
    young, old = (stream.ask_ticket().json() for _ in range(2))
    dingtalk.advance_clock(89.9)
    assert not refused(stream, young)
    dingtalk.advance_clock(0.1)
    assert refused(stream, old)
    dingtalk.configure(stream_ticket_lifetime=5)
    short = stream.ask_ticket().json()
    dingtalk.advance_clock(5)
    assert refused(stream, short)


@pytest.mark.parametrize("ticket", ["", "made-up", "%00", "%E4%BD%A0"])
def test_a_made_up_ticket_opens_nothing(stream: StreamClient, ticket: str) -> None:
    """What no app was given is refused."""
    assert refused(stream, {**stream.ask_ticket().json(), "ticket": ticket})


def test_a_ticket_is_good_at_its_address_only(stream: StreamClient) -> None:
    """Other paths have no WebSocket."""
    answer = stream.ask_ticket().json()
    assert refused(stream, {**answer, "endpoint": answer["endpoint"] + "/elsewhere"})


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"clientSecret": "wrong"}, (401, "authFailed")),
        ({"clientId": "nobody"}, (401, "authFailed")),
        ({"clientId": ""}, (400, "MissingclientId")),
        ({"clientSecret": None}, (400, "MissingclientSecret")),
        ({"subscriptions": None}, (400, "invalidParameter")),
        ({"subscriptions": []}, (400, "invalidParameter")),
        ({"subscriptions": [{"type": "EVENT"}]}, (400, "invalidParameter")),
        ({"subscriptions": [{"type": "EVENT", "topic": "calendar_event_change"}]}, (400, "invalidParameter")),
        ({"subscriptions": [{"type": "NEWS", "topic": "*"}]}, (400, "invalidParameter")),
    ],
)
def test_what_is_wrong_gets_no_ticket(stream: StreamClient, body: dict[str, object], error: tuple[int, str]) -> None:
    """Wrong credentials, and subscriptions that there are not, are refused; of events there is only ``*``."""
    assert error_of(stream.ask_ticket(**body)) == error


def test_a_ticket_needs_no_access_token_and_is_not_metered(stream: StreamClient, dingtalk: Emulator) -> None:
    """The call is in the log, without the secret, and costs nothing."""
    stream.ask_ticket(localIp="192.0.2.1", more=1)
    (request,) = dingtalk.requests
    assert (request["action"], request["status"], request["ignored"]) == ("OpenConnection", 200, ["more"])
    assert request["body"]["clientSecret"] == "***"
    assert dingtalk.effects["calls"] == {}


def test_an_app_that_has_not_subscribed_gets_no_events(
    stream: StreamClient, client: Client, dingtalk: Emulator
) -> None:
    """A connection for a robot's messages alone is one that no event is pushed to."""
    stream.open(subscriptions=[{"type": "CALLBACK", "topic": "/v1.0/im/bot/messages/get"}])
    client.patch(REVIEW, summary="x")
    assert [event["status"] for event in dingtalk.pushed_events()] == ["lost"]


def test_faults_of_requests_hit_the_ticket_too(stream: StreamClient, dingtalk: Emulator) -> None:
    """The call for a ticket can fail like any other."""
    dingtalk.fault(action="OpenConnection", kind="error", status=503, code="serviceBusy")
    assert error_of(stream.ask_ticket()) == (503, "serviceBusy")
    assert stream.ask_ticket().status_code == 200


def test_a_reset_ends_connections_and_tickets(stream: StreamClient, dingtalk: Emulator) -> None:
    """After a reset nobody is connected, and nothing of before opens anything."""
    socket_, answer = stream.open(), stream.ask_ticket().json()
    dingtalk.reset()
    assert stream.is_closed(socket_)
    assert dingtalk.connections() == []
    assert refused(stream, answer)


def test_a_connection_ends_with_the_emulator(http: httpx.Client) -> None:
    """Leaving the block cuts connections and frees the port."""
    with ExitStack() as sockets, Emulator() as dingtalk:
        client = StreamClient(dingtalk, http, sockets)
        opened = client.open()
        address = urlsplit(dingtalk.url)
    assert client.is_closed(opened)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((str(address.hostname), int(address.port or 0)))


def test_each_app_has_tickets_of_its_own(stream: StreamClient, dingtalk: Emulator) -> None:
    """A ticket is the app's whose credentials were given."""
    other = {"appKey": "another", "appSecret": "made-up"}
    dingtalk.reset({**SAMPLE, "apps": [*SAMPLE["apps"], other]})
    stream.open(clientId="another", clientSecret="made-up")
    assert [one["app_key"] for one in dingtalk.connections()] == ["another"]
