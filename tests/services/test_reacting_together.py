"""25 watchers of one calendar in Airflow's own triggerer: one poll for all, also when it is killed in between."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow has shared streams from 3.3 on")

from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import until
from tests.standalone import START_LIMIT, Standalone, standalone

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

WATCHERS = 25
ALONE = "iiPalone"
ANSWER_SECONDS = 2.0
# What each kind of filter lets through: a moved room of an event whose title begins with R or with P, and a new title.
KINDS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({}, {"R", "P"}),
    ({"fields": ["location"]}, {"R", "P"}),
    ({"summary_pattern": "^R"}, {"R"}),
    ({"organizer_id": "somebody-else"}, set()),
    ({"fields": ["summary"]}, {"title"}),
)
WATCH = """
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

def asset(name, **options):
    trigger = DingTalkCalendarChangesTrigger(**options)
    return Asset(name, watchers=[AssetWatcher(name="changes", trigger=trigger)])
"""
DAGS = f"""{WATCH}
kinds = {[options for options, _ in KINDS]!r}
# Watchers with the same parameters would be one trigger.
many = [asset(f"many{{n}}", union_id="{ORGANIZER}", interval=1 + n / 100, **kinds[n % 5]) for n in range({WATCHERS})]
alone = asset("alone", union_id="{ALONE}", interval=1)

with DAG("react", schedule=[*many, alone]):
    pass
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with two calendars: one with many watchers, and one with one."""
    titles = ("Planning", "Review", "Plan B", "Retrospective", "Party", "Put off", "Potluck")
    events = [event(title, summary=title) for title in titles]
    with (
        Emulator({**DATA, "users": [*DATA["users"], {"unionId": ALONE, "name": "Wang"}], "events": events}) as emulator,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the watchers above."""
    home = tmp_path_factory.mktemp("airflow")
    options = {
        "core.dags_are_paused_at_creation": "False",
        "triggerer.triggerer_health_check_threshold": "4",  # so long a killed triggerer counts as alive
        "dag_processor.refresh_interval": "1",
    }
    with standalone(home, {"dags.py": DAGS}, dingtalk.connection(), options) as services:
        wait_for_polls(dingtalk, ORGANIZER, 2)
        yield services


def polls(dingtalk: Emulator, union_id: str = ORGANIZER) -> int:
    """Count the calls that list somebody's calendar."""
    return sum(one["action"] == "ListEvents" and union_id in one["path"] for one in dingtalk.requests)


def wait_for_polls(dingtalk: Emulator, union_id: str, number: int) -> None:
    """Wait until somebody's calendar has been polled so many times more."""
    enough = polls(dingtalk, union_id) + number
    until(lambda: polls(dingtalk, union_id) >= enough, START_LIMIT, lambda: f"{polls(dingtalk, union_id)} polls")


def edit(event_id: str, **fields: Any) -> None:
    """Change an event as a person does."""
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, event_id, fields)


def database(airflow: Standalone) -> closing[sqlite3.Connection]:
    """Open Airflow's database."""
    return closing(sqlite3.connect(airflow.home / "airflow.db", timeout=30, isolation_level=None))


def reported(airflow: Standalone, event_id: str) -> dict[str, list[str]]:
    """Return which assets have a report of an event, and under which names."""
    query = "select a.name, e.extra from asset_event e join asset a on a.id = e.asset_id order by e.id"
    found: dict[str, list[str]] = {}
    with database(airflow) as opened:
        for name, extra in opened.execute(query):
            for change in changes_in(json.loads(extra)):
                if change["event_id"] == event_id:
                    found.setdefault(name, []).append(change["change_id"])
    return found


def interested(change: str) -> set[str]:
    """Return the assets whose watchers report a kind of change."""
    return {f"many{number}" for number in range(WATCHERS) if change in KINDS[number % 5][1]}


def wait_for(airflow: Standalone, event_id: str, names: set[str]) -> dict[str, list[str]]:
    """Wait until at least these assets have a report of an event."""
    until(lambda: names <= set(reported(airflow, event_id)), START_LIMIT, lambda: str(reported(airflow, event_id)))
    return reported(airflow, event_id)


