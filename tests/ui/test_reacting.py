"""What Airflow's pages show of a calendar that starts DAGs: its asset with the events, and the run that one started."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_dingtalk_calendar.assets.calendar import changes_in
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, ONE_TO_ONE, REVIEW, SAMPLE
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.processes import until
from tests.standalone import START_LIMIT, Standalone
from tests.ui import pages
from tests.ui.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.ui

ON_CHANGE = "dingtalk_on_calendar_change"


@pytest.fixture
def watched(airflow: Standalone, dingtalk: Emulator, connected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A triggerer that finds the connection when it starts, connected to DingTalk and with its initial snapshot."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    dingtalk.reset(SAMPLE)
    airflow.kill("triggerer")
    airflow.launch("triggerer")
    until(dingtalk.connections, START_LIMIT, airflow.processes.words)
    until(lambda: dingtalk.effects["calls"].get("ListEvents"), START_LIMIT, airflow.processes.words)


@pytest.mark.usefixtures("watched")
def test_a_change_is_seen_with_the_run_that_it_started(page: Page, airflow: Standalone) -> None:
    """The page of the asset has an event for each change, with its payload and its run; the run's page leads back."""
    runs = [move(airflow, ONE_TO_ONE, "2038-01-06"), move(airflow, REVIEW, "2038-01-15")]
    pages.asset(page, airflow.url, "dingtalk_calendar")
    events = airflow.api("GET", "/api/v2/assets/events")["total_entries"]
    page.get_by_text(f"{events} Asset Events").wait_for()
    assert page.get_by_role("link", name=ON_CHANGE).count() >= len(runs)
    pages.unfold_first(page, f'"{REVIEW}"', '"updated"', '"start"', '"stream"')
    picture(page, "asset-events", height=830)

    page.goto(f"{airflow.url}/dags/{ON_CHANGE}/runs/{runs[-1]}/asset_events")
    page.get_by_text("Source Asset Event").wait_for()
    page.get_by_text("Asset Triggered").wait_for()
    page.get_by_role("link", name="dingtalk_calendar", exact=True).wait_for()
    picture(page, "asset-run", height=480)


def move(airflow: Standalone, event_id: str, day: str) -> str:
    """Move an event as a person does, and wait for the run that this starts; return its id."""
    with DingTalkCalendarHook() as hook:
        moved = hook.patch_event(LIN, event_id, {"start": f"{day}T14:00", "end": f"{day}T15:30"})
    (run,) = until(lambda: started_by(airflow, moved["updateTime"]), START_LIMIT, airflow.processes.words)
    return run


def started_by(airflow: Standalone, update_time: str) -> list[str]:
    """Return the runs of the example that have succeeded and that a change of this time has started.

    Others may report what earlier tests have changed, which the watcher finds when it is connected again.
    """
    runs = f"/api/v2/dags/{ON_CHANGE}/dagRuns"
    ended = [run["dag_run_id"] for run in airflow.api("GET", runs)["dag_runs"] if run["state"] == "success"]
    causes = {run: airflow.api("GET", f"{runs}/{run}/upstreamAssetEvents")["asset_events"] for run in ended}
    return [
        run
        for run, events in causes.items()
        if any(one["update_time"] == update_time for event in events for one in changes_in(event["extra"]))
    ]
