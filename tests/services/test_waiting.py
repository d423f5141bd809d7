"""Sensors under Airflow's own scheduler and triggerer: many at once, and a triggerer that is killed meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.processes import until
from tests.security.test_secrets import SECRET, everything_stored, token_of
from tests.standalone import RUN_LIMIT, Standalone, standalone

pytestmark = pytest.mark.airflow

READY, LATE = 72, 8

DAGS = f"""
from airflow.providers.common.compat.sdk import DAG
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait

OPTIONS = {{"schedule": None, "default_args": {{"union_id": "{ORGANIZER}", "retries": 0, "deferrable": True}}}}

with DAG("ready", **OPTIONS):
    Wait.partial(task_id="wait", exists=True).expand(event_id=["{EVENT}"] * {READY})

with DAG("late", **OPTIONS):
    Wait.partial(task_id="wait", cancelled=True, poke_interval=1).expand(event_id=["called off"] * {LATE})

with DAG("soon", **OPTIONS):
    Wait(task_id="deferred", event_id="soon", starts_within=0)
    Wait(task_id="rescheduled", event_id="soon", starts_within=0, deferrable=False, mode="reschedule")
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with an event for each DAG."""
    with Emulator({**DATA, "events": [event(), event("called off"), event("soon")]}) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the DAGs above; a triggerer that is gone is noticed soon."""
    home = tmp_path_factory.mktemp("airflow")
    options = {"triggerer.triggerer_health_check_threshold": "5"}
    with standalone(home, {"dags.py": DAGS}, dingtalk.connection(), options) as services:
        yield services


def states(airflow: Standalone, dag_id: str, run: str) -> list[str]:
    """Return the states of a run's tasks, in order."""
    path = f"/api/v2/dags/{dag_id}/dagRuns/{run}/taskInstances"
    tasks = airflow.api("GET", path, params={"limit": 100})["task_instances"]
    return sorted(str(task["state"]) for task in tasks)


def polls(dingtalk: Emulator, event_id: str) -> int:
    """Count how often an event was read."""
    return sum(request["path"].endswith(f"/{event_id}") for request in dingtalk.requests)


def test_a_killed_triggerer_loses_nothing(airflow: Standalone, dingtalk: Emulator) -> None:
    """Deferred sensors go on in the next triggerer; for a known moment they poll twice, as rescheduled ones do."""
    start = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=30)
    times = {"start": start, "end": start + dt.timedelta(hours=1)}
    ends = {name: {"dateTime": one.isoformat(), "timeZone": "Asia/Shanghai"} for name, one in times.items()}
    dingtalk.store.put_events([event("soon", **ends)])
    runs = {dag_id: airflow.trigger(dag_id) for dag_id in ("soon", "late")}
    expected = {"soon": ["deferred", "up_for_reschedule"], "late": ["deferred"] * LATE}
    until(
        lambda: {dag_id: states(airflow, dag_id, run) for dag_id, run in runs.items()} == expected,
        RUN_LIMIT,
        lambda: f"{[states(airflow, dag_id, run) for dag_id, run in runs.items()]}",
    )
    airflow.kill("triggerer")
    dingtalk.store.put_events([event("called off", status="cancelled")])
    airflow.launch("triggerer")
    assert [airflow.wait(dag_id, run) for dag_id, run in runs.items()] == ["success", "success"]
    assert states(airflow, "late", runs["late"]) == ["success"] * LATE
    assert airflow.xcom("late", runs["late"], "wait", map_index=LATE - 1)["status"] == "cancelled"
    assert polls(dingtalk, "soon") == 2 * 2


def test_waiting_leaves_nothing_behind(airflow: Standalone, dingtalk: Emulator) -> None:
    """Neither the database nor a log holds a secret, and no log holds a title."""
    stored = everything_stored(airflow.home)
    assert SECRET not in stored
    assert token_of(dingtalk) not in stored
    logs = "".join(path.read_text() for path in (airflow.home / "logs").rglob("*.log"))
    assert "Event called off is not cancelled" in logs
    assert "TriggerEvent<met>" in logs
    assert "Planning" not in logs


@pytest.mark.slow
def test_many_that_are_ready(airflow: Standalone, dingtalk: Emulator) -> None:
    """Seventy-two mapped sensors whose condition is true already succeed, without a retry, and none of them defers."""
    run = airflow.trigger("ready")
    assert airflow.wait("ready", run, limit=180) == "success"
    assert states(airflow, "ready", run) == ["success"] * READY
    assert polls(dingtalk, EVENT) == READY