def test_25_watchers_make_the_calls_of_one(airflow: Standalone, dingtalk: Emulator) -> None:
    """Whatever the filters, the calendar is polled as often as for one watcher, and each reports what it wants."""
    edit("Review", location="Room 2")
    edit("Planning", location="Room 2")
    edit("Plan B", summary="Plan C")
    for event_id, change in (("Review", "R"), ("Planning", "P"), ("Plan B", "title")):
        assert set(wait_for(airflow, event_id, interested(change))) == interested(change)
    wait_for_polls(dingtalk, ORGANIZER, 5)
    for event_id, change in (("Review", "R"), ("Planning", "P"), ("Plan B", "title")):
        assert Counter(map(len, reported(airflow, event_id).values())) == {1: len(interested(change))}
    assert polls(dingtalk) <= 1.1 * polls(dingtalk, ALONE)


def test_killed_between_storing_and_saving(airflow: Standalone, dingtalk: Emulator) -> None:
    """What was stored already is reported again under the same name, to every watcher that wants it."""
    edit("Retrospective", location="Room 2")
    until(lambda: reported(airflow, "Retrospective"), START_LIMIT, lambda: "nothing reported")
    airflow.kill("triggerer")
    airflow.launch("triggerer")
    again = wait_for(airflow, "Retrospective", interested("R"))
    wait_for_polls(dingtalk, ORGANIZER, 3)
    assert set(again) == interested("R")
    assert {len(set(names)) for names in reported(airflow, "Retrospective").values()} == {1}


def test_killed_before_storing(airflow: Standalone, dingtalk: Emulator) -> None:
    """While the database takes nothing, changes are yielded and the triggerer is killed: none is lost."""
    until(lambda: is_between_polls(airflow), START_LIMIT, lambda: "never between two polls", interval=0.05)
    edit("Party", location="Room 2")
    dingtalk.fault(kind="drip", action="ListEvents", interval=ANSWER_SECONDS / 1000, times=2)  # a calendar each
    wait_for_polls(dingtalk, ORGANIZER, 1)
    with database(airflow) as locked:
        locked.execute("begin immediate")
        time.sleep(ANSWER_SECONDS + 1)
        airflow.kill("triggerer")
        locked.execute("rollback")
    assert reported(airflow, "Party") == {}
    airflow.launch("triggerer")
    again = wait_for(airflow, "Party", interested("P"))
    assert set(again) == interested("P")
    assert {len(set(names)) for names in again.values()} == {1}


def test_a_watcher_comes_and_goes(airflow: Standalone, dingtalk: Emulator) -> None:
    """Another watcher reports what changes from then on; when it is taken away the others go on."""
    file = Path(airflow.home / "dags" / "guest.py")
    guest = f'guest = asset("guest", union_id="{ORGANIZER}", interval=1, fields=["location", "summary"])'
    dag = 'with DAG("guest", schedule=[guest]):\n    pass\n'
    file.write_text(f"{WATCH}\n{guest}\n{dag}")
    until(lambda: has_position(airflow, "guest"), START_LIMIT, lambda: "the guest has no position")
    edit("Put off", location="Room 2")
    assert set(wait_for(airflow, "Put off", {*interested("P"), "guest"})) == {*interested("P"), "guest"}
    file.write_text(f"{WATCH}\nguest = Asset('guest')\n{dag}")
    until(lambda: triggers(airflow) == WATCHERS + 1, START_LIMIT, lambda: f"{triggers(airflow)} triggers")
    edit("Potluck", location="Room 2")
    assert "guest" not in wait_for(airflow, "Potluck", interested("P"))


def is_between_polls(airflow: Standalone) -> bool:
    """Tell whether the positions of all watchers are of the same poll, so that the next is still to come."""
    query = """select s.value from asset_state_store s join asset a on a.id = s.asset_id
               where a.name like 'many%' and s.key like 'dingtalk_calendar/%' and s.key not like '%/%/%'"""
    with database(airflow) as opened:
        heads = [json.loads(value) for (value,) in opened.execute(query)]
    return len(heads) == WATCHERS and len({head["checked"] for head in heads}) == 1


def has_position(airflow: Standalone, name: str) -> bool:
    """Tell whether the watcher of an asset has saved a position."""
    query = "select 1 from asset_state_store s join asset a on a.id = s.asset_id where a.name = ?"
    with database(airflow) as opened:
        return opened.execute(query, (name,)).fetchone() is not None


def triggers(airflow: Standalone) -> int:
    """Count the triggers of watchers."""
    with database(airflow) as opened:
        found: int = opened.execute("select count(*) from asset_watcher").fetchone()[0]
    return found
