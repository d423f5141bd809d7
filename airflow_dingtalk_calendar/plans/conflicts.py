"""Conflicts: who, and which rooms, would be busy when an event moves (``if_busy``).

Rooms know the event's own booking by its id. What DingTalk returns about people has no ids, so one busy interval that
is exactly the event's old time is taken for the event itself. Whose times are not returned is unknown, and never free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import split_batches
from airflow_dingtalk_calendar.api.meeting_rooms import MAX_ROOMS
from airflow_dingtalk_calendar.api.schedules import MAX_PEOPLE, MAX_SCHEDULE_WINDOW
from airflow_dingtalk_calendar.exceptions import BusyError
from airflow_dingtalk_calendar.models.busy_times import Span, read_busy_times
from airflow_dingtalk_calendar.models.datetimes import format_iso
from airflow_dingtalk_calendar.models.event_spans import event_spans, overlaps_any, spans_before, take_away
from airflow_dingtalk_calendar.models.json_values import Body, Json, get_member, text_or_empty
from airflow_dingtalk_calendar.models.validation_errors import printable_name
from airflow_dingtalk_calendar.models.zones import load_zone
from airflow_dingtalk_calendar.plans.actions.base import people_in
from airflow_dingtalk_calendar.plans.actions.people import is_cut
from airflow_dingtalk_calendar.plans.actions.rooms import booked_rooms
from airflow_dingtalk_calendar.plans.rows import Row

IF_BUSY = ("ignore", "warn", "skip", "fail")
BUSY, BUSY_UNKNOWN = "busy", "busyUnknown"
ASSUMED_CALLS = 2  # of an event that nobody has read: it has a room, and not more people than one call takes
LOOK_AHEAD = dt.timedelta(days=731)  # for the first occurrence of a series that changes
MAX_NAMED = 5
MAX_TEXT = 100  # characters of an id, or of a reason that DingTalk gives
SERIES_TEXT = f"of the series, what changes within {MAX_SCHEDULE_WINDOW.days} days is checked, and nothing later"
CUT_TEXT = "not all people of the event were read"
TIMES_TEXT = "its times, or the days of its series, cannot be determined"
UNREADABLE = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


class BusyTime(NamedTuple):
    """When somebody, or a room, is busy: a unionId or a roomId, and a span of time."""

    who: str
    span: Span


@dataclass(frozen=True, slots=True)
class Move:
    """An event that is to take place at other times.

    :ivar spans: the times that are new.
    :ivar own: when it takes place now.
    :ivar people: unionIds of those who have to be free: the organizer, and who has to come and has not declined.
    """

    spans: Sequence[Span]
    own: Sequence[Span]
    zone: str
    people: Sequence[str]
    rooms: Sequence[str]

    @property
    def window(self) -> Span:
        """The time to ask about: with the old time whole, lest DingTalk returns only a part of it."""
        every = [*self.spans, *(span for span in self.own if overlaps_any(span, self.spans))]
        start = min(span.start for span in every)
        return Span(start, min(max(span.end for span in every), start + MAX_SCHEDULE_WINDOW))

    def make_calls(self, union_id: str) -> list[api.Call[list[Json]]]:
        """Make the calls that ask when they are busy."""
        start, end = (format_iso(moment, milliseconds=True) for moment in self.window)
        period = {"start_time": start, "end_time": end}
        people = [api.get_schedule(union_id, ids, **period) for ids in split_batches(self.people, MAX_PEOPLE)]
        rooms = [
            api.get_meeting_rooms_schedule(union_id, ids, **period) for ids in split_batches(self.rooms, MAX_ROOMS)
        ]
        return [*people, *rooms]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """What was found.

    :ivar unknown: of whom nobody knows, and why.
    :ivar cautions: what the check cannot see.
    """

    busy: Sequence[BusyTime] = ()
    unknown: Mapping[str, str] = field(default_factory=dict)
    cautions: Sequence[str] = ()
    zone: str = "UTC"

    @property
    def code(self) -> str:
        """The row's code; empty when all are free, as far as anybody knows."""
        return BUSY if self.busy else BUSY_UNKNOWN if self.unknown else ""

    @property
    def message(self) -> str:
        """Say who is busy when, and of whom it is unknown."""
        busy = [f"{_shown(one.who)} {self._write_span(one.span)}" for one in self.busy]
        unknown = [f"{_shown(who)} ({_shown(why)})" for who, why in self.unknown.items()]
        texts = [f"busy then: {_name_some(busy)} ({self.zone})"] if busy else []
        return "; ".join([*texts, *([f"not known to be free: {_name_some(unknown)}"] if unknown else [])])

    @property
    def lines(self) -> list[str]:
        """All messages about it, for the log and for the reviewer of a plan."""
        return [f"if_busy: {text}" for text in (self.message, *self.cautions) if text]

    def as_dict(self) -> Json:
        """Write it as JSON."""
        zone = load_zone(self.zone)
        busy = [
            {
                "id": one.who,
                "start": one.span.start.astimezone(zone).isoformat(),
                "end": one.span.end.astimezone(zone).isoformat(),
            }
            for one in self.busy
        ]
        return {"busy": busy, "busy_unknown": dict(self.unknown)}

    def _write_span(self, span: Span) -> str:
        start, end = (moment.astimezone(load_zone(self.zone)) for moment in span)
        day = "" if end.date() == start.date() else f"{end:%Y-%m-%d} "
        return f"{start:%Y-%m-%d %H:%M} to {day}{end:%H:%M}"


