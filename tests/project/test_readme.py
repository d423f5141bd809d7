"""What README.md says: its DAG runs, its commands and links lead somewhere, its table of versions is what is tested."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW
from tests.markdown import FOR_2_11, IMPORTS, ROOT, Page, check_line, load, sample

__all__ = ["load", "sample"]  # fixtures

PAGE = Page("README.md")
README, table = PAGE.text, PAGE.table
MOST_LINES = 150


def test_it_is_short() -> None:
    """README.md is read in one go; what needs more room is in docs/."""
    assert len(README.splitlines()) <= MOST_LINES


@pytest.mark.parametrize("code", PAGE.dags, ids=range(len(PAGE.dags)))
def test_dags_change_the_event(code: str, load: Callable[[str], Any], sample: Emulator) -> None:
    """Airflow runs each DAG of the README, and the event changes."""
    assert load(code).test().state == "success"
    assert [update["event_id"] for update in sample.effects["updates"]] == [REVIEW]


def test_the_dag_is_that_of_the_quick_start() -> None:
    """The DAG is the one that the quick start has the reader run, but for the argument about notices."""
    (shown,), (first, *_) = PAGE.dags, Page("docs/quickstart.md").dags
    assert shown.replace(', "notify_chat": False', "") == first


@pytest.mark.parametrize("page", ["README.md", "README.zh.md", "docs/howto/index.md", "docs/quickstart.md"])
def test_the_imports_for_older_airflow_are_named(page: str) -> None:
    """A page says where 2.11 has what its blocks import from Airflow 3's place; the tests use that on 2.11."""
    assert f"`{FOR_2_11.split()[1]}`" in Page(page).text


def test_the_imports_for_older_airflow_work(load: Callable[[str], Any], sample: Emulator) -> None:
    """With the imports that the README names for 2.11, its DAG runs as well on any version that is here."""
    (code,) = PAGE.dags
    dag = load(IMPORTS.sub(FOR_2_11, code))
    assert "compat" in Path(dag.fileloc).read_text(encoding="utf-8")
    assert dag.test().state == "success"


@pytest.mark.parametrize("line", PAGE.lines)
def test_commands_exist(line: str) -> None:
    """Each command is there, with the targets, options and connections that are shown."""
    check_line(line)


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


def test_pictures_are_described() -> None:
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
