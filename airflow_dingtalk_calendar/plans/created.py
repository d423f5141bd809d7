"""Events that an earlier try of a task may have created without being able to say so.

A retry sends the same request under the same client token, by which DingTalk knows it for a day. What DingTalk does
with it then is not documented: it may answer with the first event, or create a second one (UNVERIFIED; the emulator's
switch ``replay``). So a retry checks first: an event of the same organizer that starts when the row's event does, is as
the row and the later rows of its group make it, and was created since the first try began, is the row's event.

Events are distinguished by their content, so the very same event from elsewhere, such as another task of the same DAG
run, cannot be distinguished from the row's own. And an event that a person has changed between the two tries is not
recognized; then only the client token prevents a second one. So it is where the app may not list events.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import require_list
from airflow_dingtalk_calendar.exceptions import PermissionDeniedError
from airflow_dingtalk_calendar.models import comparison, datetimes
from airflow_dingtalk_calendar.models.answer_times import read_answer_time
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty, mappings_in
from airflow_dingtalk_calendar.plans.actions.attendees import AttendeesChange
from airflow_dingtalk_calendar.plans.actions.patch import PatchChange
from airflow_dingtalk_calendar.plans.rows import Row

log = logging.getLogger(__name__)
# Between DingTalk's clock and a worker's; and createTime may be in minutes ("yyyy-MM-ddTHH:mmZ", DingTalk's SDK).
CLOCK_SKEW = dt.timedelta(minutes=2)
MAX_LISTED_ATTENDEES = 100  # people of an event that ListEvents returns
# What an event has not unless a request asks for it; reminders, say, DingTalk adds by itself.
ABSENT: Body = {"description": "", "location": {"displayName": ""}, "recurrence": None, "attendees": []}

UNLISTED_NOTE = (
    "So this retry cannot see which events an earlier try has created, and only the client token, which DingTalk knows "
    "for a day, prevents a second one."
)

Place = tuple[str, str, str, str]  # whose calendar, which one, and the span of time in which an event starts
Lookup = Generator[api.Call[Any], Any, Body | None]


@dataclass
class CreatedEvents:
    """Finds events that were created since a moment.

    A calendar is listed once, before any row creates an event there, so that none is taken for an earlier try's which
    this one has made. While a thread lists it, others that need the same place wait: for threads, not for coroutines.

    :param since: when the first try began.
    :param claimed: ids that are some row's already, since a plan may create two events that are the same.
    """

    since: dt.datetime
    claimed: set[str] = field(default_factory=set)
    _found: dict[Place, list[Body]] = field(default_factory=dict)
    _locks: defaultdict[Place, Lock] = field(default_factory=lambda: defaultdict(Lock))
    _claims: Lock = field(default_factory=Lock)

    def count_calls(self, rows: Iterable[Row]) -> int:
        """Count the metered calls that it takes to find the events of rows: one for each place."""
        return len({place for row in rows if row.change.creates for place in _places_of(row)})

    def claim(self, event_id: str) -> bool:
        """Take an event that was created now for a row's; false when it is another row's already."""
        with self._claims:
            taken = event_id in self.claimed
            self.claimed.add(event_id)
            return not taken

    def find(self, row: Row) -> Lookup:
        """Find the event of a row that creates one."""
        for place in _places_of(row):
            with self._claims:
                lock = self._locks[place]
            with lock:
                if place not in self._found:
                    self._found[place] = yield from _list_place(place)
            if event := self._claim_one(row, self._found[place]):
                return event
        return None

    def _claim_one(self, row: Row, events: Iterable[Body]) -> Body | None:
        """Take the event of a row.

        Of several, one that is as the row creates it, for what later rows have made of it may be what those of another
        group have made of another one; and of twins the one with more people, which a row that invites nobody cannot
        have.
        """
        with self._claims:
            free = (event for event in events if event["id"] not in self.claimed and self._was_created_for(row, event))
            found = max(free, key=partial(_rank_event, row), default=None)
            self.claimed.update([found["id"]] if found else [])
            return found

    def _was_created_for(self, row: Row, event: Body) -> bool:
        created = read_answer_time(event.get("createTime"), assumed_zone=dt.UTC)
        return (
            event.get("status") != "cancelled"
            and created is not None
            and created >= self.since - CLOCK_SKEW
            and get_member(event, "organizer", "id") in (None, row.union_id)
            and any(_is_event_of(body, event, row) for body in _bodies_of(row))
        )


def _rank_event(row: Row, event: Body) -> tuple[bool, int]:
    return _is_event_of(next(_bodies_of(row)), event, row), len(mappings_in(event.get("attendees")))


def _is_event_of(body: Body, event: Body, row: Row) -> bool:
    """Whether an event is what a body asks for, and has nothing that it does not ask for."""
    asked = {**ABSENT, **body}
    open_fields = {"description"} if "richTextDescription" in body else set()  # which DingTalk may repeat as text
    if len(asked["attendees"]) > MAX_LISTED_ATTENDEES or any(isinstance(one, AttendeesChange) for one in row.later):
        open_fields.add("attendees")
    return set(comparison.not_applied(asked, event)) <= open_fields


def _bodies_of(row: Row) -> Iterator[Body]:
    """Write the event as the row creates it, and as the later rows of its group leave it."""
    body: Body = row.change.make_calls(row.target())[0].json or {}
    yield body
    for change in row.later:
        if isinstance(change, PatchChange):
            yield {**body, **change.body}


def _places_of(row: Row) -> list[Place]:
    spans = dict.fromkeys(_times_around(mapping_or_empty(body.get("start"))) for body in _bodies_of(row))
    return [(row.union_id, row.calendar_id, *span) for span in spans]


def _times_around(start: Body) -> tuple[str, str]:
    """Return a span of time in which an event with this start begins, wherever its day begins."""
    if "date" in start:
        # ListEvents filters by the moment of the start, and a day begins up to 14 hours before UTC's and 12 hours after
        # it.
        day = dt.datetime.combine(dt.date.fromisoformat(start["date"]), dt.time.min, dt.UTC)
        first, last = day - dt.timedelta(days=1), day + dt.timedelta(days=2)
    else:
        moment = datetimes.parse_wire_datetime(start["dateTime"])
        # Whether timeMin and timeMax are included is not documented.
        first, last = moment - dt.timedelta(minutes=1), moment + dt.timedelta(minutes=1)
    return first.isoformat(), last.isoformat()


def _list_place(place: Place) -> Generator[api.Call[Any], Any, list[Body]]:
    union_id, calendar_id, first, last = place
    call = require_list(
        api.list_events(union_id, calendar_id=calendar_id, time_min=first, time_max=last, max_results=100), "events"
    )
    events: list[Body] = []
    seen: set[str] = set()
    following: api.Call[Any] | None = call
    while following:
        try:
            page = yield following
        except PermissionDeniedError as error:
            log.warning("%s %s", error, UNLISTED_NOTE)
            break
        events += (event for event in mappings_in(page["events"]) if isinstance(event.get("id"), str))
        following = api.next_page(call, page, seen)
    return events
