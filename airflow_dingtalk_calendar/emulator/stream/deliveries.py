"""Events on their way to the apps: each is pushed until it is acknowledged, lost, or too old."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal
from uuid import uuid4

from .changes import EVENT_TYPE, CalendarChange, with_camel_case_keys
from .connections import StreamConnection
from .faults import PUSH_FAULTS
from .frames import frame_headers, header_time, write_frame
from .host import StreamApp, StreamHost

DeliveryStatus = Literal["waiting", "pushed", "later", "acknowledged", "lost", "expired"]
_PENDING = ("waiting", "pushed", "later")


@dataclass
class EventDelivery:
    """An event for one app.

    :param event_id: the same at each push: by which a client detects duplicates.
    :param data: the members of its data, as they are sent.
    :param change: its content, for people: ``changeType`` and ``calendarEventId``.
    :param status: ``waiting`` for a connection, ``pushed``, to be pushed again ``later``, ``acknowledged``, ``lost``
        because nobody was connected, or ``expired``.
    :param message_ids: one for each push.
    :param connection: the number of the connection that it was pushed to last.
    :param due: when it is pushed again.
    """

    event_id: str
    app_key: str
    data: dict[str, Any]
    change: tuple[str, str]
    born: float
    status: DeliveryStatus = "waiting"
    message_ids: list[str] = field(default_factory=list)
    connection: int | None = None
    due: float = math.inf

    @property
    def pending(self) -> bool:
        """Whether it is still to be acknowledged."""
        return self.status in _PENDING

    def as_dict(self) -> dict[str, Any]:
        """Describe it for JSON."""
        return {
            "event_id": self.event_id,
            "app_key": self.app_key,
            "change_type": self.change[0],
            "calendar_event_id": self.change[1],
            "status": self.status,
            "pushes": len(self.message_ids),
            "connection": self.connection,
        }


class EventDeliveries:
    """All events of all apps since the last reset.

    :param connections: the connections there are, by their numbers.
    """

    def __init__(self, host: StreamHost, connections: Mapping[int, StreamConnection]) -> None:
        self._host, self._connections = host, connections
        self.all: list[EventDelivery] = []
        self._pending: dict[str, EventDelivery] = {}
        self._by_message: dict[str, EventDelivery] = {}
        self._push_count = 0

    def publish(self, change: CalendarChange) -> None:
        """Push a change to each app in its audience."""
        for app in self._host.apps.values():
            if union_ids := self._audience_of(app, change):
                delivery = self._new_delivery(app, change, union_ids)
                self.all.append(delivery)
                self._pending[delivery.event_id] = delivery
                self._push(delivery)

    def run_due(self) -> None:
        """Push again what was not acknowledged in time, and give up what is too old."""
        now = self._host.now()
        for delivery in list(self._pending.values()):
            if now >= self._expiry(delivery):
                self._finish(delivery, "expired")
            elif now >= delivery.due:
                self._push(delivery)

    def push_waiting(self) -> None:
        """Push what has waited for a connection."""
        for delivery in list(self._pending.values()):
            if delivery.status == "waiting":
                self._push(delivery)

    def next_due(self) -> float:
        """Return when there is something to do again."""
        return min((min(one.due, self._expiry(one)) for one in self._pending.values()), default=math.inf)

    def find_pushed(self, message_id: str) -> EventDelivery | None:
        """Return the event that was pushed in a frame; an earlier push of it is as good as the last."""
        return self._by_message.get(message_id)

    def settle(self, connection: StreamConnection, delivery: EventDelivery, status: str) -> None:
        """Take what a client says of an event, ``SUCCESS`` or ``LATER``; once it is acknowledged it stays so."""
        if not delivery.pending:
            return
        if status == "SUCCESS":
            connection.acknowledged += 1
            self._finish(delivery, "acknowledged")
        else:
            delivery.status, delivery.due = "later", self._next_push()

    def _push(self, delivery: EventDelivery) -> None:
        connections = [
            one for one in self._connections.values() if one.takes_events and one.ticket.app_key == delivery.app_key
        ]
        if connections:
            self._push_to(self._draw_connection(connections), delivery)
        elif self._host.settings.stream_unconnected == "lost":
            self._finish(delivery, "lost")
        else:
            delivery.status, delivery.due = "waiting", math.inf

    def _draw_connection(self, connections: list[StreamConnection]) -> StreamConnection:
        # The draw depends on nothing but the seed and how many there were before it.
        self._push_count += 1
        return Random(f"{self._host.settings.stream_seed} {self._push_count}").choice(connections)  # noqa: S311

    def _push_to(self, connection: StreamConnection, delivery: EventDelivery) -> None:
        delivery.status, delivery.connection, delivery.due = "pushed", connection.number, self._next_push()
        connection.pushed += 1
        frame = self._write_event_frame(delivery)
        rule = self._host.faults.match_rule("StreamPush", admitted=True)
        if rule is None:
            connection.enqueue("text", frame)
        else:
            PUSH_FAULTS[rule.kind](connection, frame, rule.parameters)
        # What is held back goes out after the next push, not after itself.
        if rule is None or rule.kind != "out_of_order":
            connection.release_held_back()

    def _write_event_frame(self, delivery: EventDelivery) -> str:
        message_id, settings = uuid4().hex, self._host.settings
        delivery.message_ids.append(message_id)
        self._by_message[message_id] = delivery
        headers = {
            **frame_headers(settings, self._host.now(), "*", message_id),
            "eventType": EVENT_TYPE,
            "eventId": delivery.event_id,
            "eventCorpId": self._host.corps[0],
            "eventBornTime": header_time(settings, delivery.born),
            "eventUnifiedAppId": f"unified-{delivery.app_key}",
        }
        return write_frame("EVENT", headers, delivery.data)

    def _audience_of(self, app: StreamApp, change: CalendarChange) -> list[str]:
        if app.range is None or self._host.settings.stream_audience == "everybody":
            return sorted(change.audience)
        return sorted(change.audience & app.range)

    def _new_delivery(self, app: StreamApp, change: CalendarChange, union_ids: list[str]) -> EventDelivery:
        event_id, now, data = uuid4().hex, self._host.now(), change.as_data(union_ids)
        if self._host.settings.stream_keys == "CamelCase":
            data = with_camel_case_keys(data, self._host.corps[0], int(now * 1000), event_id)
        return EventDelivery(event_id, app.key, data, (change.change_type, change.event["id"]), now)

    def _finish(self, delivery: EventDelivery, status: DeliveryStatus) -> None:
        delivery.status, delivery.due = status, math.inf
        del self._pending[delivery.event_id]

    def _next_push(self) -> float:
        return self._host.now() + self._host.settings.stream_redelivery

    def _expiry(self, delivery: EventDelivery) -> float:
        return delivery.born + self._host.settings.stream_retention
