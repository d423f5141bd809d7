"""What README.md shows works: each code block runs, and each table says what the code says."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_dingtalk_calendar import changes, edits, exceptions, plan, reading, results, settings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.failures import KINDS
from airflow_dingtalk_calendar.emulator.sample import LIN, REVIEW, SAMPLE, STAND_UP
from airflow_dingtalk_calendar.emulator.settings import Settings, choices
from airflow_dingtalk_calendar.models import EventPatch
from tests.conftest import HOME
from tests.test_changes_trigger import Triggerer, airflow_3, edit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the code blocks in a language, without the indentation of the list they stand in."""
    return [
        re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        for indent, name, code in FENCE.findall(README)
        if name == language
    ]


def table(first_column: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this title."""
    text = README.split(f"\n| {first_column} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[2:]]


def codes(text: str) -> list[str]:
    """Return what is written as code."""
    return re.findall(r"`([^`]+)`", text)


DAGS = [code for code in blocks("python") if "with DAG(" in code and "AssetWatcher" not in code]
(WATCHER,) = [code for code in blocks("python") if "AssetWatcher" in code]
SNIPPETS = [code for code in blocks("python") if "DAG(" not in code and "def test_" not in code]
(TESTS,) = [code for code in blocks("python") if "def test_" in code]
LINES = [line for code in blocks("sh") for line in code.splitlines()]


class Recorder:
    """A pytest plugin that notes the outcome of each test."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of the test itself, without its set-up."""
        if report.when == "call":
            self.called.append(report.outcome)


@pytest.fixture
def sample(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with the sample calendar, whose ids the README uses."""
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    return dingtalk


@pytest.fixture
def load(airflow_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Any]]:
    """Import a DAG from a file in Airflow's DAG folder; a task that fails is not tried again, minutes later."""
    file = HOME / "dags" / "move_review.py"
    monkeypatch.syspath_prepend(file.parent)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def dag(code: str) -> Any:
        file.write_text(code, encoding="utf-8")
        found = import_module(file.stem).dag
        for task in found.tasks:
            task.retries = 0
        return found

    yield dag
    sys.modules.pop(file.stem, None)
    file.unlink()


@pytest.mark.parametrize("code", DAGS, ids=range(len(DAGS)))
def test_dags_change_the_event(code: str, load: Callable[[str], Any], sample: Emulator) -> None:
    """Airflow runs each DAG of the README, and the event changes."""
    assert load(code).test().state == "success"
    assert [update["event_id"] for update in sample.effects["updates"]] == [REVIEW]


@airflow_3
def test_the_watcher_tells_of_the_event(
    load: Callable[[str], Any], sample: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The watcher of the README notices that the event moves, and its DAG prints what it was told."""
    dag = load(WATCHER)
    (calendar,) = dag.schedule
    (watcher,) = calendar.watchers
    told = Triggerer(monkeypatch).run(
        edit(sample, REVIEW, LIN, start="2027-01-15T14:00", end="2027-01-15T15:30"), **watcher.trigger.serialize()[1]
    )
    events = {calendar: [SimpleNamespace(extra={"payload": change}) for change in told]}
    dag.get_task("tell").python_callable(triggering_asset_events=events)
    assert f"updated {REVIEW} ['start', 'end']" in capsys.readouterr().out
    named = README.split("Its payload has ids and names only:", 1)[1].split(". ", 1)[0]
    assert codes(named) == list(told[0])


def test_the_fields_to_watch_are_named() -> None:
    """Every field that can be watched is named, and those that are by default."""
    default, others = README.split("By default ", 1)[1].split(". Only events", 1)[0].split("; also ")
    assert tuple(codes(default)) == changes.DEFAULT_FIELDS
    assert {*codes(default), *codes(others)} == changes.FIELDS.keys()


@pytest.mark.parametrize("code", SNIPPETS, ids=range(len(SNIPPETS)))
def test_snippets_print_what_they_promise(code: str, sample: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Code that is no DAG runs as it stands, and lists the event whose id the DAGs use."""
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  # our own text
    assert REVIEW in capsys.readouterr().out


def test_the_test_of_a_dag_passes(load: Callable[[str], Any], tmp_path: Path) -> None:
    """The test that the README suggests for users' DAGs passes with the README's first DAG."""
    load(DAGS[0])
    test = tmp_path / "test_move_review.py"
    test.write_text(TESTS, encoding="utf-8")
    recorder = Recorder()
    assert pytest.main(["-q", "-p", "no:cacheprovider", "-c", "/dev/null", str(test)], plugins=[recorder]) == 0
    assert recorder.called == ["passed"]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("make ")])
def test_make_targets_exist(line: str) -> None:
    """Each target that the README names is one."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = shlex.split(line, comments=True)[1:]
    assert named
    assert set(named) <= set(targets)


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("pip ")])
def test_what_pip_installs_exists(line: str) -> None:
    """Distribution and extra are named as in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, _, extra = shlex.split(line)[-1].rstrip("]").partition("[")
    assert name == project["name"]
    assert not extra or extra in project["optional-dependencies"]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("airflow ")])
