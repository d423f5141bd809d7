"""What templates leave in arguments: the same rule with and without native rendering."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.event import (
    DingTalkCalendarGetEventOperator,
    DingTalkCalendarPatchEventOperator,
)
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from tests.airflow_runs import Run, Ti
from tests.conftest import EVENT, ORGANIZER

VARIABLES = {
    "nothing": None,
    "room": {"displayName": "4F"},
    "rich": {"text": "<b>'Read'</b>"},
    "version": "4.50",
    "number": 4.5,
    "people": ["u1", "a@b.com"],
    "names": ["description", "location"],
}
BOTH = pytest.mark.parametrize("native", [False, True], ids=["text", "native"])


def execute(kind: type[Any], *, native: bool, **arguments: Any) -> Any:
    """Render an operator's arguments and execute it."""
    given = {"union_id": ORGANIZER, **({} if kind is DingTalkCalendarListEventsOperator else {"event_id": EVENT})}
    if kind is DingTalkCalendarApplyPlanOperator:
        del given["event_id"]
    with DAG("d", schedule=None, render_template_as_native_obj=native):
        task = kind(task_id="t", **{**given, **arguments})
    task.render_template_fields(VARIABLES)
    return task.execute({"ti": Ti()})


def request_body(patch: Any, *, native: bool, **arguments: Any) -> dict[str, Any]:
    """Return what a patch would send."""
    kind = DingTalkCalendarPatchEventOperator
    result = execute(kind, native=native, patch=patch, dry_run=True, **arguments)
    body: dict[str, Any] = result["request"]["body"]
    assert body.pop("id") == EVENT
    return body


def refusal(kind: type[Any], *, native: bool, **arguments: Any) -> str:
    """Return what is said of arguments that are wrong."""
    with pytest.raises(AirflowFailException) as caught:
        execute(kind, native=native, **arguments)
    return str(caught.value)


@BOTH
@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"summary": "{{ nothing }}", "location": "4F"}},
            "patch.summary: is blank, or the word None; name the field in clear=[…] to empty it, or leave it out",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"start": {"dateTime": "{{ nothing }}", "timeZone": "Asia/Shanghai"}}},
            "patch.start.dateTime: is blank, or the word None; leave it out, or give it a value",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"attendees": ["u1", "{{ nothing }}"]}},
            "patch.attendees[1]: is blank, or the word None; leave it out, or give it a value",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"summary": "{{ nothing | tojson }}", "location": "{{ nothing | tojson }}"}},
            "patch.summary: is the word null; name the field in clear=[…] to empty it, or leave it out; "
            "patch.location: is the word null; name the field in clear=[…] to empty it, or leave it out",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": "{{ nothing }}"},
            "patch: is blank, or the word None: its source had no value",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"summary": "x"}, "timezone": "{{ nothing }}"},
            "timezone: is blank, or the word None; name a zone, like Asia/Shanghai, or leave it out",
        ),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"summary": "x"}, "client_token": "{{ nothing }}"},
            "client_token: is blank, or the word None",
        ),
        (DingTalkCalendarGetEventOperator, {"event_id": "{{ nothing }}"}, "event_id: is blank, or the word None"),
        (
            DingTalkCalendarGetEventOperator,
            {"max_attendees": "{{ nothing }}"},
            "max_attendees: must be an integer",
        ),
        (
            DingTalkCalendarListEventsOperator,
            {"organizer_id": "{{ nothing }}", "time_min": "2027-01-01T00:00Z"},
            "organizer_id: is blank, or the word None",
        ),
        (
            DingTalkCalendarApplyPlanOperator,
            {"plan": [{"event_id": EVENT, "patch": {"location": "{{ nothing }}", "summary": "x"}}]},
            "plan[0].patch.location: is blank, or the word None; name the field in clear=[…] to empty it, or leave "
            "it out",
        ),
        (
            DingTalkCalendarEventSensor,
            {"fields": {"summary": "x", "location": "{{ nothing }}"}},
            "fields.location: is blank, or the word None; leave it out, or give it a value",
        ),
    ],
)
def test_what_came_out_empty_is_refused_in_both_ways(
    dingtalk: Emulator, kind: type[Any], arguments: dict[str, Any], said: str, *, native: bool
) -> None:
    """A template without a value is refused where it stands, and nothing is left out or defaulted in silence."""
    assert refusal(kind, native=native, **arguments) == said
    assert dingtalk.requests == []


@BOTH
def test_none_that_the_author_wrote_is_absent(dingtalk: Emulator, *, native: bool) -> None:
    """A None that no template made leaves its field out."""
    assert request_body({"summary": None, "location": "4F"}, native=native) == {"location": {"displayName": "4F"}}


