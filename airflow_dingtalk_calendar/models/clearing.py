"""Empty values: those that a template left by accident, and those that somebody asked for with ``clear``."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Set
from typing import Any

from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.exceptions import Problem
from airflow_dingtalk_calendar.models.blanks import (
    describe_blank,
    describe_type,
    explain_refusal,
    is_blank,
    is_undefined,
)
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.normalize import note_problem
from airflow_dingtalk_calendar.models.validation_errors import Loc, printable_name, suggest_name

LOST_REMEDY = "leave it out, or give it a value"
_CLEAR_REMEDY = "name the field in clear=[…] to empty it, or leave it out"


def refuse_blanks(
    data: Mapping[str, Any], root: str, required: Collection[str] = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """Find the texts that are blank, or the word ``None``: what a template makes of a variable that is not set.

    :param root: the name with which the paths of the problems begin.
    :param required: fields that cannot be left out.
    :return: the data with :data:`~.normalize.UNREADABLE` in their places, and the problems.
    """
    problems: list[Problem] = []
    remedies = {name: "give it a value" if name in required else LOST_REMEDY for name in data}
    marked = {name: _mark_blanks(value, (root, name), remedies[name], problems) for name, value in data.items()}
    return marked, problems


def apply_clear(data: Mapping[str, Any], clear: Any, root: str) -> tuple[dict[str, Any], list[Problem]]:
    """Empty the fields named in ``clear`` that have no value; refuse blanks in all others, likewise."""
    names, problems = _read_names(clear)
    kept: dict[str, Any] = {}
    for name, value in data.items():
        blanks: list[Problem] = []
        marked = _mark_blanks(value, (root, name), _CLEAR_REMEDY if name in FIELDS.cleared else LOST_REMEDY, blanks)
        if name not in names or not blanks:
            kept[name] = marked
            problems += blanks
    return {**{name: FIELDS.cleared[name] for name in names}, **kept}, problems


def _mark_blanks(value: Any, loc: Loc, remedy: str, problems: list[Problem]) -> Any:
    if is_blank(value):
        return note_problem(problems, loc, f"{describe_blank(value)}; {remedy}")
    if isinstance(value, dict):
        return {name: _mark_blanks(member, (*loc, name), remedy, problems) for name, member in value.items()}
    if isinstance(value, list):
        return [_mark_blanks(item, (*loc, index), LOST_REMEDY, problems) for index, item in enumerate(value)]
    return value


def _read_names(clear: Any) -> tuple[list[str], list[Problem]]:
    """Read a list of names, or text with commas, also as Python or JSON write a list."""
    if isinstance(clear, Set):  # whose order is another one in each process
        clear = sorted(clear)
    given = clear.strip(" \n[]()").split(",") if isinstance(clear, str) else clear
    if is_undefined(given) or not isinstance(given, Collection) or isinstance(given, (bytes, Mapping)):
        problem = explain_refusal(f"must be a list of field names, not {describe_type(given)}", given)
        return [], [Problem("clear", problem)]
    names = [_spell_name(item) for item in given]
    problems = [Problem("clear", _refuse_name(name)) for name in names if name != "" and not _can_clear(name)]
    return [name for name in names if _can_clear(name)], problems


def _spell_name(item: Any) -> Any:
    name = item.strip(" \n\t'\"") if isinstance(item, str) else item
    return to_camel(name) if isinstance(name, str) and "_" in name else name


def _can_clear(name: Any) -> bool:
    return isinstance(name, str) and name in FIELDS.cleared


def _refuse_name(name: Any) -> str:
    if not isinstance(name, str):
        return explain_refusal(f"must name fields, and has {describe_type(name)} in it", name)
    if is_blank(name):
        return f"{describe_blank(name)}; name the fields to empty, or leave it out"
    return f"cannot clear {printable_name(name)}{suggest_name(name, FIELDS.cleared)}"
