"""The position of a watcher as it is kept: a head, and the fingerprints in parts that are small enough for Airflow.

Airflow takes values of up to 64 KB (``[state_store] max_value_storage_bytes``). The head is written last and says
which parts belong to it, so a crash in between leaves the earlier position whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from airflow_dingtalk_calendar.changes import Position

MAX_PART_LENGTH = 48_000  # characters of JSON; all are ASCII


@dataclass(frozen=True, slots=True)
class CheckpointHead:
    """What is written last.

    :ivar slot: 0 or 1; parts are written to the slot that the head before does not use.
    :ivar parts: how many there are; ``digest`` tells whether they are the right ones.
    """

    epoch: str
    number: int
    token: str | None
    checked: float
    slot: int
    parts: int
    digest: str

    @classmethod
    def read(cls, value: Any) -> Self | None:
        """Read a head; None when there is none, or one that this version did not write."""
        try:
            return cls(**value)
        except TypeError:
            return None

    def as_dict(self) -> dict[str, Any]:
        """Return the head as JSON."""
        return asdict(self)

    def part_keys(self, key: str) -> list[str]:
        """Name the keys of the parts."""
        return [f"{key}/{self.slot}/{index}" for index in range(self.parts)]

    def position(self, parts: Sequence[Any]) -> Position | None:
        """Put a position together; None when its parts are not all there."""
        fingerprints: dict[str, str] = {}
        for part in parts:
            fingerprints |= part if isinstance(part, Mapping) else {}
        if _fingerprints_digest(fingerprints) != self.digest:
            return None
        return Position(self.epoch, self.number, self.token, fingerprints, self.checked)


def encode_position(position: Position, before: CheckpointHead | None) -> tuple[CheckpointHead, list[dict[str, str]]]:
    """Return the head of a position, and the parts to write before it: none if the fingerprints are those of ``before``."""
    digest = _fingerprints_digest(position.fingerprints)
    if before is not None and before.digest == digest:
        parts, slot, number = [], before.slot, before.parts
    else:
        parts = list(_split_fingerprints(position.fingerprints))
        slot, number = 0 if before is None else 1 - before.slot, len(parts)
    head = CheckpointHead(position.epoch, position.number, position.token, position.checked, slot, number, digest)
    return head, parts


def _split_fingerprints(fingerprints: Mapping[str, str]) -> Iterator[dict[str, str]]:
    part: dict[str, str] = {}
    size = 0
    for event_id, fingerprint in fingerprints.items():
        more = len(json.dumps({event_id: fingerprint})) + 2
        if part and size + more > MAX_PART_LENGTH:
            yield part
            part, size = {}, 0
        part[event_id] = fingerprint
        size += more
    if part:
        yield part


def _fingerprints_digest(fingerprints: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(fingerprints.items())).encode()).hexdigest()[:32]
