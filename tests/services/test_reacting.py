"""DAGs that Airflow's own services start when a calendar changes, also when the triggerer is killed in between."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers import base

from airflow_dingtalk_calendar.assets.calendar import calendar_uri, changes_in
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, ONE_TO_ONE, SAMPLE
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import until
from tests.standalone import START_LIMIT, Standalone, standalone

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.skipif(not hasattr(base, "BaseEventTrigger"), reason="Airflow 2 has no watchers"),
]

# Airflow 3.3 and newer keep the position of a watcher.
KEEPS = find_spec("airflow.models.asset_state_store") is not None
EXAMPLE = Path(__file__).parent.parent.parent / "dags_examples" / "on_calendar_change.py"
DAG_ID = "dingtalk_on_calendar_change"
EVENTS = ["reported", "reported twice", "changed meanwhile"]
GUEST = "iiPguest"

DAGS = f"""
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

trigger = DingTalkCalendarChangesTrigger(union_id="{ORGANIZER}", interval=1)
calendar = Asset("calendar", watchers=[AssetWatcher(name="changes", trigger=trigger)])

with DAG("react", schedule=[calendar]):

    @task
    def react(triggering_asset_events):
        return [change for event in triggering_asset_events[calendar] for change in changes_in(event.extra)]

    react()
"""
WRITER_AND_READER = f"""
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

trigger = DingTalkCalendarChangesTrigger(union_id="{GUEST}", organizer_id="{GUEST}", interval=1)
calendar = Asset("guest", uri="@URI@", watchers=[AssetWatcher(name="guest", trigger=trigger)])

with DAG("writer", schedule=None):
    Patch(task_id="move", union_id="{GUEST}", event_id="written", patch={{"location": "Room 2"}}, outlets=[calendar])

