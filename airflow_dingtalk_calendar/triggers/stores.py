"""Where a watcher keeps its position: Airflow's asset state store (3.3 and newer), so that restarts lose nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Protocol

from airflow_dingtalk_calendar import keeping
from airflow_dingtalk_calendar.changes import Position

log = logging.getLogger(__name__)


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
        self._heads: dict[int, keeping.CheckpointHead | None] = {}

    def __bool__(self) -> bool:
        return bool(self._accessors)

    async def load(self) -> Position | None:
        """Read the position; None when there is none, or not all of it."""
        found = [await self._read(index) for index in range(len(self._accessors))]
        whole = [position for position in found if position is not None]
        return max(whole, key=lambda position: position.checked, default=None)

    async def save(self, position: Position) -> None:
        """Write the position; what was there before stays whole until the last write."""
        for index, accessor in enumerate(self._accessors):
            head, parts = keeping.encode_position(position, self._heads.get(index))
            for key, part in zip(head.part_keys(self._key), parts, strict=False):
                await accessor.aset(key, part)
            await accessor.aset(self._key, head.as_dict())
            self._heads[index] = head

    async def await_reply(self) -> None:
        """Wait until Airflow answers."""
        await self._accessors[0].aget(self._key)

    async def _read(self, index: int) -> Position | None:
        accessor = self._accessors[index]
        head = self._heads[index] = keeping.CheckpointHead.read(await accessor.aget(self._key))
        if head is None:
            return None
        position = head.position([await accessor.aget(key) for key in head.part_keys(self._key)])
        if position is None:
            log.error("The position of the watcher is not whole any more: changes since its last check are lost.")
            self._heads[index] = None
        return position


def asset_states(state_store: Any) -> list[AssetState]:
    """Return the state store of each asset that a watcher has; none before Airflow 3.3.

    Watchers with the same parameters are one trigger for several assets. Airflow's object for that answers only for
    an asset that one can name, which a trigger cannot, so this looks into it.
    """
    if state_store is None:
        return []
    by_name = getattr(state_store, "_by_name", None) or {}
    return [by_name[name] for name in sorted(by_name)] or [state_store]
