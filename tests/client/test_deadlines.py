"""The limit of an exchange's duration, in the HTTP library that is installed, and in its successor where that is, too.

This file needs neither Airflow nor the fixtures of others, so that it can be run with any version of the library.
"""

from __future__ import annotations

import importlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from airflow_dingtalk_calendar.client.limits import apply_deadlines, choose_transport, exchange_deadline
from airflow_dingtalk_calendar.exceptions import TransportError

SECONDS = 0.3
Speak = Callable[[socket.socket], None]


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    """The HTTP library."""
    return pytest.importorskip(request.param)


@contextmanager
def server(speak: Speak) -> Iterator[str]:
    """A server that says something to each caller, in a thread; yields host and port."""

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with suppress(OSError), caller:
                speak(caller)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def drip(text: bytes) -> Speak:
    """Say something one byte at a time, forever."""

    def speak(caller: socket.socket) -> None:
        for number in range(500):
            caller.sendall(text[number % len(text) :][:1])
            time.sleep(0.02)

    return speak


def swallow(caller: socket.socket) -> None:
    """Take nothing in."""
    time.sleep(2)


def measure(client: Any, library: Any, url: str, content: bytes = b"") -> float:
    """Return how long a request takes that must end in a time-out, whose waits have no limit of their own."""
    began = time.monotonic()
    with apply_deadlines(client), exchange_deadline(SECONDS), pytest.raises(library.TimeoutException):
        client.post(url, content=content, timeout=60)
    return time.monotonic() - began


@pytest.mark.parametrize(
    "text",
    [b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nx"],
    ids=["headers", "100 Continue", "body"],
)
def test_an_exchange_that_drips(library: Any, text: bytes) -> None:
    """However a server spins its answer out, the exchange ends in time."""
    with server(drip(text)) as place:
        took = measure(library.Client(trust_env=False), library, f"http://{place}/")
    assert SECONDS <= took < 10 * SECONDS


def test_an_exchange_through_a_proxy(library: Any) -> None:
    """A proxy that drips is bounded as well."""
    with server(drip(b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100)) as place:
        client = library.Client(trust_env=False, proxy=f"http://{place}")
        assert measure(client, library, "http://x.invalid/") < 10 * SECONDS


def test_a_proxy_of_the_environment(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So is a proxy that the environment names, beside hosts that need none."""
    with server(drip(b"HTTP/1.1 200 OK\r\nx-long: " + b"x" * 100)) as place:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{place}")
        monkeypatch.setenv("NO_PROXY", "localhost")
        assert measure(library.Client(), library, "https://x.invalid/") < 10 * SECONDS


def test_a_handshake_that_hangs(library: Any) -> None:
    """A server that never gets done with TLS is bounded."""
    with server(swallow) as place:
        client = library.Client(trust_env=False, verify=ssl.create_default_context())
        assert measure(client, library, f"https://{place}/") < 10 * SECONDS


def test_a_request_that_is_not_taken_in(library: Any) -> None:
    """A server that reads nothing is bounded."""
    with server(swallow) as place:
        took = measure(library.Client(trust_env=False), library, f"http://{place}/", b"x" * 50_000_000)
    assert took < 10 * SECONDS


def test_an_exchange_in_time(library: Any) -> None:
    """An answer that comes in time is not harmed."""

    def speak(caller: socket.socket) -> None:
        caller.recv(65536)
        caller.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi")

    with server(speak) as place, apply_deadlines(library.Client(trust_env=False)) as client, exchange_deadline(30):
        assert client.get(f"http://{place}/").text == "hi"


@pytest.mark.parametrize("missing", ["_transport", "_mounts", "_pool", "_network_backend"])
def test_another_library(library: Any, missing: str) -> None:
    """When what the limit needs is not there, making the client fails, says what to install, and is no use to retry."""
    client = library.Client(trust_env=False)
    transport = client._transport
    at = {"_pool": transport, "_network_backend": transport._pool}.get(missing, client)
    delattr(at, missing)
    client.close = lambda: None
    with pytest.raises(TransportError, match=rf"cannot be bounded with {library.__name__} .*\. Install") as caught:
        apply_deadlines(client)
    assert (caught.value.retryable, caught.value.write_outcome) == (False, "rejected")


def test_a_transport_of_somebody_else(library: Any) -> None:
    """A transport that is not the library's own is refused, for nothing would bound it."""
    client = library.Client(transport=library.MockTransport(lambda _: None))
    with pytest.raises(TransportError, match="cannot be bounded"):
        apply_deadlines(client)


@pytest.mark.parametrize("kind", ["Client", "AsyncClient"])
def test_a_library_without_the_choice_of_a_transport(library: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a client cannot say what it sends with, the error says what to install."""
    client = getattr(library, kind)(trust_env=False)
    monkeypatch.delattr(type(client), "_transport_for_url")
    with pytest.raises(TransportError, match=r"cannot be bounded with .*\. Install"):
        choose_transport(client, library.URL("http://127.0.0.1"))


def test_the_installed_library_is_the_one_that_is_used() -> None:
    """The transport's own client has the limit."""
    pytest.importorskip("airflow_dingtalk_calendar.client.transport")
    transport = importlib.import_module("airflow_dingtalk_calendar.client.transport")
    settings = importlib.import_module("airflow_dingtalk_calendar.connection.settings").ConnectionSettings("k", "s")
    one = transport.Transport(settings)
    one.prepare()
    assert type(one._client._transport._pool._network_backend).__name__ == "_DeadlineBackend"
    one.close()
