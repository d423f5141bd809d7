"""Tickets: what a connection is opened with ("Stream protocol", step 1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4


@dataclass(frozen=True)
class StreamTicket:
    """The right to open one connection.

    :param receives_events: whether the app has subscribed to events; else it is pushed none.
    :param agent: how the client calls itself (``ua``).
    """

    app_key: str
    receives_events: bool
    agent: str
    expires: float


class TicketStore:
    """All tickets in circulation.

    :param now: seconds since the epoch.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._tickets: dict[str, StreamTicket] = {}

    def issue(self, app_key: str, lifetime: float, *, receives_events: bool = True, agent: str = "") -> str:
        """Return a new ticket."""
        value = str(uuid4())
        self._tickets[value] = StreamTicket(app_key, receives_events, agent, self._now() + lifetime)
        return value

    def redeem(self, value: str) -> StreamTicket | None:
        """Take a ticket, which works once ("good for one connection"), and only in its time."""
        ticket = self._tickets.pop(value, None)
        return ticket if ticket and ticket.expires > self._now() else None
