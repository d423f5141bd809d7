"""The example DAGs: Airflow runs each one against the emulator's sample calendar, which their ids are from."""

from __future__ import annotations

import ast
import datetime as dt
import json
import shutil
import socket
from collections.abc import Callable, Iterator
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.triggers import base
from packaging.version import Version

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    LIN,
    MORGAN,
    ONE_TO_ONE,
    REVIEW,
    SAMPLE,
    SPRINT_RETRO,
    SPRINT_REVIEW,
    STAND_UP,
    WANG,
)
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY
from tests.conftest import HOME
from tests.late_clock import set_late_clock
from tests.sensors.test_event import passing

EXAMPLES = Path(__file__).parent.parent.parent / "dags_examples"
# Approval by a person came with Airflow 3.1; before, the file says so, as an import error.
NEWER = {"plan_review_apply.py": "3.1", "undo_plan.py": "3.1"}
FILES = [
    file
    for file in sorted(EXAMPLES.glob("*.py"))
    if Version(version("apache-airflow")).release >= Version(NEWER.get(file.name, "2")).release
]
NAMES = {file.name for file in FILES}
MONDAY = dt.datetime(2026, 1, 11, 23, 10, tzinfo=dt.UTC)  # 07:10 in Shanghai

Example = Callable[..., Any]


def dag_bag(folder: Path) -> Any:
    """Parse a folder of DAG files like Airflow does."""
    try:
        from airflow.dag_processing.dagbag import DagBag
    except ImportError:  # before Airflow 3.2
        from airflow.models.dagbag import DagBag
    return DagBag(str(folder))


@pytest.fixture(scope="module")
def folder(airflow_db: None) -> Iterator[Path]:
    """The examples, in a folder that Airflow runs DAGs from."""
    place = HOME / "dags" / "examples"
    shutil.copytree(EXAMPLES, place, ignore=shutil.ignore_patterns("__pycache__"))
    yield place
    shutil.rmtree(place)


@pytest.fixture
def example(folder: Path, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Example:
    """Run an example against the sample calendar, on the day before it begins."""
    set_late_clock(monkeypatch)
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))

    def run(dag_id: str, due: dt.datetime | None = None, **conf: Any) -> Any:
        """Run a DAG that is due at a time, or has no logical date, as one triggered by API; return its tasks."""
        dag = dag_bag(folder).dags[dag_id]
        for task in dag.tasks:
            task.retries = 0  # a failure shows at once, not after the retries' delay
        test = dag.test
        dates = {
            name: due for name in ("logical_date", "execution_date", "run_after") if name in signature(test).parameters
        }
        tasks = test(**dates, run_conf=conf).get_task_instances()
        assert {str(one.state) for one in tasks} == {"success"} or len(tasks) == 1
        return tasks[0] if len(tasks) == 1 else tasks

    return run


def patches(dingtalk: Emulator) -> list[dict[str, Any]]:
    """Return the updates that took effect."""
    updates: list[dict[str, Any]] = dingtalk.effects["updates"]
    return updates


