"""What an answer of the service means: a documented success, a surprising one, and an error inside a success."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    InvalidRequestError,
    ServiceError,
    UnexpectedAnswerError,
)
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarCreateEventOperator
from airflow_dingtalk_calendar.operators.meeting_room import DingTalkCalendarAddMeetingRoomsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event

Run = Callable[..., Any]
GUEST = "iiPguest"
NEW = {"summary": "Retro", "start": "2027-03-03T10:00", "end": "2027-03-03T11:00"}
WINDOW = {"time_min": "2027-03-01T00:00:00+08:00", "time_max": "2027-04-01T00:00:00+08:00"}
HOURS = {"start_time": "2027-03-02T00:00:00+08:00", "end_time": "2027-03-03T00:00:00+08:00"}
# Each method of the hook with the action that it calls.
WRITES: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "PatchEvent": ("patch_event", (ORGANIZER, EVENT, {"summary": "New"}), {}),
    "CreateEvent": ("create_event", (ORGANIZER, NEW), {"timezone": "Asia/Shanghai"}),
    "DeleteEvent": ("delete_event", (ORGANIZER, EVENT), {}),
    "AddAttendee": ("add_attendees", (ORGANIZER, EVENT, [{"id": "iiPnew"}]), {}),
    "RemoveAttendee": ("remove_attendees", (ORGANIZER, EVENT, [GUEST]), {}),
    "RespondEvent": ("respond_event", (GUEST, EVENT, "declined"), {}),
    "AddMeetingRooms": ("add_meeting_rooms", (ORGANIZER, EVENT, ["room-1"]), {}),
    "RemoveMeetingRooms": ("remove_meeting_rooms", (ORGANIZER, EVENT, ["room-1"]), {}),
}
READS: dict[str, tuple[str, tuple[Any, ...], dict[str, Any]]] = {
    "GetEvent": ("get_event", (ORGANIZER, EVENT), {}),
    "ListEvents": ("list_events", (ORGANIZER,), WINDOW),
    "ListEventsView": ("list_events_view", (ORGANIZER,), WINDOW),
    "ListInstances": ("list_instances", (ORGANIZER, "series"), {}),
    "ListAttendees": ("list_attendees", (ORGANIZER, EVENT), {}),
    "ListCalendars": ("list_calendars", (ORGANIZER,), {}),
    "QueryMeetingRoomList": ("list_meeting_rooms", (ORGANIZER,), {}),
    "GetSchedule": ("get_schedule", (ORGANIZER, [ORGANIZER]), HOURS),
    "GetMeetingRoomsSchedule": ("get_meeting_rooms_schedule", (ORGANIZER, ["room-1"]), HOURS),
    "GetAccessToken": ("get_event", (ORGANIZER, EVENT), {}),
}
WEEKLY = {
    "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 1},
    "range": {"type": "numbered", "numberOfOccurrences": 3},
}


@pytest.fixture
def dingtalk(dingtalk: Emulator) -> Emulator:
    """DingTalk with an event, a series with a stored instance, and a room."""
    rooms = [{"roomId": "room-1", "displayName": "Room 1"}]
    users = [*DATA["users"], {"unionId": "iiPnew", "name": "Wang"}]
    series = [event("series", recurrence=WEEKLY), event("instance", seriesMasterId="series")]
    dingtalk.reset({**DATA, "users": users, "rooms": rooms, "events": [event(), *series]})
    return dingtalk


def sent(dingtalk: Emulator, action: str) -> int:
    """Count the requests of an action."""
    return [request["action"] for request in dingtalk.requests].count(action)


def call(run: Run, action: str) -> Any:
    """Call an action by the hook's method."""
    method, arguments, options = {**WRITES, **READS}[action]
    return run(method, *arguments, **options)


def warnings(caplog: pytest.LogCaptureFixture) -> str:
    """Return what was warned of."""
    return "\n".join(one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING)


# -- a success whose body surprises ---------------------------------------------------------------------------


