"""What counts as a change, what its name is, and how the position is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.watch import checkpoint
from airflow_dingtalk_calendar.watch.changes import (
    DEFAULT_FIELDS,
    CalendarChange,
    ChangeFilter,
    Position,
    find_changes,
    initial_position,
    parse_filter,
)
from airflow_dingtalk_calendar.watch.checkpoint import MAX_PART_LENGTH, CheckpointHead, encode_position
from tests.conftest import ORGANIZER, event

EVERY = parse_filter(list(FIELDS.watched))


def position(watch: ChangeFilter, *events: dict[str, Any]) -> Position:
    """Take a position in a calendar of these events."""
    return initial_position("epoch", "token", watch.snapshots(events), 0.0)


def reported(
    watch: ChangeFilter, before: Position, *events: dict[str, Any], complete: bool = False
) -> list[CalendarChange]:
    """Return the changes when these events were listed."""
    return find_changes(watch, before, watch.snapshots(events), complete=complete)[0]


def kinds(found: Iterable[CalendarChange]) -> list[tuple[str, str, tuple[str, ...]]]:
    """Return the changes without their names."""
    return [(one.kind, one.snapshot.event_id, one.fields) for one in found]


OTHER: dict[str, dict[str, Any]] = {
    "summary": {"summary": "Other"},
    "description": {"description": None},
    "rich_text_description": {"richTextDescription": {"text": "<p>x</p>"}},
    "start": {"start": {"dateTime": "2027-03-02T10:30:00+08:00", "timeZone": "Asia/Shanghai"}},
    "end": {"end": {"date": "2027-03-02"}},
    "is_all_day": {"isAllDay": True},
    "recurrence": {"recurrence": {"pattern": {"type": "daily", "interval": 1}}},
    "location": {"location": {"displayName": "Room 2"}},
    "meeting_rooms": {"meetingRooms": [{"roomId": "room-1"}]},
    "organizer": {"organizer": {"id": "iiPguest"}},
    "attendees": {"attendees": []},
    "responses": {"attendees": [{"id": "iiPguest", "responseStatus": "declined", "isOptional": False}]},
    "reminders": {"reminders": [{"method": "dingtalk", "minutes": "60"}]},
    "online_meeting": {"onlineMeetingInfo": {"type": "dingtalk", "conferenceId": "1"}},
}


@pytest.mark.parametrize("name", FIELDS.watched)
def test_each_field_can_be_watched(name: str) -> None:
    """Another value of a watched field is an update that names it, and none for somebody who watches the others."""
    others = parse_filter([other for other in FIELDS.watched if other not in (name, "attendees", "responses")])
    assert ("updated", event()["id"], (name,)) in [
        (kind, event_id, tuple(one for one in fields if one == name))
        for kind, event_id, fields in kinds(reported(EVERY, position(EVERY, event()), event(**OTHER[name])))
    ]
    assert reported(others, position(others, event()), event(**OTHER[name])) == []


@pytest.mark.parametrize(
    "same",
    [
        {"start": {"dateTime": "2027-03-02T02:00:00Z", "timeZone": "Asia/Shanghai"}},
        {"reminders": [{"method": "dingtalk", "minutes": "15"}]},
        {"attendees": [{"id": "iiPguest", "responseStatus": "accepted"}]},
        {"meetingRooms": []},
        {"updateTime": "2027-03-02T10:00:00+08:00", "organizer": {"id": ORGANIZER, "displayName": "Lin"}},
    ],
    ids=str,
)
def test_another_spelling_is_no_change(same: dict[str, Any]) -> None:
    """The same moment, number or list written otherwise is the same."""
    assert reported(EVERY, position(EVERY, event()), event(**same)) == []


def test_what_is_malformed_is_compared_as_it_is() -> None:
    """Members of another shape than documented, and half characters, neither fail nor seem to change."""
    strange = event(start="soon", end={"dateTime": "late"}, attendees="all", organizer=[], summary="\ud800", location=7)
    assert reported(EVERY, position(EVERY, strange), deepcopy(strange), {"id": 7}, {"summary": "no id"}) == []


def test_filters_let_through_what_they_name() -> None:
    """Title, organizer and series decide which events are reported; instances belong to their series."""
    events = [event("a", summary="Review"), event("b"), event("c", seriesMasterId="a", organizer={"id": "iiPguest"})]
    for options, expected in (
        ({}, "abc"),
        ({"summary_pattern": "(?i)^rev"}, "a"),
        ({"organizer_id": ORGANIZER}, "ab"),
        ({"series_master_id": "a"}, "ac"),
        ({"series_master_id": "a", "organizer_id": "iiPguest"}, "c"),
    ):
        watch = parse_filter(DEFAULT_FIELDS, **options)
        assert [one.snapshot.event_id for one in reported(watch, position(watch), *events)] == list(expected), options


def test_a_retitled_event_neither_comes_nor_goes() -> None:
    """A DAG that writes into the title what the filter matches, or takes it out, does not start itself."""
    watch = parse_filter(DEFAULT_FIELDS, summary_pattern="Review")
    for before, after in (("Review", "Done"), ("Done", "Review")):
        assert reported(watch, position(watch, event(summary=before)), event(summary=after)) == []
    moved = reported(watch, position(watch, event(summary="Review")), event(summary="Done", **OTHER["start"]))
    assert kinds(moved) == [("updated", event()["id"], ("start",))]


@pytest.mark.parametrize("complete", [True, False])
def test_what_is_gone_is_deleted(complete: bool) -> None:
    """A cancelled event is deleted, and one that the whole calendar does not have any more; both have one name."""
    watch = parse_filter(DEFAULT_FIELDS, summary_pattern="Planning")
    before = position(watch, event("a"), event("b", summary="x"))
    listed = [] if complete else [event("a", status="cancelled", summary=""), event("b", status="cancelled")]
    (one,) = reported(watch, before, *listed, complete=complete)
    assert kinds([one]) == [("deleted", "a", ())]
    assert one.change_id == reported(watch, before, event("a", status="cancelled"))[0].change_id
    assert reported(watch, before, event("c", status="cancelled")) == []


def test_a_payload_has_no_content() -> None:
    """The payload of a change is small, JSON, and nothing that the event says."""
    moved = event(**OTHER["start"], updateTime="2027-03-01T10:00:00+08:00", seriesMasterId="master")
    (one,) = reported(EVERY, position(EVERY, event(seriesMasterId="master")), moved)
    payload = one.payload(ORGANIZER, "primary", "poll")
    assert (
        json.loads(json.dumps(payload))
        == payload
        == {
            "change_id": one.change_id,
            "kind": "updated",
            "event_id": event()["id"],
            "fields": ["start"],
            "series_master_id": "master",
            "organizer_id": ORGANIZER,
            "update_time": "2027-03-01T10:00:00+08:00",
            "union_id": ORGANIZER,
            "calendar_id": "primary",
            "source": "poll",
        }
    )
    assert len(one.change_id) == 32


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Wrong parameters are one error that names each."""
    with pytest.raises(InvalidInputError) as error:
        parse_filter(["titel"], summary_pattern="(", organizer_id=" ", series_master_id="")
    assert [path for path, _ in error.value.problems] == [
        "fields",
        "organizer_id",
        "series_master_id",
        "summary_pattern",
    ]
    with pytest.raises(InvalidInputError, match="fields: must name one at least"):
        parse_filter([])


