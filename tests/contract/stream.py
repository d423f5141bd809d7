"""The gateway of Stream mode, asked by a plain client: httpx for the ticket, websockets for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from typing import Any

import httpx
from websockets.sync.client import ClientConnection, connect

from tests.contract.places import Place

Frame = dict[str, Any]
# Seconds for which a push, and a ping, is waited for in a tenant; how often DingTalk sends pings is not documented.
PUSH_PATIENCE, PING_PATIENCE = 60.0, 180.0


class Gateway:
    """Where an app asks for tickets and connects.

    :param advance: moves the emulator's clock; None in a tenant, where time has to pass.
    """

    def __init__(self, place: Place, advance: Callable[[float], None] | None = None) -> None:
        self.place, self._advance = place, advance

    def ask_ticket(self, **body: Any) -> httpx.Response:
        """Ask for a ticket, with the app's own credentials unless others are given."""
        app = {"clientId": self.place.connection["login"], "clientSecret": self.place.connection["password"]}
        given = {**app, "subscriptions": [{"type": "EVENT", "topic": "*"}], **body}
        url = f"{self.place.connection['host']}/v1.0/gateway/connections/open"
        return httpx.post(url, json=given, timeout=20)

    def connect(self, answer: Mapping[str, str]) -> AbstractContextManager[ClientConnection]:
        """Open the WebSocket that an answer leads to."""
        return connect(f"{answer['endpoint']}?ticket={answer['ticket']}")

    def open(self) -> AbstractContextManager[ClientConnection]:
        """Open a WebSocket with a ticket of its own."""
        return self.connect(self.ask_ticket().json())

    def pass_time(self, seconds: float) -> None:
        """Let time pass where that can be done without waiting."""
        if self._advance:
            self._advance(seconds)


def read_frames(socket: ClientConnection, patience: float) -> Iterator[Frame]:
    """Yield frames, their data parsed, while each comes within some seconds; events are acknowledged."""
    with suppress(TimeoutError):
        while True:
            frame = json.loads(socket.recv(timeout=patience))
            parsed = {**frame, "data": json.loads(frame["data"])}
            if frame["type"] == "EVENT":
                answer_frame(socket, parsed, {"status": "SUCCESS"})
            yield parsed


def answer_frame(socket: ClientConnection, frame: Frame, data: Any) -> None:
    """Answer a frame as documented."""
    headers = {"messageId": frame["headers"]["messageId"], "contentType": "application/json"}
    socket.send(json.dumps({"code": 200, "headers": headers, "message": "OK", "data": json.dumps(data)}))


def await_push(socket: ClientConnection, event_id: str, change_type: str) -> Frame:
    """Return the push of a change."""
    for frame in read_frames(socket, PUSH_PATIENCE):
        if pushed_change(frame) == (event_id, change_type):
            return frame
    raise AssertionError(f"no push came of what was {change_type}")


def changes_received(socket: ClientConnection, event_id: str, until: str, patience: float) -> list[str]:
    """Return which changes of an event are pushed until one of them is, and for some seconds after it."""
    received: list[str] = []
    for frame in read_frames(socket, PUSH_PATIENCE):
        changed, change_type = pushed_change(frame)
        received += [change_type] if changed == event_id else []
        if until in received:
            break
    late = [pushed_change(frame) for frame in read_frames(socket, patience)] if patience else []
    return [*received, *(change_type for changed, change_type in late if changed == event_id)]


def pushed_change(frame: Frame) -> tuple[str, str]:
    """Return event id and kind of change that a frame has, in either spelling."""
    data = {name[:1].lower() + name[1:]: member for name, member in frame["data"].items()}
    return data.get("calendarEventId", ""), data.get("changeType", "")