def test_examples_parse_without_network_and_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow imports every example although nothing can be reached and no connection is set."""
    monkeypatch.delenv("AIRFLOW_CONN_DINGTALK_DEFAULT", raising=False)

    def refuse(*_: object) -> None:
        raise AssertionError("parsing a DAG opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    bag = dag_bag(EXAMPLES)
    assert {Path(file).name for file in bag.import_errors} == {file.name for file in EXAMPLES.glob("*.py")} - NAMES
    assert {Path(dag.fileloc).name for dag in bag.dags.values()} == NAMES
    assert all(dag.tags and not dag.catchup for dag in bag.dags.values())


def test_a_plan_of_changes_that_a_person_approves_is_short() -> None:
    """From finding events to reporting what became of them, the DAG has fewer than 50 lines."""
    assert len((EXAMPLES / "plan_review_apply.py").read_text(encoding="utf-8").splitlines()) < 50


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_examples_say_what_they_are_and_retry(file: Path) -> None:
    """Every example explains itself, and each of its tasks is retried after a transient failure."""
    text = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    assert all(f"{word}:" in text for word in ("What", "Why", "Before you run it"))
    for dag in dag_bag(file).dags.values():
        assert all(task.retries and task.retry_delay for task in dag.tasks)
        policies = {getattr(task, "retry_policy", None) for task in dag.tasks}
        assert policies == {RETRY_POLICY.get("retry_policy")}


def test_patch_event_moves_the_review(example: Example, dingtalk: Emulator) -> None:
    """The smallest example changes the fields it names and no other, in one call, without a chat card."""
    task = example("dingtalk_patch_event")
    (update,) = patches(dingtalk)
    assert update["event_id"] == REVIEW
    assert list(update["changed"]) == ["start", "end", "reminders"]
    moved = dingtalk.event(REVIEW)
    assert moved["start"] == {"dateTime": "2038-01-15T14:00:00+08:00", "timeZone": "Asia/Shanghai"}
    assert [one["kind"] for one in dingtalk.effects["notifications"]] == ["push"]
    assert dingtalk.effects["calls"] == {"PatchEvent": 1}
    pushed = {key: task.xcom_pull(task.task_id, key=key) for key in ("patched_fields", "not_applied", "return_value")}
    assert pushed["patched_fields"] == ["start", "end", "reminders", "extra"]
    assert pushed["not_applied"] == []
    assert pushed["return_value"]["start"] == moved["start"]


def test_reschedule_runs_without_logical_date(example: Example, dingtalk: Emulator) -> None:
    """Triggered with the form's defaults, the event moves and its attendees are notified."""
    example("dingtalk_reschedule_from_params")
    assert [update["event_id"] for update in patches(dingtalk)] == [ONE_TO_ONE]
    assert dingtalk.event(ONE_TO_ONE)["start"]["dateTime"] == "2038-01-06T14:00:00+08:00"
    assert dingtalk.event(ONE_TO_ONE)["end"]["dateTime"] == "2038-01-06T14:30:00+08:00"
    assert [one["kind"] for one in dingtalk.effects["notifications"]] == ["push", "chat"]


def test_reschedule_takes_the_answers_of_the_form(example: Example, dingtalk: Emulator) -> None:
    """A time as the form writes it, in UTC, is that moment in the meeting's zone; nobody is notified if so asked."""
    answers = {"start": "2038-01-06T08:30:00.000Z", "minutes": 45, "timezone": "Europe/London", "notify": False}
    example("dingtalk_reschedule_from_params", **answers)
    event = dingtalk.event(ONE_TO_ONE)
    ends = [dt.datetime.fromisoformat(event[end]["dateTime"]) for end in ("start", "end")]
    assert ends == [dt.datetime(2038, 1, 6, 8, 30, tzinfo=dt.UTC), dt.datetime(2038, 1, 6, 9, 15, tzinfo=dt.UTC)]
    assert event["start"]["timeZone"] == event["end"]["timeZone"] == "Europe/London"
    assert dingtalk.effects["notifications"] == []


def test_reschedule_refuses_a_zone_that_is_none(example: Example, dingtalk: Emulator) -> None:
    """What the form's schema lets through is still checked before anything is sent."""
    assert example("dingtalk_reschedule_from_params", timezone="Asia/Shanghia").state == "failed"
    assert dingtalk.requests == []


@pytest.mark.parametrize(
    "answer",
    [{"event_id": ""}, {"start": "tomorrow"}, {"minutes": 0}, {"minutes": "long"}, {"notify": "maybe"}],
    ids=str,
)
def test_the_form_of_reschedule_refuses(answer: dict[str, Any]) -> None:
    """Airflow itself turns wrong answers away when the DAG is triggered."""
    params = dag_bag(EXAMPLES).dags["dingtalk_reschedule_from_params"].params
    with pytest.raises(Exception, match=next(iter(answer))):
        params.update(answer)


