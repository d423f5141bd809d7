"""What a push says about a change in somebody's calendar.

Sources: the official SDK's sample of a failed ``calendar_event_change`` callback (``event_1_0``), and the official page
"event-calendar-event-change".
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar.models.json_values import list_or_empty, text_or_empty
from airflow_dingtalk_calendar.stream.frames import MAX_ID_LENGTH, StreamFrame, lower_keys, parse_frame_data
from airflow_dingtalk_calendar.watch.changes import CHANGE_KINDS, ChangeKind

CALENDAR_CHANGE = "calendar_event_change"
KINDS_BY_TYPE: Mapping[str, ChangeKind] = {"created": "created", "updated": "updated", "cancelled": "deleted"}


@dataclass(frozen=True, slots=True)
class CalendarPush:
    """A change of an event, as DingTalk pushes it.

    :ivar change_id: the same at each push of the same change.
    :ivar kind: what has become of the event. A ``changeType`` that nobody knows counts as ``updated``.
    :ivar union_ids: whose calendars it concerns.
    :ivar update_time: when the event was changed, in ISO 8601 and UTC, like the next one None if DingTalk does not say.
    :ivar operator_type: what has changed it, ``user`` for example.
    """

    change_id: str
    kind: ChangeKind
    event_id: str
    union_ids: tuple[str, ...]
    calendar_id: str
    update_time: str | None
    operator_type: str | None

    def concerns(self, union_id: str, calendar_id: str, kinds: Iterable[ChangeKind] = CHANGE_KINDS) -> bool:
        """Whether it is about this person's calendar, and a change of one of these kinds."""
        return union_id in self.union_ids and calendar_id == self.calendar_id and self.kind in kinds

    def payload(self, union_id: str) -> dict[str, Any]:
        """Write the push as JSON for a watcher of somebody's calendar, without event content."""
        return {
            "change_id": self.change_id,
            "kind": self.kind,
            "event_id": self.event_id,
            "union_ids": list(self.union_ids),
            "update_time": self.update_time,
            "operator_type": self.operator_type,
            "union_id": union_id,
            "calendar_id": self.calendar_id,
            "source": "push",
        }


def is_calendar_change(frame: StreamFrame) -> bool:
    """Whether an event is about a calendar; an app may be subscribed to others."""
    return frame.kind == "event" and text_or_empty(frame.headers.get("eventtype")).lower() == CALENDAR_CHANGE


def parse_push(frame: StreamFrame) -> CalendarPush | None:
    """Read a push; None if it names no event, so that nobody can do anything about it."""
    data = parse_frame_data(frame)
    event_id = _read_word(data.get("calendareventid"))
    if not event_id:
        return None
    return CalendarPush(
        _derive_change_id(frame),
        KINDS_BY_TYPE.get(_read_word(data.get("changetype")).lower(), "updated"),
        event_id,
        tuple(filter(None, map(_read_word, list_or_empty(data.get("unionidlist"))))),
        _read_word(data.get("calendarid")) or "primary",
        _format_milliseconds(data.get("calendareventupdatetime")),
        _read_word(lower_keys(data.get("operator")).get("type")) or None,
    )


def _read_word(value: Any) -> str:
    """Read an id or a word; blank for what is none, or what no database would take."""
    text = text_or_empty(value).strip()
    return text if text.isprintable() and len(text) <= MAX_ID_LENGTH else ""


def _derive_change_id(frame: StreamFrame) -> str:
    """Name a change by DingTalk's ``eventId``, in as many characters as polling does; without one, by what it says."""
    name = text_or_empty(frame.headers.get("eventid")) or frame.data
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:32]


def _format_milliseconds(value: Any) -> str | None:
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value) / 1000
        moment = dt.datetime.fromtimestamp(seconds, dt.UTC) if seconds > 0 else None
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
