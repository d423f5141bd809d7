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
from uuid import uuid4

from .checks import Event
from .errors import Problem, Refusal
from .faults import Faults
from .ledger import Ledger
from .listing import Change, Page
from .loading import App, load, load_events
from .recurring import clash
from .sample import SAMPLE
from .settings import Settings
from .views import Viewer, got

_CHINA = timezone(timedelta(hours=8))


@dataclass(frozen=True)
class Token:
    """An access token and until when it is good."""

    value: str
    app_key: str
    expires: float


@dataclass
class Receipt:
    """A client token's first request: still running while there is no body."""

    expires: float = math.inf
    body: Any = None


class Store:
    """All state of one emulator.

    :param data: apps, users and events; the sample if absent.
    :param clock: seconds since the epoch; tests inject their own.
    :param settings: switches, see :class:`~.settings.Settings`.
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
        self.ledger = Ledger()
        self.faults = Faults()
        self.requests: list[Event] = []
        self.changes: list[Change] = []
        self.pages: dict[str, Page] = {}
        self.tokens: dict[str, Token] = {}
        self.receipts: dict[tuple[str, str], Receipt] = {}
        self.recent: defaultdict[tuple[str, str], deque[float]] = defaultdict(deque)
        self.months: Counter[str] = Counter()
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

    # Access tokens

    def issue_token(self, app: App) -> Token:
        """Return the app's token: while valid the same, renewed ("Get the access token of an internal app")."""
        valid = [token for token in self.tokens.values() if token.app_key == app.key and token.expires > self.now()]
        value = valid[0].value if valid else uuid4().hex
        self.tokens[value] = Token(value, app.key, self.now() + self.settings.token_lifetime)
        self.ledger.tokens_issued += 1
        return self.tokens[value]

    def app_of(self, token: str) -> App:
        """Return the app a valid token belongs to."""
        known = self.tokens.get(token)
        if known is None or known.expires <= self.now():
            raise Problem(Refusal.INVALID_TOKEN)
        return self.apps[known.app_key]

    def expire_tokens(self) -> None:
        """Make every token issued so far invalid."""
        self.tokens.clear()

    # Events

    def participants(self, event: Event) -> frozenset[str]:
        """Return the unionIds of organizer and attendees."""
        return frozenset([event["organizer"]["id"], *(person["id"] for person in event.get("attendees", ()))])

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
