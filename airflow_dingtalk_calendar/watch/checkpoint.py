"""The position of a watcher as it is kept: a head, and the fingerprints in parts that are small enough for Airflow.

Airflow takes values of up to 64 KB (``[state_store] max_value_storage_bytes``). The head is written last and says
which parts belong to it, so a crash in between leaves the earlier position whole.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from airflow_dingtalk_calendar.watch.changes import Position

MAX_PART_LENGTH = 48_000  # characters of JSON; all are ASCII


@dataclass(frozen=True, slots=True)
class CheckpointHead:
    """What is written last.

    :ivar slot: 0 or 1; parts are written to the slot that the head before does not use.
    :ivar parts: how many there are; ``digest`` verifies that they belong together.
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
    """Return the head of a position, and the parts to write before it: none if the fingerprints are as ``before``."""
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


log = logging.getLogger(__name__)
_NO_NAMES_TEXT = (
    "This version of Airflow does not say for which assets it stores a watcher's position. A watcher of a single asset "
    "is not affected. A watcher shared by several assets reports no changes, and loses none: give each of these assets "
    "a watcher with a different interval, so that it gets its own trigger."
)


class AssetState(Protocol):
    """The state store of one asset, as Airflow gives it to a watcher."""

    async def aget(self, key: str, default: Any = None) -> Any:
        """Read a value."""

    async def aset(self, key: str, value: Any) -> None:
        """Write a value."""


class WatcherCheckpoint:
    """The position of one watcher, with every asset that it watches for.

    :param accessors: the assets' state stores; they are written alike, and the newest position counts.
    :param key: name of this watcher's position: an asset may have several watchers.
    """

    def __init__(self, accessors: Sequence[AssetState], key: str) -> None:
        self._accessors = accessors
        self._key = key
        self._heads: dict[int, CheckpointHead | None] = {}

    def __bool__(self) -> bool:
        return bool(self._accessors)

    async def load(self) -> Position | None:
        """Read the position; None when there is none, or not all of it."""
        found = [await self._read(index) for index in range(len(self._accessors))]
        whole = [position for position in found if position is not None]
        # The stores differ when a write to one of them has failed, or when the watcher has got another asset.
        return max(whole, key=lambda position: position.checked, default=None)

    async def save(self, position: Position) -> None:
        """Write the position; what was there before stays whole until the last write."""
        for index, accessor in enumerate(self._accessors):
            head, parts = encode_position(position, self._heads.get(index))
            # No parts are written where the fingerprints are those of the head before; its slot has them.
            for key, part in zip(head.part_keys(self._key), parts, strict=False):
                await accessor.aset(key, part)
            await accessor.aset(self._key, head.as_dict())
            self._heads[index] = head

    async def await_reply(self) -> None:
        """Wait until Airflow answers."""
        await self._accessors[0].aget(self._key)

    async def _read(self, index: int) -> Position | None:
        accessor = self._accessors[index]
        head = self._heads[index] = CheckpointHead.read(await accessor.aget(self._key))
        if head is None:
            return None
        position = head.position([await accessor.aget(key) for key in head.part_keys(self._key)])
        if position is None:
            log.error("The position of the watcher is not whole any more: changes since its last poll are lost.")
            # So that the next save writes all parts.
            self._heads[index] = None
        return position


def asset_states(state_store: Any) -> list[AssetState]:
    """Return the state store of each asset that a watcher has; none before Airflow 3.3.

    Watchers with the same parameters are one trigger for several assets. Airflow's object for that answers only for
    an asset that one can name, which a trigger cannot, so this reads it.
    """
    if state_store is None:
        return []
    by_name = getattr(state_store, "_by_name", None)
    if by_name is None:
        log.warning(_NO_NAMES_TEXT)
        return [state_store]
    return [by_name[name] for name in sorted(by_name)] or [state_store]
