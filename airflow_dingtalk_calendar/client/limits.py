"""Limits to what a server may do to us: how big a body may be, and how long an exchange may last.

A body is decompressed here, because the HTTP library inflates each piece whole before anybody can count: measured,
1,827 bytes that were compressed twice grew to 2 GB.

The HTTP library bounds each wait on a socket and nothing else: a server that sends a byte of its headers now and then,
or one "100 Continue" after another, could hold a thread for days. Coroutines have ``asyncio.timeout`` for that; in a
thread each wait gets no more than what is left.
"""

from __future__ import annotations

import ssl
import sys
import threading
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import TransportError, UnexpectedAnswerError

if TYPE_CHECKING:
    import httpx

# Bytes, after decompression. A page of 100 events with 500 attendees each is about 7 MB; JSON made to be a nuisance
# (lists of lists of nothing) takes 20 to 40 times its length in memory.
MAX_BODY_BYTES = 16 * 1024 * 1024
ACCEPTED_ENCODINGS = "gzip"  # what the transport asks for
GZIP_WBITS = 16 + zlib.MAX_WBITS  # zlib's way to say gzip


class BoundedBody:
    """The body of one answer.

    :param encoding: the answer's ``Content-Encoding``.
    :param timeout: seconds that the whole body may take.
    :raises UnexpectedAnswerError: for an encoding that was not asked for.
    """

    def __init__(self, encoding: str, timeout: float) -> None:
        self._chunks: list[bytes] = []
        self._room = MAX_BODY_BYTES
        self._deadline = time.monotonic() + timeout
        self._inflater = _make_decompressor(encoding.strip().lower())
        self._begun = False

    def feed(self, chunk: bytes) -> None:
        """Take the next piece, as it came over the wire.

        :raises UnexpectedAnswerError: when the body gets too long.
        :raises TransportError: when it takes too long, or its compression is broken.
        """
        self._begun = self._begun or bool(chunk)
        plain = self._decompress(chunk)
        self._chunks.append(plain)
        self._room -= len(plain)
        if self._room < 0:
            raise UnexpectedAnswerError(f"answered with more than {MAX_BODY_BYTES} bytes.")
        if time.monotonic() > self._deadline:
            raise TransportError("got an answer that came too slowly.", code="ReadTimeout")

    def read_all(self) -> bytes:
        """Return the body.

        :raises TransportError: when it is compressed and its end is missing.
        """
        if self._inflater and self._begun and not self._inflater.eof:
            raise _broken_compression()
        return b"".join(self._chunks)

    def _decompress(self, chunk: bytes) -> bytes:
        if self._inflater is None:
            return chunk
        if self._inflater.eof:  # what follows the end is nobody's
            return b""
        try:
            return self._inflater.decompress(chunk, self._room + 1)  # one byte too many shows that there is more
        except zlib.error:
            raise _broken_compression() from None


def _make_decompressor(encoding: str) -> zlib._Decompress | None:
    if encoding in ("", "identity"):
        return None
    if encoding in ("gzip", "x-gzip"):
        return zlib.decompressobj(GZIP_WBITS)
    raise UnexpectedAnswerError("answered in an encoding that was not asked for.")


def _broken_compression() -> TransportError:
    return TransportError("got an answer whose compression is broken.", code="DecodingError")


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
    """Make a client's sockets heed :func:`exchange_deadline`.

    The library takes no network backend from outside, and a transport of our own would have to do again what its own
    do for proxies, ``NO_PROXY``, SOCKS and certificates; hence the private names, which httpx 0.27, 0.28 and httpx2
    have.

    :raises TransportError: when the library is another one, for then nothing would bound an exchange.
    """
    try:
        # None stands for the hosts of NO_PROXY, which use the first one
        for transport in filter(None, (client._transport, *client._mounts.values())):
            pool: Any = transport._pool  # type: ignore[attr-defined]
            pool._network_backend = _DeadlineBackend(pool._network_backend, _core_of(pool))
    except (AttributeError, KeyError):
        client.close()
        raise _unbounded_error(client) from None
    return client


def choose_transport(client: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> Any:
    """Return what a client sends to a URL with, by its proxies.

    What the client's own ``send`` adds to it is not wanted here: it follows redirects, keeps cookies, and logs every
    URL at INFO.

    :raises TransportError: when the library is one that :func:`apply_deadlines` does not know either.
    """
    try:
        return client._transport_for_url(url)
    except AttributeError:
        raise _unbounded_error(client) from None


def _core_of(pool: object) -> Any:
    """Find the library below the HTTP library: its errors are what the latter understands."""
    core = sys.modules[type(pool).__module__.split(".", 1)[0]]
    for name in ("ConnectTimeout", "ReadTimeout", "WriteTimeout"):
        getattr(core, name)
    return core


def _unbounded_error(client: object) -> TransportError:
    library = type(client).__module__.split(".", 1)[0]
    version = getattr(sys.modules.get(library), "__version__", "of an unknown version")
    hint = "Install a version of httpx that this package was tried with: 0.27 or 0.28."
    return TransportError(
        f"was not sent: the duration of an exchange cannot be bounded with {library} {version}.",
        code="NoDeadline",
        retryable=False,
        write_outcome="rejected",
        hint=hint,
    )


def _remaining_time(timeout: float | None, too_late: type[Exception]) -> float | None:
    end = getattr(_exchange, "end", None)
    if end is None:
        return timeout
    left = float(end - time.monotonic())
    if left <= 0:
        raise too_late("the exchange took too long")
    return left if timeout is None else min(left, timeout)


class _Wrapper:
    """What is not bounded is left to what is wrapped.

    :param core: the library whose errors report a timeout.
    """

    def __init__(self, wrapped: Any, core: Any) -> None:
        self._wrapped, self._core = wrapped, core

    def __getattr__(self, name: str) -> Any:
        return getattr(self._wrapped, name)


class _DeadlineBackend(_Wrapper):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> _DeadlineStream:
        timeout = _remaining_time(timeout, self._core.ConnectTimeout)
        stream = self._wrapped.connect_tcp(host, port, timeout, local_address, socket_options)
        return _DeadlineStream(stream, self._core)


class _DeadlineStream(_Wrapper):
    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        chunk: bytes = self._wrapped.read(max_bytes, _remaining_time(timeout, self._core.ReadTimeout))
        return chunk

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._wrapped.write(buffer, _remaining_time(timeout, self._core.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> _DeadlineStream:
        timeout = _remaining_time(timeout, self._core.ConnectTimeout)
        return _DeadlineStream(self._wrapped.start_tls(ssl_context, server_hostname, timeout), self._core)
