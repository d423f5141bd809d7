"""The WebSocket of Stream mode: TLS, proxies, redirects and the extra are treated as strictly as over HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from airflow_dingtalk_calendar.client import websocket
from airflow_dingtalk_calendar.client.websocket import MAX_FRAME_BYTES, open_websocket
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    DingTalkError,
    InvalidConnectionError,
    TransportError,
    UnexpectedAnswerError,
)
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import open_stream
from tests.client.test_tls import certificate
from tests.raw_server import raw_server

__all__ = ["certificate"]  # a fixture
TICKET = "the-secret-ticket"


def settings(**options: Any) -> ConnectionSettings:
    """Settings of a connection to this machine."""
    return ConnectionSettings("key", "secret", "http://127.0.0.1:1", timeout=2.0, **options)


def receive_one(address: str, **options: Any) -> str | bytes:
    """Open a WebSocket and return the first message."""

    async def receive() -> str | bytes:
        opened = await open_websocket(Secret(f"{address}/?ticket={TICKET}"), settings(**options))
        try:
            return await opened.receive()
        finally:
            await opened.close()

    return asyncio.run(receive())


def shown(error: BaseException) -> str:
    """Show an error as a tool does that shows variables, without the frames of these tests."""
    seen, text = [error], []
    for one in seen:
        text += [repr(one), str(one)]
        text += [
            repr(frame.f_locals)
            for frame, _ in traceback.walk_tb(one.__traceback__)
            if frame.f_code.co_filename != __file__
        ]
        seen += [other for other in (one.__cause__, one.__context__) if other is not None and other not in seen]
    return "\n".join(text)


@contextmanager
def greeting_server(text: str = "hello", context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve WebSockets on loopback, each of which gets a message; yields the port."""

    def greet(connection: ServerConnection) -> None:
        connection.send(text)
        with suppress(Exception):
            connection.recv()

    with serve(greet, "127.0.0.1", 0, ssl=context) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.socket.getsockname()[1]
        server.shutdown()
    thread.join(5)


class Proxy:
    """An HTTP proxy that opens tunnels, all of them to one port of this machine.

    :ivar asked: the first lines of the requests for a tunnel.
    """

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 OK\r\n\r\n") -> None:
        self.port, self.answer = port, answer
        self.asked: list[str] = []
        self.headers = ""

    @contextmanager
    def running(self) -> Iterator[str]:
        """Serve one tunnel; yields the proxy's address."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            yield f"http://user:proxy-password@127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError), listener.accept()[0] as client:
            head = client.recv(65536).decode()
            self.asked.append(head.splitlines()[0])
            self.headers = head.lower()
            client.sendall(self.answer)
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                back = threading.Thread(target=_pump, args=(server, client), daemon=True)
                back.start()
                _pump(client, server)
                back.join(5)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody vouches for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_an_untrusted_certificate_is_refused(server_context: ssl.SSLContext) -> None:
    """A certificate that nobody vouches for fails for good, and the message says what to do."""
    with (
        greeting_server(context=server_context) as port,
        pytest.raises(TransportError, match=r"extra\.verify") as caught,
    ):
        receive_one(f"wss://127.0.0.1:{port}")
    assert not caught.value.retryable


@pytest.mark.parametrize("trusted", [True, False], ids=["its own CA file", "verification off"])
def test_a_trusted_certificate_is_accepted(server_context: ssl.SSLContext, certificate: Path, trusted: bool) -> None:
    """The connection's CA file, or verification off on purpose, is what the WebSocket goes by, too."""
    with greeting_server(context=server_context) as port:
        assert receive_one(f"wss://127.0.0.1:{port}", verify=str(certificate) if trusted else False) == "hello"


def test_a_ca_file_that_cannot_be_read(tmp_path: Path) -> None:
    """It is the connection that is wrong, and its field is named."""
    with pytest.raises(InvalidConnectionError, match=r"extra\.verify"):
        receive_one("wss://127.0.0.1:1", verify=str(tmp_path / "none"))


def test_a_proxy_is_used() -> None:
    """The connection's proxy carries the WebSocket, with its credentials."""
    with greeting_server() as port:
        proxy = Proxy(port)
        with proxy.running() as address:
            assert receive_one("ws://stream.example.com", proxy=address) == "hello"
    assert proxy.asked == ["CONNECT stream.example.com:80 HTTP/1.1"]
    assert "proxy-authorization: basic" in proxy.headers


def test_a_proxy_carries_tls_to_the_end(server_context: ssl.SSLContext, certificate: Path) -> None:
    """What the proxy sees is the host, not the ticket; the certificate is the service's."""
    with greeting_server(context=server_context) as port:
        proxy = Proxy(port)
        with proxy.running() as address:
            assert receive_one("wss://127.0.0.1:443", proxy=address, verify=str(certificate)) == "hello"
    assert TICKET not in proxy.headers


