"""What the gateway says on a connection besides events: ``ping``, and ``disconnect`` before it closes it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from uuid import uuid4

from .connections import StreamConnection
from .frames import StreamAnswer, frame_headers, write_frame
from .host import StreamHost

_CLOSING_TIME = 10.0  # "Stream protocol": the service closes the connection 10 s after disconnect


def run_upkeep(host: StreamHost, connection: StreamConnection) -> None:
    """Do what is due on an open connection."""
    now = host.now()
    if connection.closes is not None and now >= connection.closes:
        connection.closes = math.inf
        connection.enqueue("close")
    if now >= _ping_time(host, connection):
        _send_ping(host, connection)
    if now >= _disconnect_time(host, connection):
        announce_close(host, connection, "the connection is old")


def upkeep_times(host: StreamHost, connection: StreamConnection) -> Iterator[float]:
    """Yield when something will be due."""
    yield _ping_time(host, connection)
    yield _disconnect_time(host, connection)
    if connection.closes is not None:
        yield connection.closes


def announce_close(host: StreamHost, connection: StreamConnection, reason: str) -> None:
    """Notify a client, once, that its connection is going to be closed."""
    if connection.is_open and connection.closes is None:
        connection.closes = host.now() + _CLOSING_TIME
        headers = frame_headers(host.settings, host.now(), "disconnect", uuid4().hex)
        connection.enqueue("text", write_frame("SYSTEM", headers, {"reason": reason}))


def take_ping_answer(connection: StreamConnection, answer: StreamAnswer) -> bool:
    """Return whether something answers a ping.

    :raises ValueError: if it does, and not as it should.
    """
    ping = connection.pings.get(answer.message_id)
    if ping is None:
        return False
    if answer.code != 200 or answer.data != ping:
        raise ValueError("the answer to a ping must have code 200 and the ping's data")
    del connection.pings[answer.message_id]
    connection.answered_pings += 1
    return True


def _send_ping(host: StreamHost, connection: StreamConnection) -> None:
    connection.last_ping = host.now()
    message_id, data = uuid4().hex, {"opaque": str(uuid4())}
    connection.pings[message_id] = data
    headers = frame_headers(host.settings, connection.last_ping, "ping", message_id)
    connection.enqueue("text", write_frame("SYSTEM", headers, data))


def _ping_time(host: StreamHost, connection: StreamConnection) -> float:
    interval = host.settings.stream_ping_interval
    return connection.last_ping + interval if connection.is_open and interval else math.inf


def _disconnect_time(host: StreamHost, connection: StreamConnection) -> float:
    lifetime = host.settings.stream_connection_lifetime
    young = connection.is_open and connection.closes is None
    return (connection.opened or 0.0) + lifetime if young and lifetime else math.inf
