"""What each kind of fault does to a connection and to a push: one function and one row of a table for each.

Their parameters, and what they are for, stand in :mod:`~airflow_dingtalk_calendar.emulator.state.fault_rules`.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from .connections import StreamConnection
from .frames import encode_frame

ConnectFault = Callable[[StreamConnection, Mapping[str, Any]], None]
PushFault = Callable[[StreamConnection, str, Mapping[str, Any]], None]


def _accept_late(connection: StreamConnection, given: Mapping[str, Any]) -> None:
    connection.enqueue("accept", after=given["seconds"])


def _accept_then_close(connection: StreamConnection, given: Mapping[str, Any]) -> None:
    connection.enqueue("accept")
    connection.enqueue("close")


def _reset_handshake(connection: StreamConnection, given: Mapping[str, Any]) -> None:
    connection.enqueue("reset")


def _push_late(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("text", frame, after=given["seconds"])


def _push_twice(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("text", frame)
    connection.enqueue("text", frame)


def _hold_push_back(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.hold_back(frame)


def _push_garbage(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("text", given["text"])


def _push_half(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    encoded = encode_frame(frame)
    connection.enqueue("raw", encoded[: len(encoded) // 2])
    connection.enqueue("cut")


def _push_raw(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("raw", base64.b64decode(given["base64"]) or given["text"].encode())
    connection.enqueue("cut")


def _push_bytewise(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    for number in encode_frame(frame):
        connection.enqueue("raw", bytes([number]), after=given["interval"])


def _close_instead(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("close")


def _reset_instead(connection: StreamConnection, frame: str, given: Mapping[str, Any]) -> None:
    connection.enqueue("reset")


CONNECT_FAULTS: dict[str, ConnectFault] = {
    "hang": _accept_late,
    "close": _accept_then_close,
    "reset": _reset_handshake,
}
PUSH_FAULTS: dict[str, PushFault] = {
    "hang": _push_late,
    "close": _close_instead,
    "reset": _reset_instead,
    "truncated": _push_half,
    "raw": _push_raw,
    "drip": _push_bytewise,
    "duplicate": _push_twice,
    "out_of_order": _hold_push_back,
    "garbage": _push_garbage,
}
