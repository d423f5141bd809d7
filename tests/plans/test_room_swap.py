"""Swapping a meeting room: no failure leaves the event without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, PlanIncompleteError
from airflow_dingtalk_calendar.plans import swap_room
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.plans.test_undo import QUIET, apply, shown, statuses

ROOMS = [{"roomId": f"r{number}", "displayName": f"Room {number}"} for number in range(7)]


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Callable[..., None]) -> Emulator:
    """DingTalk with an event that has a room, another one at the same time that has another, and a free room."""
    events = [
        event(meetingRooms=[ROOMS[1]], location={"displayName": "Room 1, first floor"}),
        event("other", meetingRooms=[ROOMS[2]]),
    ]
    dingtalk.reset({**DATA, "rooms": ROOMS, "events": events})
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def rooms(calendar: Emulator) -> list[str]:
    """Name the rooms of the event."""
    return [one["roomId"] for one in calendar.event(EVENT)["meetingRooms"]]


def test_a_room_is_swapped(calendar: Emulator) -> None:
    """The new room is booked before the old one is released, and then the text of the place changes."""
    done = apply(swap_room(calendar.event(EVENT), "r3", location="Room 3", quiet=True))
    assert statuses(done) == ["applied"] * 3
    assert rooms(calendar) == ["r3"]
    assert calendar.event(EVENT)["location"]["displayName"] == "Room 3"
    actions = [one["action"] for one in calendar.effects["writes"]]
    assert actions == ["AddMeetingRooms", "RemoveMeetingRooms", "PatchEvent"]
    assert calendar.requests[-1]["body"]["extra"] == QUIET


def test_a_room_that_is_taken(calendar: Emulator) -> None:
    """When the new room is not free, the event keeps the one that it has, and its text."""
    before = shown(calendar)
    with pytest.raises(AirflowFailException, match="meetingRoomNotAvailable"):
        apply(swap_room(calendar.event(EVENT), "r2", location="Room 2"))
    assert shown(calendar) == before


@pytest.mark.parametrize("action", ["AddMeetingRooms", "RemoveMeetingRooms", "PatchEvent"])
@pytest.mark.parametrize("kind", ["reset", "error", "apply_then_reset"])
def test_a_failure_leaves_no_meeting_without_a_room(calendar: Emulator, action: str, kind: str) -> None:
    """Whichever call fails, before it took effect or after, the event has a room; a retry finishes the swap."""
    rows = swap_room(calendar.event(EVENT), "r3", location="Room 3")
    details = {"status": 503, "code": "serviceBusy"} if kind == "error" else {}
    calendar.fault(kind=kind, action=action, **details)
    with pytest.raises(PlanIncompleteError):
        apply(rows, Ti(run_id=f"{action}-{kind}"))
    assert rooms(calendar)
    apply(rows, Ti(run_id=f"{action}-{kind}", try_number=2))
    assert rooms(calendar) == ["r3"]
    assert calendar.event(EVENT)["location"]["displayName"] == "Room 3"


def test_the_undo_of_a_swap(calendar: Emulator) -> None:
    """It books the old room again, releases the new one, and gives the text back."""
    before = shown(calendar)
    done = apply(swap_room(calendar.event(EVENT), "r3", location="Room 3"))
    apply(done["undo"])
    assert shown(calendar) == before


def test_an_event_that_somebody_has_changed(calendar: Emulator) -> None:
    """No row is done then."""
    rows = swap_room({**calendar.event(EVENT), "updateTime": "2027-01-01T00:00:00+08:00"}, "r3", location="x")
    assert statuses(apply(rows)) == ["skipped"] * 3
    assert rooms(calendar) == ["r1"]


def test_rows_that_are_not_needed() -> None:
    """Only what is different is done: nothing is left to do, a room to be released, or one to be booked."""
    booked = event(meetingRooms=[ROOMS[1], ROOMS[2]])
    assert swap_room(event(meetingRooms=[ROOMS[1]]), "r1", guard=False) == []
    assert [one["action"] for one in swap_room(booked, "r2", guard=False)] == ["remove_rooms"]
    assert [one["action"] for one in swap_room(event(), "r2", guard=False)] == ["add_rooms"]


def test_a_text_that_names_the_old_room(calendar: Emulator) -> None:
    """A place that still names the old room is said to the reviewer."""
    plan = parse_plan(swap_room(calendar.event(EVENT), "r3"), union_id=ORGANIZER)
    assert plan.rows[0].cautions == ("notes: location still names the old room, Room 1: give location",)


@pytest.mark.parametrize(
    ("number", "arguments", "text"),
    [
        (2, {}, "old_room_id: is needed"),
        (2, {"old_room_id": "r5"}, "old_room_id: is not one"),
        (5, {"old_room_id": "r0"}, "new_room_id: cannot be booked"),
        (1, {"new_room_id": " "}, "new_room_id"),
    ],
)
def test_what_cannot_be_swapped(number: int, arguments: dict[str, Any], text: str) -> None:
    """It has to be clear which room goes, and the new one has to have a place beside it."""
    with pytest.raises(InvalidInputError, match=text):
        swap_room(event(meetingRooms=ROOMS[:number]), **{"new_room_id": "r6", **arguments})


@pytest.mark.parametrize(("notes", "text"), [("x", "notes"), ([" "], "notes"), ({}, "notes")])
def test_notes_of_a_row(notes: Any, text: str) -> None:
    """Notes are a list of texts."""
    with pytest.raises(InvalidInputError, match=text):
        parse_plan([{"event_id": "e", "patch": {"summary": "s"}, "notes": notes}], union_id=ORGANIZER)
