"""What the pages in ``docs/`` show works: each code block runs, each table of names says what the code says."""

from __future__ import annotations

import ast
import datetime as dt
import json
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.client.error_codes import ERROR_CODES
from airflow_dingtalk_calendar.connection.options import AUTH_TYPES
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, REVIEW, SAMPLE
from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.recurrence import PATTERN_MEMBERS
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.airflow_runs import Ti, register_outlets
from tests.markdown import (
    ROOT,
    Page,
    check_connection,
    check_line,
    check_snippet,
    check_test,
    codes,
    load,
    review_is_soon,
    sample,
)
from tests.triggers.test_changes import Triggerer, airflow_3, edit

__all__ = ["load", "sample"]  # fixtures

DOCS = ROOT / "docs"
OPERATORS, REACT = Page("docs/reference/operators.md"), Page("docs/howto/react.md")
PAGES = [Page(str(path.relative_to(ROOT))) for path in sorted(DOCS.rglob("*.md"))]
# What some blocks need and not every environment has; where it is missing, they are skipped.
NEEDS = {
    "airflow.providers.http": "apache-airflow-providers-http (dependency group peers)",
    "alibabacloud_dingtalk": "the official SDK (dependency group peers)",
    "airflow.sdk": "Airflow 3",
    "airflow.providers.standard.operators.hitl": "Airflow 3.1",
}


def each(name: str, of: Callable[[Page], list[str]]) -> pytest.MarkDecorator:
    """Run a test once for each block or line of a kind, of all pages; for one that stands in two pages, once."""
    found = {one: (page, number) for page in PAGES for number, one in enumerate(of(page), start=1)}
    cases = [pytest.param(one, id=f"{page.path.removeprefix('docs/')}-{n}") for one, (page, n) in found.items()]
    return pytest.mark.parametrize(name, cases)


def skip_without_needs(code: str) -> None:
    """Skip code that needs what is not here."""
    modules = {node.module or "" for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom)}
    for start, name in NEEDS.items():
        for module in modules:
            if module.startswith(start):
                try:
                    import_module(module)
                except Exception as error:  # a provider says in its own way that Airflow is too old
                    pytest.skip(f"needs {name}: {error}")


@each("code", lambda page: page.dags)
def test_dags_run(code: str, load: Callable[[str], Any], sample: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow runs each DAG that the documentation shows, and it changes the sample calendar."""
    skip_without_needs(code)
    app = sample.connection()
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_API", json.dumps({"conn_type": "http", "host": app["host"]}))
    monkeypatch.setenv("AIRFLOW_VAR_DINGTALK_APP_KEY", app["login"])
    monkeypatch.setenv("AIRFLOW_VAR_DINGTALK_APP_SECRET", app["password"])
    if "starts_within" in code:  # what it waits for is near
        sample.reset(review_is_soon())
    dag = load(code)
    register_outlets(dag)
    # A person's answer is taken for granted.
    run = dag.test(mark_success_pattern="^approve$") if "ApprovalOperator" in code else dag.test()
    assert run.state == "success"
    if "triggering_asset_events" in code:  # run by hand, it receives no change
        assert dag.schedule
        assert not sample.effects["writes"]
    else:
        assert sample.effects["writes"]
    if code in Page("docs/migrating.md").dags:  # all of them do the same thing
        assert sample.event(REVIEW)["start"]["dateTime"] == "2038-01-15T14:00:00+08:00"
    for question in (task for task in dag.tasks if task.task_id == "approve"):
        (shown,) = [ti for ti in run.get_task_instances() if ti.task_id == "show"]
        assert "Rows: 1" in question.render_template(question.subject, {"ti": shown})
        assert "review" in question.render_template(question.body, {"ti": shown})


@each("code", lambda page: page.snippets)
def test_snippets_run(code: str, sample: Emulator, capsys: pytest.CaptureFixture[str]) -> None:
    """Code that is no DAG runs as it stands, and shows something."""
    skip_without_needs(code)
    shown = check_snippet(code, capsys)
    assert shown
    assert REVIEW in shown or "list_events" not in code


@each("code", lambda page: page.tests)
def test_tests_pass(code: str, load: Callable[[str], Any], tmp_path: Path) -> None:
    """A test that the documentation suggests for users' DAGs passes with the DAG of the quick start."""
    load(Page("docs/quickstart.md").dags[0])
    check_test(code, tmp_path)


@each("line", lambda page: page.lines)
def test_commands_exist(line: str) -> None:
    """Each command is there, with the options that are shown."""
    check_line(line)


@each("text", lambda page: [text for text in page.blocks("json") if page != OPERATORS])
def test_connections_are_right(text: str) -> None:
    """Each block of JSON is a connection that the hook takes, but for the one that a dry run returns."""
    assert check_connection(text)


def test_a_dry_run_returns_what_is_shown(sample: Emulator) -> None:
    """The JSON block about the dry run is what the operator returns for one."""
    from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator

    (shown,) = [json.loads(code) for code in OPERATORS.blocks("json")]
    organizer = next(event["organizer"]["id"] for event in SAMPLE["events"] if event["id"] == REVIEW)
    patch = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id=organizer, event_id=REVIEW, patch={"summary": "Planning"}, dry_run=True
    )
    assert patch.execute({"ti": Ti(max_tries=0)}) == shown  # type: ignore[typeddict-item]
    assert sample.requests == []


