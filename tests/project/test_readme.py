"""What README.md shows works: each code block runs, and each table says what the code says."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_dingtalk_calendar import edits, exceptions
from airflow_dingtalk_calendar.connection.options import OPTION_PARSERS
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings, setting_choices
from airflow_dingtalk_calendar.emulator.state.fault_rules import FAULT_KINDS
from airflow_dingtalk_calendar.emulator.state.sample import LIN, REVIEW, SAMPLE, STAND_UP
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.plans.actions.base import COMMON_MEMBERS, EVENT_MEMBERS
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.plans.results import ROW_STATUSES
from airflow_dingtalk_calendar.watch.changes import DEFAULT_FIELDS
from tests.airflow_runs import Ti
from tests.markdown import ROOT, Page, check_line, check_snippet, check_test, codes, load, sample
from tests.triggers.test_changes import Triggerer, airflow_3, edit

__all__ = ["load", "sample"]  # fixtures

PAGE = Page("README.md")
README, table = PAGE.text, PAGE.table
DAGS, SNIPPETS = [code for code in PAGE.dags if "AssetWatcher" not in code], PAGE.snippets
(GROUP,) = (code for code in SNIPPETS if "created_by" in code)
(WATCHER,) = [code for code in PAGE.dags if "AssetWatcher" in code]
(TESTS,) = PAGE.tests


@pytest.mark.parametrize("code", DAGS, ids=range(len(DAGS)))
def test_dags_change_the_event(code: str, load: Callable[[str], Any], sample: Emulator) -> None:
    """Airflow runs each DAG of the README, and the event changes."""
    assert load(code).test().state == "success"
    assert [update["event_id"] for update in sample.effects["updates"]] == [REVIEW]


class Told:
    """What Airflow hands to a task: asked with an asset, which Airflow 3.0 cannot put into a dict."""

    def __init__(self, events: list[Any]) -> None:
        self._events = events

    def __getitem__(self, _: object) -> list[Any]:
        return self._events


@airflow_3
def test_the_watcher_tells_of_the_event(
    load: Callable[[str], Any], sample: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The watcher of the README notices that the event moves, and its DAG prints what it was told."""
    dag = load(WATCHER)
    (calendar,) = dag.schedule
    (watcher,) = calendar.watchers
    told = Triggerer(monkeypatch).run(
        edit(sample, REVIEW, LIN, start="2038-01-15T14:00", end="2038-01-15T15:30"), **watcher.trigger.serialize()[1]
    )
    events = Told([SimpleNamespace(extra={"payload": change}) for change in told])
    dag.get_task("tell").python_callable(triggering_asset_events=events)
    assert f"updated {REVIEW} ['start', 'end']" in capsys.readouterr().out
    named = README.split("Its payload has ids and names only:", 1)[1].split(". ", 1)[0]
    assert codes(named) == list(told[0])


def test_the_fields_to_watch_are_named() -> None:
    """Every field that can be watched is named, and those that are by default."""
    default, others = README.split("By default ", 1)[1].split(". Only events", 1)[0].split("; also ")
    assert tuple(codes(default)) == DEFAULT_FIELDS
    assert {*codes(default), *codes(others)} == FIELDS.watched.keys()


@pytest.mark.parametrize("code", [code for code in SNIPPETS if code != GROUP])
def test_snippets_print_what_they_promise(code: str, sample: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Code that is no DAG runs as it stands, and lists the event whose id the DAGs use."""
    assert REVIEW in check_snippet(code, capsys)


def test_the_plan_of_a_group_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The plan whose rows go together is one, and its rows are one group."""
    plan = parse_plan(json.loads(check_snippet(GROUP, capsys)), union_id=LIN, timezone="Asia/Shanghai")
    assert [[row.index for row in group] for group in plan.groups] == [[0, 1]]


def test_the_test_of_a_dag_passes(load: Callable[[str], Any], tmp_path: Path) -> None:
    """The test that the README suggests for users' DAGs passes with the README's first DAG."""
    load(DAGS[0])
    check_test(TESTS, tmp_path)


@pytest.mark.parametrize("line", PAGE.lines)
def test_commands_exist(line: str) -> None:
    """Each command is there, with the targets, options and connections that are shown."""
    check_line(line)


def test_no_block_is_left_out() -> None:
    """Every block is in a language that a test here knows."""
    assert PAGE.languages == {"python", "json", "sh"}


def test_a_dry_run_returns_what_is_shown(sample: Emulator) -> None:
    """The JSON block is what the operator returns for a dry run."""
    from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator

    (shown,) = [json.loads(code) for code in PAGE.blocks("json")]
    organizer = next(event["organizer"]["id"] for event in SAMPLE["events"] if event["id"] == REVIEW)
    patch = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id=organizer, event_id=REVIEW, patch={"summary": "Planning"}, dry_run=True
    )
    ti = Ti(max_tries=0)
    assert patch.execute({"ti": ti}) == shown  # type: ignore[typeddict-item]
    assert sample.requests == []


@pytest.mark.parametrize("row", table("field"), ids=lambda row: row[0])
def test_the_patch_of_each_field_is_right(row: list[str], sample: Emulator) -> None:
    """Each example in the table of fields is a patch that DingTalk would take."""
    names, example = codes(row[0]), ast.literal_eval(codes(row[1])[0])
    assert set(names) <= set(example)
    assert EventPatch.parse(example, timezone="Asia/Shanghai").to_body("id").keys() > {"id"}


