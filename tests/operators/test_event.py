"""The patch operator, in real task runs and at its edges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import RequestError, TransportError
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from tests.airflow_runs import Run, Ti
from tests.conftest import EVENT, HOME, ORGANIZER

Dag = Callable[..., Run]


def execute(ti: Ti | None = None, **arguments: Any) -> tuple[Any, dict[str, Any]]:
    """Execute an operator without rendering; return its result and what it pushed."""
    given = {"union_id": ORGANIZER, "event_id": EVENT, "patch": {"summary": "New"}, "retries": 2, **arguments}
    ti = ti or Ti()
    result = DingTalkCalendarPatchEventOperator(task_id="t", **given).execute({"ti": ti})  # type: ignore[typeddict-item]
    return result, ti.pushed


def patches(dingtalk: Emulator) -> list[dict[str, Any]]:
    """Return the requests that patched."""
    return [request for request in dingtalk.requests if request["action"] == "PatchEvent"]


def test_a_patch_is_rendered_sent_and_returned(dag: Dag, dingtalk: Emulator) -> None:
    """Nested templates are rendered, the event changes, and XCom has the event and the names sent."""
    run = dag(
        """
        Patch(
            task_id="patch",
            union_id="{{ 'iiPorganizer' }}",
            event_id="{{ dag_run.conf['event'] }}",
            calendar_id="{{ 'primary' }}",
            timezone="{{ 'Asia/' ~ 'Tokyo' }}",
            patch={
                "summary": "Sprint {{ 41 + 1 }}",
                "is_all_day": "{{ False }}",
                "start": {"dateTime": "{{ dag_run.conf['day'] }}T10:00", "timeZone": "{{ 'Asia/Tokyo' }}"},
                "end": "{{ dag_run.conf['day'] }}T11:00",
                "reminders": [{"minutes": "{{ 30 // 2 }}"}],
                "notify_push": "{{ False }}",
                "description": None,
            },
        )
        """,
        conf={"event": EVENT, "day": "2027-03-09"},
    )
    assert run.state("patch") == "success"
    assert patches(dingtalk)[0]["body"] == {
        "id": EVENT,
        "summary": "Sprint 42",
        "isAllDay": False,
        "start": {"dateTime": "2027-03-09T10:00:00+09:00", "timeZone": "Asia/Tokyo"},
        "end": {"dateTime": "2027-03-09T11:00:00+09:00", "timeZone": "Asia/Tokyo"},
        "reminders": [{"minutes": 15}],
        "extra": {"noPushNotification": "true"},
    }
    assert run.xcom("patch")["summary"] == dingtalk.event(EVENT)["summary"] == "Sprint 42"
    assert run.xcom("patch", "patched_fields") == ["summary", "isAllDay", "start", "end", "reminders", "extra"]
    assert run.xcom("patch", "not_applied") == []


def test_native_rendering(dag: Dag, dingtalk: Emulator) -> None:
    """With native rendering, ids and titles that became integers are text again, and mappings come whole."""
    run = dag(
        """
        Patch(
            task_id="patch",
            union_id=ORGANIZER,
            event_id=EVENT,
            patch="{{ {'summary': 42, 'reminders': [5], 'is_all_day': False} }}",
            dry_run="{{ 1 == 1 }}",
            client_token="{{ '12345' }}",
        )
        """.replace("ORGANIZER", repr(ORGANIZER)).replace("EVENT", repr(EVENT)),
        native=True,
    )
    assert run.state("patch") == "success"
    body = run.xcom("patch")["request"]["body"]
    assert body == {
        "id": EVENT,
        "summary": "42",
        "reminders": [{"method": "dingtalk", "minutes": 5}],
        "isAllDay": False,
    }
    assert patches(dingtalk) == []


def test_a_file_comes_in_with_include(dag: Dag, dingtalk: Emulator) -> None:
    """A patch file beside the DAG is included, with its own templates; a title that ends in .json is no file."""
    (HOME / "dags" / "patch.json").write_text('{"summary": "{{ 6 * 7 }} things.json", "location": "Room {{ 1 + 1 }}"}')
    run = dag(
        f"""
        Patch(task_id="file", union_id="{ORGANIZER}", event_id="{EVENT}", patch="{{% include 'patch.json' %}}")
        Patch(task_id="title", union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"description": "a.json"}})
        """
    )
    assert (run.state("file"), run.state("title")) == ("success", "success")
    event = dingtalk.event(EVENT)
    assert (event["summary"], event["location"]["displayName"]) == ("42 things.json", "Room 2")
    assert event["description"] == "a.json"


def test_mapping(dag: Dag, dingtalk: Emulator) -> None:
    """partial().expand() and expand_kwargs() over lists from a task make one patch each, named by template."""
    run = dag(
        f"""
        @task
        def plan():
            return [
                {{"event_id": "{EVENT}", "patch": {{"summary": "A"}}}},
                {{"event_id": "{EVENT}", "patch": {{"description": "B"}}}},
            ]

        @task
        def bodies():
            return [{{"location": "C"}}]

        mine = {{"union_id": "{ORGANIZER}", "map_index_template": "{{{{ task.event_id }}}}"}}
        Patch.partial(task_id="kwargs", **mine).expand_kwargs(plan())
        Patch.partial(task_id="expand", **mine, event_id="{EVENT}").expand(patch=bodies())
        """
    )
    assert [run.state("kwargs", index) for index in (0, 1)] == ["success", "success"]
    assert run.xcom("kwargs", "patched_fields", 1) == ["description"]
    assert run.state("expand", 0) == "success"
    assert len({request["client_token"] for request in patches(dingtalk)}) == 3
    event = dingtalk.event(EVENT)
    assert (event["summary"], event["description"], event["location"]) == ("A", "B", {"displayName": "C"})


def test_xcom_of_another_task_feeds_a_patch(dag: Dag, dingtalk: Emulator) -> None:
    """An XComArg nested in the patch is resolved, and makes the dependency."""
    run = dag(
        f"""
        @task
        def title():
            return "From a task"

        Patch(task_id="patch", union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"summary": title()}})
        """
    )
    assert run.state("patch") == "success"
    assert dingtalk.event(EVENT)["summary"] == "From a task"


def test_a_wrong_patch_fails_the_task_at_once(dag: Dag, dingtalk: Emulator) -> None:
    """A wrong patch fails without using up retries, and nothing is sent."""
    run = dag(f'Patch(task_id="patch", retries=5, union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"sumary": "x"}})')
    assert run.state("patch") == "failed"
    assert dingtalk.requests == []


def test_a_mapping_expanded_by_mistake_is_explained(dingtalk: Emulator) -> None:
    """.expand(patch={...}) maps over the items, and the error says so."""
    with pytest.raises(AirflowFailException, match=r"\.expand\(patch=\{…\}\) maps over items"):
        execute(patch=("summary", "x"))


@pytest.mark.parametrize("blank", ["", " ", "None"])
def test_a_template_that_came_out_blank_is_refused(dingtalk: Emulator, blank: str) -> None:
    """A title that rendered to nothing does not wipe the event's title."""
    with pytest.raises(AirflowFailException, match=r"patch\.summary: is blank, or the word None"):
        execute(patch={"summary": blank})
    assert dingtalk.requests == []


