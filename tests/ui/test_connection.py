"""The connection form, and the button that tests a connection."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from airflow_dingtalk_calendar.connection.form import FIELD_BEHAVIOUR, FORM_FIELDS
from airflow_dingtalk_calendar.emulator import Emulator
from tests.standalone import Standalone
from tests.ui import pages
from tests.ui.browser import picture

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.ui

# The form leaves out what DingTalk has no use for: Airflow's field Schema.
STANDARD = ["Description", "API host", "App key (Client ID)", "App secret (Client Secret)", "Port"]
OURS = [spec["label"] for spec in FORM_FIELDS.values()]


def test_the_form_asks_for_what_dingtalk_needs(page: Page, airflow: Standalone) -> None:
    """The form has Airflow's own fields under our names, with hints what to enter; then ours; and no others."""
    form = pages.new_connection(page, airflow.url, "dingtalk_default")
    labels = [text.strip("* \n") for text in form.locator("label[data-part=label]").all_inner_texts()]
    assert labels == ["Connection ID", "Connection Type", *STANDARD, *OURS]
    for name, hint in FIELD_BEHAVIOUR["placeholders"].items():
        assert form.locator(f"input[name={name}]").get_attribute("placeholder") == hint
    assert form.locator("input[name=password]").get_attribute("type") == "password"
    pages.fill(form, host="https://api.dingtalk.io", login="dingexampleappkey", password="a-made-up-secret", port="443")
    picture(page, "connection-form", height=920)


def test_the_options_explain_themselves(page: Page, airflow: Standalone) -> None:
    """Each option of the connection has its description, and the types of app are explained."""
    form = pages.new_connection(page, airflow.url, "dingtalk_default")
    pages.unfold(form, "Extra Fields")
    for spec in FORM_FIELDS.values():
        form.get_by_text(spec["description"], exact=True).wait_for()
    picture(page, "connection-options", height=1000)
    form.get_by_role("combobox").last.click()
    choices = page.get_by_role("option").all_inner_texts()
    assert choices == list(FORM_FIELDS["auth_type"]["schema"]["values_display"].values())


def test_a_connection_is_made_in_the_form(airflow: Standalone, dingtalk: Emulator, connected: str) -> None:
    """Airflow stores what is entered, and nothing for an option that is left empty."""
    stored = airflow.api("GET", f"/api/v2/connections/{connected}")
    assert (stored["conn_type"], stored["login"], stored["password"]) == ("dingtalk", dingtalk.app_key, "***")
    assert f"{stored['host']}:{stored['port']}" == dingtalk.url
    extra = json.loads(stored["extra"])
    assert {name: value for name, value in extra.items() if value is not None} == {"timezone": "Asia/Shanghai"}


def test_the_test_button_says_that_a_connection_works(
    page: Page, airflow: Standalone, dingtalk: Emulator, connected: str
) -> None:
    """For a connection that works, the button says where it leads and what the app may do; nothing changes there."""
    before = len(dingtalk.effects["updates"])
    pages.press_test(page, airflow.url, connected)
    page.get_by_text("Test Connection Successful").first.wait_for()
    page.get_by_text(f"Connected to {dingtalk.url}; the app may read and write events.").first.wait_for()
    assert len(dingtalk.effects["updates"]) == before


@pytest.mark.parametrize(
    ("conn_id", "wrong", "words"),
    [
        ("wrong_secret", {"password": "not-the-secret"}, "Check login (app key) and password (app secret)"),
        ("wrong_type", {"auth_type": "user", "element_user_grant_variable": "no_such_secret"}, "--conn-id ID"),
    ],
)
def test_the_test_button_says_what_is_wrong(
    page: Page, airflow: Standalone, dingtalk: Emulator, conn_id: str, wrong: dict[str, str], words: str
) -> None:
    """For a connection that does not work, it says in our words what to do, without the secret."""
    pages.connect(page, airflow.url, conn_id, dingtalk, **wrong)
    pages.press_test(page, airflow.url, conn_id)
    page.get_by_text("Test Connection Failed").first.wait_for()
    page.get_by_text(words).first.wait_for()
    assert wrong.get("password", dingtalk.app_secret) not in page.content()