def test_another_id_is_a_success(run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A patch answered with an event of another id is applied: once, with a warning that names both ids."""
    dingtalk.fault(kind="applied_body", action="PatchEvent", body={"id": "another", "summary": "New"})
    assert call(run, "PatchEvent") == {"id": "another", "summary": "New"}
    assert sent(dingtalk, "PatchEvent") == 1
    assert sent(dingtalk, "GetEvent") == 0
    assert "'another'" in warnings(caplog)
    assert EVENT in warnings(caplog)
    assert "New" not in warnings(caplog)


def test_a_patch_that_changed_the_series(run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """A patch of one time of a series that is answered with the series has changed it, and says so."""
    dingtalk.configure(instance_patch="series")
    assert run("patch_event", ORGANIZER, "instance", {"summary": "New"})["id"] == "series"
    assert sent(dingtalk, "PatchEvent") == len(dingtalk.effects["updates"]) == 1
    assert "PatchEvent answered with event 'series' instead of 'instance'" in warnings(caplog)


@pytest.mark.parametrize("body", [{}, "", "null", {"requestId": "R"}, {"id": EVENT}, {"id": 7}, {"summary": "New"}])
def test_an_answer_without_the_event_is_read_back(
    run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, body: Any
) -> None:
    """A patch answered without the event is applied, and read back with one more metered call, which is said."""
    dingtalk.fault(kind="applied_body", action="PatchEvent", body=body)
    found = call(run, "PatchEvent")
    assert (found["id"], found["summary"]) == (EVENT, "New")
    assert dingtalk.effects["calls"] == {"PatchEvent": 1, "GetEvent": 1}
    assert "one more metered call" in warnings(caplog)


@pytest.mark.parametrize("kind", ["reset", "error", "html"])
def test_what_cannot_be_read_back_is_not_sent_again(
    run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    """When reading back fails, the change is applied all the same; nothing is sent again."""
    dingtalk.fault(kind="applied_body", action="PatchEvent", body={})
    dingtalk.fault(kind=kind, action="GetEvent", times=None)
    assert call(run, "PatchEvent") == {"id": EVENT}
    assert sent(dingtalk, "PatchEvent") == 1
    assert "PatchEvent has taken effect" in warnings(caplog)


@pytest.mark.parametrize("action", [action for action in WRITES if action != "PatchEvent"])
@pytest.mark.parametrize("body", [{}, "", {"requestId": "R"}, {"unheard": ["of"]}])
def test_every_write_is_done_when_its_answer_is_a_success(run: Run, dingtalk: Emulator, action: str, body: Any) -> None:
    """Whatever object is in a success, or nothing, the write is done, and sent once."""
    dingtalk.fault(kind="applied_body", action=action, body=body)
    call(run, action)
    assert sent(dingtalk, action) == len(dingtalk.effects["writes"]) == 1


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("body", ["<html>sign in</html>", "[1, 2]", '"done"', "{"])
def test_what_dingtalk_does_not_answer_is_unknown(
    run: Run, dingtalk: Emulator, connect: Callable[..., None], action: str, body: str
) -> None:
    """A page, garbage, or JSON that is no object says nothing about a write."""
    connect(extra={"max_attempts": 2})
    dingtalk.fault(kind="body", action=action, body=body, times=None)
    with pytest.raises(UnexpectedAnswerError, match="unknown whether") as caught:
        call(run, action)
    assert (caught.value.outcome, caught.value.retryable) == ("unknown", True)
    assert len({one["client_token"] for one in dingtalk.requests if one["action"] == action}) == 1
    assert sent(dingtalk, action) == 2


@pytest.mark.parametrize("action", WRITES)
@pytest.mark.parametrize("body", [{"result": False}, {"result": "false"}, {"success": False, "requestId": "R"}])
def test_a_false_result_is_an_error(run: Run, dingtalk: Emulator, action: str, body: dict[str, Any]) -> None:
    """An answer that says itself that nothing was done is an error, and not tried again."""
    dingtalk.fault(kind="body", action=action, body=body)
    with pytest.raises(InvalidRequestError, match="false, so no") as caught:
        call(run, action)
    assert (caught.value.outcome, caught.value.retryable) == ("rejected", False)
    assert sent(dingtalk, action) == 1


@pytest.mark.parametrize("body", [{"result": True}, {"result": "true"}, {"result": True, "requestId": "R"}])
def test_a_true_result_is_no_surprise(
    run: Run, dingtalk: Emulator, caplog: pytest.LogCaptureFixture, body: dict[str, Any]
) -> None:
    """The documented answer to booking a room is taken without a word, any other success with a warning."""
    dingtalk.fault(kind="applied_body", action="AddMeetingRooms", body=body)
    call(run, "AddMeetingRooms")
    assert warnings(caplog) == ""
    dingtalk.fault(kind="applied_body", action="AddMeetingRooms", body={"result": None})
    call(run, "AddMeetingRooms")
    assert "counts as done" in warnings(caplog)


# -- as tasks -------------------------------------------------------------------------------------------------


def test_a_patch_task_reads_back(dingtalk: Emulator) -> None:
    """The task returns the event that it read back, and compares with that."""
    dingtalk.fault(kind="applied_body", action="PatchEvent", body={})
    ti = Ti()
    given: dict[str, Any] = {"union_id": ORGANIZER, "event_id": EVENT, "patch": {"summary": "New"}}
    found = DingTalkCalendarPatchEventOperator(task_id="t", **given).execute({"ti": ti})  # type: ignore[typeddict-item]
    assert (found["summary"], ti.pushed) == ("New", {"patched_fields": ["summary"], "not_applied": []})


def test_a_patch_task_that_cannot_read_back(dingtalk: Emulator) -> None:
    """Of an event that nobody has seen nothing is said to be missing, in a task and in a row of a plan."""
    for _ in range(2):
        dingtalk.fault(kind="applied_body", action="PatchEvent", body={})
    dingtalk.fault(kind="error", action="GetEvent", status=403, code="Forbidden.AccessDenied.x", times=None)
    ti = Ti()
    given: dict[str, Any] = {"union_id": ORGANIZER, "event_id": EVENT, "patch": {"summary": "New"}}
    DingTalkCalendarPatchEventOperator(task_id="t", **given).execute({"ti": ti})  # type: ignore[typeddict-item]
    assert ti.pushed["not_applied"] == []
    plan = DingTalkCalendarApplyPlanOperator(task_id="t", plan=[given])
    counts = plan.execute({"ti": ti})  # type: ignore[typeddict-item]
    assert (counts["applied"], ti.pushed["results"][0]["not_applied"]) == (1, [])
    assert sent(dingtalk, "PatchEvent") == 2


def test_a_creation_whose_id_is_not_returned(dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """An event made without an answer that has its id is made once; the task succeeds and warns."""
    dingtalk.fault(kind="applied_body", action="CreateEvent", body={})
    ti = Ti()
    create = DingTalkCalendarCreateEventOperator(task_id="t", union_id=ORGANIZER, event=NEW, timezone="Asia/Shanghai")
    assert create.execute({"ti": ti}) == {}  # type: ignore[typeddict-item]
    assert ti.pushed["event_id"] is None
    assert len(dingtalk.effects["writes"]) == 1
    assert "look for it in the calendar" in warnings(caplog)


def test_a_room_that_was_not_booked(dingtalk: Emulator) -> None:
    """A task that books a room fails when the answer says false, and says that no room was booked."""
    dingtalk.fault(kind="body", action="AddMeetingRooms", body={"result": False})
    book = DingTalkCalendarAddMeetingRoomsOperator(task_id="t", union_id=ORGANIZER, event_id=EVENT, room_ids=["room-1"])
    with pytest.raises(AirflowFailException, match=r"AddMeetingRooms 200: .*no room was booked"):
        book.execute({"ti": Ti()})  # type: ignore[typeddict-item]


# -- an error inside a success --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", [*WRITES, *READS])
@pytest.mark.parametrize("names", [("code", "message"), ("Code", "Message"), ("CODE", "MESSAGE")], ids=lambda n: n[0])
def test_an_error_in_a_200_is_that_error(
    run: Run, dingtalk: Emulator, connect: Callable[..., None], action: str, names: tuple[str, str]
) -> None:
    """A code with a message is the error that the code means, whatever the status, forevery endpoint."""
    connect(extra={"max_attempts": 1})
    code, message = names
    dingtalk.fault(kind="body", action=action, body={code: "system.error", message: "busy", "requestid": "R-1"})
    with pytest.raises(ServiceError, match="busy") as caught:
        call(run, action)
    assert (caught.value.code, caught.value.request_id, caught.value.retryable) == ("system.error", "R-1", True)
    if action in WRITES:
        assert caught.value.outcome == "unknown"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"code": "itemNotFound", "message": "no"}, "NotFoundError"),
        ({"code": "itemNotFound"}, "NotFoundError"),
        ({"code": "InvalidAuthentication", "message": "old"}, "TokenRejectedError"),
        ({"code": "Forbidden.AccessDenied.QpsLimitForApi", "message": "slow down"}, "ThrottledError"),
        ({"code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "message": "used up"}, "QuotaExceededError"),
        ({"code": "neverHeardOf", "message": "no"}, "UnexpectedAnswerError"),
        ({"code": 500, "message": "no", "id": EVENT}, "UnexpectedAnswerError"),
    ],
    ids=str,
)
def test_each_code_in_a_200(
    run: Run, dingtalk: Emulator, connect: Callable[..., None], body: dict[str, Any], kind: str
) -> None:
    """Codes mean in a success what they mean in a refusal; of an unknown one nobody knows what was done."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(kind="body", action="DeleteEvent", body=body, times=None)
    with pytest.raises(getattr(exceptions, kind)) as caught:
        call(run, "DeleteEvent")
    assert caught.value.outcome == ("unknown" if kind == "UnexpectedAnswerError" else "rejected")


def test_a_throttled_write_is_sent_again(run: Run, dingtalk: Emulator) -> None:
    """A transient failure is tried again also when the refusal came as a success."""
    dingtalk.fault(kind="body", action="AddAttendee", body={"code": "system.busy", "message": "busy"})
    call(run, "AddAttendee")
    assert sent(dingtalk, "AddAttendee") == 2
    assert len(dingtalk.effects["writes"]) == 1


@pytest.mark.parametrize("code", [0, "0", 200, "OK", "success", "", None])
def test_the_code_of_a_success_is_no_error(run: Run, dingtalk: Emulator, code: Any) -> None:
    """A code that says that all is well is none of an error."""
    dingtalk.fault(kind="applied_body", action="DeleteEvent", body={"code": code, "message": "ok"})
    call(run, "DeleteEvent")
    assert sent(dingtalk, "DeleteEvent") == 1
