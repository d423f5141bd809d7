"""An answer that lacks what its endpoint documents, or has it in another shape: absent is not empty."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import NotFoundError, RequestError, UnexpectedAnswerError
from tests.api.test_answers import HOURS, WINDOW, call, dingtalk, sent, warnings
from tests.conftest import DATA, EVENT, ORGANIZER

__all__ = ["dingtalk"]  # a fixture, with what there is to be listed

Run = Callable[..., Any]
LISTS = ["ListEvents", "ListEventsView", "ListInstances", "ListAttendees", "ListCalendars", "QueryMeetingRoomList"]


def items(found: Any) -> list[Any]:
    """Return what a list has."""
    names = ("events", "attendees", "result")
    return found if isinstance(found, list) else next(found[name] for name in names if name in found)


@pytest.mark.parametrize("action", LISTS)
@pytest.mark.parametrize("body", [{}, {"requestId": "R"}, {"nextToken": None}])
def test_an_absent_list_is_read_once_more(
    run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, action: str, body: dict[str, Any]
) -> None:
    """A list whose answer has no documented member is read once more, and then as it is."""
    dingtalk.fault(kind="body", action=action, body=body)
    assert items(call(run, action))
    assert sent(dingtalk, action) == 2
    assert "one more metered call" in warnings(caplog)


@pytest.mark.parametrize("action", LISTS)
def test_an_absent_list_is_empty_the_second_time(
    run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, action: str
) -> None:
    """Absent twice counts as empty, with a warning."""
    dingtalk.fault(kind="body", action=action, body={}, times=None)
    assert items(call(run, action)) == []
    assert sent(dingtalk, action) == 2
    assert "the second time" in warnings(caplog)


@pytest.mark.parametrize("empty_lists", ["present", "left_out"])
def test_an_empty_calendar(run: Run, dingtalk: Emulator, empty_lists: str) -> None:
    """Whether DingTalk leaves out an empty list or not, there is nothing in it; with a token, that costs no more."""
    dingtalk.reset({**DATA, "events": []}, empty_lists=empty_lists)
    found = run("list_events", ORGANIZER)
    assert found["events"] == []
    assert run("list_events", ORGANIZER, sync_token=found["syncToken"])["events"] == []
    assert sent(dingtalk, "ListEvents") == 2
    assert run("list_events", ORGANIZER, **WINDOW)["events"] == []
    assert sent(dingtalk, "ListEvents") == (3 if empty_lists == "present" else 4)


def test_an_odd_member_of_a_list(run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """What is no object in a list is left out with a warning; the others are there."""
    body = {"events": [None, {"id": "x", "summary": 7}, "text"], "nextToken": None}
    dingtalk.fault(kind="body", action="ListEvents", body=body)
    assert call(run, "ListEvents")["events"] == [{"id": "x", "summary": 7}]
    assert "2 events that are no objects" in warnings(caplog)


@pytest.mark.parametrize("action", ["GetSchedule", "GetMeetingRoomsSchedule"])
@pytest.mark.parametrize("body", [{}, {"scheduleInformation": None}, {"scheduleInformation": {}}])
def test_free_busy_without_its_member(run: Run, dingtalk: Emulator, action: str, body: dict[str, Any]) -> None:
    """An answer that does not say who is busy is an error, never that nobody is."""
    dingtalk.fault(kind="body", action=action, body=body, times=None)
    with pytest.raises(UnexpectedAnswerError):
        call(run, action)


@pytest.mark.parametrize("name", ["userId", "roomId"])
@pytest.mark.parametrize(
    "entry",
    [
        {"error": "not found", "scheduleItems": []},
        {"error": {"code": "x"}},
        {},
        {"scheduleItems": None},
        {"scheduleItems": "none"},
        {"scheduleItems": [None]},
        None,
    ],
    ids=str,
)
def test_who_could_not_be_read_is_unknown(run: Run, dingtalk: Emulator, name: str, entry: Any) -> None:
    """Whoever's times the answer does not have is unknown, and never free."""
    method, action = (
        ("get_schedule", "GetSchedule")
        if name == "userId"
        else (
            "get_meeting_rooms_schedule",
            "GetMeetingRoomsSchedule",
        )
    )
    answered = [{name: "two", "scheduleItems": []}, *([{name: "one", **entry}] if entry is not None else [None])]
    dingtalk.fault(kind="body", action=action, body={"scheduleInformation": answered})
    one, two = run(method, ORGANIZER, ["one", "two"], **HOURS)
    assert (one[name], one["availability"], one["scheduleItems"]) == ("one", "unknown", None)
    assert one["error"]
    assert two == {name: "two", "availability": "known", "scheduleItems": []}


# -- odd numbers ----------------------------------------------------------------------------------------------


def test_numbers_that_are_none(run: Run, dingtalk: Emulator) -> None:
    """NaN, infinity and numbers of thousands of digits are read as null; they do not spoil the rest of the answer."""
    numbers = {"a": "NaN", "b": "-Infinity", "c": "1e999", "d": "9" * 5000, "e": "12", "f": "-1.5"}
    members = ", ".join(f'"{name}": {text}' for name, text in numbers.items())
    dingtalk.fault(kind="body", action="GetEvent", body=f'{{"id": "{EVENT}", {members}}}')
    found = call(run, "GetEvent")
    assert found == {"id": EVENT, "a": None, "b": None, "c": None, "d": None, "e": 12, "f": -1.5}
    assert json.dumps(found, allow_nan=False)


def test_another_event_is_not_the_one_read(run: Run, dingtalk: Emulator) -> None:
    """For a call that reads, an event of another id is no answer."""
    dingtalk.fault(kind="body", action="GetEvent", body={"id": "another"})
    assert call(run, "GetEvent")["id"] == EVENT
    with pytest.raises(NotFoundError):
        run("get_event", ORGANIZER, "missing")


def test_a_read_that_fails_the_second_time(run: Run, dingtalk: Emulator) -> None:
    """A list that was absent, and then cannot be read at all, is an error and not empty."""
    dingtalk.fault(kind="body", action="ListEvents", body={})
    dingtalk.fault(kind="error", action="ListEvents", status=404, code="itemNotFound", times=None)
    with pytest.raises(RequestError):
        call(run, "ListEvents")
