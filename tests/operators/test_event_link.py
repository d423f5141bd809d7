"""Links from Airflow's page of a task to its event, and addresses for DingTalk's app."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest

from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.operators.event_link import EventPageLink, ShowsEvent, detail_url, emulator_page
from tests.airflow_runs import Run
from tests.conftest import EVENT, ORGANIZER
from tests.operators.test_all_operators import Batch, Create, Delete, Get, List, Respond, Ti, execute
from tests.operators.test_call_counting import patch

DINGTALK = ConnectionSettings("app", "made-up-secret")
APP_LINK = "dingtalk://dingtalkclient/page/calendar_detail?uniqueId=x"


class Ids(HTMLParser):
    """The ids of a page's elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the id of an element."""
        self.found |= {value for name, value in attrs if name == "id" and value}


def with_detail(url: str) -> dict[str, Any]:
    """Return an event as the calendar view has it."""
    return {"id": EVENT, "extendedProperties": {"privateProperties": {"dingtalkDetailUrl": url}}}


def show(event: Any, settings: ConnectionSettings = DINGTALK) -> dict[str, Any]:
    """Return what a task pushes about where its event is seen."""
    ti = Ti()
    task = ShowsEvent()
    task.log = SimpleNamespace(info=lambda *_: None)
    task._show_event({"ti": ti}, settings, EVENT, event)  # type: ignore[typeddict-item]
    assert EventPageLink().get_link(task, ti_key=None) == ti.about.get("event_page", "")
    return ti.about


def test_the_link_leads_to_the_event_on_the_emulators_page(dingtalk: Emulator) -> None:
    """With an emulator on this machine, the address is that of the event in its page."""
    ti = Ti()
    patch(ti)
    page, anchor = urldefrag(ti.about["event_page"])
    assert page == f"{dingtalk.url}/"
    ids = Ids()
    with urllib.request.urlopen(page) as answer:  # noqa: S310  # the emulator's
        ids.feed(answer.read().decode())
    assert unquote(anchor) in ids.found


@pytest.mark.parametrize("kind", [Get, Create, Delete, Respond])
def test_every_task_of_one_event_has_it(kind: Any, dingtalk: Emulator) -> None:
    """A task that reads, makes or changes an event says where it is; a new one's id is in the address."""
    ti = Ti()
    execute(kind, ti, **({"union_id": "iiPguest"} if kind is Respond else {}))
    event_id = ti.pushed.get("event_id", EVENT)
    assert unquote(ti.about["event_page"]) == f"{dingtalk.url}/#event-{event_id}"
    assert [type(link) for link in kind.operator_extra_links] == [EventPageLink]


@pytest.mark.parametrize("kind", [List, Batch])
def test_tasks_of_many_events_have_none(kind: Any) -> None:
    """A list and a plan are about no one event."""
    assert not kind.operator_extra_links


def test_a_browser_elsewhere(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """The option page_url says where the browser finds the emulator."""
    connect(extra={"page_url": "http://emulator.example.com:8080"})
    ti = Ti()
    patch(ti)
    assert ti.about["event_page"].startswith("http://emulator.example.com:8080/#event-")


@pytest.mark.parametrize("url", ["https://example.com/event?x=1", "http://example.com"])
def test_a_page_that_the_view_gave(url: str) -> None:
    """An address of DingTalk's that browsers open is the link."""
    assert show(with_detail(url)) == {"event_page": url}


@pytest.mark.parametrize("url", [APP_LINK, "javascript:alert(1)", "https://", "http://[", "//example.com"])
def test_an_address_that_no_browser_opens(url: str) -> None:
    """An address of another kind is no link: XCom has it, and the log."""
    assert show(with_detail(url)) == {"event_link": url}


@pytest.mark.parametrize("event", [None, {}, {"id": EVENT}, {"extendedProperties": [1]}, with_detail("")])
def test_no_address_is_nothing(event: Any) -> None:
    """Where nobody knows an address, nothing is pushed, and the link is blank, which Airflow does not show."""
    assert show(event) == {}
    assert detail_url(event) == ""
    assert emulator_page(DINGTALK, EVENT) == ""


def test_the_log_says_that_it_is_not_documented(said: pytest.LogCaptureFixture, dingtalk: Emulator) -> None:
    """The log has the app's own address, and that DingTalk does not document it."""
    get = Get(task_id="t", union_id=ORGANIZER, event_id=EVENT)
    get._show_event({"ti": Ti()}, DINGTALK, EVENT, with_detail(APP_LINK))  # type: ignore[typeddict-item]
    assert f"In DingTalk's app: {APP_LINK} (DingTalk does not document links of this kind.)" in said.text


def test_airflow_has_the_link(dag: Callable[..., Run], dingtalk: Emulator) -> None:
    """In a task run, Airflow finds the link where its pages expect it, also of a mapped task."""
    run = dag(
        f"""
        Patch(task_id="rename", union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"summary": "x"}})
        Patch.partial(task_id="each", union_id="{ORGANIZER}", event_id="{EVENT}").expand(patch=[{{"summary": "y"}}])
        """
    )
    address = f"{dingtalk.url}/#event-"
    assert run.xcom("rename", "event_page").startswith(address)
    assert run.xcom("each", "event_page", 0).startswith(address)


def test_airflow_knows_the_link() -> None:
    """Airflow 2 makes links only of classes that the provider names."""
    (path,) = get_provider_info()["extra-links"]
    assert path == f"{EventPageLink.__module__}.{EventPageLink.__qualname__}"
