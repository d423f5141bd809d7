"""Whether an event has what a patch asked for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.models.comparison import is_unchanged, not_applied
from airflow_dingtalk_calendar.plans.diff import diff_lines

NAMES = ["id", "dateTime", "timeZone", "date", "pattern", "range", "displayName", "text", "uiName", "minutes", "type"]

EVENT: dict[str, Any] = {
    "id": "E",
    "summary": "Planning",
    "start": {"dateTime": "2027-03-02T02:00:00Z", "timeZone": "Asia/Shanghai"},
    "end": {"date": "2027-03-03"},
    "isAllDay": False,
    "recurrence": {
        "pattern": {"type": "weekly", "daysOfWeek": "monday,friday", "interval": 1},
        "range": {"type": "endDate", "endDate": "2027-12-31T02:00:00Z", "numberOfOccurrences": 0},
    },
    "organizer": {"id": "boss"},
    "attendees": [{"id": "boss"}, {"id": "a", "isOptional": True}, {"id": "b", "isOptional": False}],
    "location": {"displayName": "Room 1"},
    "reminders": [{"method": "dingtalk", "minutes": "15"}, {"method": "dingtalk", "minutes": "5"}],
    "onlineMeetingInfo": {"type": "dingtalk", "url": "…"},
    "richTextDescription": {"text": "<p>x</p>"},
    "uiConfigs": [{"uiName": "comment", "uiStatus": "hide"}],
}
SAME: list[dict[str, Any]] = [
    {"summary": "Planning"},
    {"description": ""},
    {"start": {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}},
    {"end": {"date": "2027-03-03"}},
    {"isAllDay": False},
    {
        "recurrence": {
            "pattern": {"type": "weekly", "daysOfWeek": "friday,monday", "interval": 1},
            "range": {"type": "endDate", "endDate": "2027-12-31T10:00:00+08:00"},
        }
    },
    {"attendees": [{"id": "boss"}, {"id": "a", "isOptional": True}, {"id": "b"}]},
    {"location": {"displayName": "Room 1"}},
    {"reminders": [{"minutes": 5}, {"method": "dingtalk", "minutes": 15}]},
    {"onlineMeetingInfo": {"type": "dingtalk"}},
    {"richTextDescription": {"text": "<p>x</p>"}},
    {"uiConfigs": [{"uiName": "comment", "uiStatus": "hide"}, {"uiName": "attendee", "uiStatus": "enable"}]},
    {"summary": "Planning", "extra": {"noPushNotification": "true"}},
]
OTHER: list[dict[str, Any]] = [
    {"summary": "planning"},
    {"description": "x"},
    {"start": {"dateTime": "2027-03-02T10:00:01+08:00", "timeZone": "Asia/Shanghai"}},
    {"start": {"dateTime": "2027-03-02T02:00:00Z", "timeZone": "UTC"}},
    {"start": {"date": "2027-03-02"}},
    {"end": {"dateTime": "2027-03-03T10:00:00+08:00", "timeZone": "Asia/Shanghai"}},
    {"isAllDay": True},
    {"recurrence": {"pattern": {"type": "weekly", "daysOfWeek": "monday", "interval": 1}, "range": {"type": "noEnd"}}},
    {"recurrence": {"pattern": {"type": "weekly", "interval": 2}, "range": {"type": "endDate"}}},
    {"attendees": [{"id": "a"}, {"id": "c"}]},
    {"attendees": [{"id": "a", "isOptional": False}, {"id": "b"}]},
    {"location": {"displayName": ""}},
    {"reminders": []},
    {"reminders": [{"minutes": 15}]},
    {"onlineMeetingInfo": {"type": "other"}},
    {"richTextDescription": {"text": ""}},
    {"uiConfigs": [{"uiName": "attendee", "uiStatus": "hide"}]},
]


@pytest.mark.parametrize("body", SAME, ids=str)
def test_the_same_in_another_notation(body: dict[str, Any]) -> None:
    """A field is applied and unchanged when the event has it, in whatever notation."""
    assert not_applied(body, EVENT) == []
    assert is_unchanged({"id": "E", **body}, EVENT)


@pytest.mark.parametrize("body", OTHER, ids=str)
def test_something_else(body: dict[str, Any]) -> None:
    """A field is named when the event has something else, or does not have it."""
    assert not_applied(body, EVENT) == list(body)
    assert not is_unchanged(body, EVENT)


@pytest.mark.parametrize(
    "body",
    [
        {"freeBusyStatus": "busy"},
        {"attendees": [{"email": "x@y.z"}, {"id": "a"}, {"id": "b"}]},
        {"attendees": [{"id": "a"}, {"id": "b", "isOptional": False}]},
        {"categories": [{"categoryId": "c"}]},
        {"newField": 1},
    ],
    ids=str,
)
def test_what_never_comes_back_is_uncertain(body: dict[str, Any]) -> None:
    """What the service does not return is neither called missing nor called unchanged."""
    assert not_applied(body, EVENT) == []
    assert not is_unchanged(body, EVENT)


def test_fewer_attendees_are_a_change() -> None:
    """A list without one of the event's attendees would remove somebody, if lists replace."""
    assert not is_unchanged({"attendees": [{"id": "a"}]}, EVENT)


@pytest.mark.parametrize("garbage", [None, [], "x", 5, [None], {"displayName": 3}])
def test_garbage_in_the_answer_is_a_difference(garbage: Any) -> None:
    """An answer whose fields have wrong shapes is compared without failing."""
    for body in SAME[:-1]:
        not_applied(body, dict.fromkeys(EVENT, garbage))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from(list(EVENT)), JSON, max_size=3))
def test_values_of_any_shape_are_compared(body: dict[str, Any]) -> None:
    """What goes out unchecked may have any shape, and is compared and shown after it was sent."""
    differing = set(not_applied(body, EVENT))
    assert differing <= set(body)
    assert is_unchanged(body, EVENT) is False or not differing
    assert {line.split(":")[0] for line in diff_lines(body, EVENT)} >= differing


def test_nothing_is_what_an_event_lacks() -> None:
    """An unchecked null is there when the event has no such field."""
    assert not_applied({"recurrence": None}, EVENT) == ["recurrence"]
    assert not_applied({"recurrence": None}, {"id": "E"}) == []