# -- any calendar, any crash ------------------------------------------------------------------------------------

IDS = st.sampled_from("abc")
PLACES = st.sampled_from(["", "Room 1", "Room 2"])
WATCH = parse_filter(["start", "location"])


class Followed(RuleBasedStateMachine):
    """A calendar that people edit, and a watcher that crashes as it likes; the model compares values, not marks."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, dict[str, Any]] = {}
        self.changed: list[str] = []  # since the saved position
        self.known: dict[str, tuple[Any, Any]] = {}  # watched values at the saved position
        self.saved = position(WATCH)
        self.names: dict[str, Any] = {}
        self.base = 0

    def _touch(self, event_id: str, **fields: Any) -> None:
        before = self.events.get(event_id, event(event_id, status="confirmed"))
        self.events[event_id] = {**before, **fields}
        self.changed.append(event_id)

    @rule(event_id=IDS, place=PLACES)
    def edit(self, event_id: str, place: str) -> None:
        """Somebody makes or moves an event."""
        self._touch(event_id, location={"displayName": place}, status="confirmed")

    @rule(event_id=IDS, title=st.text(max_size=3))
    def retitle(self, event_id: str, title: str) -> None:
        """Somebody, or the DAG, writes what is not watched."""
        if event_id in self.events:
            self._touch(event_id, summary=title, updateTime=str(len(self.changed)))

    @rule(event_id=IDS)
    def cancel(self, event_id: str) -> None:
        """Somebody cancels an event."""
        if event_id in self.events:
            self._touch(event_id, status="cancelled")

    @rule(complete=st.booleans(), crashes=st.booleans(), shows_deleted=st.booleans())
    def poll(self, complete: bool, crashes: bool, shows_deleted: bool) -> None:
        """The watcher polls, by ``syncToken`` or all over again, and may be killed before it has saved."""
        listed = [
            self.events[one]
            for one in (self.events if complete else dict.fromkeys(self.changed))
            if shows_deleted or not complete or self.events[one]["status"] == "confirmed"
        ]
        found, marks = find_changes(WATCH, self.saved, WATCH.snapshots(listed), complete=complete)
        now = {key: (one["start"], one["location"]) for key, one in self.events.items() if one["status"] == "confirmed"}
        differing = {key for key in {*now, *self.known} if now.get(key) != self.known.get(key)}
        assert {one.snapshot.event_id for one in found} == differing
        assert len(found) == len(differing)
        for one in found:
            what = (self.base, one.snapshot.event_id, one.kind, now.get(one.snapshot.event_id))
            assert self.names.setdefault(one.change_id, what) == what
        assert len(set(map(str, self.names.values()))) == len(self.names)
        if not crashes:
            self.base += 1
            self.saved = Position("epoch", self.base, "token", marks, 0.0)
            self.known, self.changed = now, []

    @invariant()
    def nothing_of_an_event_is_remembered(self) -> None:
        """Marks are short and say nothing."""
        assert all(len(mark) == 13 and "Room" not in mark for mark in self.saved.fingerprints.values())


TestFollowed = Followed.TestCase


# -- keeping ----------------------------------------------------------------------------------------------------

MARKS = st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=12)


@given(st.lists(MARKS, min_size=1, max_size=5), st.integers(0, 30), st.integers(20, 60))
def test_a_position_is_whole_whenever_writing_stops(versions: list[dict[str, str]], steps: int, size: int) -> None:
    """However many of the writes were done, what is read is the last position that was written whole."""
    kept: dict[str, Any] = {}
    head, last = None, None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "MAX_PART_LENGTH", size)
        for number, marks in enumerate(versions):
            head, parts = encode_position(Position("e", number, "t", marks, 0.0), head)
            writes = [*zip(head.part_keys("k"), parts, strict=False), ("k", head.as_dict())]
            for key, value in writes[:steps]:
                kept[key] = json.loads(json.dumps(value))
            if steps < len(writes):
                break
            steps -= len(writes)
            last = number
    assert read(kept.get) == (None if last is None else Position("e", last, "t", versions[last], 0.0))


def read(get: Callable[[str], Any]) -> Position | None:
    """Read a position back."""
    head = CheckpointHead.read(get("k"))
    return head and head.position([get(key) for key in head.part_keys("k")])


def test_parts_are_small_and_whole_or_nothing() -> None:
    """Ten thousand events fit in parts that Airflow takes; without one of them there is no position."""
    marks = {f"event-{number:027}": "+" + "x" * 36 for number in range(10_000)}
    head, parts = encode_position(Position("e", 0, None, marks, 0.0), None)
    assert max(len(json.dumps(part)) for part in parts) <= MAX_PART_LENGTH < 65_536
    assert len(parts) == 17
    assert head.position(parts) == Position("e", 0, None, marks, 0.0)
    assert head.position([*parts[:-1], None]) is None
    assert encode_position(Position("e", 1, None, marks, 0.0), head)[1] == []
    assert CheckpointHead.read({"of": "another version"}) is None
    assert CheckpointHead.read("text") is None