def test_clear_empties_on_purpose(dingtalk: Emulator) -> None:
    """Fields named in clear are emptied."""
    execute(patch={}, clear="description, location")
    assert patches(dingtalk)[0]["body"] == {"id": EVENT, "description": "", "location": {"displayName": ""}}
    assert dingtalk.event(EVENT)["description"] == ""


@pytest.mark.parametrize("text", ["False", "false", False])
def test_false_is_not_true(dingtalk: Emulator, text: Any) -> None:
    """A templated boolean that came out as the text False is false."""
    _, pushed = execute(dry_run=text, skip_if_unchanged=text, repeat_meeting=text)
    assert pushed["patched_fields"] == ["summary"]


def test_wrong_booleans_are_all_named(dingtalk: Emulator) -> None:
    """Booleans that are none are refused, all at once."""
    with pytest.raises(AirflowFailException, match=r"skip_if_unchanged: must be true or false; dry_run: must be"):
        execute(dry_run="maybe", skip_if_unchanged=None)


def test_dry_run_sends_nothing(dingtalk: Emulator) -> None:
    """A dry run returns the request, without a secret, and not even fetches a token."""
    result, pushed = execute(dry_run=True, patch={"summary": "x"})
    path = f"/v1.0/calendar/users/{ORGANIZER}/calendars/primary/events/{EVENT}"
    request = {"method": "PUT", "path": path, "body": {"summary": "x", "id": EVENT}}
    assert result == {"dry_run": True, "request": request, "event": None}
    assert (pushed, dingtalk.requests) == ({}, [])