@pytest.mark.parametrize(
    ("kind", "arguments", "said"),
    [
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {"summary": "{{ missing }}", "is_all_day": "{{ missing }}", "reminders": ["{{ missing }}"]}},
            ["patch.summary", "patch.isAllDay", "patch.reminders[0]"],
        ),
        (DingTalkCalendarPatchEventOperator, {"patch": "{{ missing }}"}, ["patch"]),
        (DingTalkCalendarPatchEventOperator, {"patch": {"start": "{{ missing }}"}}, ["patch.start"]),
        (
            DingTalkCalendarPatchEventOperator,
            {"patch": {}, "event_id": "{{ missing }}", "dry_run": "{{ missing }}", "clear": "{{ missing }}"},
            ["dry_run", "event_id", "clear"],
        ),
        (DingTalkCalendarPatchEventOperator, {"patch": {"summary": "x"}, "timezone": "{{ missing }}"}, ["timezone"]),
        (DingTalkCalendarGetEventOperator, {"max_attendees": "{{ missing }}"}, ["max_attendees"]),
        (DingTalkCalendarApplyPlanOperator, {"plan": "{{ missing }}"}, ["plan"]),
        (DingTalkCalendarEventSensor, {"fields": "{{ missing }}"}, ["fields"]),
        (DingTalkCalendarEventSensor, {"starts_within": "{{ missing }}"}, ["starts_within"]),
    ],
)
def test_a_variable_that_does_not_exist_is_named_so(
    dingtalk: Emulator, kind: type[Any], arguments: dict[str, Any], said: list[str]
) -> None:
    """Native rendering leaves an undefined variable to the operator, which says that it is not defined, and where."""
    text = "is not defined: the template names a variable that does not exist"
    assert refusal(kind, native=True, **arguments) == "; ".join(f"{path}: {text}" for path in said)
    assert dingtalk.requests == []


def test_the_remedy_for_a_number_that_was_meant_as_text_works(dingtalk: Emulator) -> None:
    """Native rendering makes a number of the text 4.50; what the error advises keeps it."""
    said = refusal(DingTalkCalendarPatchEventOperator, native=True, patch={"summary": "{{ version }}"})
    assert said == (
        "patch.summary: must be text, not a number; quote it, or in a template with native rendering write "
        "{{ … | string | tojson }}"
    )
    assert request_body({"summary": "{{ version | string | tojson }}"}, native=True) == {"summary": "4.50"}
    assert request_body({"summary": "{{ number | string | tojson }}"}, native=True) == {"summary": "4.5"}


@BOTH
def test_structures_come_through_templates(dingtalk: Emulator, *, native: bool) -> None:
    """What tojson wrote is read as the structure that it was, also where a text may stand."""
    assert request_body(
        {
            "location": "{{ room | tojson }}",
            "rich_text_description": "{{ rich | tojson }}",
            "attendees": "{{ people | tojson }}",
        },
        native=native,
    ) == {
        "location": {"displayName": "4F"},
        "richTextDescription": {"text": "<b>'Read'</b>"},
        "attendees": [{"id": "u1"}, {"email": "a@b.com"}],
    }


@BOTH
@pytest.mark.parametrize("clear", ["{{ names }}", "{{ names | tojson }}", "{{ names | join(', ') }}"])
def test_names_of_fields_come_through_templates(dingtalk: Emulator, clear: str, *, native: bool) -> None:
    """Field names are words, so a list of them is read however it was written."""
    body = request_body({"summary": "x"}, native=native, clear=clear)
    assert body == {"summary": "x", "description": "", "location": {"displayName": ""}}


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_patch_of_none_skips_the_task(dingtalk: Emulator, dry_run: bool) -> None:
    """An edit that found nothing to do returns None; the task says so and is skipped, unless something is cleared."""
    arguments: dict[str, Any] = {"patch": None, "dry_run": dry_run, "native": False}
    with pytest.raises(AirflowSkipException, match="nothing to change: patch is None"):
        execute(DingTalkCalendarPatchEventOperator, **arguments)
    assert dingtalk.requests == []
    assert request_body(None, native=False, clear=["description"]) == {"description": ""}


def test_of_mapped_patches_those_of_none_are_skipped(dag: Callable[..., Run], dingtalk: Emulator) -> None:
    """Where a task is mapped over edits, events with nothing to do are skipped and the others patched."""
    run = dag(
        f"""
        @task
        def plan():
            return [{{"event_id": "{EVENT}", "patch": None}}, {{"event_id": "{EVENT}", "patch": {{"summary": "New"}}}}]

        Patch.partial(task_id="patch", union_id="{ORGANIZER}").expand_kwargs(plan())
        """
    )
    assert [run.state("patch", index) for index in (0, 1)] == ["skipped", "success"]
    assert dingtalk.effects["calls"] == {"PatchEvent": 1}


@pytest.mark.parametrize("options", [{}, {"skip_if_unchanged": True}])
def test_a_row_of_none_stays_as_it_is_and_costs_nothing(dingtalk: Emulator, options: dict[str, Any]) -> None:
    """A row of a plan whose patch is None is unchanged without a call, and a dry run shows no request for it."""
    rows = [{"event_id": EVENT, "patch": None, "if_updated_at": "2027-01-01T00:00Z", "event": {"id": EVENT}}]
    kind = DingTalkCalendarApplyPlanOperator
    assert execute(kind, native=False, plan=rows, **options)["unchanged"] == 1
    shown = execute(kind, native=False, plan=rows, dry_run=True)
    assert (shown["calls"], shown["rows"][0]["requests"], shown["rows"][0]["diff"]) == (0, [], [])
    assert dingtalk.effects["calls"] == {}
