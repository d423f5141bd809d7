"""Text that cannot be encoded: half a surrogate pair, which JSON can name, is refused before anything is sent."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import find_unsendable
from airflow_dingtalk_calendar.operators.attendee import (
    DingTalkCalendarAddAttendeesOperator,
    DingTalkCalendarRemoveAttendeesOperator,
)
from airflow_dingtalk_calendar.operators.event import (
    DingTalkCalendarGetEventOperator,
    DingTalkCalendarPatchEventOperator,
)
from airflow_dingtalk_calendar.operators.event_lifecycle import (
    DingTalkCalendarCreateEventOperator,
    DingTalkCalendarDeleteEventOperator,
)
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.meeting_room import DingTalkCalendarAddMeetingRoomsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from tests.airflow_runs import Ti
from tests.conftest import EVENT, ORGANIZER, event

HALF = "x\ud83d"
ONE = {"union_id": ORGANIZER, "event_id": EVENT}
WINDOW = {"time_min": "2027-03-01T00:00:00+08:00", "time_max": "2027-04-01T00:00:00+08:00"}
OPERATORS: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (DingTalkCalendarPatchEventOperator, {**ONE, "patch": {"summary": "New"}}),
    (DingTalkCalendarGetEventOperator, ONE),
    (DingTalkCalendarCreateEventOperator, {"union_id": ORGANIZER, "event": {"summary": "N", "start": "2027-03-02"}}),
    (DingTalkCalendarDeleteEventOperator, ONE),
    (DingTalkCalendarListEventsOperator, {"union_id": ORGANIZER, **WINDOW}),
    (DingTalkCalendarAddAttendeesOperator, {**ONE, "attendees": ["iiPguest"]}),
    (DingTalkCalendarRemoveAttendeesOperator, {**ONE, "attendees": ["iiPguest"]}),
    (DingTalkCalendarAddMeetingRoomsOperator, {**ONE, "room_ids": ["R1"]}),
    (DingTalkCalendarApplyPlanOperator, {"union_id": ORGANIZER, "plan": [{"event_id": EVENT, "patch": {}}]}),
    (DingTalkCalendarEventSensor, {**ONE, "exists": True}),
]
ARGUMENTS = [
    pytest.param(operator, given, name, id=f"{operator.__name__[16:]} {name}")  # type: ignore[attr-defined]
    for operator, given in OPERATORS
    for name in operator.template_fields  # type: ignore[attr-defined]
]
INSIDE: list[tuple[int, dict[str, Any], str]] = [
    (0, {"patch": {"summary": HALF}}, "patch.summary"),
    (0, {"patch": json.dumps({"location": HALF})}, "patch.location.displayName"),
    (0, {"patch": {"attendees": ["a", {"email": HALF}]}}, r"patch.attendees\[1\].email"),
    (0, {"unchecked_fields": {"newField": [{"text": HALF}]}}, r"unchecked_fields.newField\[0\].text"),
    (0, {"unchecked_fields": json.dumps({HALF: 1})}, "unchecked_fields, a key"),
    (2, {"event": {"summary": HALF, "start": "2027-03-02"}}, "event.summary"),
    (5, {"attendees": ["a", HALF]}, r"attendees\[1\]"),
    (6, {"attendees": json.dumps([{"id": HALF}])}, r"attendees\[0\]"),
    (7, {"room_ids": [HALF]}, r"room_ids\[0\]"),
    (9, {"exists": False, "fields": {"summary": HALF}}, "fields.summary"),
]
ROWS: list[tuple[dict[str, Any], str]] = [
    ({"patch": {"description": HALF}}, "patch.description"),
    ({"event_id": HALF}, "event_id"),
    ({"union_id": HALF}, "union_id"),
    ({"calendar_id": HALF}, "calendar_id"),
    ({"unchecked_fields": {"newField": HALF}}, "unchecked_fields.newField"),
    ({"timezone": HALF}, "timezone"),
]


@pytest.mark.parametrize(("operator", "given", "name"), ARGUMENTS)
def test_any_argument(dingtalk: Emulator, operator: Callable[..., Any], given: dict[str, Any], name: str) -> None:
    """An argument that cannot be encoded fails the task for good, by name."""
    with pytest.raises(AirflowFailException, match=name):
        operator(task_id="t", **{**given, name: HALF}).execute({"ti": Ti()})
    assert dingtalk.requests == []


@pytest.mark.parametrize(
    ("number", "change", "place"), INSIDE, ids=lambda value: str(value)[:40].encode("ascii", "replace").decode()
)
def test_inside_an_argument(dingtalk: Emulator, number: int, change: dict[str, Any], place: str) -> None:
    """A text inside a list, a mapping or JSON text is refused by its path."""
    operator, given = OPERATORS[number]
    with pytest.raises(AirflowFailException, match=f"{place}.*not valid Unicode"):
        operator(task_id="t", **{**given, **change}).execute({"ti": Ti()})
    assert dingtalk.requests == []


@pytest.mark.parametrize(("change", "place"), ROWS, ids=[place for _, place in ROWS])
def test_one_row_of_a_plan(dingtalk: Emulator, change: dict[str, Any], place: str) -> None:
    """A plan of which one row cannot be encoded is not begun; the row is named."""
    good = [{"event_id": name, "patch": {"summary": "New"}} for name in "ABC"]
    rows = [*good, {"event_id": EVENT, "patch": {"summary": "New"}, **change}]
    operator = DingTalkCalendarApplyPlanOperator(task_id="t", union_id=ORGANIZER, plan=rows)
    with pytest.raises(AirflowFailException, match=rf"plan\[3\].{place}.*not valid Unicode"):
        operator.execute({"ti": Ti()})
    assert dingtalk.requests == []


def test_the_event_of_a_row_may_be_odd(dingtalk: Emulator) -> None:
    """An event that DingTalk returned with half a pair stops no plan, and is shown as well as can be."""
    row = {"event_id": EVENT, "patch": {"summary": "New"}, "event": event(summary=HALF)}
    operator = DingTalkCalendarApplyPlanOperator(task_id="t", union_id=ORGANIZER, plan=[row], dry_run=True)
    (shown,) = operator.execute({"ti": Ti()})["rows"]
    assert shown["diff"] == ["summary: x? -> New"]


@pytest.mark.parametrize("name", ["next_token", "sync_token"])
def test_a_page_token_is_named(name: str) -> None:
    """What no endpoint checks is refused when the call is made, under its argument's name."""
    with pytest.raises(InvalidInputError, match=f"^{name}: is not valid Unicode"):
        api.list_events(ORGANIZER, **{name: HALF})  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": {1}}, {"a": object()}], ids=["NaN", "set", "object"])
