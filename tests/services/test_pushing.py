"""DAGs that Airflow's own services start when DingTalk pushes a change, also when something is killed in between."""

from __future__ import annotations

import json
import sqlite3
import statistics
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow shares streams from 3.3 on")

from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import free_port, until
from tests.standalone import START_LIMIT, Standalone, standalone

pytestmark = pytest.mark.airflow

SOURCES = ["push", "stream"]
EVENTS = ["first", "second", "third"]
DAGS = f"""
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

for source in {SOURCES}:
    trigger = DingTalkCalendarChangesTrigger(union_id="{ORGANIZER}", source=source)
    calendar = Asset(source, watchers=[AssetWatcher(name=source, trigger=trigger)])

    with DAG(f"on_{{source}}", schedule=[calendar]) as dag:

        @task
        def react(triggering_asset_events):
            events = [event for events in triggering_asset_events.values() for event in events]
            return [change for event in events for change in changes_in(event.extra)]

        react()
    globals()[dag.dag_id] = dag
"""
each_source = pytest.mark.parametrize("source", SOURCES)


class Gateway:
    """DingTalk at one address, which can be restarted.

    :param events: ids of the events in its calendar.
    :param redelivery: seconds until a push that was not acknowledged comes again.
    :ivar emulator: DingTalk as it runs now.
    """

    def __init__(self, events: Iterable[str] = EVENTS, redelivery: float = 2) -> None:
        self._data = {**DATA, "events": [event(name) for name in events]}
        self._redelivery = redelivery
        self._port = free_port()
        self.emulator = self._start()

    def _start(self) -> Emulator:
        emulator = Emulator(self._data, self._port, stream_unconnected="kept", stream_redelivery=self._redelivery)
        return emulator.__enter__()

    def restart(self) -> None:
        """Begin anew: nothing is remembered of connections, pushes and changes."""
        self.stop()
        self.emulator = self._start()

    def stop(self) -> None:
        """End it."""
        self.emulator.__exit__(None, None, None)

    def connections(self) -> int:
        """Count the open connections."""
        return len(self.emulator.connections())

    def wait_for_connection(self) -> None:
        """Wait until the triggerer is connected."""
        until(lambda: self.connections() == 1, START_LIMIT, lambda: f"{self.connections()} connections")


