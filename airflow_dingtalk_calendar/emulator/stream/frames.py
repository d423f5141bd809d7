"""Frames: what the gateway and a client send each other, as text ("Stream protocol", steps 3 to 6)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..schema.validators import read_strict_json
from ..settings import EmulatorSettings

_JSON_TYPE = "application/json"
_TEXT_OPCODE = 0x81  # RFC 6455, 5.2: a final frame of text; a server does not mask


def write_frame(kind: Literal["SYSTEM", "EVENT"], headers: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Return a frame; its data is JSON in a string."""
    frame = {
        "specVersion": "1.0",
        "type": kind,
        "headers": {**headers, "contentType": _JSON_TYPE},
        "data": json.dumps(data, ensure_ascii=False),
    }
    return json.dumps(frame, ensure_ascii=False)


def frame_headers(settings: EmulatorSettings, now: float, topic: str, message_id: str) -> dict[str, Any]:
    """Return the headers that all frames have."""
    return {"topic": topic, "messageId": message_id, "time": header_time(settings, now)}


def header_time(settings: EmulatorSettings, seconds: float) -> int | str:
    """Return a time in milliseconds, as the switch ``stream_times`` has it."""
    milliseconds = int(seconds * 1000)
    return str(milliseconds) if settings.stream_times == "text" else milliseconds


def encode_frame(frame: str) -> bytes:
    """Return the bytes that a WebSocket sends for a text frame, for the faults that send only some of them."""
    payload = frame.encode()
    if len(payload) < 126:
        return bytes([_TEXT_OPCODE, len(payload)]) + payload
    if len(payload) < 2**16:
        return bytes([_TEXT_OPCODE, 126]) + len(payload).to_bytes(2, "big") + payload
    return bytes([_TEXT_OPCODE, 127]) + len(payload).to_bytes(8, "big") + payload


@dataclass(frozen=True)
class StreamAnswer:
    """What a client answers a frame with."""

    message_id: str
    code: int
    data: Any

    @property
    def status(self) -> str:
        """The outcome of an event: ``SUCCESS`` or ``LATER``.

        :raises ValueError: for an answer that does not say so, as it has to.
        """
        if self.code != 200:
            raise ValueError(f"code is {self.code}, not 200")
        status = self.data.get("status") if isinstance(self.data, dict) else None
        if status not in ("SUCCESS", "LATER"):
            raise ValueError(f"data.status must be SUCCESS or LATER, not {status!r}")
        return str(status)


def read_answer(text: str | None) -> StreamAnswer:
    """Read an answer.

    :raises ValueError: naming what is wrong with it.
    """
    frame = _read_object("the answer", text)
    headers = frame.get("headers")
    if not isinstance(headers, dict) or not isinstance(headers.get("messageId"), str):
        raise ValueError("headers.messageId must be a string")
    code = frame.get("code")
    if isinstance(code, bool) or not isinstance(code, int):
        raise ValueError("code must be a number")
    return StreamAnswer(headers["messageId"], code, _read_object("data", frame.get("data")))


def _read_object(what: str, text: Any) -> dict[str, Any]:
    try:
        value = read_strict_json(text) if isinstance(text, str) else None
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be the text of a JSON object")
    return value
