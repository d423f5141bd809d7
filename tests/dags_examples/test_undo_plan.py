"""The example that takes back what a plan did, under Airflow's own services."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, ONE_TO_ONE, REVIEW
from tests.processes import until
from tests.standalone import RUN_LIMIT, Standalone, standalone

pytestmark = pytest.mark.airflow

EXAMPLE = Path(__file__).parent.parent.parent / "dags_examples" / "undo_plan.py"
DAG_ID = "dingtalk_undo_plan"
AS_QUICK_AS_PEOPLE = 2.0  # seconds
CHANGES = f"""
from airflow.providers.common.compat.sdk import DAG
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Apply

with DAG("changes", schedule=None, default_args={{"retries": 3, "retry_delay": 0.1}}):
    plan = [{{"event_id": name, "patch": {{"summary": "Wrong"}}}} for name in {[REVIEW, ONE_TO_ONE]}]
    Apply(task_id="apply", union_id="{LIN}", plan=plan, keep_before=True)
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with the sample calendar."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with this example, and a DAG that changes two events; a failing call is left to Airflow's retries."""
    home = tmp_path_factory.mktemp("airflow")
    connection = dingtalk.connection()
    connection["extra"].update(max_attempts=1, max_qps=1)  # one thread
    files = {EXAMPLE.name: EXAMPLE.read_text(encoding="utf-8"), "changes.py": CHANGES}
    with standalone(home, files, connection) as services:
        yield services


def approve(airflow: Standalone, run: str) -> str:
    """Wait until Airflow asks, approve like a person, and return what was asked once the run is over."""
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run}"

    def asked() -> str:
        entries = airflow.api("GET", f"{path}/hitlDetails")["hitl_details"]
        task = airflow.task(DAG_ID, run, "approve")
        waits = entries and task["state"] in ("awaiting_input", "deferred") and not psutil.pid_exists(task["pid"])
        return str(entries[0]["body"]) if waits else ""

    body = until(asked, RUN_LIMIT, lambda: "nobody was asked")
    time.sleep(AS_QUICK_AS_PEOPLE)
    answer = {"chosen_options": ["Approve"], "params_input": {}}
    airflow.api("PATCH", f"{path}/taskInstances/approve/-1/hitlDetails", json=answer)
    assert airflow.wait(DAG_ID, run) == "success"
    return str(body)


def test_a_killed_plan_is_taken_back_after_approval(airflow: Standalone, dingtalk: Emulator) -> None:
    """The task is killed after its first change, its retry does the rest; the undo takes back both, once approved."""
    before = {name: dingtalk.event(name)["summary"] for name in (REVIEW, ONE_TO_ONE)}
    dingtalk.fault(kind="apply_then_hang", action="PatchEvent")
    changed = airflow.trigger("changes")
    until(lambda: dingtalk.effects["updates"], RUN_LIMIT, lambda: "the request has not come")
    psutil.Process(airflow.task("changes", changed, "apply")["pid"]).kill()
    assert airflow.wait("changes", changed) == "success"
    assert airflow.task("changes", changed, "apply")["try_number"] == 2
    assert {dingtalk.event(name)["summary"] for name in before} == {"Wrong"}

    run = airflow.trigger(DAG_ID, {"dag_id": "changes", "run_id": changed, "task_id": "apply"})
    body = approve(airflow, run)
    assert "`summary: Wrong -> Design review" in body
    assert {name: dingtalk.event(name)["summary"] for name in before} == before
    assert sorted(airflow.xcom(DAG_ID, run, "report")) == sorted(f"{name}: applied" for name in before)
