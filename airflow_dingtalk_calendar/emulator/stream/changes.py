"""What ``calendar_event_change`` says about a change.

Sources: the official SDK's sample of a failed callback (``event_1_0``) and the page "event-calendar-event-change". They
spell the members differently; which spelling Stream mode has is UNVERIFIED, switch ``stream_keys``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..schema.event import Event

EVENT_TYPE = "calendar_event_change"


@dataclass(frozen=True)
class CalendarChange:
    """A change of an event.

    :param change_type: ``created``, ``updated`` or ``cancelled``.
    :param audience: unionIds of everybody whom the event concerned before or after the change.
    """

    event: Event
    change_type: str
    audience: frozenset[str]

    def as_data(self, union_ids: list[str]) -> dict[str, Any]:
        """Return the members of the push, as the SDK's sample has them."""
        return {
            "changeType": self.change_type,
            "calendarEventId": self.event["id"],
            "unionIdList": union_ids,
            "calendarId": "primary",
            "calendarEventUpdateTime": _epoch_milliseconds(self.event),
            "legacyCalendarEventId": _legacy_event_id(self.event),
            "operator": {"type": "user"},
        }


def describe_change(before: Event | None, after: Event, audience: frozenset[str]) -> CalendarChange:
    """Describe a change; an instance that is stored for the first time was there before, as one of its series.

    What is pushed to somebody who is no longer invited is not documented; here it is the same as everybody else.
    """
    if after["status"] == "cancelled":
        return CalendarChange(after, "cancelled", audience)
    new = before is None and not after.get("seriesMasterId")
    return CalendarChange(after, "created" if new else "updated", audience)


def with_camel_case_keys(data: dict[str, Any], corp_id: str, time: int, business_id: str) -> dict[str, Any]:
    """Return the members as HTTP callbacks spell them, with those that stand beside them there."""
    beside = {"EventType": EVENT_TYPE, "EventTime": time, "CorpId": corp_id, "BizId": business_id}
    return {**{name[0].upper() + name[1:]: member for name, member in data.items()}, **beside}


def _epoch_milliseconds(event: Event) -> int:
    return int(datetime.fromisoformat(event["updateTime"]).timestamp() * 1000)


def _legacy_event_id(event: Event) -> str:
    return hashlib.sha256(event["id"].encode()).hexdigest()[:32]
