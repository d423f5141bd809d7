"""Each table of the documentation says what the code says, and names all that there is."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from datetime import timedelta

import pytest

from airflow_dingtalk_calendar import edits, exceptions
from airflow_dingtalk_calendar.connection.options import OPTION_PARSERS
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings, setting_choices
from airflow_dingtalk_calendar.emulator.state.fault_rules import FAULT_KINDS
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW, SAMPLE, STAND_UP
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.plans.actions.base import COMMON_MEMBERS, EVENT_MEMBERS
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
from airflow_dingtalk_calendar.plans.results import ROW_STATUSES
from airflow_dingtalk_calendar.watch.changes import DEFAULT_FIELDS
from tests.markdown import Page, codes, sample

__all__ = ["sample"]  # a fixture

CONNECTION, EMULATOR, REACT = Page("docs/connection.md"), Page("docs/emulator.md"), Page("docs/howto/react.md")
EDITS, ERRORS, MODELS, PLANS = (Page(f"docs/reference/{name}.md") for name in ("edits", "errors", "models", "plans"))
# What the first two tables of the emulator's page call: for each row, an example.
CALLS = [codes(row[1])[0] for first in ("fault", "switch") for row in EMULATOR.table(f"{first} to test")]


def test_the_fields_to_watch_are_named() -> None:
    """Every field that can be watched is named, and those that are by default."""
    default, others = REACT.text.split("By default ", 1)[1].split(". Only events", 1)[0].split("; also ")
    assert tuple(codes(default)) == DEFAULT_FIELDS
    assert {*codes(default), *codes(others)} == FIELDS.watched.keys()


@pytest.mark.parametrize("row", MODELS.table("field"), ids=lambda row: row[0])
def test_the_patch_of_each_field_is_right(row: list[str], sample: Emulator) -> None:
    """Each example in the table of fields is a patch that DingTalk would take."""
    names, example = codes(row[0]), ast.literal_eval(codes(row[1])[0])
    assert set(names) <= set(example)
    assert EventPatch.parse(example, timezone="Asia/Shanghai").to_body("id").keys() > {"id"}


@pytest.mark.parametrize("row", EDITS.table("edit"), ids=lambda row: row[0])
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
    assert {codes(row[0])[0] for row in EDITS.table("edit")} == set(edits.__all__) - {"is_instance", "is_series"}


def test_the_rule_shown_is_one() -> None:
    """The rule that the page shows as an example is one that a patch takes."""
    (shown,) = re.findall(r'`(\{"recurrence": "FREQ[^`]*)`', MODELS.text)
    assert EventPatch.parse(ast.literal_eval(shown), timezone="Asia/Shanghai")


def test_the_table_of_fields_is_complete() -> None:
    """Every field of a patch is in the table, and every field that can be emptied is named."""
    named = {name for row in MODELS.table("field") for name in codes(row[0])}
    assert named == EventPatch.model_fields.keys() - {"id"}
    emptied = MODELS.text.split('clear=["description"]` (also', 1)[1].split(")", 1)[0]
    snake = {re.sub("([A-Z])", r"_\1", name).lower() for name in FIELDS.cleared}
    assert {"description", *codes(emptied)} == snake


def test_the_table_of_options_is_complete() -> None:
    """Every option of the connection is in the table, with its default."""
    rows = {codes(row[0])[0]: row[1].strip("`") for row in CONNECTION.table("option")}
    assert rows.keys() == OPTION_PARSERS.keys()
    defaults = ConnectionSettings("key", "secret")
    for name in ("timeout", "max_qps", "max_attempts"):
        assert float(rows[name]) == getattr(defaults, name)


def test_the_tables_of_plans_are_complete() -> None:
    """Every member of a row, every action with its own, and every status that a row can end with, is in its table."""
    assert {name for row in PLANS.table("in a row") for name in codes(row[0])} == {*COMMON_MEMBERS, *EVENT_MEMBERS}
    assert {codes(row[0])[0]: tuple(codes(row[1])) for row in PLANS.table("action")} == {
        name: kind.members for name, kind in ACTIONS.items()
    }
    assert tuple(codes(row[0])[0] for row in PLANS.table("status")) == ROW_STATUSES


def test_the_table_of_errors_is_complete() -> None:
    """Every error that can be raised is in the table, and is tried again if the table says so."""
    bases = {"DingTalkError", "RequestError"}
    errors = {
        name: kind
        for name, kind in vars(exceptions).items()
        if isinstance(kind, type) and issubclass(kind, exceptions.DingTalkError) and name not in bases
    }
    rows = {codes(row[0])[0]: row[1] for row in ERRORS.table("error")}
    assert rows.keys() == errors.keys()
    for name, again in rows.items():
        assert again == "it depends" or (again == "yes") == errors[name].retryable


def test_the_table_of_switches_is_complete() -> None:
    """Every switch of the emulator is in the table, its default first; every kind of fault is named."""
    rows = {codes(row[0])[0]: row[1] for row in EMULATOR.table("switch")}
    assert rows.keys() == {field.name for field in fields(EmulatorSettings)}
    for field in fields(EmulatorSettings):
        words = codes(rows[field.name])
        assert set(words) == set(setting_choices(field.name))
        assert (words[0] if words else float(rows[field.name])) == field.default
    faults = {kind: set(codes(row[1])) for row in EMULATOR.table("kind") for kind in codes(row[0])}
    assert faults.keys() == FAULT_KINDS.keys()
    same = {"applied_error", "applied_body"}  # as the kind in the row before
    assert {kind: takes for kind, takes in faults.items() if takes} == {
        name: set(kind.parameters) for name, kind in FAULT_KINDS.items() if kind.parameters and name not in same
    }


@pytest.mark.parametrize("call", CALLS)
def test_what_to_start_with_is_there(call: str, sample: Emulator) -> None:
    """Each fault and switch that a DAG author needs first is one that the emulator takes, as it is written there."""
    eval(call, {"dingtalk": sample})  # noqa: S307  # our own text
