"""What has changed in a calendar since the last poll.

An event is remembered as a fingerprint: one character that says whether it passes the filters, and a short hash of each
watched field in normal form. So no event content is kept, and what a change is stands here once: a watched field that
has another hash than it had. A change that a DAG makes itself to a field that is not watched is therefore none.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.copies import newest_copies
from airflow_dingtalk_calendar.models.field_fingerprints import FINGERPRINT_LENGTH
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.json_values import Body, get_member, text_or_empty, text_or_none

ChangeKind = Literal["created", "updated", "deleted"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
PASSES, FAILS = "+", "-"
# Changes in one asset event, some 350 kB of JSON. Not one each: Airflow 3.3.2 gives a DAG run the asset events up to
# the one that queued it (SchedulerJobRunner._create_dag_runs_asset_triggered). The run would get the first change of a
# poll, and the others would wait for the next poll that finds one.
PART_LENGTH = 1_000
# When and where. Not what a DAG typically writes (title, description), nor what changes with each answer of a guest.
DEFAULT_FIELDS = tuple(name for name, field in FIELDS.watched.items() if field.watched == "default")


@dataclass(frozen=True, slots=True)
class EventSnapshot:
    """An event as it was listed, reduced to what is stored or reported.

    :ivar fingerprint: filter and fields; None when the event was cancelled.
    """

    event_id: str
    fingerprint: str | None
    series_master_id: str | None = None
    organizer_id: str | None = None
    update_time: str | None = None


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """One event that came, went, or has other values in watched fields than before.

    :ivar fields: names of the fields that differ; of an event that came or went, none.
    :ivar change_id: the same whenever the same change is reported again.
    """

    kind: ChangeKind
    snapshot: EventSnapshot
    fields: tuple[str, ...]
    change_id: str

    def payload(self, union_id: str, calendar_id: str, source: str) -> dict[str, Any]:
        """Write the change as JSON, without event content.

        :param source: where the change comes from: a watcher's source, or ``task``.
        """
        return {
            "change_id": self.change_id,
            "kind": self.kind,
            "event_id": self.snapshot.event_id,
            "fields": list(self.fields),
            "series_master_id": self.snapshot.series_master_id,
            "organizer_id": self.snapshot.organizer_id,
            "update_time": self.snapshot.update_time,
            "union_id": union_id,
            "calendar_id": calendar_id,
            "source": source,
        }


@dataclass(frozen=True, slots=True)
class Position:
    """Up to where a calendar has been followed.

    :ivar epoch: identifies the initial snapshot; a new snapshot starts over with a new one.
    :ivar number: how many polls ago that was.
    :ivar token: the service's ``syncToken``; without one, the next poll lists the whole calendar.
    :ivar fingerprints: what is remembered of each event, by id.
    :ivar checked: when it was polled, in seconds since 1970.
    """

    epoch: str
    number: int
    token: str | None
    fingerprints: Mapping[str, str]
    checked: float


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which changes a watcher reports: which fields, of which events."""

    fields: tuple[str, ...]
    pattern: re.Pattern[str] | None = None
    organizer_id: str | None = None
    series_master_id: str | None = None

    def snapshots(self, events: Iterable[Body]) -> Iterator[EventSnapshot]:
        """See events: those that can never matter are left out, and what is no event at all."""
        for event in filter(is_event, events):
            cancelled = event.get("status") == "cancelled"
            # Of a cancelled event no more than id and status is sure to be there (UNVERIFIED). If it is of another
            # series, it was never remembered, and so it is no change.
            if cancelled or self._is_of_series(event):
                yield EventSnapshot(
                    event["id"],
                    None if cancelled else self._fingerprint(event),
                    text_or_none(event.get("seriesMasterId")),
                    text_or_none(get_member(event, "organizer", "id")),
                    text_or_none(event.get("updateTime")),
                )

    @property
    def needs_attendees(self) -> bool:
        """Whether the events have to be read with the people invited."""
        return any(FIELDS.watched[name].wire == "attendees" for name in self.fields)

    def differing_fields(self, before: str, after: str) -> tuple[str, ...]:
        """Name the fields that two fingerprints differ in."""
        # Hashes of one length after the filter's character: no separator is stored for each field of each event.
        starts = (1 + FINGERPRINT_LENGTH * index for index in range(len(self.fields)))
        places = zip(self.fields, (slice(start, start + FINGERPRINT_LENGTH) for start in starts), strict=True)
        return tuple(name for name, place in places if before[place] != after[place])

    def _fingerprint(self, event: Body) -> str:
        # An event that fails the filter is remembered, too: when it passes later, it is compared with what it was then.
        prints = [FIELDS.watched[name].fingerprint(event) for name in self.fields]
        return "".join([PASSES if self._passes(event) else FAILS, *prints])

    def _passes(self, event: Body) -> bool:
        titled = self.pattern is None or self.pattern.search(text_or_empty(event.get("summary"))) is not None
        return titled and self.organizer_id in (None, get_member(event, "organizer", "id"))

    def _is_of_series(self, event: Body) -> bool:
        return self.series_master_id in (None, event.get("id"), event.get("seriesMasterId"))