def test_patch_from_file_renders_the_file(example: Example, dingtalk: Emulator) -> None:
    """Jinja in the JSON file knows the run's week on the DAG's clock, and a quotation mark does no harm."""
    task = example("dingtalk_patch_from_file", MONDAY, room='3F "Plum" 梅')
    (update,) = patches(dingtalk)
    assert update["event_id"] == STAND_UP
    assert sorted(update["changed"]) == ["description", "location"]
    assert dingtalk.event(STAND_UP)["description"].endswith(
        "what is in the way.\nBoard: https://wiki.example.com/stand-up/2026-W03"
    )
    assert dingtalk.event(STAND_UP)["location"]["displayName"] == '3F "Plum" 梅'
    assert dingtalk.effects["notifications"] == []
    assert task.state == "success"


def test_demo_runs_an_example_that_is_there() -> None:
    """The demo's DAG and event are those of the smallest example."""
    demo = (EXAMPLES.parent / "scripts" / "demo.py").read_text(encoding="utf-8")
    assert 'DAG_ID = "dingtalk_patch_event"' in demo
    assert REVIEW in (EXAMPLES / "patch_event.py").read_text(encoding="utf-8")


def test_find_and_patch_renames_each(example: Example, dingtalk: Emulator) -> None:
    """Each event found is renamed once by a task of its own, quietly; in a second run there is nothing left to do."""
    example("dingtalk_find_and_patch")
    assert dingtalk.event(ONE_TO_ONE)["summary"].startswith("Q1 Lin / Chen")
    assert [update["event_id"] for update in patches(dingtalk)] == [ONE_TO_ONE]
    assert dingtalk.effects["notifications"] == []
    dag = dag_bag(HOME / "dags" / "examples").dags["dingtalk_find_and_patch"]
    dag.test()
    assert len(patches(dingtalk)) == 1


def test_event_life_cycle(example: Example, dingtalk: Emulator) -> None:
    """The event is created, gets a guest, moves, and is cancelled in the end."""
    example("dingtalk_event_life_cycle")
    writes = dingtalk.effects["writes"]
    assert [write["action"] for write in writes] == ["CreateEvent", "AddAttendee", "PatchEvent", "DeleteEvent"]
    assert len({write["event_id"] for write in writes}) == 1
    event = dingtalk.event(writes[0]["event_id"])
    assert event["status"] == "cancelled"
    assert event["start"]["dateTime"] == "2038-03-06T23:00:00+08:00"
    assert CHEN in {one["id"] for one in event["attendees"]}


def test_invite_by_staff_id(example: Example, dingtalk: Emulator) -> None:
    """Staff ids become unionIds, and these people are invited in one metered call."""
    example("dingtalk_invite_by_staff_id")
    assert {WANG, MORGAN} <= {one["id"] for one in dingtalk.event(ONE_TO_ONE)["attendees"]}
    assert dingtalk.effects["calls"]["AddAttendee"] == 1
    assert not any(request["token_in_url"] for request in dingtalk.requests)


def test_rename_sprint(example: Example, dingtalk: Emulator) -> None:
    """Every event of the sprint gets the new name, nobody is notified, and a second run changes nothing."""
    example("dingtalk_rename_sprint")
    assert sorted(update["event_id"] for update in patches(dingtalk)) == sorted([SPRINT_REVIEW, SPRINT_RETRO])
    assert dingtalk.event(SPRINT_RETRO)["summary"] == "Sprint 42 retro"
    assert dingtalk.effects["notifications"] == []
    dag_bag(HOME / "dags" / "examples").dags["dingtalk_rename_sprint"].test()
    assert len(patches(dingtalk)) == 2


def test_extend_ending_series(example: Example, dingtalk: Emulator) -> None:
    """The series that ends in the quarter goes on for another one, and its pattern stays as it is."""
    before = dingtalk.event(STAND_UP)["recurrence"]
    example("dingtalk_extend_ending_series", today="2038-03-15")
    assert [update["event_id"] for update in patches(dingtalk)] == [STAND_UP]
    after = dingtalk.event(STAND_UP)["recurrence"]
    assert after["pattern"] == before["pattern"]
    assert after["range"] == {"type": "endDate", "endDate": "2038-06-30T23:59:59+08:00"}


