"""A thousand changes within a minute, for 25 assets whose watchers run in Airflow's own triggerer."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import psutil
import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow shares streams from 3.3 on")

from tests.conftest import ORGANIZER
from tests.processes import until
from tests.services.test_pushing import Gateway, move, query, reported, running_gateway
from tests.standalone import START_LIMIT, Standalone, standalone

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

EVENTS = [f"event{number}" for number in range(1000)]
STREAMS = 14
KINDS = [kinds for n in (1, 2, 3) for kinds in permutations(("created", "updated", "deleted"), n) if "updated" in kinds]
ASSETS = len(KINDS) + STREAMS
# A push is an asset event of each asset, of which Airflow stored 16 in a second on two cores with much else to do.
LIMIT = len(EVENTS) * len(KINDS) / 10
MOST_GROWTH = 100.0  # MB
# Watchers with the same arguments would be one trigger. No run is made, because the DAG waits for one more asset.
DAGS = f"""
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as Trigger

arguments = [
    *[dict(source="push", kinds=kinds) for kinds in {KINDS}],
    *[dict(source="stream", interval=3600 + number) for number in range({STREAMS})],
]
assets = [Asset("unchanged")]
for number, given in enumerate(arguments):
    watcher = AssetWatcher(name=f"asset{{number}}", trigger=Trigger(union_id="{ORGANIZER}", **given))
    assets.append(Asset(f"asset{{number}}", watchers=[watcher]))

with DAG("never", schedule=assets):
    pass
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """DingTalk with a calendar of a thousand events, and Airflow's connection to it."""
    with running_gateway(Gateway(EVENTS, redelivery=5)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def airflow(gateway: Gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with the watchers, each of which has begun."""
    home = tmp_path_factory.mktemp("airflow")
    options = {"core.dags_are_paused_at_creation": "False"}
    with standalone(home, {"dags.py": DAGS}, gateway.emulator.connection(), options) as services:
        gateway.wait_for_connection()
        until(lambda: positions(services) == STREAMS, START_LIMIT, lambda: f"{positions(services)} positions")
        yield services


def test_a_thousand_changes_for_25_assets(airflow: Standalone, gateway: Gateway, record_property: Any) -> None:
    """Every change reaches every asset once, and the triggerer's memory does not grow with their number."""
    began, calls, memory = time.time(), polls(gateway), [triggerer_memory(airflow)]
    for name in EVENTS:
        move(name)
    assert time.time() - began < 60

    def all_stored() -> bool:
        memory.append(triggerer_memory(airflow))
        return stored(airflow) >= len(EVENTS) * ASSETS

    until(all_stored, LIMIT, lambda: f"{stored(airflow)} stored", interval=5)
    record_property("seconds", time.time() - began)
    record_property("megabytes", (memory[0], max(memory)))
    record_property("calls", polls(gateway) - calls)
    until(lambda: not gateway.emulator.unacknowledged(), START_LIMIT, lambda: str(gateway.emulator.unacknowledged()))
    for number in range(ASSETS):
        assert Counter(one["event_id"] for one in reported(airflow, f"asset{number}")) == dict.fromkeys(EVENTS, 1)
    assert max(memory) - memory[0] < MOST_GROWTH


def positions(airflow: Standalone) -> int:
    """Count the watchers that have saved a position."""
    return len(query(airflow, "select distinct asset_id from asset_state_store"))


def stored(airflow: Standalone) -> int:
    """Count the changes in the asset events that Airflow has stored."""
    ((number,),) = query(airflow, "select total(json_array_length(extra, '$.payload.changes')) from asset_event")
    return int(number)


def polls(gateway: Gateway) -> int:
    """Count the calls that have listed the calendar."""
    return int(gateway.emulator.effects["calls"].get("ListEvents", 0))


def triggerer_memory(airflow: Standalone) -> float:
    """Return how much memory the processes of the triggerer have in use, MB."""
    owned = (one for one in psutil.process_iter() if airflow.processes.owner(one.pid) == "triggerer")
    return sum(one.memory_info().rss for one in owned) / 2**20
