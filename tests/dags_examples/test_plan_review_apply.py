"""The example in which a person approves the plan, under Airflow's own services."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW
from tests.processes import until
from tests.standalone import RUN_LIMIT, Standalone, standalone

pytestmark = pytest.mark.airflow

EXAMPLE = Path(__file__).parent.parent.parent / "dags_examples" / "plan_review_apply.py"
DAG_ID = "dingtalk_plan_review_apply"
AS_QUICK_AS_PEOPLE = 2.0  # seconds


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with the sample calendar."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with this example alone."""
    home = tmp_path_factory.mktemp("airflow")
    with standalone(home, {EXAMPLE.name: EXAMPLE.read_text(encoding="utf-8")}, dingtalk.connection()) as services:
        yield services


def question(airflow: Standalone, run: str) -> dict[str, Any]:
    """Wait until Airflow asks, and return what it asks."""
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run}/hitlDetails"

    def asked() -> dict[str, Any] | None:
        entries = airflow.api("GET", path)["hitl_details"]
        task = airflow.task(DAG_ID, run, "approve")
        waits = entries and task["state"] in ("awaiting_input", "deferred") and not psutil.pid_exists(task["pid"])
        return entries[0] if waits else None

    entry = until(asked, RUN_LIMIT, lambda: "nobody was asked")
    # An answer before the scheduler has noticed that the worker is done fails the task; nobody is that quick.
    time.sleep(AS_QUICK_AS_PEOPLE)
    return entry


def answer(airflow: Standalone, run: str, option: str) -> str:
    """Answer like a person in *Required Actions*, and wait until the run is over; return its state."""
    path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run}/taskInstances/approve/-1/hitlDetails"
    airflow.api("PATCH", path, json={"chosen_options": [option], "params_input": {}})
    return airflow.wait(DAG_ID, run)


def sent(dingtalk: Emulator) -> list[str]:
    """Name the events that were changed."""
    return [update["event_id"] for update in dingtalk.effects["updates"]]


def test_nothing_is_sent_before_a_person_approves(airflow: Standalone, dingtalk: Emulator) -> None:
    """The person reads what would change; a rejected plan is not sent, an approved one is, and reported."""
    rejected = airflow.trigger(DAG_ID)
    asked = question(airflow, rejected)
    assert asked["subject"] == "Change these events?"
    assert "| `Design review: booking flow 设计评审` | `2038-01-14 15:00 (Asia/Shanghai)` | patch |" in asked["body"]
    assert "4F, room Plum, screen on the left -> 4F, room Bamboo, screen on the left" in asked["body"]
    assert sent(dingtalk) == []
    assert answer(airflow, rejected, "Reject") == "success"
    assert airflow.task(DAG_ID, rejected, "apply")["state"] == "skipped"
    assert sent(dingtalk) == []

    approved = airflow.trigger(DAG_ID)
    question(airflow, approved)
    assert answer(airflow, approved, "Approve") == "success"
    assert sent(dingtalk) == [REVIEW]
    assert dingtalk.event(REVIEW)["location"]["displayName"] == "4F, room Bamboo, screen on the left"
    assert airflow.xcom(DAG_ID, approved, "report") == [f"{REVIEW}: applied"]
