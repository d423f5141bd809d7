"""The state of an emulated organisation, without HTTP: apps, users, events, tokens, what has happened.

Events are replaced and never edited in place, so another thread that reads one never sees half a change.
"""

from __future__ import annotations

import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ..errors import Problem, Refusal
from ..schema.event import Event
from ..schema.responses import Viewer, got
from ..settings import Settings
from .data_file import App, load, load_events
from .fault_rules import Faults
from .ledger import Ledger
from .pages import Change, Page, Rest
from .recurrence import clash, named
from .sample import SAMPLE
from .tokens import Tokens

_CHINA = timezone(timedelta(hours=8))


@dataclass
class Receipt:
    """A client token's first request: still running while there is no body."""

    expires: float = math.inf
    body: Any = None


class Store:
    """All state of one emulator.

    :param data: apps, users, rooms and events; the sample if absent.
    :param clock: seconds since the epoch; tests inject their own.
    :param settings: switches, see :class:`~..settings.Settings`.
    """

    def __init__(self, data: Any = None, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        self.clock = clock
        self._initial = SAMPLE if data is None else data, Settings().changed(settings)
        self.generation = 0
        self.reset()

    def reset(self, data: Any = None, /, **settings: Any) -> None:
        """Go back to the initial data and settings, or to those given; nothing has happened yet.

        :raises ValueError: for wrong data or settings; the state stays as it was.
        """
        switches = self._initial[1].changed(settings)
        self.advanced = 0.0
        loaded = load(self._initial[0] if data is None else data, switches, self.stamp())
        self.settings = switches
        self.apps, self.names, self.emails, self.events = loaded.apps, loaded.names, loaded.emails, loaded.events
        self.staff, self.corps, self.named_rooms = loaded.staff, loaded.corps, loaded.rooms
        self.suite_ticket = loaded.suite_ticket
        self.signed_in: str | None = next(iter(loaded.names), None)
        self.ledger = Ledger()
        self.faults = Faults()
        self.requests: list[Event] = []
        self.changes: list[Change] = []
        self.pages: dict[str, Page] = {}
        self.rests: dict[str, Rest] = {}
        self.tokens = Tokens(self.now)
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.recent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.months: Counter[str] = Counter()
        self.creations: Counter[tuple[str, str]] = Counter()
        # A request that began before the reset must not act on what comes after it.
        self.generation += 1

    def configure(self, /, **settings: Any) -> None:
        """Change switches.

        :raises ValueError: for an unknown switch or value; then none is changed.
        """
        self.settings = self.settings.changed(settings)

    # Time

    def now(self) -> float:
        """Return the time it is here."""
        return self.clock() + self.advanced

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.advanced += seconds

    def stamp(self, after: str = "") -> str:
        """Return the time as calendar answers tell it, later than ``after`` by a second at least: a change shows."""
        now = datetime.fromtimestamp(self.now(), UTC).astimezone(_CHINA)
        earliest = datetime.fromisoformat(after) + timedelta(seconds=1) if after else now
        return max(now, earliest).astimezone(_CHINA).isoformat(timespec="seconds")

    # Apps and people

    def expire_tokens(self) -> None:
        """Make every access token issued so far invalid."""
        self.tokens.access.clear()

    def knows(self, union_id: str) -> bool:
        """Tell whether somebody is in the directory or takes part in an event."""
        return union_id in self.names or any(union_id in self.participants(event) for event in self.events.values())

    def in_range(self, app: App | None, union_id: str) -> bool:
        """Tell whether an app may act for somebody."""
        return self.knows(union_id) and (app is None or app.range is None or union_id in app.range)

    def count_creation(self, union_id: str) -> None:
        """Hold a user to the events they may create in a day."""
        key, limit = (union_id, self.stamp()[:10]), self.settings.daily_creations
        if 0 < limit <= self.creations[key]:
            raise Problem(Refusal.FLOW_LIMIT)
        self.creations[key] += 1

    # Events

    def participants(self, event: Event) -> frozenset[str]:
        """Return the unionIds of organizer and attendees."""
        return frozenset([event["organizer"]["id"], *(person["id"] for person in event.get("attendees", ()))])

    def find(self, event_id: str) -> Event | None:
        """Return an event, as the switch says also an instance that is not stored."""
        event = self.events.get(event_id)
        return named(event_id, self.events) if event is None and self.settings.view_ids == "usable" else event

    def put(self, event: Event) -> Event:
        """Store an event, note that it changed, and return it as stored."""
        before = self.events.get(event["id"], event)
        audience = self.participants(before) | self.participants(event)
        self.events[event["id"]] = event
        self.changes.append(Change(event["id"], audience))
        return event

    def put_all(self, events: Any) -> None:
        """Add or replace events given as data.

        :raises ValueError: naming the place of what is wrong; then none is stored.
        """
        for event in load_events(events, self.settings, self.stamp()):
            self.put(event)

    def instances(self, series_id: str) -> list[Event]:
        """Return the stored instances of a series, cancelled ones too."""
        return [event for event in self.events.values() if event.get("seriesMasterId") == series_id]

    @property
    def rooms(self) -> dict[str, str]:
        """Name of each meeting room by its id: those in the data, and those some event has."""
        rooms = dict(self.named_rooms)
        for room in (room for event in self.events.values() for room in event.get("meetingRooms", ())):
            rooms.setdefault(room["roomId"], room.get("displayName", room["roomId"]))
        return rooms

    def booked(self, room_id: str) -> list[Event]:
        """Return the events that take place in a room."""
        return [event for event in self.events.values() if event["status"] == "confirmed" and room_id in _rooms(event)]

    def room_taken(self, event: Event) -> bool:
        """Tell whether a room booked for the event is taken by another at one of its times."""
        return any(_shares_room(event, other) and clash(event, other) for other in self.events.values())

    def viewer(self, union_id: str, max_attendees: int | None = None) -> Viewer:
        """Return the eyes of a user."""
        return Viewer(union_id, self.names, max_attendees)

    def shown(self, event: Event) -> Event:
        """Return an event as GetEvent shows it to its organizer, with all attendees."""
        return got(event, self.viewer(event["organizer"]["id"]))


def _shares_room(event: Event, other: Event) -> bool:
    series = {event["id"], event.get("seriesMasterId")} & {other["id"], other.get("seriesMasterId")} - {None}
    return not series and other["status"] == "confirmed" and bool(_rooms(event) & _rooms(other))


def _rooms(event: Event) -> set[str]:
    return {room["roomId"] for room in event.get("meetingRooms", ()) if room.get("responseStatus") != "declined"}