def test_skip_if_unchanged(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """An event that has the values already is read, not patched; one that does not is patched."""
    patch = {"summary": "Planning", "start": "2027-03-02T02:00:00Z", "reminders": [15], "notify_push": False}
    result, pushed = execute(skip_if_unchanged=True, patch=patch)
    assert (result["id"], pushed) == (EVENT, {"patched_fields": [], "not_applied": []})
    assert dingtalk.effects["calls"] == {"GetEvent": 1}
    assert "unchanged" in said.text
    execute(skip_if_unchanged=True, patch={"summary": "New"})
    assert dingtalk.effects["calls"] == {"GetEvent": 2, "PatchEvent": 1}


def test_what_was_not_applied_is_named(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A field that the returned event does not have is warned of and pushed, at no extra call."""
    dingtalk.configure(empty_text="ignored")
    _, pushed = execute(patch={"summary": "New"}, clear=["description"])
    assert pushed == {"patched_fields": ["summary", "description"], "not_applied": ["description"]}
    assert "does not have: description" in said.text
    assert dingtalk.effects["calls"] == {"PatchEvent": 1}


def test_cautions_are_logged(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """What the documentation leaves open is said in the log, and sent."""
    execute(patch={"attendees": ["iiPguest"]})
    assert "replaces the attendees or adds to them" in said.text
    assert len(patches(dingtalk)) == 1


def test_the_operators_zone_wins_over_the_connections(dingtalk: Emulator) -> None:
    """The timezone argument comes before the connection's."""
    execute(patch={"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}, timezone="Asia/Tokyo")
    assert patches(dingtalk)[0]["body"]["start"]["timeZone"] == "Asia/Tokyo"


def test_a_client_token_can_be_given(dingtalk: Emulator) -> None:
    """A client token of one's own is sent as it is; a blank one is refused."""
    execute(client_token="my-own")
    assert patches(dingtalk)[0]["client_token"] == "my-own"
    with pytest.raises(AirflowFailException, match="client_token: is blank"):
        execute(client_token=" ")


def test_unchecked_fields_are_sent(dingtalk: Emulator) -> None:
    """Fields that this release does not know go out unchanged."""
    execute(unchecked_fields={"newField": 1})
    assert patches(dingtalk)[0]["body"] == {"summary": "New", "id": EVENT, "newField": 1}


def test_unchecked_fields_may_have_any_shape(dingtalk: Emulator) -> None:
    """An unchecked field of an unexpected shape fails nothing after the patch took effect."""
    event, _ = execute(unchecked_fields={"recurrence": None})
    assert event["summary"] == "New"
    assert len(patches(dingtalk)) == 1


def test_permanent_errors_fail_for_good(dingtalk: Emulator) -> None:
    """An event that is not there fails the task without retries, with status, code and remedy."""
    with pytest.raises(AirflowFailException, match=r"PatchEvent 404 itemNotFound: .*union_id is the organizer's"):
        execute(event_id="missing")


def test_passing_errors_are_left_to_airflows_retries(dingtalk: Emulator) -> None:
    """A failure that lasts longer than the attempts is raised as it is, so that Airflow retries."""
    dingtalk.fault(kind="html", status=503, action="PatchEvent", times=None)
    with pytest.raises(RequestError, match="It is unknown whether this took effect") as caught:
        execute()
    assert (caught.value.retryable, caught.value.outcome) == (True, "unknown")


def test_retry_is_the_same_request_and_clear_a_new_one(dingtalk: Emulator) -> None:
    """An automatic retry sends the same client token; after a clear it is another."""
    for ti in (Ti(try_number=1), Ti(try_number=2), Ti(try_number=3, max_tries=4)):
        execute(ti)
    first, second, third = (request["client_token"] for request in patches(dingtalk))
    assert first == second != third
    assert len(dingtalk.effects["updates"]) == 2


def test_a_retry_after_an_unknown_outcome_takes_effect_once(dingtalk: Emulator) -> None:
    """A worker that lost the answer, retried by Airflow, has patched once in the end."""
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent", times=4)
    with pytest.raises(TransportError):
        execute()
    execute(Ti(try_number=2))
    assert len(dingtalk.effects["updates"]) == 1


@pytest.mark.parametrize("replay", ["stored", "again"])
def test_a_retry_does_not_make_a_second_meeting(dingtalk: Emulator, replay: str) -> None:
    """After an unknown outcome, the retry reads the event and refuses to ask for another meeting."""
    dingtalk.configure(replay=replay)
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent")
    with pytest.raises(TransportError, match="unknown whether"):
        execute(patch={"online_meeting": True})
    with pytest.raises(AirflowFailException, match="possibly created by an earlier try"):
        execute(Ti(try_number=2), patch={"online_meeting": True})
    assert len(dingtalk.effects["meetings"]) == 1


def test_a_retry_makes_the_meeting_that_was_not_made(dingtalk: Emulator) -> None:
    """When the earlier try made no meeting, the retry makes it."""
    dingtalk.fault(kind="reset", action="PatchEvent")
    with pytest.raises(TransportError):
        execute(patch={"online_meeting": True})
    execute(Ti(try_number=2), patch={"online_meeting": True})
    assert len(dingtalk.effects["meetings"]) == 1


@pytest.mark.parametrize(
    "how",
    [{"ti": Ti(try_number=3, max_tries=4)}, {"ti": Ti(try_number=2), "repeat_meeting": "True"}],
    ids=["clear", "argument"],
)
def test_a_second_meeting_on_purpose(dingtalk: Emulator, how: dict[str, Any]) -> None:
    """Clearing the task, or repeat_meeting, asks for another meeting."""
    execute(patch={"online_meeting": True})
    dingtalk.configure(replay="again")
    execute(patch={"online_meeting": True}, **how)
    assert len(dingtalk.effects["meetings"]) == 2


def test_the_log_says_what_happened_without_content(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """At INFO the log names event and fields, and shows nothing of the event's content."""
    execute(patch={"summary": "Very secret plans", "description": "hush"})
    assert f"Event {EVENT}: updated summary, description." in said.text
    assert "secret plans" not in said.text
    assert "hush" not in said.text


def test_init_only_assigns() -> None:
    """Constructing checks nothing: a template is not a value yet, and no connection is needed."""
    operator = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id="{{ x }}", event_id="{{ y }}", patch="{{ z }}", timezone="{{ w }}", dry_run="{{ v }}"
    )
    assert (operator.patch, operator.timezone, operator.dry_run) == ("{{ z }}", "{{ w }}", "{{ v }}")
    assert set(operator.template_fields) >= {"union_id", "event_id", "calendar_id", "patch", "dingtalk_conn_id"}
    assert all(hasattr(operator, name) for name in operator.template_fields)