@dataclass(frozen=True, slots=True)
class BusyCheck:
    """Checks for conflicts before a row is sent.

    :ivar if_busy: what to do with the row then: ``warn``, ``skip`` or ``fail``.
    :ivar zone: where the days of an all-day event begin and end.
    :ivar clock: returns seconds since the epoch.
    :ivar warn: called with each message about a row.
    """

    if_busy: str
    zone: str
    clock: Callable[[], float]
    warn: Callable[[Row, str], None]

    def concerns(self, row: Row) -> bool:
        """Whether a row changes when its event takes place."""
        return row.change.changes_when

    def count_calls(self, rows: Iterable[Row]) -> int:
        """Count the metered calls, as far as rows bring their event."""
        return sum(self._count_row(row) for row in rows if self.concerns(row))

    def find(self, row: Row, event: Body) -> Generator[api.Call[Any], Any, Conflicts]:
        """Ask who is busy when a row moves its event.

        :param event: as it is.
        """
        try:
            move = read_move(row, event, self.zone, self._read_clock())
            calls = move.make_calls(row.union_id) if move else []
        except UNREADABLE:
            return Conflicts(unknown={"event": TIMES_TEXT})
        if move is None:
            return Conflicts()
        schedules: list[Json] = []
        for call in calls:
            schedules += yield call
        return judge(move, event, schedules)

    def refuse(self, row: Row, found: Conflicts) -> bool:
        """Say what was found; whether the row is left out therefore.

        :raises BusyError: when the row fails therefore.
        """
        for line in found.lines:
            self.warn(row, line)
        if found.code and self.if_busy == "fail":
            raise BusyError(f"if_busy: {found.message}", found.code)
        return bool(found.code) and self.if_busy == "skip"

    def _count_row(self, row: Row) -> int:
        if row.event is None:
            return ASSUMED_CALLS
        try:
            move = read_move(row, row.event, self.zone, self._read_clock())
        except UNREADABLE:
            return 0
        return len(move.make_calls(row.union_id)) if move else 0

    def _read_clock(self) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock(), dt.UTC)


def read_move(row: Row, event: Body, zone: str, now: dt.datetime) -> Move | None:
    """Read at which times an event is to take place that it does not take place at now; None when at none.

    :raises ValueError: or what else reading a time or a rule raises, for one that nobody explains.
    """
    moved = row.change.moved_event(event)
    zone = text_or_empty(get_member(moved, "start", "timeZone")) or zone
    coming = event_spans(moved, zone, now)
    first = next(coming, None)
    if first is None:
        return None
    horizon = first.start + LOOK_AHEAD
    own = spans_before(event_spans(event, zone, min(now, first.start)), horizon)
    known = set(own)
    new = [span for span in (first, *spans_before(coming, horizon)) if span not in known]
    if not new:
        return None
    near = spans_before(new, new[0].start + MAX_SCHEDULE_WINDOW)
    return Move(near, own, zone, _people_of(row, moved), sorted(booked_rooms(event)))


def judge(move: Move, event: Body, schedules: Iterable[Json]) -> Conflicts:
    """Decide who is busy at the new times, and not by the event itself."""
    busy: list[BusyTime] = []
    unknown = {"attendees": CUT_TEXT} if is_cut(event) else {}
    hidden = 0
    for entry in schedules:
        who = str(entry.get("userId") or entry.get("roomId"))
        spans = read_busy_times(entry, move.zone)
        if spans is None:
            unknown[who] = str(entry.get("error") or "these times cannot be read")
            continue
        left, taken = take_away(_not_by_id(entry, spans, event), _known_by_time(entry, event, move))
        busy += (BusyTime(who, span) for span in left if overlaps_any(span, move.spans))
        hidden += any(overlaps_any(span, move.spans) for span in taken) and "userId" in entry
    return Conflicts(busy, unknown, list(_cautions(event, hidden)), move.zone)


def _not_by_id(entry: Json, spans: Sequence[Span], event: Body) -> list[Span]:
    """Leave out what is booked by the event itself, where that is known."""
    own = {event.get("id"), event.get("seriesMasterId")} - {None, ""}
    return [span for span, item in zip(spans, entry["scheduleItems"], strict=True) if item.get("eventId") not in own]


def _known_by_time(entry: Json, event: Body, move: Move) -> Sequence[Span]:
    """Name the times by which an entry's own intervals are known: those of a room only if each time has its own id."""
    return move.own if "userId" in entry or event.get("recurrence") else ()


def _cautions(event: Body, hidden: int) -> Iterator[str]:
    if event.get("recurrence"):
        yield SERIES_TEXT
    if hidden:
        yield f"a second meeting at exactly the event's old time would not be noticed, of {hidden} people"


def _people_of(row: Row, event: Body) -> list[str]:
    """Name who has to be free; of people invited by mail, nobody can ask."""
    people = people_in(event)
    asked = (one for one in people if one.get("isOptional") is not True and one.get("responseStatus") != "declined")
    ids = (text_or_empty(one.get("id")) for one in asked)
    return list(dict.fromkeys(filter(None, (row.union_id, *ids))))


def _shown(text: str) -> str:
    return printable_name(text, MAX_TEXT)


def _name_some(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - MAX_NAMED} more" if len(texts) > MAX_NAMED else ""
    return f"{', '.join(texts[:MAX_NAMED])}{more}"
