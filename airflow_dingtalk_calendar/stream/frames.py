"""Frames of Stream mode: what comes over a WebSocket, read as data, and what is answered.

Source: "Stream protocol" (``open-dingtalk/developerpedia``, ``docs/learn/stream/protocol.md``), steps 3 to 6. A frame
that cannot be read, or is of an unknown type, is data like any other: nothing in here raises an error for what a server
sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from airflow_dingtalk_calendar.models.json_values import Json, mapping_or_empty, text_or_empty

FrameKind = Literal["event", "ping", "disconnect", "other", "unreadable"]
AckStatus = Literal["SUCCESS", "LATER"]
MAX_ID_LENGTH = 512  # characters of an id that is kept or sent back; DingTalk's have 32 to 40

_KINDS: dict[tuple[str, str], FrameKind] = {("SYSTEM", "ping"): "ping", ("SYSTEM", "disconnect"): "disconnect"}


@dataclass(frozen=True, slots=True)
class StreamFrame:
    """What has come over a WebSocket.

    :ivar kind: what it is; ``other`` is a frame of a type or topic that is of no use here.
    :ivar message_id: what an answer names; empty if the frame has none.
    :ivar headers: its headers, by their names in small letters.
    :ivar data: the text that it carries, JSON most of the time.
    """

    kind: FrameKind
    message_id: str = ""
    headers: Mapping[str, Any] = field(default_factory=dict, repr=False)
    data: str = field(default="", repr=False)


UNREADABLE = StreamFrame("unreadable")


def parse_frame(text: str | bytes) -> StreamFrame:
    """Read what has come; one sample of the protocol's description writes ``header`` for ``headers``."""
    frame = lower_keys(_parse_json(text))
    kind = text_or_empty(frame.get("type")).upper()
    if not kind:
        return UNREADABLE
    headers = lower_keys(frame.get("headers") or frame.get("header"))
    topic = text_or_empty(headers.get("topic"))
    return StreamFrame(
        "event" if kind == "EVENT" else _KINDS.get((kind, topic.lower()), "other"),
        text_or_empty(headers.get("messageid"))[:MAX_ID_LENGTH],
        headers,
        text_or_empty(frame.get("data")),
    )


def parse_frame_data(frame: StreamFrame) -> Json:
    """Read a frame's data by the names of its members in small letters.

    HTTP callbacks spell them ``CalendarEventId``, the SDK's sample ``calendarEventId``; which spelling Stream mode has
    is UNVERIFIED.
    """
    return lower_keys(_parse_json(frame.data))


def write_acknowledgement(message_id: str, status: AckStatus) -> str:
    """Write the answer to an event: it is acknowledged, or to be pushed again."""
    return _write_answer(message_id, json.dumps({"status": status, "message": ""}))


def write_pong(frame: StreamFrame) -> str:
    """Write the answer to a ping, which has the ping's data."""
    return _write_answer(frame.message_id, frame.data)


def lower_keys(value: Any) -> Json:
    """Return an object's members by their names in small letters; of anything but an object, none."""
    return {str(name).lower(): member for name, member in mapping_or_empty(value).items()}


def _parse_json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # half a character in bytes is a ValueError, too
        return None


def _write_answer(message_id: str, data: str) -> str:
    headers = {"messageId": message_id, "contentType": "application/json"}
    return json.dumps({"code": 200, "headers": headers, "message": "OK", "data": data})
