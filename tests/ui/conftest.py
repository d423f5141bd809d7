"""Airflow with the example DAGs and no connection, DingTalk, and a browser before them, for all tests here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from tests.standalone import Standalone
from tests.ui import browser as chromium
from tests.ui import pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

EXAMPLES = Path(__file__).parent.parent.parent / "dags_examples"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    with chromium.chromium() as running:
        yield running


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page."""
    with chromium.tab(browser) as opened:
        yield opened


@pytest.fixture(scope="session")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk with the sample calendar."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def airflow(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """Airflow's services with four examples, in which connections can be tested.

    The DAGs are not paused: the trigger form would unpause one and start a run at the same moment, and SQLite may
    refuse one of two writers.
    """
    home = tmp_path_factory.mktemp("airflow")
    dags = home / "dags"
    dags.mkdir()
    for example in ("reschedule_from_params.py", "plan_review_apply.py", "undo_plan.py", "on_calendar_change.py"):
        shutil.copy(EXAMPLES / example, dags)
    switches = {"AIRFLOW__CORE__TEST_CONNECTION": "Enabled", "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False"}
    with Standalone(home, dags, switches) as services:
        yield services


@pytest.fixture(scope="session")
def connected(browser: Browser, airflow: Standalone, dingtalk: Emulator) -> str:
    """The connection that the example DAGs use, made in the form; its id."""
    with chromium.tab(browser) as opened:
        pages.connect(opened, airflow.url, "dingtalk_default", dingtalk)
    return "dingtalk_default"
