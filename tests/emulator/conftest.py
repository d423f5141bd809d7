"""A running emulator per session, reset for each test, and a client that knows DingTalk's paths and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN
from tests.emulator.stream_client import StreamClient


@dataclass
class Client:
    """Requests as any client of the documented API would send them.

    :param emulator: where to.
    :param http: with one connection pool for all tests.
    :param headers: sent with every calendar call.
    """

    emulator: Emulator
    http: httpx.Client
    headers: dict[str, str] = field(default_factory=dict)

    def token(self, **body: Any) -> httpx.Response:
        """Ask for an access token; the credentials are the right ones unless given."""
        given = {"appKey": self.emulator.app_key, "appSecret": self.emulator.app_secret, **body}
        return self.http.post(f"{self.emulator.url}/v1.0/oauth2/accessToken", json=given)

    def log_in(self) -> Client:
        """Carry a fresh token from now on."""
        self.headers["x-acs-dingtalk-access-token"] = self.token().json()["accessToken"]
        return self

    def url(self, event_id: str = "", user: str = LIN, calendar: str = "primary") -> str:
        """Return the address of an event, or of all events."""
        segments = [quote(part, safe="") for part in (user, calendar)]
        base = f"{self.emulator.url}/v1.0/calendar/users/{segments[0]}/calendars/{segments[1]}/events"
        return f"{base}/{quote(event_id, safe='')}" if event_id else base

    def patch(
        self, event_id: str, *, client_token: str = "", user: str = LIN, calendar: str = "primary", **body: Any
    ) -> httpx.Response:
        """Update an event; the body has its id, as documented."""
        headers = {**self.headers, **({"x-client-token": client_token} if client_token else {})}
        return self.http.put(self.url(event_id, user, calendar), json={"id": event_id, **body}, headers=headers)

    def put(self, event_id: str, content: str | bytes) -> httpx.Response:
        """Update an event with any bytes."""
        return self.http.put(self.url(event_id), content=content, headers=self.headers)

    def get(self, event_id: str, user: str = LIN, **params: Any) -> httpx.Response:
        """Show an event."""
        return self.http.get(self.url(event_id, user), params=params, headers=self.headers)

    def list(self, user: str = LIN, **params: Any) -> httpx.Response:
        """List events."""
        return self.http.get(self.url(user=user), params=params, headers=self.headers)

    def send(
        self,
        method: str,
        event_id: str = "",
        under: str = "",
        *,
        client_token: str = "",
        user: str = LIN,
        calendar: str = "primary",
        params: dict[str, Any] | None = None,
        body: Any = None,
    ) -> httpx.Response:
        """Call what is at, or under, the events or one of them."""
        headers = {**self.headers, **({"x-client-token": client_token} if client_token else {})}
        url = self.url(event_id, user, calendar) + under
        return self.http.request(method, url, params=params, json=body, headers=headers)

    def about(self, method: str, path: str, user: str = LIN, **given: Any) -> httpx.Response:
        """Call what is at a user's path."""
        url = f"{self.emulator.url}/v1.0/calendar/users/{quote(user, safe='')}/{path}"
        return self.http.request(method, url, headers=self.headers, **given)

    def oauth(self, path: str, **body: Any) -> httpx.Response:
        """Call one of the token endpoints."""
        return self.http.post(f"{self.emulator.url}/v1.0/oauth2/{path}", json=body)

    def user_token(self, **body: Any) -> httpx.Response:
        """Ask for a user's token."""
        app = {"clientId": self.emulator.app_key, "clientSecret": self.emulator.app_secret}
        return self.oauth("userAccessToken", **{**app, **body})

    def log_in_as(self, user: str) -> Client:
        """Carry a user's token from now on."""
        grant = {"grantType": "authorization_code", "code": self.emulator.authorization_code(user)}
        self.headers["x-acs-dingtalk-access-token"] = self.user_token(**grant).json()["accessToken"]
        return self

    def control(self, method: str, path: str, **given: Any) -> httpx.Response:
        """Call one of the emulator's own routes."""
        return self.http.request(method, f"{self.emulator.url}/_emulator/{path}", **given)

    def raw(self, event_id: str, content: bytes) -> bytes:
        """Send an update over a bare socket and return every byte that comes back until the other side closes."""
        address = urlsplit(self.emulator.url)
        head = [
            f"PUT {urlsplit(self.url(event_id)).path} HTTP/1.1",
            f"host: {address.netloc}",
            f"content-length: {len(content)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        with socket.create_connection((str(address.hostname), int(address.port or 0)), 2.0) as connection:
            connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + content)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """One server for all tests."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    """One connection pool for all tests."""
    with httpx.Client(timeout=5, trust_env=False) as client:
        yield client


@pytest.fixture
def dingtalk(emulator: Emulator) -> Emulator:
    """The emulator as it starts."""
    emulator.reset()
    return emulator


@pytest.fixture
def stream(dingtalk: Emulator, http: httpx.Client) -> Iterator[StreamClient]:
    """A client of Stream mode; what it opens is closed in the end. No pings, unless a test wants them."""
    dingtalk.configure(stream_ping_interval=0)
    with ExitStack() as sockets:
        yield StreamClient(dingtalk, http, sockets)


@pytest.fixture
def stranger(dingtalk: Emulator, http: httpx.Client) -> Client:
    """A client without a token."""
    return Client(dingtalk, http)


@pytest.fixture
def client(stranger: Client) -> Client:
    """A client with a token."""
    return stranger.log_in()
