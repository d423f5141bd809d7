"""What a person reads about a patch before it is sent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.plans import diff
from tests.conftest import event
from tests.plans.test_rows import Json

RULE = {
    "pattern": {"type": "weekly", "daysOfWeek": "monday,friday", "interval": 2},
    "range": {"type": "endDate", "endDate": "2027-03-29T23:59:59+08:00"},
}


def said(patch: dict[str, Any], **fields: Any) -> list[str]:
    """Return the lines about a patch of the event that all tests have, with these fields."""
    return diff.diff_lines(EventPatch.parse(patch, timezone="Asia/Shanghai").to_body("E"), event(**fields))


@pytest.mark.parametrize(
    ("patch", "lines"),
    [
        ({"summary": "Retro"}, ["summary: Planning -> Retro"]),
        ({"summary": "x" * 100}, [f"summary: Planning -> {'x' * 79}…"]),
        (
            {"start": "2027-03-02T11:00", "end": "2027-03-02T12:30"},
            ["start: 2027-03-02 10:00 -> 11:00 (Asia/Shanghai)", "end: 2027-03-02 11:00 -> 12:30 (Asia/Shanghai)"],
        ),
        (
            {"start": "2027-03-03T10:00", "end": "2027-03-03T11:00"},
            [
                "start: 2027-03-02 10:00 -> 2027-03-03 10:00 (Asia/Shanghai)",
                "end: 2027-03-02 11:00 -> 2027-03-03 11:00 (Asia/Shanghai)",
            ],
        ),
        (
            {"is_all_day": True, "start": "2027-03-02", "end": "2027-03-03"},
            [
                "isAllDay: False -> True",
                "start: 2027-03-02 10:00 (Asia/Shanghai) -> 2027-03-02 (all day)",
                "end: 2027-03-02 11:00 (Asia/Shanghai) -> 2027-03-03 (all day)",
            ],
        ),
        (
            {"start": {"dateTime": "2027-03-02T10:00", "timeZone": "Asia/Tokyo"}},
            ["start: 2027-03-02 10:00 (Asia/Shanghai) -> 10:00 (Asia/Tokyo)"],
        ),
        ({"location": "Room 2"}, ["location: Room 1 -> Room 2"]),
        ({"reminders": [5, 60]}, ["reminders: 15 -> 5, 60 (minutes before)"]),
        ({"reminders": []}, ["reminders: 15 -> none (minutes before)"]),
        ({"attendees": ["iiPnew"]}, ["attendees: + iiPnew; not in the list: iiPguest"]),
        ({"attendees": ["iiPguest", {"email": "a@example.com"}]}, ["attendees: + a@example.com"]),
        (
            {"recurrence": RULE},
            ["recurrence: (nothing) -> weekly monday,friday, every 2, until 2027-03-29T23:59:59+08:00"],
        ),
        ({"online_meeting": True}, ["onlineMeetingInfo: -> a new video meeting"]),
        ({"notify_push": False}, ["extra: no push notification"]),
        ({"notify_push": True, "notify_chat": False}, ["extra: push notification, no chat notification"]),
        ({"free_busy_status": "busy"}, ["freeBusyStatus: -> busy"]),
        ({"summary": "Planning", "location": "Room 1", "reminders": [15]}, []),
    ],
    ids=str,
)
def test_each_field_is_said_in_a_line(patch: dict[str, Any], lines: list[str]) -> None:
    """A line says what a field is and what it would be; fields that stay have none."""
    assert said(patch) == lines


def test_an_all_day_event_that_gets_a_time() -> None:
    """An event that had a day only and gets a time of day is said to have been all day."""
    times = {"start": {"date": "2027-03-02"}, "isAllDay": True}
    assert said({"start": "2027-03-02T10:00"}, **times) == [
        "start: 2027-03-02 (all day) -> 2027-03-02 10:00 (Asia/Shanghai)"
    ]
    assert said({"start": "2027-03-05"}, **times) == ["start: 2027-03-02 -> 2027-03-05"]


def test_a_video_meeting_comes_beside_the_one_there_is() -> None:
    """Asking for a meeting of another kind where there is one says that it is one more."""
    assert said({"online_meeting": True}, onlineMeetingInfo={"type": "other"}) == [
        "onlineMeetingInfo: -> a new video meeting, beside the one it has"
    ]


@given(Json, Json, Json)
def test_whatever_the_event_is_there_are_lines(start: Any, people: Any, rule: Any) -> None:
    """An event of any shape, as somebody may have put it into a plan, is no error."""
    patch = {"start": "2027-03-02T11:00", "attendees": ["iiPnew"], "recurrence": RULE, "reminders": [5]}
    body = EventPatch.parse(patch, timezone="Asia/Shanghai").to_body("E")
    lines = diff.diff_lines(body, {"start": start, "attendees": people, "recurrence": rule, "reminders": people})
    assert all(line.partition(":")[0] in body for line in lines)
