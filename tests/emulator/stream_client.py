"""A plain client of Stream mode: it knows the protocol's description and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from airflow_dingtalk_calendar.emulator import Emulator

if TYPE_CHECKING:
    import httpx

Frame = dict[str, Any]
EVENTS = [{"type": "EVENT", "topic": "*"}]


@dataclass
class StreamClient:
    """Opens connections, reads frames and answers them.

    :param sockets: closes what was opened.
    """

    emulator: Emulator
    http: httpx.Client
    sockets: ExitStack

    def ask_ticket(self, **body: Any) -> httpx.Response:
        """Ask for a ticket; the credentials are the right ones, and events are subscribed to, unless given."""
        app = {"clientId": self.emulator.app_key, "clientSecret": self.emulator.app_secret}
        given = {**app, "subscriptions": EVENTS, "ua": "tests-python/1", **body}
        return self.http.post(f"{self.emulator.url}/v1.0/gateway/connections/open", json=given)

    def connect(self, answer: dict[str, str]) -> ClientConnection:
        """Open the WebSocket that an answer leads to."""
        address = f"{answer['endpoint']}?ticket={answer['ticket']}"
        return self.sockets.enter_context(connect(address, proxy=None, open_timeout=5))

    def open(self, **body: Any) -> ClientConnection:
        """Open a connection with a ticket of its own."""
        return self.connect(self.ask_ticket(**body).json())

    @staticmethod
    def parse(text: str | bytes) -> Frame:
        """Return a frame, with its data parsed."""
        frame = json.loads(text)
        return {**frame, "data": json.loads(frame["data"])}

    def read(self, socket: ClientConnection) -> Frame:
        """Return the next frame."""
        return self.parse(socket.recv(timeout=5))

    @staticmethod
    def answer(socket: ClientConnection, frame: Frame, data: Any, code: int = 200) -> None:
        """Answer a frame with some data."""
        headers = {"messageId": frame["headers"]["messageId"], "contentType": "application/json"}
        socket.send(json.dumps({"code": code, "headers": headers, "message": "OK", "data": json.dumps(data)}))

    def acknowledge(self, socket: ClientConnection, frame: Frame, status: str = "SUCCESS") -> None:
        """Say what has become of an event."""
        self.answer(socket, frame, {"status": status, "message": "seen"})

    @staticmethod
    def is_closed(socket: ClientConnection) -> bool:
        """Return whether the next thing that comes is the end of a connection."""
        try:
            socket.recv(timeout=5)
        except ConnectionClosed:
            return True
        return False


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Check until something is so: what a client has sent is read by another thread."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.002)
    return found
