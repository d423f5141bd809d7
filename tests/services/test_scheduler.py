"""The operator under Airflow's own services: retries, clears, killed workers, what is stored, the connection form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_dingtalk_calendar.connection import form
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, SAMPLE
from airflow_dingtalk_calendar.retry_policy import IS_AVAILABLE
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import until
from tests.security.test_secrets import SECRET, everything_stored, token_of
from tests.standalone import RUN_LIMIT, Standalone, standalone

pytestmark = pytest.mark.airflow
with_policies = pytest.mark.skipif(not IS_AVAILABLE, reason="retry policies are there from Airflow 3.3 on")

EXAMPLES = Path(__file__).parent.parent.parent / "dags_examples"
EVENTS = ["plain", "retried", "mapped", "killed task", "killed worker", "echoed", "throttled"]
KEEPS_STATE = find_spec("airflow.models.task_state_store") is not None  # Airflow 3.3 on
MANY = [f"many {number}" for number in range(80)]

DAGS = f"""
from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Batch
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

OPTIONS = {{
    "params": {{"event_id": "", "patch": {{}}}},
    "default_args": {{"union_id": "{ORGANIZER}", "retries": 3, "retry_delay": timedelta(seconds=0.1)}},
}}

with DAG("patch", schedule=None, **OPTIONS):
    Patch(task_id="patch", event_id="{{{{ params.event_id }}}}", patch="{{{{ params.patch | tojson }}}}")

with DAG("mapped", schedule=None, **OPTIONS):
    Patch.partial(task_id="patch", patch={{"summary": "Mapped"}}).expand(event_id=["mapped", "mapped"])

with DAG("batch", schedule=None, **OPTIONS):
    Batch(task_id="apply", plan=[{{"event_id": name, "patch": {{"summary": "Many"}}}} for name in {MANY}])

LATER = {{"retries": 3, "retry_delay": timedelta(minutes=5), **RETRY_POLICY}}

