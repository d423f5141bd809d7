"""The link on Airflow's page of a task to its event."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, SAMPLE
from tests.standalone import Standalone
from tests.ui import pages
from tests.ui.test_dags import RESCHEDULE

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.ui, pytest.mark.usefixtures("connected")]


def test_a_click_leads_to_the_event(page: Page, airflow: Standalone, dingtalk: Emulator) -> None:
    """The page of a task that has changed an event has a link, and the link opens the emulator at the event."""
    dingtalk.reset(SAMPLE)
    run = pages.trigger(page, pages.trigger_form(page, airflow.url, RESCHEDULE))
    assert airflow.wait(RESCHEDULE, run) == "success"
    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule", "details")
    link = page.get_by_role("link", name="Event", exact=True)
    link.wait_for()
    address = link.get_attribute("href") or ""
    assert unquote(address) == f"{dingtalk.url}/#event-{ONE_TO_ONE}"
    page.goto(address)
    shown = page.locator(f'article[id="event-{ONE_TO_ONE}"]')
    assert "Lin / Chen one-to-one" in shown.inner_text()
