"""An upgrade under Airflow's own services: the checkout goes on with what an old version has stored.

The old version is the wheel in ``old/``. Its watcher takes a first snapshot and its sensor is deferred; then Airflow is
stopped, an event moves, and Airflow starts again with the same AIRFLOW_HOME and the checkout. What the sensor waits for
comes true only then: a task that is to run before the API server is there again would fail.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from airflow.triggers import base

import airflow_dingtalk_calendar
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import until
from tests.services.test_reacting import KEEPS, patch, wait_for
from tests.standalone import RUN_LIMIT, START_LIMIT, Standalone

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(not hasattr(base, "BaseEventTrigger"), reason="Airflow 2 has no API server and no watchers"),
]

(WHEEL,) = (Path(__file__).parent / "old").glob("*.whl")
NEW_CODE = airflow_dingtalk_calendar.__file__
EVENTS = ["moved", "called off", "untouched"]
# What Airflow logs of a class, module or name that is not where it was, or takes other arguments.
LOST = ("ImportError", "ModuleNotFoundError", "Trigger failed to")

DAGS = f"""
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

trigger = DingTalkCalendarChangesTrigger(union_id="{ORGANIZER}", interval=1)
calendar = Asset("calendar", watchers=[AssetWatcher(name="changes", trigger=trigger)])


@task
def code():
    import airflow_dingtalk_calendar

    return airflow_dingtalk_calendar.__file__


with DAG("react", schedule=[calendar]):
    code()

with DAG("wait", schedule=None):
    sensor = DingTalkCalendarEventSensor(
        task_id="sensor",
        union_id="{ORGANIZER}",
        event_id="called off",
        cancelled=True,
        poke_interval=1,
        deferrable=True,
    )
    code.override(task_id="before")() >> sensor >> code.override(task_id="after")()
"""


class Left(NamedTuple):
    """What the old version has left behind.

    :ivar code: its package's file.
    :ivar run_id: the run whose sensor is deferred.
    :ivar positions: how many polls each watcher has made, by the key of its position.
    :ivar watchers: their triggers, by id.
    :ivar parsed: when Airflow has last read the DAG file.
    :ivar requests: how many have been sent.
    """

    code: str
    run_id: str
    positions: dict[str, int]
    watchers: dict[int, str]
    parsed: str
    requests: int


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with the same calendar before and after the upgrade."""
    data = {**DATA, "events": [event(name) for name in EVENTS]}
    with Emulator(data) as emulator, pytest.MonkeyPatch.context() as environment:
        environment.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The AIRFLOW_HOME of both versions, with the DAGs above."""
    place = tmp_path_factory.mktemp("airflow")
    (place / "dags").mkdir()
    (place / "dags" / "dags.py").write_text(DAGS)
    return place


@pytest.fixture(scope="module")
def left(dingtalk: Emulator, home: Path, tmp_path_factory: pytest.TempPathFactory) -> Left:
    """The old version ran: its watcher has a position, and its sensor is deferred."""
    place = tmp_path_factory.mktemp("old")
    zipfile.ZipFile(WHEEL).extractall(place)
    with services(home, dingtalk, PYTHONPATH=str(place)) as airflow:
        run_id = airflow.trigger("wait")
        until(lambda: has_begun(airflow, dingtalk, run_id), START_LIMIT, airflow.processes.words)
    shutil.rmtree(place)  # nothing can load it any more
    code = str(place / airflow_dingtalk_calendar.__name__ / "__init__.py")
    return Left(code, run_id, positions(home), watchers(home), parsed(home), len(dingtalk.requests))


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, home: Path, left: Left) -> Iterator[Standalone]:
    """Airflow with the checkout, on what is left, after an event has moved; it has read the DAG file anew."""
    patch("moved", location="Room 2")
    with services(home, dingtalk) as upgraded:
        until(lambda: parsed(home) != left.parsed, START_LIMIT, upgraded.processes.words)
        yield upgraded


def services(home: Path, dingtalk: Emulator, **env: str) -> Standalone:
    """Return Airflow's services, not started yet."""
    options = {
        "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(dingtalk.connection()),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "4",  # so long a stopped triggerer counts as alive
    }
    return Standalone(home, home / "dags", {**options, **env})


