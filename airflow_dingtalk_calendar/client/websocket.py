"""WebSockets: the only module that names the library for them, which is loaded when a stream is used.

TLS, proxies and time-outs are those of the connection, as for HTTP. The ticket stands in the address, so the library
logs nothing, no redirect is followed, and an error has neither the library's message nor its frames.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.client.transport import (
    CONNECT_TIMEOUT,
    is_untrusted,
    make_tls_context,
    untrusted_error,
)
from airflow_dingtalk_calendar.connection.hosts import is_local_url
from airflow_dingtalk_calendar.connection.secret import hide_frames
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import TransportError

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

MAX_FRAME_BYTES = 1024 * 1024  # a change of an event with 500 attendees is about 20 kB
KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT = 30.0, 60.0  # of WebSocket's own pings: a peer that is gone is noticed
CLOSE_TIMEOUT = 2.0
# With its level of DEBUG the library would log the handshake, whose address has the ticket, and every frame.
_SILENT = logging.Logger(__name__, logging.CRITICAL + 1)
ACTION = "Stream"  # what errors name, as those of HTTP name DingTalk's action


class WebSocket:
    """An open WebSocket.

    :param timeout: seconds until a peer that takes nothing in counts as gone.
    """

    def __init__(self, connection: ClientConnection, timeout: float) -> None:
        self._connection, self._timeout = connection, timeout

    async def receive(self) -> str | bytes:
        """Wait for the next message.

        :raises TransportError: when the connection has ended, however.
        """
        message: str | bytes = await self._await_bounded(self._connection.recv(), None)
        return message

    async def send(self, text: str) -> None:
        """Send a message.

        :raises TransportError: when the connection has ended, or the peer takes nothing in.
        """
        await self._await_bounded(self._connection.send(text), self._timeout)

    async def close(self) -> None:
        """End the connection, without waiting long for the peer."""
        with hide_frames():
            await self._connection.close()

    async def _await_bounded(self, step: Any, seconds: float | None) -> Any:
        with hide_frames():
            try:
                async with asyncio.timeout(seconds):
                    return await step
            except Exception as error:
                failure = _lost_error(error)
        raise failure


async def open_websocket(address: str, settings: ConnectionSettings) -> WebSocket:
    """Open a WebSocket.

    :param address: with the ticket in it.
    :raises TransportError: when that fails, without the address.
    :raises InvalidConnectionError: when the connection's CA bundle cannot be read.
    """
    connect, options = _load_connector(), _socket_options(address, settings)
    with hide_frames():
        try:
            return WebSocket(await connect(address, **options), settings.timeout)
        except Exception as error:
            failure = _open_error(error)
    raise failure


@lru_cache(maxsize=1)
def _load_connector() -> Any:
    try:
        from websockets.asyncio.client import connect
    except ImportError:
        raise TransportError(
            "needs the package websockets, which is not installed.",
            action=ACTION,
            code="NoWebSockets",
            retryable=False,
            hint="Install airflow-dingtalk-calendar[stream] where the triggerer runs.",
        ) from None

    class DirectConnect(connect):
        """The library's way to connect, without following redirects: the ticket goes to the checked host only."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    return DirectConnect


def _socket_options(address: str, settings: ConnectionSettings) -> dict[str, Any]:
    # As for HTTP: a proxy of the environment is for the outside world, not for an emulator on this machine.
    trust_env = not is_local_url(settings.base_url)
    return {
        "ssl": _require_context(settings, trust_env) if address.startswith("wss:") else None,
        "proxy": settings.proxy or (True if trust_env else None),
        "open_timeout": min(CONNECT_TIMEOUT, settings.timeout),
        "ping_interval": KEEPALIVE_INTERVAL,
        "ping_timeout": KEEPALIVE_TIMEOUT,
        "close_timeout": CLOSE_TIMEOUT,
        "max_size": MAX_FRAME_BYTES,
        "compression": None,
        "user_agent_header": f"airflow-dingtalk-calendar/{__version__}",
        "logger": _SILENT,
    }


def _require_context(settings: ConnectionSettings, trust_env: bool) -> ssl.SSLContext:
    context = make_tls_context(settings.verify, trust_env)
    if isinstance(context, ssl.SSLContext):
        return context
    # verify is false in the connection: as for HTTP, any certificate will do.
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    return trusting


def _open_error(error: Exception) -> TransportError:
    if is_untrusted(error):
        return untrusted_error().with_details(action=ACTION)
    name = type(error).__name__
    if isinstance(error, ImportError):
        hint = "Install python-socks[asyncio] where the triggerer runs, or use an HTTP proxy."
        return TransportError("cannot use the SOCKS proxy.", action=ACTION, code="NoSocks", retryable=False, hint=hint)
    return TransportError(_describe_failure(error, name), action=ACTION, code=name)


def _describe_failure(error: Exception, name: str) -> str:
    if isinstance(error, TimeoutError):
        return "could not connect in time."
    if "Proxy" in name:
        return "was refused by the proxy."
    response = getattr(error, "response", None)
    if response is not None:
        return f"was refused with status {response.status_code}."
    return "could not connect."


def _lost_error(error: Exception) -> TransportError:
    received = getattr(error, "rcvd", None)
    text = "the peer took nothing in." if isinstance(error, TimeoutError) else "the connection was lost."
    if received is not None:
        text = f"the service closed the connection (code {received.code})."
    return TransportError(text, action=ACTION, code=type(error).__name__)
