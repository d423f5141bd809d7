"""A DAG with params, and one with an approval, from the browser to the calendar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.sample import ONE_TO_ONE, REVIEW
from tests.standalone import Standalone
from tests.ui import pages
from tests.ui.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

RESCHEDULE = "dingtalk_reschedule_from_params"
REVIEWED = "dingtalk_plan_review_apply"


def test_an_event_moves_as_somebody_enters_it(
    page: Page, airflow: Standalone, dingtalk: Emulator, connected: str
) -> None:
    """The trigger form asks for the params, and the task shows afterwards what it did with them."""
    form = pages.trigger_form(page, airflow.url, RESCHEDULE)
    pages.fill(form, element_timezone="Asia/Singapore")
    minutes = form.get_by_label("Length in minutes")
    print(minutes.count())
    form.locator("[id='number-input:element_minutes'] input, input[name=element_minutes]").first.fill("45")
    form.get_by_role("button", name="Run Parameters").evaluate("e => e.scrollIntoView()")
    picture(page, "trigger-form")
    run = pages.trigger(page, form)
    assert airflow.wait(RESCHEDULE, run) == "success"
    print(dingtalk.event(ONE_TO_ONE)["start"], dingtalk.event(ONE_TO_ONE)["end"])

    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule")
    page.get_by_text(f"Event {ONE_TO_ONE}: updated start, end, extra.").wait_for()
    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule", "rendered_templates")
    page.get_by_text('"2027-01-06 14:45:00+08:00"').wait_for()
    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule", "xcom")
    page.get_by_text('"extra"').first.wait_for()
    print(page.locator("body").inner_text())
    page.screenshot(path="/tmp/w/J-explore/xcom.png")


def test_a_plan_is_approved_in_the_browser(page: Page, airflow: Standalone, dingtalk: Emulator, connected: str) -> None:
    """Somebody reads what would change and approves it; then the plan is applied, and the calendar's page shows it."""
    run = pages.trigger(page, pages.trigger_form(page, airflow.url, REVIEWED))
    pages.task(page, airflow.url, REVIEWED, run, "approve", "required_actions")
    page.get_by_role("cell", name="Design review: booking flow 设计评审").wait_for()
    assert REVIEW not in {row["event_id"] for row in dingtalk.effects["updates"]}
    page.goto(f"{airflow.url}/required_actions")
    page.get_by_role("link", name="Move these events to room Bamboo?").click()
    page.get_by_role("cell", name="4F, room Plum, screen on the left -> 4F, room Bamboo").wait_for()
    picture(page, "approval", height=600)
    page.get_by_role("button", name="Approve").click()
    assert airflow.wait(REVIEWED, run) == "success"

    page.goto(dingtalk.url)
    page.get_by_role("link", name="history").click()
    change = page.locator("article.change").first
    print(change.inner_text())
    picture(page, "emulator")