with DAG("policy", schedule=None, params={{"event_id": ""}}, default_args=LATER):

    @task
    def patch(params):
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

        with DingTalkCalendarHook() as hook:
            hook.patch_event("{ORGANIZER}", params["event_id"], {{"summary": "Later"}})

    patch()
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk for all tests here, each with events of its own, so that one access token is good for all."""
    users = [*SAMPLE["users"], *DATA["users"]]
    data = {**DATA, "users": users, "events": [*SAMPLE["events"], *map(event, [*EVENTS, *MANY])]}
    with Emulator(data, replay="stored") as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the examples and the DAGs above; a failing call is left to Airflow's retries."""
    home = tmp_path_factory.mktemp("airflow")
    shutil.copytree(EXAMPLES, home / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    connection = dingtalk.connection()
    connection["extra"]["max_attempts"] = 1
    with standalone(home, {"dags.py": DAGS}, connection, {"core.test_connection": "Enabled"}) as services:
        yield services


def start(airflow: Standalone, event_id: str, **patch: Any) -> str:
    """Start the DAG that patches one event."""
    return airflow.trigger("patch", {"event_id": event_id, "patch": patch})


def tries(airflow: Standalone, run: str) -> tuple[str, int, int]:
    """Return state and counts of the task."""
    task = airflow.task("patch", run, "patch")
    return task["state"], task["try_number"], task["max_tries"]


def tokens(dingtalk: Emulator, event_id: str) -> list[str]:
    """Return the client token of each request to patch an event."""
    sent = [request for request in dingtalk.requests if request["action"] == "PatchEvent"]
    return [request["client_token"] for request in sent if request["body"]["id"] == event_id]


def updates(dingtalk: Emulator, event_id: str) -> int:
    """Count how often an event was changed."""
    return sum(update["event_id"] == event_id for update in dingtalk.effects["updates"])


def push_test_button(airflow: Standalone, connection: dict[str, Any]) -> dict[str, Any]:
    """Test a connection that is not saved, as the form does."""
    body = {**connection, "connection_id": "unsaved", "extra": json.dumps(connection["extra"])}
    answer: dict[str, Any] = airflow.api("POST", "/api/v2/connections/test", json=body)
    return answer


def test_a_retry_repeats_the_request_and_a_clear_makes_another(airflow: Standalone, dingtalk: Emulator) -> None:
    """A retry after an unknown outcome sends the same client token, which takes effect once; a clear patches anew."""
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent")
    run = start(airflow, "retried", summary="Once")
    assert airflow.wait("patch", run) == "success"
    assert tries(airflow, run) == ("success", 2, 3)
    assert updates(dingtalk, "retried") == 1
    airflow.clear("patch", run, "patch")
    assert airflow.wait("patch", run) == "success"
    assert tries(airflow, run) == ("success", 3, 5)
    assert updates(dingtalk, "retried") == 2
    first, second, third = tokens(dingtalk, "retried")
    assert first == second != third


def test_mapped_tasks_are_distinguished(airflow: Standalone, dingtalk: Emulator) -> None:
    """Mapped tasks that send the same have a client token each, and keep it over their retries."""
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent", times=2)
    run = airflow.trigger("mapped")
    assert airflow.wait("mapped", run) == "success"
    assert sum(airflow.task("mapped", run, "patch", index)["try_number"] for index in (0, 1)) == 4
    assert len(tokens(dingtalk, "mapped")) == 4
    assert len(set(tokens(dingtalk, "mapped"))) == 2
    assert updates(dingtalk, "mapped") == 2


@pytest.mark.parametrize("victim", ["task", "worker"])
def test_what_was_killed_is_tried_again(airflow: Standalone, dingtalk: Emulator, victim: str) -> None:
    """A task killed while it waits for the answer, alone or with its worker, is retried as the same request."""
    event_id = f"killed {victim}"
    dingtalk.fault(kind="apply_then_hang", action="PatchEvent")
    run = start(airflow, event_id, summary="Once")
    until(lambda: updates(dingtalk, event_id), RUN_LIMIT, lambda: "the request has not come")
    task = psutil.Process(airflow.task("patch", run, "patch")["pid"])
    for process in [task] if victim == "task" else [task.parent(), task]:
        process.kill()
    assert airflow.wait("patch", run) == "success"
    assert tries(airflow, run) == ("success", 2, 3)
    first, second = tokens(dingtalk, event_id)
    assert first == second
    assert updates(dingtalk, event_id) == 1


def test_a_batch_goes_on_where_its_worker_was_killed(airflow: Standalone, dingtalk: Emulator) -> None:
    """The retry of a killed batch continues with the rest, no event is changed twice, and a clear patches all anew."""

    def changed() -> list[str]:
        return [update["event_id"] for update in dingtalk.effects["updates"] if update["event_id"] in MANY]

    def requests() -> int:
        return sum(request["action"] == "PatchEvent" for request in dingtalk.requests)

    before, run = requests(), airflow.trigger("batch")
    until(lambda: len(changed()) > len(MANY) / 2, RUN_LIMIT, lambda: "the requests have not come")
    task = psutil.Process(airflow.task("batch", run, "apply")["pid"])
    for process in (task.parent(), task):
        process.kill()
    by_then = requests() - before
    assert len(MANY) / 2 < by_then < len(MANY)
    assert airflow.wait("batch", run) == "success"
    assert airflow.task("batch", run, "apply")["try_number"] == 2
    assert sorted(changed()) == sorted(MANY)
    again = by_then - 10 if KEEPS_STATE else by_then
    assert requests() - before <= len(MANY) + again < 2 * len(MANY)
    assert [row["status"] for row in airflow.xcom("batch", run, "apply", "results")] == ["applied"] * len(MANY)
    said = "Earlier tries have finished" if KEEPS_STATE else "does not store task state"
    assert said in airflow.log("batch", run, "apply", 2)
    airflow.clear("batch", run, "apply")
    assert airflow.wait("batch", run) == "success"
    assert sorted(changed()) == sorted(MANY * 2)


@pytest.mark.parametrize(
    ("event_id", "patch", "why"),
    [
        ("plain", {"sumary": "x"}, "patch.sumary: is not a field; did you mean summary?"),
        ("missing", {"summary": "x"}, "PatchEvent 404 itemNotFound"),
    ],
    ids=["patch", "event"],
)
def test_what_no_retry_can_fix_fails_at_once(airflow: Standalone, event_id: str, patch: Any, why: str) -> None:
    """A permanent error fails the task on its first try of four, and the log says why."""
    run = start(airflow, event_id, **patch)
    assert airflow.wait("patch", run) == "failed"
    assert tries(airflow, run) == ("failed", 1, 3)
    assert why in airflow.log("patch", run, "patch")


@with_policies
def test_a_plain_task_with_the_retry_policy_fails_at_once(airflow: Standalone) -> None:
    """With the retry policy, a permanent error fails a plain task, too, on its first try of four."""
    run = airflow.trigger("policy", {"event_id": "missing"})
    assert airflow.wait("policy", run) == "failed"
    task = airflow.task("policy", run, "patch")
    assert (task["try_number"], task["max_tries"]) == (1, 3)
    assert "Retry policy decision" in airflow.log("policy", run, "patch")


@with_policies
def test_the_retry_policy_waits_as_asked(airflow: Standalone, dingtalk: Emulator) -> None:
    """A task that DingTalk asks to wait 11 seconds comes back then, although its own retry delay is five minutes."""
    dingtalk.fault(
        kind="error", action="PatchEvent", status=429, code="system.busy", message="x", headers={"retry-after": "11"}
    )
    run = airflow.trigger("policy", {"event_id": "throttled"})
    until(lambda: airflow.task("policy", run, "patch")["state"] == "up_for_retry", RUN_LIMIT, lambda: "no retry")
    assert airflow.wait("policy", run) == "success"
    first, second = airflow.tries("policy", run, "patch")
    assert [first["state"], second["state"]] == ["failed", "success"]
    waited = datetime.fromisoformat(second["start_date"]) - datetime.fromisoformat(first["end_date"])
    assert 11 <= waited.total_seconds() <= 30
    assert updates(dingtalk, "throttled") == 1


def test_what_a_task_did_is_on_record(airflow: Standalone, dingtalk: Emulator) -> None:
    """Rendered fields, XComs and the log line about the update can be read by REST API."""
    run = start(airflow, "plain", summary="New", notify_chat=False)
    assert airflow.wait("patch", run) == "success"
    fields = airflow.task("patch", run, "patch")["rendered_fields"]
    assert (fields["event_id"], json.loads(fields["patch"])) == ("plain", {"summary": "New", "notify_chat": False})
    assert airflow.xcom("patch", run, "patch")["summary"] == dingtalk.event("plain")["summary"] == "New"
    assert airflow.xcom("patch", run, "patch", "patched_fields") == ["summary", "extra"]
    assert airflow.xcom("patch", run, "patch", "not_applied") == []
    assert "Event plain: updated summary, extra." in airflow.log("patch", run, "patch")


def test_the_reschedule_example_runs_without_a_logical_date(airflow: Standalone, dingtalk: Emulator) -> None:
    """The example with a trigger form works when triggered by REST API, with answers and no logical date."""
    answers = {"start": "2038-01-07T09:00:00+08:00", "minutes": 45, "notify": False}
    run = airflow.trigger("dingtalk_reschedule_from_params", answers, logical_date=None)
    assert airflow.wait("dingtalk_reschedule_from_params", run) == "success"
    moved = dingtalk.event(ONE_TO_ONE)
    ends = [moved[end]["dateTime"] for end in ("start", "end")]
    assert ends == ["2038-01-07T09:00:00+08:00", "2038-01-07T09:45:00+08:00"]


def test_the_examples_of_other_operators_run(airflow: Standalone, dingtalk: Emulator) -> None:
    """One example finds events and maps a patch over them, another takes an event from its creation to its end."""
    dags = ("dingtalk_find_and_patch", "dingtalk_event_life_cycle")
    runs = [airflow.trigger(dag) for dag in dags]  # both at once: it saves time
    assert [airflow.wait(dag, run) for dag, run in zip(dags, runs, strict=True)] == ["success", "success"]
    (found,) = airflow.xcom(dags[0], runs[0], "plan")
    mapped = airflow.task(dags[0], runs[0], "rename", 0)
    assert (found["event_id"], mapped["rendered_map_index"]) == (ONE_TO_ONE, "Q1 Lin / Chen one-to-one")
    assert dingtalk.event(ONE_TO_ONE)["summary"] == "Q1 Lin / Chen one-to-one"
    made = airflow.xcom(dags[1], runs[1], "create", "event_id")
    written = [write["action"] for write in dingtalk.effects["writes"] if write["event_id"] == made]
    assert written == ["CreateEvent", "AddAttendee", "PatchEvent", "DeleteEvent"]
    assert dingtalk.event(made)["status"] == "cancelled"


def test_the_connection_form_has_our_fields(airflow: Standalone) -> None:
    """The connection form offers our type, with its fields and its labels."""
    forms = {meta["connection_type"]: meta for meta in airflow.api("GET", "/ui/connections/hook_meta")}
    assert forms["dingtalk"]["hook_name"] == "DingTalk"
    shown = {name: field["schema"]["title"] for name, field in forms["dingtalk"]["extra_fields"].items()}
    assert shown == {name: field["label"] for name, field in form.FORM_FIELDS.items()}
    assert forms["dingtalk"]["standard_fields"]["login"]["title"] == "App key (Client ID)"


def test_the_test_button_tells_right_from_wrong(airflow: Standalone, dingtalk: Emulator) -> None:
    """Testing a connection says yes to the right secret, and to a wrong one what is wrong, showing none."""
    wrong = "quite-another-app-secret"
    answers = [push_test_button(airflow, {**dingtalk.connection(), "password": secret}) for secret in (SECRET, wrong)]
    assert [answer["status"] for answer in answers] == [True, False]
    assert dingtalk.url in answers[0]["message"]
    assert "Check login (app key) and password (app secret)" in answers[1]["message"]
    assert not [secret for secret in (SECRET, wrong) if secret in json.dumps(answers)]


def test_no_secret_is_left_behind(airflow: Standalone, dingtalk: Emulator) -> None:
    """Nothing in AIRFLOW_HOME holds secret or token, not even after DingTalk has sent both back in an error."""
    token = token_of(dingtalk)
    dingtalk.fault(kind="error", action="PatchEvent", status=400, code="paramIllegal", message=f"echo {token} {SECRET}")
    run = start(airflow, "echoed", summary="x")
    assert airflow.wait("patch", run) == "failed"
    stored = everything_stored(airflow.home)
    assert "PatchEvent 400 paramIllegal: echo" in stored
    assert token not in stored
    assert SECRET not in stored