def test_airflow_commands_exist(line: str) -> None:
    """Airflow's own command line takes each command."""
    from airflow.cli.cli_parser import get_parser

    given = get_parser().parse_args(shlex.split(line)[1:])
    assert given.conn_id == "dingtalk_default"
    if getattr(given, "conn_json", None):
        check_connection(given.conn_json)


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("export AIRFLOW_CONN_")])
def test_connections_are_right(line: str) -> None:
    """A connection to paste is JSON that the hook takes."""
    check_connection(shlex.split(line)[1].partition("=")[2])


def check_connection(text: str) -> None:
    """Read a connection in JSON like the hook does."""
    given = json.loads(text)
    assert given.pop("conn_type") == "dingtalk"
    fields = {"login": None, "password": None, "host": None, "schema": None, "port": None, **given}
    connection = SimpleNamespace(conn_id="dingtalk", **{**fields, "extra": json.dumps(given.get("extra", {}))})
    assert settings.from_connection(connection).base_url == given["host"]


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("python ")])
def test_modules_run(line: str) -> None:
    """Each module to be run is there and takes the options given."""
    _, _, module, *options = shlex.split(line)
    assert find_spec(module)
    asked = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(option in asked for option in options if option.startswith("--"))


def test_no_command_is_left_out() -> None:
    """Every line of a shell block is of a kind that a test here knows."""
    known = ("make ", "pip ", "airflow ", "python ", "export AIRFLOW_CONN_", "export AIRFLOW__CORE__TEST_CONNECTION=")
    assert [line for line in LINES if line and not line.startswith(known)] == []
    assert {name for _, name, _ in FENCE.findall(README)} == {"python", "json", "sh"}


def test_a_dry_run_returns_what_is_shown(sample: Emulator) -> None:
    """The JSON block is what the operator returns for a dry run."""
    from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator

    (shown,) = [json.loads(code) for code in blocks("json")]
    organizer = next(event["organizer"]["id"] for event in SAMPLE["events"] if event["id"] == REVIEW)
    patch = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id=organizer, event_id=REVIEW, patch={"summary": "Planning"}, dry_run=True
    )
    ti = SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=-1, max_tries=0, try_number=1)
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
    names = {**vars(edits), "event": by_id[REVIEW], "series": by_id[STAND_UP], "timedelta": timedelta}
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
    snake = {re.sub("([A-Z])", r"_\1", name).lower() for name in reading.EMPTY}
    assert {"description", *codes(emptied)} == snake


def test_the_table_of_options_is_complete() -> None:
    """Every option of the connection is in the table, with its default."""
    rows = {codes(row[0])[0]: row[1].strip("`") for row in table("option")}
    assert rows.keys() == settings._OPTIONS.keys()
    defaults = settings.Settings("key", "secret")
    for name in ("timeout", "max_qps", "max_attempts"):
        assert float(rows[name]) == getattr(defaults, name)


def test_the_tables_of_plans_are_complete() -> None:
    """Every member of a row, and every status that it can end with, is in its table."""
    assert [name for row in table("in a row") for name in codes(row[0])] == [
        *("event_id", "patch", "union_id", "calendar_id", "timezone"),
        *("clear", "unchecked_fields", "if_updated_at", "event"),
    ]
    assert {name for row in table("in a row") for name in codes(row[0])} == set(plan.MEMBERS)
    assert tuple(codes(row[0])[0] for row in table("status")) == results.STATUSES


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
    assert rows.keys() == {field.name for field in fields(Settings)}
    for field in fields(Settings):
        words = codes(rows[field.name])
        assert set(words) == set(choices(field.name))
        assert (words[0] if words else float(rows[field.name])) == field.default
    faults = README.split("**Faults**", 1)[1].split(".\n", 1)[0]
    assert set(codes(faults.split(":", 1)[1])) == set(KINDS)


def test_the_table_of_versions_is_that_of_the_test_matrix() -> None:
    """The Airflow lines that the README names are those that are tested."""
    named = {line for row in table("Airflow") for line in row[0].split(", ")}
    assert named == {path.stem.removeprefix("airflow-") for path in (ROOT / "constraints").glob("airflow-*.txt")}


def test_pictures_are_told_in_words() -> None:
    """Each picture has a text that says what is to be seen, and is small enough to be loaded with the page."""
    pictures = re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", README)
    assert pictures
    for words, path in pictures:
        assert len(words.split()) > 5
        assert (ROOT / path).stat().st_size < 120_000


def test_links_lead_somewhere() -> None:
    """Files and headings that the README links to are there."""
    titles = re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    headings = {"#" + title.lower().replace(",", "").replace(" ", "-") for title in titles}
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert target.startswith("https://") or target in headings or (ROOT / target).exists()
