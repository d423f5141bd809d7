"""One connection of a client: what is to be sent on it and when, and what has come of it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from .tickets import StreamTicket

ItemKind = Literal["accept", "text", "raw", "close", "cut", "reset"]
_ENDINGS = ("close", "cut", "reset")


@dataclass(frozen=True)
class OutgoingItem:
    """Something to do with the socket, once it is due.

    :param kind: ``accept`` the WebSocket, send ``text`` as a frame, write ``raw`` bytes, ``close`` the WebSocket,
        ``cut`` the connection without saying so, or ``reset`` it (TCP RST).
    """

    kind: ItemKind
    payload: str | bytes
    due: float


@dataclass
class StreamConnection:
    """A connection, from its ticket on.

    :param number: counts the connections since the last reset.
    :param now: seconds since the epoch.
    :param wake: called when there is something to send.
    :param opened: when the WebSocket was accepted.
    :param last_ping: when it was pinged last, or opened.
    :param closes: when the gateway closes it, once it has said so.
    :param ending: whether what is to be sent ends it.
    :param pings: data of each ping that is not answered, by messageId.
    :param problems: what was wrong with answers.
    """

    number: int
    ticket: StreamTicket
    now: Callable[[], float]
    wake: Callable[[], None]
    opened: float | None = None
    last_ping: float = 0.0
    closes: float | None = None
    ending: bool = False
    pushed: int = 0
    acknowledged: int = 0
    pings: dict[str, Any] = field(default_factory=dict)
    answered_pings: int = 0
    problems: list[str] = field(default_factory=list)
    _outbox: deque[OutgoingItem] = field(default_factory=deque)
    _held_back: list[str] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it was accepted, and nothing that is to be sent ends it."""
        return self.opened is not None and not self.ending

    @property
    def takes_events(self) -> bool:
        """Whether an event can be pushed to it.

        Nothing says that a connection gets no more events after a ``disconnect``, so it does until it is closed.
        """
        return self.is_open and self.ticket.receives_events

    def enqueue(self, kind: ItemKind, payload: str | bytes = "", after: float = 0.0) -> None:
        """Have something done after all that is to be done already, and some seconds later if wanted."""
        self.ending = self.ending or kind in _ENDINGS
        last = self._outbox[-1].due if self._outbox else 0.0
        self._outbox.append(OutgoingItem(kind, payload, max(self.now(), last) + after))
        self.wake()

    def hold_back(self, frame: str) -> None:
        """Keep a frame until the next event has been pushed."""
        self._held_back.append(frame)

    def release_held_back(self) -> None:
        """Send what was held back."""
        for frame in self._held_back:
            self.enqueue("text", frame)
        self._held_back.clear()

    def replace_outbox(self, kind: ItemKind) -> None:
        """Do this now, and nothing of what was to be done."""
        self._outbox.clear()
        self.enqueue(kind)

    def take_due(self) -> list[OutgoingItem]:
        """Take what is to be done now."""
        items = []
        while self._outbox and self._outbox[0].due <= self.now():
            items.append(self._outbox.popleft())
        return items

    @property
    def next_due(self) -> float:
        """When there is something to do with the socket again."""
        return self._outbox[0].due if self._outbox else math.inf

    def as_dict(self) -> dict[str, Any]:
        """Describe the connection for JSON."""
        return {
            "number": self.number,
            "app_key": self.ticket.app_key,
            "agent": self.ticket.agent,
            "receives_events": self.ticket.receives_events,
            "open_for": None if self.opened is None else self.now() - self.opened,
            "closes_in": None if self.closes is None else max(0.0, self.closes - self.now()),
            "pushed": self.pushed,
            "acknowledged": self.acknowledged,
            "pings_answered": self.answered_pings,
            "pings_unanswered": len(self.pings),
            "problems": list(self.problems),
        }