def is_event(value: Any) -> bool:
    """Whether something that a list has can be known again: it is an object with an id."""
    return isinstance(value, Mapping) and bool(text_or_empty(value.get("id")).strip())


def parse_filter(
    fields: Sequence[str] | str,
    summary_pattern: str | None = None,
    organizer_id: str | None = None,
    series_master_id: str | None = None,
) -> ChangeFilter:
    """Check what is to be watched.

    :raises InvalidInputError: with all problems.
    """
    named = [fields] if isinstance(fields, str) else list(fields)
    problems = [
        ("fields", f"{name!r} is none of {', '.join(FIELDS.watched)}") for name in named if name not in FIELDS.watched
    ]
    if not named:
        problems.append(("fields", "must name one at least"))
    for name, value in (("organizer_id", organizer_id), ("series_master_id", series_master_id)):
        if value is not None and (not isinstance(value, str) or not value.strip()):
            problems.append((name, "is blank"))
    try:
        pattern = None if summary_pattern is None else re.compile(summary_pattern)
    except (re.error, TypeError) as error:
        problems.append(("summary_pattern", f"is no regular expression: {error}"))
    if problems:
        raise InvalidInputError(*problems)
    return ChangeFilter(
        # In the table's order, so that the same fields, named in another order, continue the same position.
        tuple(name for name in FIELDS.watched if name in named),
        pattern,
        organizer_id,
        series_master_id,
    )


def initial_position(epoch: str, token: str | None, snapshots: Iterable[EventSnapshot], checked: float) -> Position:
    """Take the initial snapshot: later changes are reported."""
    latest = newest_copies(snapshots, lambda one: one.event_id, lambda one: one.update_time).values()
    return Position(
        epoch, 0, token, {one.event_id: one.fingerprint for one in latest if one.fingerprint is not None}, checked
    )


def find_changes(
    watch: ChangeFilter, position: Position, snapshots: Iterable[EventSnapshot], *, complete: bool
) -> tuple[list[CalendarChange], Mapping[str, str]]:
    """Return what has changed since a position, and what to remember from now on.

    :param complete: whether all events of the calendar were seen, so that one that was not is gone.
    """
    fingerprints = dict(position.fingerprints)
    latest = newest_copies(snapshots, lambda one: one.event_id, lambda one: one.update_time)
    gone = [EventSnapshot(event_id, None) for event_id in fingerprints if complete and event_id not in latest]
    changes = []
    for snapshot in [*latest.values(), *gone]:
        before = fingerprints.pop(snapshot.event_id, None)
        if snapshot.fingerprint is not None:
            fingerprints[snapshot.event_id] = snapshot.fingerprint
        found = _classify_change(watch, before, snapshot.fingerprint)
        if found is not None:
            changes.append(CalendarChange(found[0], snapshot, found[1], _derive_change_id(position, snapshot)))
    return changes, fingerprints


def _classify_change(
    watch: ChangeFilter, before: str | None, after: str | None
) -> tuple[ChangeKind, tuple[str, ...]] | None:
    if not any(fingerprint is not None and fingerprint.startswith(PASSES) for fingerprint in (before, after)):
        return None
    if before is None:
        return "created", ()
    if after is None:
        return "deleted", ()
    fields = watch.differing_fields(before, after)
    return ("updated", fields) if fields else None


def _derive_change_id(position: Position, snapshot: EventSnapshot) -> str:
    """Name a change by what it is measured against and what the watched fields are now.

    Not by the event's ``updateTime``: if the change is reported again, after a crash, the event may have got a new one
    meanwhile, because the DAG that it started has changed the title.
    """
    parts = json.dumps([position.epoch, position.number, snapshot.event_id, snapshot.fingerprint])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