with DAG("reader", schedule=[calendar], max_active_runs=1):

    @task
    def find_moved(triggering_asset_events):
        changes = [change for event in triggering_asset_events[calendar] for change in changes_in(event.extra)]
        return sorted({{change["event_id"] for change in changes if "location" in change["fields"]}})

    note = Patch.partial(task_id="note", union_id="{GUEST}", patch={{"description": "Moved"}}, skip_if_unchanged=True)
    note.expand(event_id=find_moved())
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with three calendars: Lin's, which the example follows, and two for the DAGs above."""
    data = {**SAMPLE, "apps": DATA["apps"], "users": [*SAMPLE["users"], *DATA["users"]]}
    written = event("written", organizer={"id": GUEST}, attendees=[])
    with (
        Emulator({**data, "events": [*SAMPLE["events"], *map(event, EVENTS), written]}) as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the DAGs above and the example, whose watchers poll every second."""
    home = tmp_path_factory.mktemp("airflow")
    example, changed = re.subn(r"timedelta\(\w+=[12]\)", "timedelta(seconds=1)", EXAMPLE.read_text(encoding="utf-8"))
    assert changed == 2  # the interval, and the delay of a retry
    options = {
        "core.dags_are_paused_at_creation": "False",
        "triggerer.triggerer_health_check_threshold": "4",  # so long a killed triggerer counts as alive
    }
    uri = calendar_uri(GUEST, host=dingtalk.url)
    files = {"dags.py": DAGS, "written.py": WRITER_AND_READER.replace("@URI@", uri), "example.py": example}
    with standalone(home, files, dingtalk.connection(), options) as services:
        for union_id in (ORGANIZER, LIN, GUEST):
            wait_for_polls(dingtalk, union_id)
        yield services


def patch(event_id: str, union_id: str = ORGANIZER, **fields: Any) -> None:
    """Change an event as a person does."""
    with DingTalkCalendarHook() as hook:
        hook.patch_event(union_id, event_id, fields)


def wait_for_polls(dingtalk: Emulator, union_id: str, number: int = 2) -> None:
    """Wait until somebody's calendar has been polled so many times more."""

    def polls() -> int:
        return sum(one["action"] == "ListEvents" and union_id in one["path"] for one in dingtalk.requests)

    enough = polls() + number
    until(lambda: polls() >= enough, START_LIMIT, lambda: f"{polls()} of {enough} polls of {union_id}")


def reported(airflow: Standalone, asset: str = "calendar") -> list[dict[str, Any]]:
    """Return the changes that the events of an asset report, oldest first.

    From the database: asked for an event whose run has not started yet, Airflow's REST API fails (3.3.2).
    """
    query = "select e.extra from asset_event e join asset a on a.id = e.asset_id where a.name = ? order by e.id"
    with closing(sqlite3.connect(f"file:{airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
        extras = [json.loads(extra) for (extra,) in database.execute(query, (asset,))]
    return [change for extra in extras for change in changes_in(extra)]


def runs(airflow: Standalone, dag_id: str) -> list[dict[str, Any]]:
    """Return the runs of a DAG, oldest first."""
    answer = airflow.api("GET", f"/api/v2/dags/{dag_id}/dagRuns", params={"order_by": "run_after"})
    found: list[dict[str, Any]] = answer["dag_runs"]
    return found


def reactions(airflow: Standalone) -> list[set[str]]:
    """Return the ids of the changes that each run of ``react`` had, of those that have succeeded."""
    ended = [run["dag_run_id"] for run in runs(airflow, "react") if run["state"] == "success"]
    return [{one["change_id"] for one in airflow.xcom("react", run_id, "react")} for run_id in ended]


def wait_for(airflow: Standalone, event_id: str, times: int = 1) -> list[dict[str, Any]]:
    """Wait until an event has been reported so often."""

    def about() -> list[dict[str, Any]]:
        return [one for one in reported(airflow) if one["event_id"] == event_id]

    until(lambda: len(about()) >= times, START_LIMIT, lambda: f"reported: {reported(airflow)}")
    return about()


def test_a_change_starts_a_run(airflow: Standalone, dingtalk: Emulator) -> None:
    """Somebody moves an event, and a DAG run has what changed, without what the event says."""
    patch("reported", location="Room 2")
    (change,) = wait_for(airflow, "reported")
    assert (change["kind"], change["fields"]) == ("updated", ["location"])
    (run,) = until(lambda: runs(airflow, "react"), START_LIMIT, lambda: "no run")
    assert airflow.wait("react", run["dag_run_id"]) == "success"
    assert airflow.xcom("react", run["dag_run_id"], "react") == [change]


def test_the_example_does_not_start_itself(airflow: Standalone, dingtalk: Emulator) -> None:
    """A meeting moves, the example tags it once, and nothing further happens."""
    patch(ONE_TO_ONE, LIN, start="2038-01-05T15:00", end="2038-01-05T15:30")
    (run,) = until(lambda: runs(airflow, DAG_ID), START_LIMIT, lambda: "no run")
    assert airflow.wait(DAG_ID, run["dag_run_id"]) == "success"
    assert dingtalk.event(ONE_TO_ONE)["summary"] == "[moved] Lin / Chen one-to-one"
    wait_for_polls(dingtalk, LIN)
    assert len(runs(airflow, DAG_ID)) == 1
    assert [one["fields"] for one in reported(airflow, "dingtalk_calendar")] == [["start", "end"]]
    assert sum(one["event_id"] == ONE_TO_ONE for one in dingtalk.effects["updates"]) == 2


def test_a_write_starts_a_run(airflow: Standalone, dingtalk: Emulator) -> None:
    """A DAG scheduled on the outlet of a task that writes reads the changes; a watcher reports the same write again."""
    assert airflow.wait("writer", airflow.trigger("writer")) == "success"
    first, *_ = until(lambda: runs(airflow, "reader"), START_LIMIT, lambda: "no run")
    assert airflow.wait("reader", first["dag_run_id"]) == "success"
    assert airflow.xcom("reader", first["dag_run_id"], "find_moved") == ["written"]
    assert dingtalk.event("written")["description"] == "Moved"

    until(lambda: len(reported(airflow, "guest")) > 1, START_LIMIT, lambda: f"{reported(airflow, 'guest')}")
    changes = {one["source"]: one for one in reported(airflow, "guest")}
    ours, theirs = changes["task"], changes["poll"]
    same = ("event_id", "kind", "fields", "update_time", "union_id", "calendar_id")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    assert ours["change_id"] != theirs["change_id"]


@pytest.mark.skipif(not KEEPS, reason="Airflow keeps no position before 3.3")
def test_a_killed_triggerer_loses_nothing(airflow: Standalone, dingtalk: Emulator) -> None:
    """Killed before it has saved its position, it reports again under the same name, and what it missed with it."""
    patch("reported twice", location="Room 2")
    wait_for(airflow, "reported twice")
    airflow.kill("triggerer")
    patch("changed meanwhile", location="Room 2")
    patch("reported twice", summary="Retitled by the DAG")
    airflow.launch("triggerer")
    first, again = wait_for(airflow, "reported twice", times=2)
    assert {**first, "update_time": None} == {**again, "update_time": None}
    (meanwhile,) = wait_for(airflow, "changed meanwhile")
    both = {again["change_id"], meanwhile["change_id"]}
    until(lambda: both in reactions(airflow), START_LIMIT, lambda: f"{both} in none of {reactions(airflow)}")


@pytest.mark.skipif(KEEPS, reason="Airflow keeps the position from 3.3 on")
def test_a_killed_triggerer_that_keeps_nothing_begins_anew(airflow: Standalone, dingtalk: Emulator) -> None:
    """Before Airflow 3.3 what changed while the triggerer was down is lost, and what changes later is reported."""
    airflow.kill("triggerer")
    patch("changed meanwhile", location="Room 2")
    airflow.launch("triggerer")
    wait_for_polls(dingtalk, ORGANIZER)
    patch("reported twice", location="Room 2")
    wait_for(airflow, "reported twice")
    assert "changed meanwhile" not in {one["event_id"] for one in reported(airflow)}
