"""Calendars as assets: their URIs, what tasks put into the events of their outlets, and what watchers report."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from airflow.providers.common.compat.sdk import DAG, Asset
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.assets.calendar import calendar_uri, changes_in, normalize_text, normalize_uri
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators import asset_events
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.watch.changes import find_changes, initial_position, parse_filter
from tests.airflow_runs import Run
from tests.conftest import DATA, EVENT, HOME, ORGANIZER, event
from tests.operators.test_all_operators import EVERY, WRITING, Batch, Create, Delete, Respond, Ti
from tests.project.test_provider import HEAVY, modules_added_by

LIN = "dingtalk://api.dingtalk.com/iiPLin/primary"
MOVED = {"start": "14:30", "end": "15:30"}


class OutletEvents(dict[Any, Any]):
    """Airflow's accessors of the events of outlets, by URI."""

    def __getitem__(self, outlet: Asset) -> Any:
        return self.setdefault(outlet.uri, type("Accessor", (), {"extra": {}})())


def run_task(kind: Any, *uris: str, dag: Any = None, ti: Ti | None = None, **arguments: Any) -> dict[str, Any]:
    """Execute a task with outlets; return the extra of the event of each, by URI."""
    task = kind(
        task_id="t",
        outlets=[Asset(uri=uri) for uri in uris],
        **{"union_id": ORGANIZER, **EVERY.get(kind, {}), **arguments},
    )
    events = OutletEvents()
    task.execute({"ti": ti or Ti(), "outlet_events": events, "dag": dag})
    return {uri: accessor.extra for uri, accessor in events.items()}


def reported_by(kind: Any, dingtalk: Emulator, **arguments: Any) -> list[dict[str, Any]]:
    """Execute a task whose outlet is the organizer's calendar; return the changes in the event of it."""
    uri = calendar_uri(arguments.get("union_id", ORGANIZER), host=dingtalk.url)
    return changes_in(run_task(kind, uri, **arguments)[uri])


@pytest.mark.parametrize(
    "uri",
    [
        "dingtalk://API.DingTalk.com/iiPLin/primary",
        "dingtalk://oapi.dingtalk.com/iiPLin/primary",
        "dingtalk://dingtalk.com:443/iiPLin",
        "dingtalk://someone@api.dingtalk.com//iiPLin/primary/",
        "DINGTALK://api.dingtalk.com/%69iPLin/primary",
    ],
)
def test_a_calendar_has_one_uri(uri: str) -> None:
    """Airflow sees one asset, whichever host of the region and whichever spelling somebody has taken."""
    assert Asset(uri=uri).uri == normalize_text(uri) == LIN == calendar_uri("iiPLin")


@pytest.mark.parametrize(
    ("union_id", "host", "uri"),
    [
        ("iiPlin", "api.dingtalk.com", "dingtalk://api.dingtalk.com/iiPlin/primary"),
        ("iiPLin", "https://api.dingtalk.io", "dingtalk://api.dingtalk.io/iiPLin/primary"),
        ("iiPLin", "notdingtalk.com", "dingtalk://notdingtalk.com/iiPLin/primary"),
        ("iiPLin", "http://127.0.0.1:8080", "dingtalk://127.0.0.1:8080/iiPLin/primary"),
        ("iiPLin", "http://[::1]:8080", "dingtalk://[::1]:8080/iiPLin/primary"),
        ("a/b+c=", "api.dingtalk.com", "dingtalk://api.dingtalk.com/a%2Fb%2Bc%3D/primary"),
    ],
)
def test_another_calendar_has_another(union_id: str, host: str, uri: str) -> None:
    """The case of a unionId, the region and the emulator's port make another calendar."""
    assert calendar_uri(union_id, host=host) == Asset(uri=uri).uri == uri != LIN


