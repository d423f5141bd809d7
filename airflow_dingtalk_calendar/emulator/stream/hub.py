"""The gateway of Stream mode, for all threads: tickets, connections, events.

Everything happens on the emulator's clock: when somebody moves it, whatever is due by then is done at once.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any

from .changes import CalendarChange
from .connections import OutgoingItem, StreamConnection
from .deliveries import EventDeliveries
from .faults import CONNECT_FAULTS
from .frames import StreamAnswer, read_answer
from .host import StreamHost
from .tickets import TicketStore
from .upkeep import announce_close, run_upkeep, take_ping_answer, upkeep_times

DEFAULT_REASON = "the service is restarted"


class StreamHub:
    """All connections and events of all apps."""

    def __init__(self, host: StreamHost) -> None:
        # Re-entrant: taking what is due for one connection runs what is due for all.
        self._host, self._lock = host, RLock()
        self._connections: dict[int, StreamConnection] = {}
        self.reset()

    def reset(self) -> None:
        """Forget everything; connections end at once, without a word."""
        with self._lock:
            for connection in self._connections.values():
                connection.replace_outbox("cut")
            self._connections, self._opened = {}, 0
            self._tickets = TicketStore(self._host.now)
            self._deliveries = EventDeliveries(self._host, self._connections)

    # What clients do

    def issue_ticket(self, app_key: str, *, receives_events: bool, agent: str) -> str:
        """Return a new ticket."""
        with self._lock:
            lifetime = self._host.settings.stream_ticket_lifetime
            return self._tickets.issue(app_key, lifetime, receives_events=receives_events, agent=agent)

    def open_connection(self, ticket: str, wake: Callable[[], None]) -> StreamConnection | None:
        """Return a connection for a ticket, if it is good for one.

        :param wake: called, from any thread, when there is something to do with the socket.
        """
        with self._lock:
            redeemed = self._tickets.redeem(ticket)
            if redeemed is None:
                return None
            self._opened += 1
            connection = StreamConnection(self._opened, redeemed, self._host.now, wake)
            self._connections[connection.number] = connection
            rule = self._host.faults.match_rule("StreamConnect", admitted=True)
            if rule is None:
                connection.enqueue("accept")
            else:
                CONNECT_FAULTS[rule.kind](connection, rule.parameters)
            return connection

    def drop_connection(self, connection: StreamConnection) -> None:
        """Forget a connection that has ended; what it has not acknowledged is pushed again in its time."""
        with self._lock:
            if self._connections.get(connection.number) is connection:
                del self._connections[connection.number]

    def receive(self, connection: StreamConnection, text: str | None) -> None:
        """Take what a client has sent; what is no answer to anything is noted."""
        with self._lock:
            try:
                self._take_answer(connection, read_answer(text))
            except ValueError as error:
                connection.problems.append(str(error))

    # What the gateway does

    def publish(self, change: CalendarChange) -> None:
        """Push a change to each app in its audience."""
        with self._lock:
            self._deliveries.publish(change)

    def run_due(self) -> None:
        """Do everything whose time has come."""
        with self._lock:
            self._deliveries.run_due()
            for connection in self._connections.values():
                run_upkeep(self._host, connection)

    def take_due(self, connection: StreamConnection) -> tuple[list[OutgoingItem], float]:
        """Return what is to be done with a connection's socket now, and when there may be more, in seconds."""
        with self._lock:
            self.run_due()
            items = connection.take_due()
            if any(item.kind == "accept" for item in items):
                connection.opened = connection.last_ping = self._host.now()
                self._deliveries.push_waiting()
            times = [connection.next_due, self._deliveries.next_due(), *upkeep_times(self._host, connection)]
            return items, max(0.0, min(times) - self._host.now())

    def disconnect_all(self, reason: str = DEFAULT_REASON) -> None:
        """Notify all clients that their connections are going to be closed."""
        with self._lock:
            for connection in self._connections.values():
                announce_close(self._host, connection, reason)

    # What people see

    def connections(self) -> list[dict[str, Any]]:
        """Describe the open connections, oldest first."""
        with self._lock:
            return [one.as_dict() for one in self._connections.values() if one.is_open]

    def events(self, pending_only: bool = False) -> list[dict[str, Any]]:
        """Describe the events so far, oldest first, or those that are still to be acknowledged."""
        with self._lock:
            return [one.as_dict() for one in self._deliveries.all if one.pending or not pending_only]

    def _take_answer(self, connection: StreamConnection, answer: StreamAnswer) -> None:
        if take_ping_answer(connection, answer):
            return
        delivery = self._deliveries.find_pushed(answer.message_id)
        if delivery is None:
            raise ValueError(f"no frame has the messageId {answer.message_id!r}")
        self._deliveries.settle(connection, delivery, answer.status)