@pytest.mark.parametrize("row", table("edit"), ids=lambda row: row[0])
def test_each_edit_plans_what_is_shown(row: list[str]) -> None:
    """Each example in the table of edits makes a patch of the fields that the table names."""
    by_id = {event["id"]: event for event in SAMPLE["events"]}
    shown = {name: getattr(edits, name) for name in edits.__all__}
    names = {**shown, "event": by_id[REVIEW], "series": by_id[STAND_UP], "timedelta": timedelta}
    (name,), (example,) = codes(row[0]), codes(row[1])
    assert example.startswith(f"{name}(")
    patch = eval(example, names)  # noqa: S307  # our own text
    assert list(patch) == codes(row[2])
    assert EventPatch.parse(patch)


def test_the_table_of_edits_is_complete() -> None:
    """Every edit is in the table."""
    assert {codes(row[0])[0] for row in table("edit")} == set(edits.__all__) - {"is_instance", "is_series"}


def test_the_rule_shown_is_one() -> None:
    """The rule that the README shows as an example is one that a patch takes."""
    (shown,) = re.findall(r'`(\{"recurrence": "FREQ[^`]*)`', README)
    assert EventPatch.parse(ast.literal_eval(shown), timezone="Asia/Shanghai")


def test_the_table_of_fields_is_complete() -> None:
    """Every field of a patch is in the table, and every field that can be emptied is named."""
    named = {name for row in table("field") for name in codes(row[0])}
    assert named == EventPatch.model_fields.keys() - {"id"}
    emptied = README.split('clear=["description"]` (also', 1)[1].split(")", 1)[0]
    snake = {re.sub("([A-Z])", r"_\1", name).lower() for name in FIELDS.cleared}
    assert {"description", *codes(emptied)} == snake


def test_the_table_of_options_is_complete() -> None:
    """Every option of the connection is in the table, with its default."""
    rows = {codes(row[0])[0]: row[1].strip("`") for row in table("option")}
    assert rows.keys() == OPTION_PARSERS.keys()
    defaults = ConnectionSettings("key", "secret")
    for name in ("timeout", "max_qps", "max_attempts"):
        assert float(rows[name]) == getattr(defaults, name)


def test_the_tables_of_plans_are_complete() -> None:
    """Every member of a row, every action with its own, and every status that a row can end with, is in its table."""
    assert {name for row in table("in a row") for name in codes(row[0])} == {*COMMON_MEMBERS, *EVENT_MEMBERS}
    assert {codes(row[0])[0]: tuple(codes(row[1])) for row in table("action")} == {
        name: kind.members for name, kind in ACTIONS.items()
    }
    assert tuple(codes(row[0])[0] for row in table("status")) == ROW_STATUSES


def test_the_table_of_errors_is_complete() -> None:
    """Every error that can be raised is in the table, and is tried again if the table says so."""
    bases = {"DingTalkError", "RequestError"}
    errors = {
        name: kind
        for name, kind in vars(exceptions).items()
        if isinstance(kind, type) and issubclass(kind, exceptions.DingTalkError) and name not in bases
    }
    rows = {codes(row[0])[0]: row[1] for row in table("error")}
    assert rows.keys() == errors.keys()
    for name, again in rows.items():
        assert again == "it depends" or (again == "yes") == errors[name].retryable


def test_the_table_of_switches_is_complete() -> None:
    """Every switch of the emulator is in the table, its default first; every kind of fault is named."""
    rows = {codes(row[0])[0]: row[1] for row in table("switch")}
    assert rows.keys() == {field.name for field in fields(EmulatorSettings)}
    for field in fields(EmulatorSettings):
        words = codes(rows[field.name])
        assert set(words) == set(setting_choices(field.name))
        assert (words[0] if words else float(rows[field.name])) == field.default
    faults = {kind: set(codes(row[1])) for row in table("kind") for kind in codes(row[0])}
    assert faults.keys() == FAULT_KINDS.keys()
    same = {"applied_error", "applied_body"}  # as the kind in the row before
    assert {kind: takes for kind, takes in faults.items() if takes} == {
        name: set(kind.parameters) for name, kind in FAULT_KINDS.items() if kind.parameters and name not in same
    }


def test_the_table_of_versions_is_that_of_the_test_matrix() -> None:
    """The Airflow lines that the README names are those that are tested."""
    named = {line for row in table("Airflow") for line in row[0].split(", ")}
    assert named == {path.stem.removeprefix("airflow-") for path in (ROOT / "constraints").glob("airflow-*.txt")}


def test_the_table_of_versions_has_the_pythons_of_the_test_matrix() -> None:
    """The Pythons that the README names for a line of Airflow are those that the line is tested on, where they are."""
    script = (ROOT / "tests" / "matrix.sh").read_text(encoding="utf-8")
    tested = {line: (int(end) - 1) for line, end in re.findall(r"(\S+)\) +echo '.*>=3\.11,<3\.(\d+)'", script)}
    named = {line: re.findall(r"3\.(\d+)", row[1]) for row in table("Airflow") for line in row[0].split(", ")}
    assert {line: (minors[0], int(minors[-1])) for line, minors in named.items()} == {
        line: ("11", last) for line, last in tested.items()
    }


def test_pictures_are_told_in_words() -> None:
    """Each picture has a text that says what is to be seen, and is small enough to be loaded with the page."""
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert pictures
    for words, path in pictures:
        assert len(words.split()) > 5
        assert (ROOT / path).stat().st_size < 120_000


def test_links_lead_somewhere() -> None:
    """Files and headings that the README links to are there."""
    for target in PAGE.links:
        assert target.startswith("https://") or target in PAGE.anchors or (ROOT / target).exists(), target