def test_the_plan_of_a_group_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    """The plan whose rows are one group is a plan, and its rows are one group."""
    (group,) = Page("docs/reference/plans.md").snippets
    plan = parse_plan(json.loads(check_snippet(group, capsys)), union_id=LIN, timezone="Asia/Shanghai")
    assert [[row.index for row in group] for group in plan.groups] == [[0, 1]]


class Reported:
    """What Airflow hands to a task: asked with an asset, which Airflow 3.0 cannot put into a dict."""

    def __init__(self, events: list[Any]) -> None:
        self._events = events

    def __getitem__(self, _: object) -> list[Any]:
        return self._events


@airflow_3
def test_the_watcher_reports_the_event(
    load: Callable[[str], Any], sample: Emulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The watcher of the page on changes reports that the event moves, and its DAG prints the change."""
    dag = load(*REACT.dags)
    (calendar,) = dag.schedule
    (watcher,) = calendar.watchers
    changes = Triggerer(monkeypatch).run(
        edit(sample, REVIEW, LIN, start="2027-01-15T14:00", end="2027-01-15T15:30"), **watcher.trigger.serialize()[1]
    )
    events = Reported([SimpleNamespace(extra={"payload": {"changes": changes}})])
    dag.get_task("print_changes").python_callable(triggering_asset_events=events)
    assert f"{REVIEW} was updated: start, end" in capsys.readouterr().out
    named = REACT.text.split("It has ids and names only:", 1)[1].split(". ", 1)[0]
    assert codes(named) == list(changes[0])


def test_every_type_of_app_has_a_connection() -> None:
    """The page about connecting has a connection for each type of app."""
    shown = [check_connection(text).auth_type for text in Page("docs/connection.md").blocks("json")]
    assert sorted(shown) == sorted(AUTH_TYPES)


@pytest.mark.parametrize("row", Page("docs/connection.md").table("code"), ids=lambda row: row[0].strip("`"))
def test_the_errors_of_connecting_are_what_the_code_makes_of_them(row: list[str]) -> None:
    """Each code of the table is the error that it names."""
    code, error = codes(row[0])[0], codes(row[1])[0]
    assert ERROR_CODES[code].error.__name__ == error


@pytest.mark.parametrize("row", Page("docs/semantics.md").table("you write"), ids=lambda row: row[0])
def test_times_are_read_as_shown(row: list[str]) -> None:
    """Each time of the table is read, or refused, as the table says."""
    start = ast.literal_eval(codes(row[0])[0])
    patch = {"start": start, "end": start.replace("03-02", "03-03").replace("0302", "0303")}
    if "refused" in row[1]:
        with pytest.raises(InvalidPatchError, match="offset"):
            EventPatch.parse(patch, timezone="Asia/Shanghai")
    else:
        read = EventPatch.parse(patch, timezone="Asia/Shanghai").to_body("id")["start"]
        if "date" not in read:
            assert read["timeZone"] == "Asia/Shanghai"
            assert dt.datetime.fromisoformat(read["dateTime"]) == dt.datetime(2038, 3, 2, 2, tzinfo=dt.UTC)
        else:
            assert read == {"date": "2038-03-02"}
        assert ("whole day" in row[1]) == ("date" in read)


def test_the_table_of_rules_is_complete() -> None:
    """Each type of recurrence is in the table, with what it needs."""
    rows = {codes(row[0])[0]: row[1] for row in Page("docs/semantics.md").table("`pattern.type`")}
    assert rows.keys() == PATTERN_MEMBERS.keys()
    for kind, (needed, _) in PATTERN_MEMBERS.items():
        assert {to_camel(name) for name in needed} <= set(codes(rows[kind]))
        assert needed or "nothing" in rows[kind]


def test_no_block_is_left_out() -> None:
    """Every block is in a language that a test here knows, or is a directive."""
    assert {name for page in PAGES for name in page.languages} <= {"python", "json", "sh"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_page_is_found(page: Page) -> None:
    """Each page is in a table of contents, so that a reader gets there."""
    path = ROOT / page.path
    if path == DOCS / "index.md":
        return
    folder = path.parent if path.name != "index.md" else path.parent.parent
    entry = path.relative_to(folder).with_suffix("").as_posix()
    assert f"\n{entry}\n" in (folder / "index.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "docs/index.md"])
def test_every_guide_is_linked(page: str) -> None:
    """The README, in both languages, and the first page of the documentation link to each how-to guide."""
    linked = {link.removeprefix("docs/") for link in Page(page).links}
    assert {f"howto/{path.name}" for path in (DOCS / "howto").glob("*.md")} - {"howto/index.md"} - linked == set()


def test_no_page_takes_a_part_of_the_readme() -> None:
    """The documentation owns what it shows; what it includes are whole pages."""
    included = [one for page in PAGES for one in re.findall(r"{include} (\S+)", page.text)]
    assert included == ["../SECURITY.md"]


def test_the_reference_has_every_module() -> None:
    """What a DAG author may import is in the reference."""
    reference = "".join(page.text for page in PAGES if "reference" in page.path)
    info = get_provider_info()
    listed = [entry for kind in ("operators", "sensors", "triggers") for entry in info.get(kind, [])]
    modules = {module for entry in listed for module in entry["python-modules"]}
    names = ("hooks.calendar", "models", "edits", "plans", "retry_policy", "exceptions")
    modules |= {f"airflow_dingtalk_calendar.{name}" for name in names if is_there(name)}
    assert {module for module in modules if module not in reference} == set()


def is_there(name: str) -> bool:
    """Return whether the package has a module, or a folder of modules."""
    path = ROOT / "airflow_dingtalk_calendar" / name.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()
