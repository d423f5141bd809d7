"""The transport against servers that mean no good: memory and time are bounded, and errors are ours."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterable

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.limits import GZIP_WBITS, MAX_BODY_BYTES
from airflow_dingtalk_calendar.client.responses import Response
from airflow_dingtalk_calendar.client.transport import MAX_EXCHANGE_FACTOR, Transport
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import TransportError, UnexpectedAnswerError
from tests.conftest import EVENT, ORGANIZER
from tests.raw_server import Drip, raw_server

MEGABYTE = 1024 * 1024
CALL = api.get_event(ORGANIZER, EVENT)
OK = b"HTTP/1.1 200 OK\r\n"

Send = Callable[..., Response]


async def _asend(transport: Transport) -> Response:
    try:
        return await transport.asend(CALL, {})
    finally:
        await transport.aclose()


@pytest.fixture(params=["sync", "async"])
def send(request: pytest.FixtureRequest) -> Send:
    """Send a request to a host, once from a thread and once from a coroutine."""

    def to(host: str, timeout: float = 10.0) -> Response:
        transport = Transport(ConnectionSettings("key", "secret", host, timeout=timeout))
        if request.param == "async":
            return asyncio.run(_asend(transport))
        try:
            return transport.send(CALL, {})
        finally:
            transport.close()

    return to


def answer(body: bytes, *headers: str) -> list[bytes]:
    """Write an answer as it goes over the wire."""
    head = "".join(f"{line}\r\n" for line in (*headers, f"content-length: {len(body)}"))
    return [OK + head.encode() + b"\r\n", body]


def test_compressed_answers_are_read(send: Send) -> None:
    """An answer that is compressed as asked for arrives whole, and an empty one is empty."""
    body = json.dumps({"id": EVENT, "text": "日程" * 100_000}).encode()
    with raw_server(answer(gzip.compress(body), "content-encoding: GZIP")) as host:
        assert send(host).content == body
    with raw_server(answer(b"", "content-encoding: gzip")) as host:
        assert send(host).content == b""


@pytest.fixture(scope="module")
def gigabyte() -> bytes:
    """A gigabyte of zeros, compressed to a megabyte: the same block again and again, each complete in itself."""
    packer = zlib.compressobj(9, zlib.DEFLATED, GZIP_WBITS)
    first, again = (packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 1023


@pytest.mark.parametrize("head", ["content-encoding: gzip", "content-encoding: gzip, gzip", "x-plain: yes"])
def test_memory_is_bounded(send: Send, gigabyte: bytes, head: str) -> None:
    """A gigabyte, compressed once, twice, or not at all, is given up before it fills the memory."""
    twice = gzip.compress(gigabyte)
    plain: Iterable[bytes] = [OK + b"\r\n", *[bytes(MEGABYTE)] * 1024]
    body = {"content-encoding: gzip": answer(gigabyte, head), "content-encoding: gzip, gzip": answer(twice, head)}
    with raw_server(body.get(head, plain)) as host:
        tracemalloc.start()
        with pytest.raises(UnexpectedAnswerError):
            send(host)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 3 * MAX_BODY_BYTES


@pytest.mark.parametrize(
    "body",
    [b"not gzip at all", gzip.compress(b"{}" * 1000)[:-9], gzip.compress(b"{}")[:12] + b"\xff" * 20],
    ids=["none", "cut", "spoilt"],
)
def test_broken_compression_is_an_error(send: Send, body: bytes) -> None:
    """An answer whose compression is broken or cut short is a failure of the network, not half an answer."""
    with raw_server(answer(body, "content-encoding: gzip")) as host, pytest.raises(TransportError, match="compression"):
        send(host)


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "\x80"])
def test_other_encodings_are_refused(send: Send, encoding: str) -> None:
    """What was not asked for is not unpacked."""
    head = f"content-encoding: {encoding}"
    with raw_server(answer(b"x", head)) as host, pytest.raises(UnexpectedAnswerError, match="encoding"):
        send(host)


@pytest.mark.parametrize(
    "drip",
    [
        Drip(OK, b"x-a: b\r\n"),
        Drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        Drip(OK + b"transfer-encoding: chunked\r\n\r\n1;", b"x"),
        Drip(OK + b"content-length: 9999\r\n\r\n", b" "),
    ],
    ids=["headers", "continue", "chunk header", "body"],
)
def test_time_is_bounded(send: Send, drip: Drip) -> None:
    """An exchange ends after three times the time-out at most, wherever the server drips."""
    with raw_server(drip) as host:
        begin = time.monotonic()
        with pytest.raises(TransportError, match=r"in time|too slowly"):
            send(host, timeout=0.1)
    assert time.monotonic() - begin < 0.1 * MAX_EXCHANGE_FACTOR + 1.0


def test_headers_are_bounded(send: Send) -> None:
    """Headers without end are given up."""
    with raw_server([OK, *[b"x-a: " + b"y" * 1000 + b"\r\n"] * 10_000]) as host, pytest.raises(TransportError):
        send(host)


def test_nothing_is_logged_at_info(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    """The HTTP library's line for each request, which would show ids in a task's log, is not written."""
    caplog.set_level(logging.INFO)
    with raw_server(answer(b"{}")) as host:
        assert send(host).status == 200
    assert [record.getMessage() for record in caplog.records] == []
