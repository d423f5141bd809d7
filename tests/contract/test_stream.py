"""Stream mode: tickets, connections, pings and pushes."""

from __future__ import annotations

import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.calendars import Calendar
from tests.contract.stream import PING_PATIENCE, Gateway, answer_frame, await_push, read_frames


@pytest.mark.calls(0)
def test_a_ticket_leads_to_a_websocket(gateway: Gateway) -> None:
    """The answer has an endpoint and a ticket, and nothing is needed but key and secret."""
    answer = gateway.ask_ticket()
    assert answer.status_code == 200
    assert answer.json()["endpoint"].startswith(("ws://", "wss://"))
    with gateway.connect(answer.json()) as socket:
        assert socket.response
        assert socket.response.status_code == 101


@pytest.mark.calls(0)
def test_a_wrong_secret_gets_no_ticket(gateway: Gateway) -> None:
    """The error is the one that others have reported."""
    answer = gateway.ask_ticket(clientSecret="not-the-secret")
    assert (answer.status_code, answer.json()["code"]) == (401, "authFailed")


@pytest.mark.calls(0)
def test_a_ticket_is_good_for_one_connection(gateway: Gateway) -> None:
    """The same ticket opens no second one."""
    answer = gateway.ask_ticket().json()
    with gateway.connect(answer), pytest.raises(InvalidStatus), gateway.connect(answer):
        pass


@pytest.mark.calls(0)
def test_a_ping_has_something_to_answer_with(gateway: Gateway) -> None:
    """A ping comes unasked, has ``opaque`` data, and after the answer the connection is still there."""
    with gateway.open() as socket:
        gateway.pass_time(PING_PATIENCE)
        ping = next(frame for frame in read_frames(socket, PING_PATIENCE) if frame["headers"]["topic"] == "ping")
        assert (ping["type"], list(ping["data"])) == ("SYSTEM", ["opaque"])
        answer_frame(socket, ping, ping["data"])
        assert socket.ping().wait(20)


@pytest.mark.calls(3)
def test_a_patch_is_pushed(calendar: Calendar, gateway: Gateway) -> None:
    """The push names the event, and the organizer among those whom it concerns, with the documented headers."""
    event = calendar.create()
    with gateway.open() as socket:
        calendar.patch(event, {"location": "somewhere"})
        push = await_push(socket, event["id"], "updated")
    assert push["headers"]["eventType"] == "calendar_event_change"
    assert push["headers"].keys() >= {"topic", "messageId", "contentType", "time", "eventId", "eventBornTime"}
    people = push["data"].get("unionIdList") or push["data"]["UnionIdList"]
    assert calendar.organizer in people