@given(st.text() | st.text("/:@?#%[]dingtalk.com0aF\udc80").map("dingtalk://".__add__))
def test_no_uri_is_too_odd(uri: str) -> None:
    """The normaliser raises for nothing that Airflow can split, and has nothing to add to what it has made."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return
    once = normalize_uri(parts)
    assert normalize_uri(once) == once


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text("aAbB", min_size=1))
def test_ids_stay_apart(union_id: str, other: str) -> None:
    """Two people have two URIs, which are ASCII, as Airflow 2.11 asks for."""
    assert calendar_uri(union_id).isascii()
    assert (calendar_uri(union_id) == calendar_uri(other)) == (union_id == other)
    assert normalize_text(calendar_uri(union_id)) == calendar_uri(union_id)


def test_airflow_knows_the_scheme() -> None:
    """The provider registers the scheme for assets, and for the datasets of Airflow 2.11."""
    info = get_provider_info()
    assert info["asset-uris"] == info["dataset-uris"]
    assert info["asset-uris"][0]["handler"] == f"{normalize_uri.__module__}.{normalize_uri.__name__}"


def test_a_patch_is_reported_to_its_asset(dingtalk: Emulator) -> None:
    """The event of the outlet has the event's id, the fields as watchers name them, and what kind of change it was."""
    (change,) = reported_by(Patch, dingtalk, event_id=EVENT, patch={"summary": "Retro", "is_all_day": False})
    assert {name: value for name, value in change.items() if name != "change_id"} == {
        "kind": "updated",
        "event_id": EVENT,
        "fields": ["summary", "is_all_day"],
        "series_master_id": None,
        "organizer_id": None,
        "update_time": dingtalk.event(EVENT)["updateTime"],
        "union_id": ORGANIZER,
        "calendar_id": "primary",
        "source": "task",
    }


@pytest.mark.parametrize("kind", WRITING)
def test_every_writing_task_does(kind: Any, dingtalk: Emulator) -> None:
    """Each operator that writes reports what it did; a new event's id is in it."""
    people = [*DATA["users"], {"unionId": "iiPnew", "name": "New"}]
    dingtalk.reset({**DATA, "users": people, "rooms": [{"roomId": "room-1", "displayName": "Room 1"}]})
    (change,) = reported_by(kind, dingtalk, **({"union_id": "iiPguest"} if kind is Respond else {}))
    fields = {Respond: "responses"}.get(kind, "meeting_rooms" if "Rooms" in kind.__name__ else "attendees")
    expected = {Create: ("created", []), Delete: ("deleted", [])}.get(kind, ("updated", [fields]))
    assert (change["kind"], change["fields"]) == expected
    assert (change["event_id"] == EVENT) == (kind is not Create)
    assert change["event_id"]


def test_a_plan_reports_to_each_calendar_its_own_changes(dingtalk: Emulator) -> None:
    """The rows of a plan are reported to the asset of their person, and what was not done to none."""
    lin, chen = (calendar_uri(one, host=dingtalk.url) for one in (ORGANIZER, "iiPguest"))
    plan = [
        {"event_id": EVENT, "patch": {"summary": "Retro"}, "group": "a"},
        {"event_id": EVENT, "union_id": "iiPguest", "action": "respond", "response_status": "declined", "group": "a"},
        {"event_id": "absent", "patch": {"summary": "Retro"}},
    ]
    reported = run_task(Batch, lin, chen, plan=plan, on_error="continue")
    assert [(one["event_id"], one["fields"]) for one in reported[lin]["changes"]] == [(EVENT, ["summary"])]
    assert [(one["event_id"], one["fields"]) for one in reported[chen]["changes"]] == [(EVENT, ["responses"])]
    assert len({one["change_id"] for extra in reported.values() for one in extra["changes"]}) == 2


@pytest.mark.parametrize("kind", [Patch, Batch])
@pytest.mark.parametrize("option", ["dry_run", "skip_if_unchanged"])
def test_nothing_changed_is_an_empty_list(kind: Any, option: str, dingtalk: Emulator) -> None:
    """Airflow has an event for each outlet of a task that succeeds; if nothing was changed, its list is empty."""
    same = {"event_id": EVENT, "patch": {"summary": "Planning"}}
    assert reported_by(kind, dingtalk, **({"plan": [same]} if kind is Batch else same), **{option: True}) == []