def has_begun(airflow: Standalone, dingtalk: Emulator, run_id: str) -> bool:
    """Return whether the sensor is deferred, and the watcher has made a poll after its first snapshot."""
    deferred = airflow.task("wait", run_id, "sensor")["state"] == "deferred"
    return deferred and len(polls(dingtalk)) > 1 and bool(positions(airflow.home)) == KEEPS


def polls(dingtalk: Emulator, since: int = 0) -> list[bool]:
    """Return for each poll of the calendar, but for so many first requests, whether it listed changes only."""
    sent = [one["query"] for one in dingtalk.requests[since:] if one["action"] == "ListEvents"]
    return ["syncToken=" in query for query in sent]


def query(home: Path, sql: str) -> list[Any]:
    """Ask Airflow's database."""
    with closing(sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(sql).fetchall()


def positions(home: Path) -> dict[str, int]:
    """Return how many polls each watcher has made, by the key of its position."""
    rows = query(home, "select key, value from asset_state_store") if KEEPS else []
    kept = {key: json.loads(value) for key, value in rows}
    return {key: value["number"] for key, value in kept.items() if "epoch" in value}


def watchers(home: Path) -> dict[int, str]:
    """Return class paths of the watchers' triggers, by id."""
    return dict(query(home, "select id, classpath from trigger where classpath like '%Changes%'"))


def parsed(home: Path) -> str:
    """Return when Airflow has last read the DAG file."""
    ((moment,),) = query(home, "select max(last_parsed_time) from dag")
    return str(moment)


def test_a_deferred_sensor_ends(airflow: Standalone, left: Left) -> None:
    """A sensor that the old version deferred sees in the new one what it waited for, on its first try."""
    with DingTalkCalendarHook() as hook:
        hook.delete_event(ORGANIZER, "called off")
    assert airflow.wait("wait", left.run_id) == "success"
    sensor = airflow.task("wait", left.run_id, "sensor")
    assert (sensor["state"], sensor["try_number"]) == ("success", 1)
    assert airflow.xcom("wait", left.run_id, "sensor")["status"] == "cancelled"
    ran = [airflow.xcom("wait", left.run_id, task) for task in ("before", "after")]
    assert ran == [left.code, NEW_CODE]


@pytest.mark.skipif(not KEEPS, reason="Airflow keeps no position before 3.3")
def test_a_watcher_goes_on(airflow: Standalone, left: Left, dingtalk: Emulator) -> None:
    """The watcher goes on from the position that the old version kept, and reports what has changed since, once."""
    until(lambda: len(polls(dingtalk, left.requests)) > 1, RUN_LIMIT, airflow.processes.words)
    assert all(polls(dingtalk, left.requests))
    log, (number,) = airflow.processes.log("triggerer").read_text(), left.positions.values()
    # The old version called its initial snapshot so; the new one must take none.
    assert (log.count("Position taken"), log.count("Initial snapshot")) == (1, 0)
    assert log.count(f"Resuming after poll {number}: 3 events") == 1
    (moved,) = wait_for(airflow, "moved")
    assert (moved["kind"], moved["fields"]) == ("updated", ["location"])
    assert positions(airflow.home).keys() == left.positions.keys()
    assert watchers(airflow.home) == left.watchers


def test_everything_is_found(airflow: Standalone) -> None:
    """No class, module or name that the old version has stored is missing in the new one."""
    assert airflow.api("GET", "/api/v2/importErrors")["import_errors"] == []
    said = "".join(path.read_text(errors="replace") for path in airflow.home.rglob("*.log"))
    assert [line for line in said.splitlines() if any(word in line for word in LOST)] == []
