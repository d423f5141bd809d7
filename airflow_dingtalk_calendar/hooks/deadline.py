"""A limit to how long an exchange may last in a thread, however slowly the other side drips.

The HTTP library bounds each wait on a socket and nothing else: a server that sends a byte of its headers now and then,
or one "100 Continue" after another, could hold a thread for days. Coroutines have ``asyncio.timeout`` for that; here
each wait gets no more than what is left.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    import httpx

_exchange = threading.local()


@contextmanager
def exchange_deadline(seconds: float) -> Iterator[None]:
    """Give the exchange that this thread has within the block so many seconds."""
    _exchange.end = time.monotonic() + seconds
    try:
        yield
    finally:
        del _exchange.end


def apply_deadlines(client: httpx.Client) -> httpx.Client:
    """Make a client's sockets heed :func:`deadline`.

    The library takes no network backend from outside, hence the private names; where they should be gone one day,
    each wait is bounded as before, and only a test fails.
    """
    for transport in (client._transport, *client._mounts.values()):
        if pool := getattr(transport, "_pool", None):
            pool._network_backend = _DeadlineBackend(pool._network_backend)
    return client


def _remaining_time(timeout: float | None, too_late: type[Exception]) -> float | None:
    end = getattr(_exchange, "end", None)
    if end is None:
        return timeout
    left = float(end - time.monotonic())
    if left <= 0:
        raise too_late("the exchange took too long")
    return left if timeout is None else min(left, timeout)


class _DeadlineBackend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = _remaining_time(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._backend.connect_tcp(host, port, timeout, local_address, socket_options))


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _remaining_time(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _remaining_time(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = _remaining_time(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