@pytest.mark.parametrize("today", ["2037-12-31", "2038-04-01"])
def test_extend_leaves_other_quarters_alone(example: Example, dingtalk: Emulator, today: str) -> None:
    """A series that ends in another quarter is not touched."""
    example("dingtalk_extend_ending_series", today=today)
    assert patches(dingtalk) == []


def test_shift_for_holidays(example: Example, dingtalk: Emulator) -> None:
    """What falls on a holiday moves past all of them, to the same time of day; the rest of the week stays."""
    example("dingtalk_shift_for_holidays", today="2037-12-31")
    assert [update["event_id"] for update in patches(dingtalk)] == [ONE_TO_ONE]
    assert dingtalk.event(ONE_TO_ONE)["start"]["dateTime"] == "2038-01-07T14:00:00+08:00"


def test_shift_knows_weekends(example: Example, dingtalk: Emulator) -> None:
    """A weekend is skipped unless it is worked on."""
    friday = [f"2038-01-{day:02}" for day in (5, 6, 7, 8)]
    example("dingtalk_shift_for_holidays", today="2037-12-31", holidays=friday, working_weekends=["2038-01-10"])
    assert dingtalk.event(ONE_TO_ONE)["start"]["dateTime"] == "2038-01-10T14:00:00+08:00"


def test_wait_for_event(example: Example, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day before the review, whoever has not answered is named in its description, and everybody gets a card."""
    begin = dt.datetime.fromisoformat("2038-01-10T15:00:00+08:00")
    time = passing(monkeypatch, begin)
    example("dingtalk_wait_for_event")
    assert time.passed == dt.timedelta(days=3).total_seconds()
    assert dingtalk.event(REVIEW)["description"] == "Please read the draft before you come.\nPlease answer: 陈博"
    assert "chat" in {one["kind"] for one in dingtalk.effects["notifications"]}
    assert dingtalk.effects["calls"] == {"GetEvent": 13, "PatchEvent": 1}


def changed(event_id: str, kind: str = "updated") -> Any:
    """Describe an asset event as the watcher of the example makes it."""
    return SimpleNamespace(extra={"payload": {"changes": [{"kind": kind, "event_id": event_id}]}})


def test_on_calendar_change_has_nothing_to_do_the_second_time(
    example: Example, dingtalk: Emulator, folder: Path
) -> None:
    """An event is tagged once, however often its change is reported; others than updates are left alone."""
    plan = dag_bag(folder).dags["dingtalk_on_calendar_change"].get_task("plan").python_callable
    changes = {"calendar": [changed(REVIEW), changed(REVIEW), changed(ONE_TO_ONE, "deleted")]}
    (patch,) = plan(triggering_asset_events=changes)
    assert patch["event_id"] == REVIEW
    with DingTalkCalendarHook() as hook:
        hook.patch_event(LIN, **patch)
    assert dingtalk.event(REVIEW)["summary"].startswith("[moved] Design review")
    assert dingtalk.event(REVIEW)["description"].startswith("Please read the draft before you come.\nThis meeting")
    assert dingtalk.effects["notifications"] == []
    assert plan(triggering_asset_events=changes) == []


def test_on_calendar_change_says_what_it_needs() -> None:
    """On Airflow 3 its watcher can be stored; on Airflow 2 the DAG is there, is never due, and says why."""
    dag = dag_bag(EXAMPLES).dags["dingtalk_on_calendar_change"]
    if hasattr(base, "BaseEventTrigger"):
        (calendar,) = dag.schedule
        assert calendar.watchers[0].trigger.serialize()[1]["interval"] == 3600.0
    else:
        assert dag.schedule_interval is None
        assert "Needs Airflow 3" in dag.description


def test_on_calendar_change_started_by_hand(example: Example, dingtalk: Emulator, folder: Path) -> None:
    """Without a change to react to, the DAG changes nothing."""
    run = dag_bag(folder).dags["dingtalk_on_calendar_change"].test()
    assert {ti.task_id: str(ti.state) for ti in run.get_task_instances()} == {"plan": "success", "tag": "skipped"}
    assert dingtalk.requests == []
