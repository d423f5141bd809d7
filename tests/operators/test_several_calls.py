"""A task of several calls: where it stopped, who is done and who is not, and the identity of each call."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, RequestError, ServiceError
from airflow_dingtalk_calendar.idempotency import client_token_for, distinct_client_token
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.operators.attendee import (
    DingTalkCalendarAddAttendeesOperator,
    DingTalkCalendarRemoveAttendeesOperator,
)
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarDeleteEventOperator
from tests.airflow_runs import Run, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event

MANY = [f"iiP{number}" for number in range(1201)]
CALENDAR = {**DATA, "users": [*DATA["users"], *({"unionId": one, "name": one} for one in MANY)]}
OPERATORS = [
    pytest.param(DingTalkCalendarAddAttendeesOperator, "AddAttendee", id="add"),
    pytest.param(DingTalkCalendarRemoveAttendeesOperator, "RemoveAttendee", id="remove"),
]
ONE = {"union_id": ORGANIZER, "event_id": EVENT}


@pytest.fixture(autouse=True)
def _large(dingtalk: Emulator) -> None:
    dingtalk.reset({**CALENDAR, "events": [event(attendees=[{"id": one} for one in MANY])]})


def sent(dingtalk: Emulator) -> list[str]:
    """Return the client tokens that were sent."""
    return [request["client_token"] for request in dingtalk.requests if request["client_token"]]


def stopped(kind: Callable[..., Any], ti: Ti, error: type[Exception], **arguments: Any) -> str:
    """Execute an operator that fails, and return its message."""
    operator = kind(task_id="t", **{**ONE, "attendees": MANY, **arguments})
    with pytest.raises(error) as caught:
        operator.execute({"ti": ti})
    return str(caught.value)


@pytest.mark.parametrize(("kind", "action"), OPERATORS)
def test_a_refusal_in_the_middle(dingtalk: Emulator, kind: Any, action: str) -> None:
    """The error says which call was refused and how many are done, and XCom who is and who is not."""
    dingtalk.fault(action=action, kind="error", skip=1, status=400, code="invalidParameter")
    ti = Ti()
    message = stopped(kind, ti, AirflowFailException)
    assert "Stopped at call 2 of 3; of 1201 people: 500 done, 701 not done, 0 unknown." in message
    assert ti.pushed == {"done": MANY[:500], "not_done": MANY[500:], "unknown": []}
    assert len(sent(dingtalk)) == 2


@pytest.mark.parametrize(("kind", "action"), OPERATORS)
def test_an_unknown_outcome_in_the_middle(dingtalk: Emulator, kind: Any, action: str) -> None:
    """Those of a call of which nobody knows whether it took effect are neither done nor not done."""
    dingtalk.fault(action=action, kind="error", skip=1, times=None, status=500, code="unknownError")
    ti = Ti()
    message = stopped(kind, ti, ServiceError)
    assert "500 done, 201 not done, 500 unknown." in message
    assert ti.pushed == {"done": MANY[:500], "not_done": MANY[1000:], "unknown": MANY[500:1000]}


def test_a_retry_that_gets_less_far(dingtalk: Emulator) -> None:
    """A retry calls nobody not done whom an earlier try may have reached."""
    dingtalk.fault(action="AddAttendee", kind="error", skip=1, status=400, code="invalidParameter")
    ti = Ti(try_number=2)
    operator = DingTalkCalendarAddAttendeesOperator(task_id="t", retries=2, **ONE, attendees=MANY)
    with pytest.raises(AirflowFailException, match="500 done, 0 not done, 701 unknown"):
        operator.execute({"ti": ti})
    assert ti.pushed["unknown"] == MANY[500:]


@pytest.mark.parametrize("given_token", [{}, {"client_token": "mine"}], ids=["derived", "given"])
def test_a_retry_sends_the_same_calls(dingtalk: Emulator, given_token: dict[str, str]) -> None:
    """On a retry the same calls go out under the same tokens, those too that took effect before."""
    fault = dingtalk.fault(action="AddAttendee", kind="error", skip=1, times=4, status=500, code="unknownError")
    assert fault is None or fault
    stopped(DingTalkCalendarAddAttendeesOperator, Ti(), RequestError, **given_token)
    first = list(dict.fromkeys(sent(dingtalk)))
    DingTalkCalendarAddAttendeesOperator(task_id="t", **ONE, attendees=MANY, **given_token).execute(
        {"ti": Ti(try_number=2)}
    )
    assert len(first) == 2
    assert list(dict.fromkeys(sent(dingtalk)))[:2] == first
    assert sent(dingtalk)[-3:-1] == first


def test_no_xcom_without_a_failure(dingtalk: Emulator) -> None:
    """A task that comes to its end returns the people, and pushes nothing else."""
    ti = Ti()
    operator = DingTalkCalendarAddAttendeesOperator(task_id="t", **ONE, attendees=MANY)
    assert operator.execute({"ti": ti}) == MANY
    assert ti.pushed == {}


def test_a_stop_in_a_real_run(dag: Callable[..., Run], dingtalk: Emulator) -> None:
    """A task that runs after the one that failed can read who is left."""
    dingtalk.fault(action="AddAttendee", kind="error", skip=1, status=400, code="invalidParameter")
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator as Add
        Add(task_id="add", attendees=[f"iiP{{n}}" for n in range(501)], **{ONE!r})
        """
    )
    assert run.state("add") == "failed"
    assert run.xcom("add", "not_done") == ["iiP500"]
    assert len(run.xcom("add", "done")) == 500


