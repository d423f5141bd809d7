"""What is said of wrong inputs, word for word: ``tests/data/messages.json`` is the page to read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.responses import Response, interpret_answer
from airflow_dingtalk_calendar.connection.settings import parse_connection
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, RequestError
from airflow_dingtalk_calendar.models import EventPatch, NewEvent
from airflow_dingtalk_calendar.operators import attendee, event, event_lifecycle, event_list, meeting_room, plan
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.watch.conditions import parse_condition
from tests.airflow_runs import Ti
from tests.conftest import EVENT, ORGANIZER

MESSAGES: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "messages.json").read_text(encoding="utf-8")
)
OPERATORS: dict[str, tuple[type[Any], dict[str, Any]]] = {
    "patch": (event.DingTalkCalendarPatchEventOperator, {"event_id": EVENT, "patch": {"summary": "x"}}),
    "get": (event.DingTalkCalendarGetEventOperator, {"event_id": EVENT}),
    "create": (event_lifecycle.DingTalkCalendarCreateEventOperator, {"event": {"summary": "x", "start": "2027-03-02"}}),
    "delete": (event_lifecycle.DingTalkCalendarDeleteEventOperator, {"event_id": EVENT}),
    "list": (event_list.DingTalkCalendarListEventsOperator, {}),
    "batch": (plan.DingTalkCalendarApplyPlanOperator, {"plan": []}),
    "add people": (attendee.DingTalkCalendarAddAttendeesOperator, {"event_id": EVENT, "attendees": ["u1"]}),
    "remove people": (attendee.DingTalkCalendarRemoveAttendeesOperator, {"event_id": EVENT, "attendees": ["u1"]}),
    "add rooms": (meeting_room.DingTalkCalendarAddMeetingRoomsOperator, {"event_id": EVENT, "room_ids": ["r1"]}),
    "remove rooms": (meeting_room.DingTalkCalendarRemoveMeetingRoomsOperator, {"event_id": EVENT, "room_ids": ["r1"]}),
}
CALLS: dict[str, api.Call[Any]] = {
    call.action: call
    for call in (
        api.patch_event("u", "e", EventPatch(summary="x")),
        api.get_event("u", "e"),
        api.create_event("u", {"summary": "x", "start": {"date": "2027-03-02"}}),
        api.delete_event("u", "e"),
        api.list_events("u"),
        api.list_events_view("u", time_min="2027-01-01T00:00:00Z", time_max="2027-01-02T00:00:00Z"),
        api.list_calendars("u"),
        api.list_attendees("u", "e"),
        api.respond_event("u", "e", "accepted"),
        api.add_attendees("u", "e", [{"id": "v"}]),
        api.add_meeting_rooms("u", "e", ["r"]),
        api.remove_meeting_rooms("u", "e", ["r"]),
    )
}


def parse_patch(patch: Any, *, clear: Any = (), **options: Any) -> None:
    """Read a patch as the operator does, which clears nothing unless asked to."""
    EventPatch.parse(patch, clear=clear, **options)


def read_connection(extra: Any = None, **fields: Any) -> None:
    """Read a connection that is right but for these fields."""
    text = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
    place = {"conn_type": None, "host": None, "schema": None, "port": None}
    given = {"login": "app", "password": "made-up", **place, **fields}
    parse_connection(SimpleNamespace(conn_id="dingtalk_default", **given, extra=text))


def wait_for(*, timezone: str | None = None, count_optional: Any = False, **given: Any) -> None:
    """Read a sensor's condition."""
    parse_condition(given, timezone, count_optional=count_optional)


def run_task(operator: str, **arguments: Any) -> None:
    """Execute an operator whose arguments are right but for these."""
    kind, given = OPERATORS[operator]
    kind(task_id="t", **{"union_id": ORGANIZER, **given, **arguments}).execute({"ti": Ti()})


def receive_answer(action: str, status: int, code: str) -> None:
    """Read a refusal of DingTalk."""
    body = json.dumps({"code": code, "message": "DingTalk's own text."}).encode()
    interpret_answer(CALLS[action], Response(status, {}, body))


READERS: dict[str, Callable[..., Any]] = {
    "patch": parse_patch,
    "new event": NewEvent.parse,
    "rows of a plan": lambda rows, **defaults: parse_plan(rows, **{"union_id": "u", **defaults}),
    "condition": wait_for,
    "connection": read_connection,
    "operator": run_task,
    "answer": receive_answer,
}
CASES = [(kind, case) for kind, cases in MESSAGES.items() for case in cases]


def message_of(kind: str, given: dict[str, Any]) -> list[str]:
    """Return what is said of a wrong input, a line for each problem."""
    try:
        READERS[kind](**given)
    except InvalidInputError as error:
        return [str(problem) for problem in error.problems]
    except AirflowFailException as error:
        assert isinstance(error.__cause__, InvalidInputError)
        return [str(problem) for problem in error.__cause__.problems]
    except RequestError as error:
        return [str(error)]
    raise AssertionError(f"nothing is said of {kind} {given}")


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}-{n}" for n, (kind, _) in enumerate(CASES)])
def test_each_wrong_input_has_exactly_this_message(kind: str, case: dict[str, Any], dingtalk: Emulator) -> None:
    """All that is wrong is named at once and nothing else is, each with a remedy, before anything is sent."""
    assert message_of(kind, case["given"]) == case["says"]
    assert dingtalk.requests == []


def test_the_page_has_enough_on_it() -> None:
    """At least 120 wrong inputs are on the page, some of every kind."""
    assert set(MESSAGES) == set(READERS)
    assert len(CASES) >= 120
