"""Airflow's pages, as far as tests here use them: what a person clicks, by the words that a person reads."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from airflow_dingtalk_calendar.emulator import Emulator

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def new_connection(page: Page, url: str, conn_id: str) -> Locator:
    """Open the form for a connection of our type; return it."""
    page.goto(f"{url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("input[name=connection_id]").fill(conn_id)
    form.get_by_role("combobox").fill("DingTalk")
    page.get_by_role("option", name="DingTalk", exact=True).click()
    form.locator("input[name=login]").wait_for()
    return form


def fill(form: Locator, **values: str) -> None:
    """Fill in the form's fields of these names."""
    for name, value in values.items():
        form.locator(f"input[name={name}]").fill(value)
        form.locator(f"input[name={name}]").blur()


def unfold(form: Locator, section: str) -> None:
    """Show a section of a form, if it is folded."""
    header = form.get_by_role("button", name=section, exact=True)
    if header.get_attribute("aria-expanded") == "false":
        header.click()


def connect(page: Page, url: str, conn_id: str, dingtalk: Emulator, auth_type: str = "", **values: str) -> None:
    """Make a connection to the emulator in the form, and save it.

    :param values: what to enter besides, or instead, by the fields' names.
    """
    form, address = new_connection(page, url, conn_id), urlsplit(dingtalk.url)
    usual = {
        "host": f"http://{address.hostname}",
        "port": str(address.port),
        "login": dingtalk.app_key,
        "password": dingtalk.app_secret,
        "element_timezone": "Asia/Shanghai",
    }
    texts = {**usual, **values}
    options = {name: texts.pop(name) for name in list(texts) if name.startswith("element_")}
    fill(form, **texts)
    unfold(form, "Extra Fields")
    fill(form, **options)
    if auth_type:
        form.get_by_role("combobox").last.fill(f"{auth_type}:")
        page.get_by_role("option").first.click()
    form.get_by_role("button", name="Save").click()
    form.wait_for(state="hidden")
    page.get_by_role("cell", name=conn_id, exact=True).wait_for()


def press_test(page: Page, url: str, conn_id: str) -> None:
    """Press the button that tests a connection."""
    page.goto(f"{url}/connections")
    row = page.get_by_role("row").filter(has=page.get_by_role("cell", name=conn_id, exact=True))
    row.get_by_role("button", name="Test Connection").click()


def trigger_form(page: Page, url: str, dag_id: str) -> Locator:
    """Open the form that triggers a DAG; return it."""
    page.goto(f"{url}/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Run Parameters").wait_for()
    return form


def trigger(page: Page, form: Locator) -> str:
    """Press the form's button, and wait for the page of the new run; return its id."""
    form.get_by_role("button", name="Trigger", exact=True).click()
    page.wait_for_url("**/runs/*")
    return urlsplit(page.url).path.rpartition("/")[2]


def task(page: Page, url: str, dag_id: str, run_id: str, task_id: str, tab: str = "") -> None:
    """Open the page of a task."""
    page.goto(f"{url}/dags/{dag_id}/runs/{run_id}/tasks/{task_id}/{tab}")


def asset(page: Page, url: str, name: str) -> None:
    """Open the page of an asset, most of it for the events."""
    page.goto(f"{url}/assets")
    page.get_by_role("link", name=name, exact=True).click()
    divider = page.locator("[data-resize-handle]")
    divider.wait_for()
    place = divider.bounding_box() or {}
    page.mouse.move(place["x"] + 1, place["y"] + 100)
    page.mouse.down()
    page.mouse.move(650, place["y"] + 100, steps=8)
    page.mouse.up()
    page.get_by_role("button", name="Fit View").click()


def unfold_first(page: Page, *texts: str) -> None:
    """Unfold the first JSON on a page, which Airflow shows folded, until these texts are to be seen."""
    marker = page.locator(".monaco-editor").first.locator(".codicon-folding-collapsed").first
    wanted = [page.get_by_text(text, exact=True).first for text in texts]
    while hidden := [one for one in wanted if not one.is_visible()]:
        marker.or_(hidden[0]).first.wait_for()
        if marker.is_visible():
            marker.click()
            page.wait_for_timeout(500)  # milliseconds