@pytest.mark.parametrize(("policy", "reported"), [("warn", [["start", "end"]]), ("skip", []), ("fail", [])])
def test_what_if_busy_leaves_out_is_not_reported(policy: str, reported: list[list[str]], dingtalk: Emulator) -> None:
    """A row that is skipped or rejected because somebody is busy has changed nothing; one with a warning has."""
    times = {name: {**event()[name], "dateTime": f"2027-03-02T{at}:00+08:00"} for name, at in MOVED.items()}
    busy = event("theirs", organizer={"id": "iiPguest"}, **times)
    dingtalk.reset({**DATA, "events": [event(), busy]})
    plan = [{"event_id": EVENT, "patch": times}]
    changes = reported_by(Batch, dingtalk, plan=plan, if_busy=policy, on_error="continue")
    assert [one["fields"] for one in changes] == reported
    assert reported_by(Batch, dingtalk, plan=plan, if_busy=policy, dry_run=True) == []


def test_an_undo_is_reported_to_its_asset(dingtalk: Emulator) -> None:
    """What an undo restores is reported as any change, once, with another id than the change that it takes back."""
    ti, uri = Ti(), calendar_uri(ORGANIZER, host=dingtalk.url)
    plan = [{"event_id": EVENT, "patch": {"summary": "Retro"}, "event": dingtalk.event(EVENT)}]
    (done,) = run_task(Batch, uri, plan=plan, ti=ti)[uri]["changes"]
    (undone,) = run_task(Batch, uri, plan=ti.pushed["undo"], ti=Ti(task_id="undo"))[uri]["changes"]
    assert dingtalk.event(EVENT)["summary"] == "Planning"
    assert (undone["event_id"], undone["fields"]) == (EVENT, ["summary"])
    assert undone["change_id"] != done["change_id"]


