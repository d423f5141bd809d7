"""The events of the emulator by their ids, and which of them are in a room or belong to a series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from ..schema.event import Event


class EventIndex(dict[str, Event]):
    """Events by id; those of a room or of a series are found without going through all others.

    The service stores and replaces events and deletes none: they become cancelled. Only a test may take one away.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        super().__init__()
        # The ids are keys, which keep their order.
        self._rooms: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._instances: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for event in events:
            self[event["id"]] = event

    def __setitem__(self, event_id: str, event: Event) -> None:
        before, after = _booked_rooms(self.get(event_id, {})), _booked_rooms(event)
        for room_id in before - after:
            self._rooms[room_id].pop(event_id, None)
        for room_id in after - before:
            self._rooms[room_id][event_id] = None
        if series_id := event.get("seriesMasterId"):
            self._instances[series_id][event_id] = None
        super().__setitem__(event_id, event)

    def in_room(self, room_id: str) -> list[Event]:
        """Return the events that have a room, cancelled ones too, and those of which the room has declined."""
        return self._find(self._rooms.get(room_id, ()))

    def instances_of(self, series_id: str) -> list[Event]:
        """Return the stored instances of a series, cancelled ones too."""
        return self._find(self._instances.get(series_id, ()))

    def _find(self, event_ids: Iterable[str]) -> list[Event]:
        return [self[event_id] for event_id in list(event_ids) if event_id in self]


def _booked_rooms(event: Event) -> set[str]:
    return {room["roomId"] for room in event.get("meetingRooms", ())}