# -- client tokens --------------------------------------------------------------------------------------------


def test_a_given_token_of_one_call(dingtalk: Emulator) -> None:
    """The token of a task that is not mapped and makes one call goes out byte for byte."""
    for index in (-1, None):
        operator = DingTalkCalendarDeleteEventOperator(task_id="t", **ONE, client_token='own key "1"/~')
        operator.execute({"ti": Ti(map_index=index)})
    assert sent(dingtalk) == ['own key "1"/~'] * 2


def test_a_given_token_of_several_requests(dingtalk: Emulator) -> None:
    """Mapped task instances, passes of a loop and the calls of one task each send a token of their own."""
    for ti in (Ti(map_index=0), Ti(map_index=1), Ti(region_id=UUID(int=7), region_index=1)):
        patch = DingTalkCalendarPatchEventOperator(task_id="t", **ONE, patch={"summary": "x"}, client_token="mine")
        patch.execute({"ti": ti})
        DingTalkCalendarAddAttendeesOperator(task_id="t", **ONE, attendees=MANY, client_token="mine").execute(
            {"ti": ti}
        )
    DingTalkCalendarAddAttendeesOperator(task_id="t", **ONE, attendees=MANY, client_token="mine").execute({"ti": Ti()})
    # The patch and the first of several calls of the same task are different requests of different operators.
    tokens = sent(dingtalk)
    assert len(tokens) == 15
    assert len(set(tokens)) == 12
    assert "mine" not in tokens


@given(st.integers(0, 20), st.integers(1, 5), st.integers(0, 20), st.integers(1, 5))
def test_tokens_are_distinct(index: int, call: int, other_index: int, other_call: int) -> None:
    """Two requests have the same token only if task instance and call are the same."""
    one, other = (
        distinct_client_token({"ti": Ti(map_index=i)}, "mine", c, 5)
        for i, c in ((index, call), (other_index, other_call))
    )
    assert (one == other) == ((index, call) == (other_index, other_call))
    assert one == distinct_client_token({"ti": Ti(map_index=index, max_tries=9)}, "mine", call, 5)


def test_a_set_is_refused() -> None:
    """A set, whose order is another one in each process, is refused by name where it would become a list."""
    with pytest.raises(InvalidInputError, match=r"patch\.attendees: must be a list; a set has no order"):
        EventPatch.parse({"attendees": {"a", "b"}})
    with pytest.raises(InvalidInputError, match="parts: must be JSON values"):
        client_token_for({"ti": Ti()}, {"a", "b"})
    operator = DingTalkCalendarAddAttendeesOperator(task_id="t", **ONE, attendees={"a", "b"})  # type: ignore[arg-type]
    with pytest.raises(AirflowFailException, match="attendees: must be a list"):
        operator.execute({"ti": Ti()})


def test_names_in_clear_may_be_a_set() -> None:
    """A set of names to clear makes the same body in each process."""
    names = "{'description', 'location', 'reminders', 'ui_configs', 'categories', 'card_instances'}"
    code = (
        "from airflow_dingtalk_calendar.models.event_patch import EventPatch\n"
        f"print(list(EventPatch.parse({{'summary': 'x'}}, clear={names}).to_body('E')))"
    )
    bodies = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in "12"
    }
    assert len(bodies) == 1
