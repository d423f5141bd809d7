"""Two triggerers, each with a connection of its own to Stream mode, so that a push may reach the wrong one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow shares streams from 3.3 on")

from airflow_dingtalk_calendar.emulator import Emulator
from tests.conftest import DATA, ORGANIZER, event
from tests.processes import until
from tests.services.test_pushing import move, reported
from tests.standalone import SERVICES, START_LIMIT, Standalone, standalone

pytestmark = [pytest.mark.airflow, pytest.mark.slow]

SAFETY = 20  # seconds between two safety polls
EVENTS = [f"event{number}" for number in range(8)]
DAGS = f"""
from airflow.sdk import DAG, Asset, AssetWatcher
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as Trigger

push = Trigger(union_id="{ORGANIZER}", source="push")
stream = Trigger(union_id="{ORGANIZER}", source="stream", interval={SAFETY})
assets = [Asset(name, watchers=[AssetWatcher(name=name, trigger=trigger)]) for name, trigger in
          dict(push=push, stream=stream).items()]

with DAG("react", schedule=assets):
    pass
"""


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with a calendar of some events."""
    data = {**DATA, "events": [event(name) for name in EVENTS]}
    with Emulator(data, stream_redelivery=5) as emulator, pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(emulator.connection()))
        yield emulator


@pytest.fixture(scope="module")
def airflow(dingtalk: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow with two triggerers, each of which has room for one of the two watchers."""
    home = tmp_path_factory.mktemp("airflow")
    one = (*SERVICES["triggerer"], "--capacity", "1")
    services = {**SERVICES, "triggerer": one, "triggerer 2": one}
    options = {"core.dags_are_paused_at_creation": "False"}
    with standalone(home, {"dags.py": DAGS}, dingtalk.connection(), options, services) as running:
        until(lambda: len(dingtalk.connections()) == 2, START_LIMIT, lambda: str(dingtalk.connections()))
        time.sleep(5)  # until the stream has its position
        yield running


def test_a_stream_loses_nothing_and_a_push_what_went_elsewhere(
    airflow: Standalone, dingtalk: Emulator, record_property: Any
) -> None:
    """What is pushed to the other triggerer is found by the safety poll; a watcher of pushes never reports it."""
    delays = []
    for name in EVENTS:
        moved = move(name)
        until(lambda: name in events(airflow, "stream"), START_LIMIT, lambda: str(events(airflow, "stream")), 0.05)  # noqa: B023
        delays.append(time.time() - moved)
    record_property("seconds", delays)
    assert min(delays) < SAFETY / 2
    assert max(delays) < SAFETY + 15
    assert set(events(airflow, "stream")) == set(EVENTS)
    assert 0 < len(set(events(airflow, "push"))) < len(EVENTS)
    assert {one["status"] for one in dingtalk.pushed_events()} == {"acknowledged"}


def events(airflow: Standalone, source: str) -> list[str]:
    """Return the events that the watcher of a source has reported."""
    return [one["event_id"] for one in reported(airflow, source)]
