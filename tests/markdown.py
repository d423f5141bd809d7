"""Pages in Markdown as tests see them: blocks, tables, links, and ways to find out whether what they show works."""

from __future__ import annotations

import datetime as dt
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_dingtalk_calendar.connection.settings import ConnectionSettings, parse_connection
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW, SAMPLE
from tests.conftest import HOME

ROOT = Path(__file__).parent.parent
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
# Pages import what 2.11 has, too, from Airflow 3's place, and name the place that works on 2.11.
IMPORTS = re.compile(r"^from airflow\.sdk import (?=(?:DAG|task)(?:, (?:DAG|task))*$)", re.MULTILINE)
FOR_2_11 = "from airflow.providers.common.compat.sdk import "
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """A page, by its path within the project."""

    path: str

    @cached_property
    def text(self) -> str:
        """What it says."""
        return (ROOT / self.path).read_text(encoding="utf-8")

    def blocks(self, language: str) -> list[str]:
        """Return the code blocks in a language, without the indentation of the list they stand in."""
        return [
            for_this_airflow(re.sub(f"^{indent}", "", code, flags=re.MULTILINE))
            for indent, name, code in FENCE.findall(self.text)
            if name == language
        ]

    def table(self, first_column: str) -> list[list[str]]:
        """Return the rows of the table whose first column has this title."""
        text = self.text.split(f"\n| {first_column} |", 1)[1].split("\n\n", 1)[0]
        return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines()[2:]]

    @property
    def languages(self) -> set[str]:
        """The languages that its code blocks are in."""
        return {name for _, name, _ in FENCE.findall(self.text)}

    @property
    def dags(self) -> list[str]:
        """The blocks that are DAG files."""
        return [code for code in self.blocks("python") if "with DAG(" in code]

    @property
    def tests(self) -> list[str]:
        """The blocks that are tests of somebody's DAGs."""
        return [code for code in self.blocks("python") if "def test_" in code]

    @property
    def snippets(self) -> list[str]:
        """The Python blocks that are neither."""
        return [code for code in self.blocks("python") if "DAG(" not in code and "def test_" not in code]

    @property
    def lines(self) -> list[str]:
        """The lines of its shell blocks."""
        return [line for code in self.blocks("sh") for line in code.splitlines() if line]

    @property
    def headings(self) -> list[tuple[int, str]]:
        """Its headings, each with its level."""
        outside = FENCE.sub("", self.text)
        return [(len(marks), title) for marks, title in HEADING.findall(outside)]

    @property
    def anchors(self) -> set[str]:
        """The link to one of its headings, as GitHub makes it."""
        return {"#" + re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for _, title in self.headings}

    @property
    def links(self) -> list[str]:
        """Where its links lead."""
        return re.findall(r"\]\(([^)]+)\)", FENCE.sub("", self.text))


def for_this_airflow(code: str) -> str:
    """Return code with the imports that the pages name for the Airflow that is here."""
    return code if find_spec("airflow.sdk") else IMPORTS.sub(FOR_2_11, code)


def codes(text: str) -> list[str]:
    """Return what is written as code."""
    return re.findall(r"`([^`]+)`", text)


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
    """DingTalk with the sample calendar, whose ids the pages use."""
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    return dingtalk


def review_is_soon() -> dict[str, Any]:
    """Return the sample calendar with the review in five minutes."""
    start = dt.datetime.now(ZoneInfo("Asia/Shanghai")).replace(microsecond=0) + dt.timedelta(minutes=5)
    ends = {"start": start, "end": start + dt.timedelta(hours=1)}
    times = {end: {"dateTime": at.isoformat(), "timeZone": "Asia/Shanghai"} for end, at in ends.items()}
    return {**SAMPLE, "events": [{**one, **times} if one["id"] == REVIEW else one for one in SAMPLE["events"]]}


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
    file.unlink(missing_ok=True)


def check_snippet(code: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run code that is no DAG, as it stands, and return what it printed."""
    exec(compile(code, "a page", "exec"), {})  # noqa: S102  # our own text
    return capsys.readouterr().out


def check_test(code: str, place: Path) -> None:
    """Run a test that a page suggests for users' DAGs; it has to pass."""
    test = place / "test_of_a_page.py"
    test.write_text(code, encoding="utf-8")
    recorder = Recorder()
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--import-mode=importlib"]  # several have this name
    assert pytest.main([*options, str(test)], plugins=[recorder]) == 0
    assert recorder.called
    assert set(recorder.called) == {"passed"}


def check_line(line: str) -> None:
    """Check a line of a shell block by what it begins with; a kind that is not known is an error."""
    (check,) = (check for start, check in KINDS_OF_LINES.items() if line.startswith(start))
    check(line)


def check_make(line: str) -> None:
    """Each target named is one."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = shlex.split(line, comments=True)[1:]
    assert named
    assert {word for word in named if "=" not in word} <= set(targets)


def check_pip(line: str) -> None:
    """The checkout is installed, with an extra of pyproject.toml, or its wheel: no index has the package yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name, _, extra = shlex.split(line, comments=True)[-1].rstrip("]").partition("[")
    assert name in {".", f"dist/{project['name'].replace('-', '_')}-*.whl"}
    assert not extra or extra in project["optional-dependencies"]


def check_airflow(line: str) -> None:
    """Airflow's own command line takes it."""
    from airflow.cli.cli_parser import get_parser

    given = get_parser().parse_args(shlex.split(line)[1:])
    if "connections" in line:
        assert given.conn_id == "dingtalk_default"
    if getattr(given, "conn_json", None):
        check_connection(given.conn_json)


def check_export(line: str) -> None:
    """A connection to paste is JSON that the hook takes."""
    check_connection(shlex.split(line)[1].partition("=")[2])


def check_connection(text: str) -> ConnectionSettings:
    """Read a connection in JSON like the hook does."""
    given = json.loads(text)
    assert given.pop("conn_type") == "dingtalk"
    fields = {"login": None, "password": None, "host": None, "schema": None, "port": None, **given}
    connection = SimpleNamespace(conn_id="dingtalk", **{**fields, "extra": json.dumps(given.get("extra", {}))})
    read = parse_connection(connection)
    assert read.base_url == given["host"]
    return read


def check_python(line: str) -> None:
    """The module to be run is there and takes the options given."""
    _, _, module, *options = shlex.split(line)
    assert find_spec(module)
    asked = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(option in asked for option in options if option.startswith("--"))


def check_setting(line: str) -> None:
    """Airflow knows the setting; a section of a provider (``common.io``) has a dot, and in the variable's name none."""
    from airflow.configuration import conf
    from airflow.providers_manager import ProvidersManager

    ProvidersManager().initialize_providers_configuration()  # 2.11 reads the options of providers only when asked to
    _, section, option = line.split()[1].partition("=")[0].split("__")
    names = (section.lower(), section.lower().replace("_", "."))
    assert any(conf.has_option(name, option.lower()) for name in names)


KINDS_OF_LINES = {
    "make ": check_make,
    "pip ": check_pip,
    "airflow ": check_airflow,
    "export AIRFLOW_CONN_": check_export,
    "export AIRFLOW__": check_setting,
    "python ": check_python,
}