def test_a_proxy_that_refuses() -> None:
    """It is said that it was the proxy, and neither its password nor the ticket."""
    proxy = Proxy(1, b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n")
    with proxy.running() as address, pytest.raises(TransportError, match="refused by the proxy") as caught:
        receive_one("ws://stream.example.com", proxy=address)
    assert "proxy-password" not in "".join(traceback.format_exception(caught.value))


def test_a_proxy_of_the_environment_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As over HTTP, an emulator on this machine is reached directly."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with greeting_server() as port:
        assert receive_one(f"ws://127.0.0.1:{port}") == "hello"


def test_a_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SOCKS proxy needs another package than for HTTP; without it the message names it."""
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(TransportError, match="python-socks") as caught:
        receive_one("ws://stream.example.com", proxy="socks5://127.0.0.1:1")
    assert not caught.value.retryable


def test_no_redirect_is_followed() -> None:
    """The ticket goes to the host that was checked, and to no other."""
    with greeting_server() as port:
        answer = f"HTTP/1.1 302 Found\r\nlocation: ws://127.0.0.1:{port}/\r\ncontent-length: 0\r\n\r\n".encode()
        with raw_server([answer]) as address, pytest.raises(TransportError, match="status 302"):
            receive_one(address.replace("http", "ws"))


@pytest.mark.parametrize(
    "answer", [[b""], [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"], [b"nonsense\r\n\r\n"]], ids=["", "no", "odd"]
)
def test_no_websocket_there(answer: list[bytes]) -> None:
    """What is no WebSocket is a transient error, and shows nothing secret."""
    with raw_server(answer) as address, pytest.raises(TransportError) as caught:
        receive_one(address.replace("http", "ws"))
    assert caught.value.retryable
    assert TICKET not in shown(caught.value)


def test_a_frame_that_is_too_long() -> None:
    """A megabyte is more than any change; the connection is given up."""
    with greeting_server("x" * (MAX_FRAME_BYTES + 1)) as port, pytest.raises(TransportError):
        receive_one(f"ws://127.0.0.1:{port}")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without websockets the message says what to install, and that no try will help."""
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    websocket._load_connector.cache_clear()
    with pytest.raises(TransportError, match=r"airflow-dingtalk-calendar\[stream\]") as caught:
        receive_one("ws://127.0.0.1:1")
    assert not caught.value.retryable


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    """Importing triggers and streams loads no WebSocket library."""
    code = (
        "import sys, airflow_dingtalk_calendar.triggers.changes, airflow_dingtalk_calendar.stream.apps;"
        "sys.exit('websockets' in sys.modules)"
    )
    from subprocess import run

    assert run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"endpoint": "wss://x.dingtalk.com", "ticket": ""},
        {"endpoint": 5, "ticket": "t"},
        {"endpoint": "wss://x.dingtalk.com", "ticket": "a\nb"},
    ],
)
def test_an_answer_without_a_ticket(dingtalk: Emulator, body: Any) -> None:
    """A success that lacks what it documents is a transient error."""
    dingtalk.fault(action="OpenConnection", kind="body", body=json.dumps(body), times=9)
    with pytest.raises(UnexpectedAnswerError, match="endpoint and a ticket") as caught:
        asyncio.run(open_stream(DingTalkCalendarHook))
    assert caught.value.retryable


def test_a_foreign_endpoint_gets_nothing(dingtalk: Emulator) -> None:
    """A host that is not the region's is refused, for good; the ticket is not in the message."""
    body = json.dumps({"endpoint": "wss://stream.example.com/connect", "ticket": TICKET})
    dingtalk.fault(action="OpenConnection", kind="body", body=body)
    with pytest.raises(DingTalkError, match="another host") as caught:
        asyncio.run(open_stream(DingTalkCalendarHook))
    assert not caught.value.retryable
    assert TICKET not in shown(caught.value)


def test_a_refused_connection_shows_no_ticket(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a failed handshake is in a traceback that shows variables."""
    dingtalk.configure(stream_ticket_lifetime=0)
    issued: list[str] = []
    issue = dingtalk.store.stream.issue_ticket
    monkeypatch.setattr(
        dingtalk.store.stream,
        "issue_ticket",
        lambda *given, **named: issued.append(issue(*given, **named)) or issued[-1],
    )
    with pytest.raises(TransportError, match="status 403") as caught:
        asyncio.run(open_stream(DingTalkCalendarHook))
    assert issued
    assert not any(secret in shown(caught.value) for secret in [*issued, dingtalk.app_secret])