def test_other_outlets_are_left_alone(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """An outlet that is no calendar gets nothing, one of another calendar an empty list, and a warning names both."""
    reported = run_task(Patch, "s3://bucket/key", LIN, event_id=EVENT, patch={"summary": "Retro"})
    assert reported == {LIN: {"changes": []}}
    ours = calendar_uri(ORGANIZER, host=dingtalk.url)
    assert f"the outlet {LIN} has no changes, because this task has changed {ours}:" in said.text


def test_a_retry_reports_the_same_change(dingtalk: Emulator) -> None:
    """A change has the same id in an automatic retry, and another one after a clear."""
    tries = [Ti(try_number=1, max_tries=2), Ti(try_number=2, max_tries=2), Ti(try_number=3, max_tries=4)]
    patch = {"event_id": EVENT, "patch": {"summary": "Retro"}}
    first, again, cleared = (reported_by(Patch, dingtalk, ti=one, **patch)[0]["change_id"] for one in tries)
    assert first == again != cleared


def test_a_task_without_airflow(dingtalk: Emulator) -> None:
    """A test of a task with outlets may leave Airflow's events out."""
    uri = calendar_uri(ORGANIZER, host=dingtalk.url)
    task = Patch(task_id="t", union_id=ORGANIZER, event_id=EVENT, patch={"summary": "x"}, outlets=[Asset(uri=uri)])
    assert task.execute({"ti": Ti()})["summary"] == "x"  # type: ignore[typeddict-item]


def test_many_changes(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large plan reports the first thousand changes, and how many more there are."""
    monkeypatch.setattr(asset_events, "MOST_CHANGES", 2)
    uri = calendar_uri(ORGANIZER, host=dingtalk.url)
    dingtalk.reset({**DATA, "events": [event(f"event-{number}") for number in range(5)]})
    plan = [{"event_id": f"event-{number}", "patch": {"summary": "Retro"}} for number in range(5)]
    reported = run_task(Batch, uri, plan=plan)[uri]
    assert (len(reported["changes"]), reported["changes_left_out"]) == (2, 3)


def test_a_watcher_reports_the_same_write(dingtalk: Emulator) -> None:
    """The watcher's change has the task's event, kind, fields and time, and another source and change_id."""
    watch = parse_filter(["summary"])

    def read() -> Any:
        with DingTalkCalendarHook() as hook:
            return list(watch.snapshots(hook.run(api.list_events(ORGANIZER))["events"]))

    before = initial_position("epoch", None, read(), 0.0)
    (ours,) = reported_by(Patch, dingtalk, event_id=EVENT, patch={"summary": "Retro"})
    (seen,), _ = find_changes(watch, before, read(), complete=True)
    theirs = seen.payload(ORGANIZER, "primary", "poll")
    same = ("kind", "event_id", "fields", "update_time", "union_id", "calendar_id")
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}
    assert (ours["source"], theirs["source"]) == ("task", "poll")
    assert ours.keys() == theirs.keys()


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        (None, []),
        ({}, []),
        ({"changes": []}, []),
        ({"changes": [{"kind": "updated"}]}, [{"kind": "updated"}]),
        ({"from_trigger": True, "payload": {"changes": [{"kind": "deleted"}]}}, [{"kind": "deleted"}]),
        ({"from_trigger": True, "payload": {"of": "something else"}}, []),
        ({"payload": "of something else"}, []),
    ],
)
def test_one_way_to_read_both(extra: Any, found: list[Any]) -> None:
    """Whoever is started by an asset reads the changes of tasks and of watchers in the same way."""
    assert changes_in(extra) == found


@pytest.mark.parametrize("scheduled", [True, False])
def test_a_dag_that_starts_itself(scheduled: bool, dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A DAG that is scheduled on the asset that it writes is warned about, also if that is one of several."""
    uri = calendar_uri(ORGANIZER, host=dingtalk.url)
    others = Asset(uri="s3://bucket/key") | Asset(uri=uri if scheduled else LIN)
    run_task(
        Patch,
        uri,
        dag=DAG("d", schedule=others, start_date=dt.datetime(2027, 1, 1, tzinfo=dt.UTC)),
        event_id=EVENT,
        patch={"summary": "Retro"},
    )
    assert ("This DAG is scheduled on" in said.text) == scheduled


def test_airflow_stores_it(dag: Callable[..., Run], dingtalk: Emulator, airflow_db: None) -> None:
    """In a task run, Airflow stores the changes with the asset's event, and a mapped task stores one for each."""
    uri = calendar_uri(ORGANIZER, host=dingtalk.url)
    run = dag(
        f"""
        from airflow.providers.common.compat.sdk import Asset
        calendar = Asset(uri="{uri}")
        Patch.partial(task_id="each", union_id="{ORGANIZER}", event_id="{EVENT}", outlets=[calendar]).expand(
            patch=[{{"summary": "x"}}, {{"location": {{"display_name": "Room 9"}}}}])
        """
    )
    assert [run.state("each", index) for index in (0, 1)] == ["success", "success"]
    stored = [change for extra in stored_extras(uri) for change in changes_in(extra)]
    assert sorted(tuple(one["fields"]) for one in stored) == [("location",), ("summary",)]
    assert {one["event_id"] for one in stored} == {EVENT}


def stored_extras(uri: str) -> list[dict[str, Any]]:
    """Return what Airflow has stored with the events of an asset."""
    with sqlite3.connect(HOME / "airflow.db") as connection:
        tables = {name for (name,) in connection.execute("select name from sqlite_master")}
        kind = "asset" if "asset_event" in tables else "dataset"
        query = f"select e.extra from {kind}_event e join {kind} a on a.id = e.{kind}_id where a.uri = ?"  # noqa: S608
        return [json.loads(extra) for (extra,) in connection.execute(query, (uri,))]


def test_the_normaliser_loads_nothing_heavy() -> None:
    """Airflow loads the normaliser in each process that parses an asset: it brings no library along."""
    added = modules_added_by("import airflow_dingtalk_calendar.assets.calendar", "import typing")
    assert {name.partition(".")[0] for name in added} & {*HEAVY, "airflow"} == set()