@contextmanager
def running_gateway(gateway: Gateway) -> Iterator[Gateway]:
    """Make DingTalk this process's connection, and end it at the end."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(gateway.emulator.connection()))
        yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """DingTalk with a calendar of three events, and Airflow's connection to it."""
    with running_gateway(Gateway()) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def airflow(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with a DAG for each source, and its triggerer connected."""
    home = tmp_path_factory.mktemp("airflow")
    options = {
        "core.dags_are_paused_at_creation": "False",
        "triggerer.triggerer_health_check_threshold": "4",  # so long a killed triggerer counts as alive
    }
    with standalone(home, {"dags.py": DAGS}, gateway.emulator.connection(), options) as services:
        gateway.wait_for_connection()
        time.sleep(5)  # until the second watcher runs as well, and has its position
        yield services


def move(event_id: str) -> float:
    """Change an event as a person does, to something new each time; return when."""
    now = time.time()
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, event_id, {"location": f"Room {now}"})
    return now


def query(airflow: Standalone, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask Airflow's database."""
    with closing(sqlite3.connect(f"file:{airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
        return database.execute(sql, values).fetchall()


def reported(airflow: Standalone, source: str) -> list[dict[str, Any]]:
    """Return what the watcher of a source has reported, oldest first."""
    sql = "select e.extra from asset_event e join asset a on a.id = e.asset_id where a.name = ? order by e.id"
    return [change for (extra,) in query(airflow, sql, source) for change in changes_in(json.loads(extra))]


def wait_for(airflow: Standalone, source: str, event_id: str, more_than: int = 0) -> list[dict[str, Any]]:
    """Wait until an event has been reported once more."""

    def about() -> list[dict[str, Any]]:
        return [one for one in reported(airflow, source) if one["event_id"] == event_id]

    until(lambda: len(about()) > more_than, START_LIMIT, lambda: f"reported: {reported(airflow, source)}")
    return about()


def count(airflow: Standalone, source: str, event_id: str) -> int:
    """Count how often an event has been reported."""
    return sum(one["event_id"] == event_id for one in reported(airflow, source))


@each_source
def test_a_change_starts_a_run(airflow: Standalone, gateway: Gateway, source: str) -> None:
    """Seconds after somebody has moved an event, a DAG run has what changed."""
    before = count(airflow, source, "first")
    moved = move("first")
    change = wait_for(airflow, source, "first", before)[-1]
    assert time.time() - moved < 30
    assert change["kind"] == "updated"

    def payloads() -> list[dict[str, Any]]:
        runs = airflow.api("GET", f"/api/v2/dags/on_{source}/dagRuns", params={"order_by": "-run_after"})["dag_runs"]
        if not runs or airflow.wait(f"on_{source}", runs[0]["dag_run_id"]) != "success":
            return []
        found: list[dict[str, Any]] = airflow.xcom(f"on_{source}", runs[0]["dag_run_id"], "react")
        return found

    until(lambda: change in payloads(), START_LIMIT, lambda: f"{change} is in no run")


def test_killed_before_the_acknowledgement(airflow: Standalone, gateway: Gateway) -> None:
    """A push that Airflow may not have stored comes again, under the same name, and so does nothing else."""
    before = {source: count(airflow, source, "second") for source in SOURCES}
    move("second")
    airflow.kill("triggerer")
    assert gateway.emulator.pushed_events()[-1]["status"] != "acknowledged"
    airflow.launch("triggerer")
    for source in SOURCES:
        changes = wait_for(airflow, source, "second", before[source])[before[source] :]
        assert len({one["change_id"] for one in changes}) == 1
    until(lambda: not gateway.emulator.unacknowledged(), START_LIMIT, lambda: str(gateway.emulator.pushed_events()))


def test_killed_after_the_acknowledgement(airflow: Standalone, gateway: Gateway) -> None:
    """What was acknowledged is stored: the triggerer may die, and nothing is lost or reported under a new name."""
    before = {source: count(airflow, source, "third") for source in SOURCES}
    move("third")
    until(lambda: not gateway.emulator.unacknowledged(), START_LIMIT, lambda: str(gateway.emulator.pushed_events()))
    airflow.kill("triggerer")
    airflow.launch("triggerer")
    gateway.wait_for_connection()
    for source in SOURCES:
        changes = wait_for(airflow, source, "third", before[source])[before[source] :]
        assert len({one["change_id"] for one in changes}) == 1
    assert count(airflow, "push", "third") == before["push"] + 1


@pytest.mark.slow
@pytest.mark.parametrize("unconnected", ["kept", "lost"])
def test_a_lost_connection(airflow: Standalone, gateway: Gateway, unconnected: str) -> None:
    """A stream reports what changed while it was not connected; a push, what the gateway still holds."""
    gateway.wait_for_connection()
    before = {source: count(airflow, source, "first") for source in SOURCES}
    gateway.emulator.configure(stream_unconnected=unconnected)
    gateway.emulator.fault(action="StreamPush", kind="reset")
    gateway.emulator.fault(action="OpenConnection", kind="error", status=503, times=4)
    move("first")
    until(lambda: gateway.connections() == 0, START_LIMIT, lambda: "still connected", 0.01)
    move("second")
    wait_for(airflow, "stream", "first", before["stream"])
    if unconnected == "kept":
        wait_for(airflow, "push", "first", before["push"])
    until(lambda: not gateway.emulator.unacknowledged(), START_LIMIT, lambda: str(gateway.emulator.pushed_events()))
    gateway.emulator.configure(stream_unconnected="kept")


@pytest.mark.slow
@each_source
def test_a_gateway_that_is_restarted(airflow: Standalone, gateway: Gateway, source: str) -> None:
    """A new gateway is found, and what changes from then on is reported."""
    gateway.restart()
    gateway.wait_for_connection()
    time.sleep(4)  # until what the restart itself has changed is reported
    before = count(airflow, source, "third")
    move("third")
    wait_for(airflow, source, "third", before)


@pytest.mark.slow
@each_source
def test_how_long_it_takes(airflow: Standalone, gateway: Gateway, source: str, record_property: Any) -> None:
    """From a change to a queued run it takes seconds."""
    seconds = []
    for _ in range(5):
        before = len(query(airflow, "select 1 from dag_run where dag_id = ?", f"on_{source}"))
        moved = move("first")
        sql = "select strftime('%s', queued_at) + 0.0 from dag_run where dag_id = ?"
        until(lambda: len(query(airflow, sql, f"on_{source}")) > before, START_LIMIT, lambda: "no run", 0.05)  # noqa: B023
        seconds.append(time.time() - moved)
    record_property("seconds", seconds)
    assert statistics.median(seconds) < 15
