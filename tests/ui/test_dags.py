"""A DAG with params, and one with an approval, from the browser to the calendar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW, SAMPLE
from tests.standalone import RUN_LIMIT, Standalone, until
from tests.ui import pages
from tests.ui.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

RESCHEDULE = "dingtalk_reschedule_from_params"
REVIEWED = "dingtalk_plan_review_apply"
UNDO = "dingtalk_undo_plan"
DATA = Path(__file__).parent.parent / "data"
# Half a surrogate pair is no text that the emulator can send.
TITLES = [
    title
    for title in json.loads((DATA / "hostile_titles.json").read_text(encoding="utf-8"))
    if title.encode(errors="ignore").decode() == title
]
ELEMENTS = ["code", "tbody", "td", "th", "thead", "tr"]  # what the table to approve is made of

pytestmark = [pytest.mark.ui, pytest.mark.usefixtures("connected")]


def test_an_event_moves_as_somebody_enters_it(page: Page, airflow: Standalone, dingtalk: Emulator) -> None:
    """The trigger form asks for the params; afterwards the task's log, rendered template and XComs can be read."""
    form = pages.trigger_form(page, airflow.url, RESCHEDULE)
    form.get_by_role("spinbutton").fill("45")
    form.get_by_role("spinbutton").blur()
    picture(page, "trigger-form", height=1180)
    run = pages.trigger(page, form)
    assert airflow.wait(RESCHEDULE, run) == "success"
    assert dingtalk.event(ONE_TO_ONE)["end"]["dateTime"] == "2038-01-06T14:45:00+08:00"

    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule")
    page.get_by_text(f"Event {ONE_TO_ONE}: updated start, end, extra.").wait_for()
    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule", "rendered_templates")
    page.get_by_text('"2038-01-06 14:45:00+08:00"').wait_for()
    pages.task(page, airflow.url, RESCHEDULE, run, "reschedule", "xcom")
    page.get_by_role("button", name="Expand all").click()
    for text in ("patched_fields", '"extra"', "not_applied", '"Lin / Chen one-to-one"'):
        page.get_by_text(text).first.wait_for()


def test_a_plan_is_approved_in_the_browser(page: Page, airflow: Standalone, dingtalk: Emulator) -> None:
    """Somebody reads what would change and approves it; then the plan is applied, and the emulator's page shows it."""
    run = ask(page, airflow)
    page.get_by_role("cell", name="Design review: booking flow 设计评审").wait_for()
    page.get_by_role("cell", name="location: 4F, room Plum, screen on the left -> 4F, room Bamboo").wait_for()
    assert REVIEW not in {update["event_id"] for update in dingtalk.effects["updates"]}
    picture(page, "approval", height=600)
    page.get_by_role("button", name="Approve").click()
    assert airflow.wait(REVIEWED, run) == "success"

    page.goto(dingtalk.url)
    moved = page.locator("article.event").filter(has_text="Design review")
    assert "4F, room Bamboo, screen on the left" in moved.inner_text()
    picture(page, "emulator", height=590)
    page.set_viewport_size({"width": 1200, "height": 330})
    page.get_by_role("link", name="history").click()
    shown = page.locator("article.change").first.inner_text()
    assert "4F, room Plum, screen on the left" in shown
    assert "4F, room Bamboo, screen on the left" in shown
    picture(page, "emulator-history", height=330)

    take_back(page, airflow, run)
    assert dingtalk.event(REVIEW)["location"]["displayName"] == "4F, room Plum, screen on the left"


def take_back(page: Page, airflow: Standalone, run: str) -> None:
    """Enter a run into the form of the undo, read what would change, and approve it."""
    form = pages.trigger_form(page, airflow.url, UNDO)
    form.locator("input[name=element_run_id]").fill(run)
    form.locator("input[name=element_run_id]").blur()
    picture(page, "undo-form", height=760)
    undo = pages.trigger(page, form)
    open_question(page, airflow, UNDO, undo, "Take these changes back?")
    page.get_by_role("cell", name="location: 4F, room Bamboo, screen on the left -> 4F, room Plum").wait_for()
    picture(page, "undo-approval", height=600)
    page.get_by_role("button", name="Approve").click()
    assert airflow.wait(UNDO, undo) == "success"


def test_no_title_passes_for_something_else(page: Page, airflow: Standalone, dingtalk: Emulator) -> None:
    """Whatever people write into titles and places, who approves a plan sees text in the cells of one table."""
    events = [hostile(number, title) for number, title in enumerate(TITLES)]
    dingtalk.reset({**SAMPLE, "events": events})
    ask(page, airflow)
    table = page.get_by_role("table").filter(has_text="location: ")
    rows = table.locator("tbody tr")
    rows.last.wait_for()
    page.set_viewport_size({"width": 1200, "height": 2400})
    for number, row in enumerate((rows.first, rows.nth(40), rows.last)):
        row.scroll_into_view_if_needed()
        page.screenshot(path=airflow.home / f"hostile-{number}.png")  # to be looked at
    assert {row.locator("td").count() for row in rows.all()} == {4}
    assert rows.count() == len(TITLES)
    assert table.locator("*").evaluate_all("all => [...new Set(all.map(one => one.localName))].sort()") == ELEMENTS
    shown = {row.locator("td").first.inner_text() for row in rows.all()}
    assert shown > {"https://evil.example/path?a=b", "www.evil.example", "someone@evil.example", "a | b || c |"}
    page.get_by_role("button", name="Reject").click()


def ask(page: Page, airflow: Standalone) -> str:
    """Start the example that changes events, and open the page that asks; return the run's id."""
    run = pages.trigger(page, pages.trigger_form(page, airflow.url, REVIEWED))
    open_question(page, airflow, REVIEWED, run, "Change these events?")
    return run


def open_question(page: Page, airflow: Standalone, dag_id: str, run: str, question: str) -> None:
    """Wait until a run asks, and open the page that does."""
    asked = f"/api/v2/dags/{dag_id}/dagRuns/{run}/hitlDetails"
    until(lambda: airflow.api("GET", asked)["hitl_details"], RUN_LIMIT, lambda: "nobody was asked")
    page.goto(f"{airflow.url}/required_actions")
    page.locator(f"a[href*='{run}']", has_text=question).click()


def hostile(number: int, title: str) -> dict[str, Any]:
    """Make an event in the room, with a title that has more in it than words."""
    (review,) = (one for one in SAMPLE["events"] if one["id"] == REVIEW)
    place = {"displayName": f"room Plum {title}"}
    return {**review, "id": f"hostile{number}", "summary": title, "location": place}