def test_a_body_that_is_not_json(body: dict[str, Any]) -> None:
    """A body that cannot be written as JSON makes no call."""
    with pytest.raises(InvalidInputError, match=r"^body: holds something that is not JSON"):
        api.create_event(ORGANIZER, body)


Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()), max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=()), max_size=3), inner, max_size=3)
    ),
)


@given(Json)
def test_what_is_let_through_can_be_encoded(value: Any) -> None:
    """A value is found unsendable exactly when it cannot be written in UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        assert find_unsendable(value, "v")
    else:
        assert find_unsendable(value, "v") == []


VALID: dict[str, Any] = {
    "union_id": ORGANIZER,
    "event_id": EVENT,
    "user_id": "manager1",
    "user_ids": [ORGANIZER],
    "room_ids": ["R1"],
    "attendees": ["iiPguest"],
    "series_master_id": EVENT,
    "response_status": "accepted",
    "event": {"summary": "N"},
    "body": {"summary": "N"},
    "start_time": WINDOW["time_min"],
    "end_time": WINDOW["time_max"],
    **WINDOW,
}
MAKERS = [
    *(api.get_event, api.list_events, api.list_events_view, api.list_instances, api.create_event, api.patch_event_body),
    *(api.delete_event, api.add_attendees, api.remove_attendees, api.list_attendees, api.respond_event),
    *(api.list_calendars, api.add_meeting_rooms, api.remove_meeting_rooms, api.get_schedule),
    *(api.get_meeting_rooms_schedule, api.get_user_by_staff_id, api.list_meeting_rooms),
]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    "value", [HALF, [HALF], [{"id": HALF}], {"x": [HALF]}], ids=["text", "list", "objects", "mapping"]
)
def test_any_argument_of_a_call(make: Callable[..., Any], value: Any) -> None:
    """No call can be made of an argument that cannot be encoded, whatever its shape."""
    parameters = inspect.signature(make).parameters
    given = {name: VALID[name] for name, one in parameters.items() if name in VALID and one.default is one.empty}
    if make is api.add_attendees:
        given["attendees"] = [{"id": "iiPguest"}]
    for name in parameters:
        if name != "repeat_meeting":  # says how to send, and is not sent
            with pytest.raises(InvalidInputError):
                make(**{**given, name: value})


def test_parameters_and_body_in_one_error() -> None:
    """A call of which a parameter and members of the body cannot be sent names all of them."""
    body = {"summary": HALF, "location": {"displayName": HALF}}
    with pytest.raises(InvalidInputError) as caught:
        api.Call("PatchEvent", "PUT", "/v1.0/x", parse=dict, params={"maxAttendees": HALF}, json=body)
    assert [path for path, _ in caught.value.problems] == ["max_attendees", "body.summary", "body.location.displayName"]
