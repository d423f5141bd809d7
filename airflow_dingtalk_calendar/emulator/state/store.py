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

from ..errors import ApiError, Refusal
from ..schema.event import Event
from ..schema.responses import EventViewer, render_event
from ..settings import EmulatorSettings
from ..stream.changes import describe_change
from ..stream.hub import StreamHub
from .data_file import RegisteredApp, load_data, load_events
from .event_index import EventIndex
from .fault_rules import FaultRules
from .ledger import EffectsLedger
from .pages import ChangeRecord, EventListPage, RemainingItems
from .recurrence import events_overlap, find_unstored_instance
from .sample import SAMPLE
from .tokens import TokenStore

_CHINA_TIME = timezone(timedelta(hours=8))


@dataclass
class IdempotencyRecord:
    """A client token's first request: still running while there is no body."""

    expires: float = math.inf
    body: Any = None


class EmulatorStore:
    """All state of one emulator.

    :param data: apps, users, rooms and events; the sample if absent.
    :param clock: seconds since the epoch; tests inject their own.
    :param settings: switches, see :class:`~airflow_dingtalk_calendar.emulator.settings.EmulatorSettings`.
    """

    def __init__(self, data: Any = None, clock: Callable[[], float] = time.time, **settings: Any) -> None:
        self.clock = clock
        self._initial = SAMPLE if data is None else data, EmulatorSettings().with_changes(settings)
        self.generation = 0
        self.stream = StreamHub(self)
        self.reset()

    def reset(self, data: Any = None, /, **settings: Any) -> None:
        """Go back to the initial data and settings, or to those given; nothing has happened yet.

        :raises ValueError: for wrong data or settings; the state stays as it was.
        """
        switches = self._initial[1].with_changes(settings)
        self.clock_offset = 0.0
        loaded = load_data(self._initial[0] if data is None else data, switches, self.timestamp())
        self.settings = switches
        self.apps, self.names, self.emails = loaded.apps, loaded.names, loaded.emails
        self.events = EventIndex(loaded.events.values())
        self.staff, self.corps, self.configured_rooms = loaded.staff, loaded.corps, loaded.rooms
        self.suite_ticket = loaded.suite_ticket
        self.signed_in: str | None = next(iter(loaded.names), None)
        self.ledger = EffectsLedger()
        self.faults = FaultRules()
        self.requests: list[Event] = []
        self.changes: list[ChangeRecord] = []
        self.list_pages: dict[str, EventListPage] = {}
        self.remaining_items: dict[str, RemainingItems] = {}
        self.tokens = TokenStore(self.now)
        self.idempotency_records: dict[tuple[str, str], IdempotencyRecord] = {}
        self.recent_calls: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.monthly_calls: Counter[str] = Counter()
        self.creations_per_day: Counter[tuple[str, str]] = Counter()
        self.stream.reset()
        # A request that began before the reset must not act on what comes after it.
        self.generation += 1

    def configure(self, /, **settings: Any) -> None:
        """Change switches.

        :raises ValueError: for an unknown switch or value; then none is changed.
        """
        self.settings = self.settings.with_changes(settings)

    # Time

    def now(self) -> float:
        """Return the time it is here."""
        return self.clock() + self.clock_offset

    def advance_clock(self, seconds: float) -> None:
        """Let time pass; what is due by then in Stream mode is done."""
        self.clock_offset += seconds
        self.stream.run_due()

    def timestamp(self, after: str = "") -> str:
        """Return the time as calendar answers state it, later than ``after`` by a second at least: a change shows."""
        now = datetime.fromtimestamp(self.now(), UTC).astimezone(_CHINA_TIME)
        earliest = datetime.fromisoformat(after) + timedelta(seconds=1) if after else now
        return max(now, earliest).astimezone(_CHINA_TIME).isoformat(timespec="seconds")

    # Apps and people

    def expire_tokens(self) -> None:
        """Make every access token issued so far invalid."""
        self.tokens.access.clear()

    def knows_user(self, union_id: str) -> bool:
        """Return whether somebody is in the directory or takes part in an event."""
        return union_id in self.names or any(union_id in self.participants(event) for event in self.events.values())

    def in_app_range(self, app: RegisteredApp | None, union_id: str) -> bool:
        """Return whether an app may act for somebody."""
        return self.knows_user(union_id) and (app is None or app.range is None or union_id in app.range)

    def count_creation(self, union_id: str) -> None:
        """Hold a user to the events they may create in a day."""
        key, limit = (union_id, self.timestamp()[:10]), self.settings.daily_creations
        if 0 < limit <= self.creations_per_day[key]:
            raise ApiError(Refusal.DAILY_CREATION_LIMIT)
        self.creations_per_day[key] += 1

    # Events

    def participants(self, event: Event) -> frozenset[str]:
        """Return the unionIds of organizer and attendees."""
        return frozenset([event["organizer"]["id"], *(person["id"] for person in event.get("attendees", ()))])

    def find_event(self, event_id: str) -> Event | None:
        """Return an event, as the switch says also an instance that is not stored."""
        event = self.events.get(event_id)
        return (
            find_unstored_instance(event_id, self.events, self.settings)
            if event is None and self.settings.view_ids == "usable"
            else event
        )

    def put_event(self, event: Event) -> Event:
        """Store an event, note and push that it changed, and return it as stored."""
        before = self.events.get(event["id"])
        audience = self.participants(before or event) | self.participants(event)
        self.events[event["id"]] = event
        self.changes.append(ChangeRecord(event["id"], audience))
        self.stream.publish(describe_change(before, event, audience))
        return event

    def put_events(self, events: Any) -> None:
        """Add or replace events given as data.

        :raises ValueError: naming the place of what is wrong; then none is stored.
        """
        for event in load_events(events, self.settings, self.timestamp()):
            self.put_event(event)

    @property
    def rooms(self) -> dict[str, str]:
        """Name of each meeting room by its id: those in the data, and those some event has."""
        rooms = dict(self.configured_rooms)
        for room in (room for event in self.events.values() for room in event.get("meetingRooms", ())):
            rooms.setdefault(room["roomId"], room.get("displayName", room["roomId"]))
        return rooms

    def find_room(self, room_id: str) -> str | None:
        """Return the name of a meeting room, one of :attr:`rooms`."""
        if room_id in self.configured_rooms:
            return self.configured_rooms[room_id]
        rooms = (room for event in self.events.in_room(room_id) for room in event["meetingRooms"])
        return next((room.get("displayName", room_id) for room in rooms if room["roomId"] == room_id), None)

    def events_in_room(self, room_id: str) -> list[Event]:
        """Return the events that take place in a room."""
        events = self.events.in_room(room_id)
        return [event for event in events if event["status"] == "confirmed" and room_id in _used_room_ids(event)]

    def has_room_conflict(self, event: Event) -> bool:
        """Return whether a room booked for the event is taken by another at one of its times."""
        others = (other for room_id in _used_room_ids(event) for other in self.events_in_room(room_id))
        return any(not _is_same(event, other) and events_overlap(event, other, self.settings) for other in others)

    def viewer_for(self, union_id: str, max_attendees: int | None = None) -> EventViewer:
        """Return the eyes of a user."""
        return EventViewer(union_id, self.names, max_attendees)

    def render_for_organizer(self, event: Event) -> Event:
        """Return an event as GetEvent shows it to its organizer, with all attendees."""
        return render_event(event, self.viewer_for(event["organizer"]["id"]))


def _is_same(event: Event, other: Event) -> bool:
    """Whether it is the same event, or one of the same series."""
    return bool({event["id"], event.get("seriesMasterId")} & {other["id"], other.get("seriesMasterId")} - {None})


def _used_room_ids(event: Event) -> set[str]:
    return {room["roomId"] for room in event.get("meetingRooms", ()) if room.get("responseStatus") != "declined"}
