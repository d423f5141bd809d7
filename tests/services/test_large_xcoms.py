"""Plans and their undo with Airflow's backend for large XComs, which keeps them in object storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from tests.conftest import DATA, ORGANIZER, event
from tests.services.test_pushing import query
from tests.standalone import Standalone, standalone

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

EVENTS = [f"event{number}" for number in range(200)]
DAGS = f"""
from airflow.providers.common.compat.sdk import DAG, task
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Batch

OPTIONS = {{"schedule": None, "default_args": {{"union_id": "{ORGANIZER}"}}}}

with DAG("rename", **OPTIONS):
    plan = [{{"event_id": name, "patch": {{"summary": "Renamed"}}}} for name in {EVENTS}]
    Batch(task_id="apply", plan=plan, keep_before=True)

with DAG("undo", params={{"run_id": ""}}, **OPTIONS):

    @task
    def fetch(params, ti):
        return ti.xcom_pull(dag_id="rename", run_id=params["run_id"], task_ids="apply", key="undo")

    Batch(task_id="apply", plan=fetch())
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with a calendar of many events."""
    with Emulator({**DATA, "events": [event(name) for name in EVENTS]}) as emulator:
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the DAGs above, whose database has XComs of less than 10 kB only."""
    home = tmp_path_factory.mktemp("airflow")
    options = {
        "core.xcom_backend": "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend",
        "common_io.xcom_objectstorage_path": f"file://{home}/xcom",
        "common_io.xcom_objectstorage_threshold": "10000",
        "common_io.xcom_objectstorage_compression": "gzip",
    }
    with standalone(home, {"dags.py": DAGS}, dingtalk.connection(), options) as services:
        yield services


def test_an_undo_is_pulled_from_object_storage(airflow: Standalone, dingtalk: Emulator) -> None:
    """Another DAG pulls the undo of a large plan from where the backend has put it, and restores all events."""
    run = airflow.trigger("rename")
    assert airflow.wait("rename", run) == "success"
    assert {dingtalk.event(name)["summary"] for name in EVENTS} == {"Renamed"}
    ((stored,),) = query(airflow, "select value from xcom where dag_id = 'rename' and key = 'undo'")
    assert str(airflow.home / "xcom") in stored

    undo = airflow.trigger("undo", {"run_id": run})
    assert airflow.wait("undo", undo) == "success"
    assert {dingtalk.event(name)["summary"] for name in EVENTS} == {"Planning"}
