"""HTTP: requests out, answers in; with :mod:`.limits`, the only module that names the HTTP library.

Every wait is bounded: connecting, sending, each read, the whole body, and the exchange as a whole; and so is the
body's size. Redirects are not followed, so the token goes to the configured host and nowhere else.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import aclosing, closing
from functools import lru_cache
from threading import Lock
from typing import Any
from urllib.parse import urlencode

import httpx

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork
from airflow_dingtalk_calendar.client.limits import (
    ACCEPTED_ENCODINGS,
    BoundedBody,
    apply_deadlines,
    choose_transport,
    exchange_deadline,
)
from airflow_dingtalk_calendar.client.responses import Response
from airflow_dingtalk_calendar.connection.hosts import is_local_url
from airflow_dingtalk_calendar.connection.secret import hide_frames
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError, RequestError, TransportError

CONNECT_TIMEOUT = 10.0
# As many connections are kept as may be open, so that none of many threads has to reconnect for each request.
POOL_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
# An exchange may last three times the connection's timeout: to connect, to wait for the answer, to read its body.
MAX_EXCHANGE_FACTOR = 3
COMMON_HEADERS = {
    "user-agent": f"airflow-dingtalk-calendar/{__version__}",
    "accept": "application/json",
    "accept-encoding": ACCEPTED_ENCODINGS,
}
# Failures before the first byte of the request went out: it cannot have taken effect.
NOT_SENT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
UNREACHED_HINT = "Check the connection's host, and the way there from the workers: HTTPS_PROXY, or proxy in extra."
FAILURE_REASONS: dict[type[Exception], str] = {
    httpx.ConnectTimeout: "could not connect in time",
    httpx.PoolTimeout: "found no free connection in time",
    httpx.ProxyError: "was refused by the proxy",
    httpx.ConnectError: "could not connect",
    httpx.ReadTimeout: "got no answer in time",
    httpx.WriteTimeout: "could not be sent in time",
}


class Transport:
    """The HTTP clients of one connection: one for threads, and one for each event loop that uses it."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._exchange_timeout = settings.timeout * MAX_EXCHANGE_FACTOR
        connect = min(CONNECT_TIMEOUT, settings.timeout)
        self._socket_timeouts = httpx.Timeout(settings.timeout, connect=connect).as_dict()
        self.clear()
        clear_after_fork(self)

    def clear(self) -> None:
        """Forget all clients without closing them: after a fork their sockets are the parent's."""
        self._lock = Lock()
        self._sync_client: httpx.Client | None = None
        self._async_clients: dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def send(self, call: Call[Any], headers: Mapping[str, str]) -> Response:
        """Send a request and read its answer to the end.

        :raises RequestError: when no complete answer came.
        """
        with hide_frames():
            try:
                return self._exchange(call, headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failure = _transport_error(error, self._settings)
        raise failure  # outside the handler: the library's error holds the request with its token

    async def asend(self, call: Call[Any], headers: Mapping[str, str]) -> Response:
        """Send a request like :meth:`send`, without blocking the event loop."""
        with hide_frames():
            try:
                return await self._aexchange(call, headers)
            except TimeoutError:
                failure = _transport_error(httpx.ReadTimeout("the exchange took too long"), self._settings)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failure = _transport_error(error, self._settings)
        raise failure

    def _exchange(self, call: Call[Any], headers: Mapping[str, str]) -> Response:
        request = self._make_request(call, headers)
        transport = choose_transport(self._client, request.url)
        with exchange_deadline(self._exchange_timeout), closing(transport.handle_request(request)) as response:
            body = self._bounded_body(response)
            for chunk in response.iter_raw():  # a variable that may hold a token: this frame is cut off as well
                body.feed(chunk)
            return Response(response.status_code, response.headers, body.read_all())

    async def _aexchange(self, call: Call[Any], headers: Mapping[str, str]) -> Response:
        request = self._make_request(call, headers)
        transport = choose_transport(self._async_client(), request.url)
        async with asyncio.timeout(self._exchange_timeout):
            async with aclosing(await transport.handle_async_request(request)) as response:
                body = self._bounded_body(response)
                async for chunk in response.aiter_raw():
                    body.feed(chunk)
                return Response(response.status_code, response.headers, body.read_all())

    def prepare(self) -> None:
        """Make the client of threads, before several of them ask for it at once."""
        with hide_frames():
            self._client  # noqa: B018  # made on first access

    def close(self) -> None:
        """Close the connections of threads."""
        client, self._sync_client = self._sync_client, None
        if client:
            client.close()

    async def aclose(self) -> None:
        """Close the connections of the running event loop."""
        client = self._async_clients.pop(asyncio.get_running_loop(), None)
        if client:
            await client.aclose()

    @property
    def _client(self) -> httpx.Client:
        with self._lock:
            if self._sync_client is None:
                self._sync_client = apply_deadlines(httpx.Client(**_client_options(self._settings)))
            return self._sync_client

    def _async_client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if client := self._async_clients.get(loop):  # which no other thread changes
            return client
        with self._lock:
            for ended in [other for other in self._async_clients if other.is_closed()]:
                del self._async_clients[ended]  # nobody can close its sockets any more but the garbage collector
            client = self._async_clients[loop] = httpx.AsyncClient(**_client_options(self._settings))
            return client

    def _make_request(self, call: Call[Any], headers: Mapping[str, str]) -> httpx.Request:
        # Without the client, whose merging of URLs, headers and cookies costs as much as all our own code, and with a
        # target beside the origin, since reading each whole URL costs half as much again.
        origin, host = read_origin(self._settings.legacy_url if call.host == "legacy" else self._settings.base_url)
        target = f"{call.path}?{urlencode(call.params)}" if call.params else call.path
        described, body = _encode_body(call)
        return httpx.Request(
            call.method,
            origin,
            headers={"host": host, **COMMON_HEADERS, **headers, **described},
            stream=httpx.ByteStream(body),
            extensions={"timeout": self._socket_timeouts, "target": target.encode()},
        )

    def _bounded_body(self, response: httpx.Response) -> BoundedBody:
        return BoundedBody(response.headers.get("content-encoding", ""), self._settings.timeout)


def _encode_body(call: Call[Any]) -> tuple[dict[str, str], bytes]:
    """Write the body of a request, and the headers that describe it."""
    if call.content is not None:
        return {"content-type": "application/json", "content-length": str(len(call.content))}, call.content
    if call.form is not None:
        body = urlencode(call.form).encode()
        return {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}, body
    return {} if call.method in ("GET", "DELETE") else {"content-length": "0"}, b""


@lru_cache(maxsize=8)
def read_origin(url: str) -> tuple[httpx.URL, str]:
    """Read the scheme, host and port that requests go to, and what their ``Host`` header says of it."""
    origin = httpx.URL(url)
    return origin, origin.netloc.decode()


def _client_options(settings: ConnectionSettings) -> dict[str, Any]:
    # A proxy of the environment is for the outside world, not for an emulator on this machine.
    trust_env = not is_local_url(settings.base_url)
    return {
        "verify": make_tls_context(settings.verify, trust_env),
        "proxy": settings.proxy,
        "trust_env": trust_env,
        "follow_redirects": False,
        "limits": POOL_LIMITS,
    }


@lru_cache(maxsize=8)  # loading the certificates takes some 40 ms
def make_tls_context(verify: bool | str, trust_env: bool) -> ssl.SSLContext | bool:
    """Return whom TLS trusts: a CA bundle, what the HTTP library does, or (False) everybody.

    :raises InvalidConnectionError: when the bundle cannot be read.
    """
    try:
        if isinstance(verify, str):
            return ssl.create_default_context(cafile=verify)
        return httpx.create_ssl_context(trust_env=trust_env) if verify else False
    except OSError:
        raise InvalidConnectionError(("connection.extra.verify", "is not a readable file of CA certificates")) from None


def _transport_error(error: Exception, settings: ConnectionSettings) -> RequestError:
    if is_untrusted(error):
        return untrusted_error()
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        return _permanent_error("could not be written as a request.", code=type(error).__name__)
    reason = next((text for kind, text in FAILURE_REASONS.items() if isinstance(error, kind)), "lost the connection")
    not_sent = isinstance(error, NOT_SENT_ERRORS)
    return TransportError(
        f"{reason} ({settings.base_url}).",
        code=type(error).__name__,
        write_outcome="rejected" if not_sent else "unknown",
        hint=UNREACHED_HINT if not_sent else "",
    )


def untrusted_error() -> TransportError:
    """Make the error of a certificate that was refused."""
    hint = "Set extra.verify to your CA bundle if a proxy of your company stands in between."
    return _permanent_error("does not trust the host's certificate.", code="Certificate", hint=hint)


def _permanent_error(message: str, code: str, hint: str = "") -> TransportError:
    return TransportError(message, code=code, retryable=False, write_outcome="rejected", hint=hint)


def is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate was refused; the library wraps that error several times."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
