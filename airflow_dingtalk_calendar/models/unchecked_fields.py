"""Members of a body that are passed through as they are, for fields that DingTalk adds after this release."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.models.json_values import find_unsendable
from airflow_dingtalk_calendar.models.normalize import parse_mapping
from airflow_dingtalk_calendar.models.validation_errors import printable_name


def parse_unchecked(fields: Mapping[str, Any] | str | None) -> tuple[dict[str, Any], list[Problem]]:
    """Take a mapping or its JSON text; return a copy, and what is wrong with it."""
    if fields is None:
        return {}, []
    try:
        given = dict(parse_mapping(fields, "unchecked_fields"))
    except InvalidPatchError as error:
        return {}, list(error.problems)
    problems = [Problem("unchecked_fields.id", "is the event's id")] if "id" in given else []
    return given, problems + [Problem(*one) for one in find_unsendable(given, "unchecked_fields")]


def find_clashes(fields: Mapping[str, Any], unchecked: Mapping[str, Any], path: str) -> list[Problem]:
    """Find members that both have; objects are merged, so that a new member can stand beside those that are known."""
    problems: list[Problem] = []
    for name, value in unchecked.items():
        place = f"{path}.{printable_name(name)}"
        if isinstance(value, Mapping) and isinstance(fields.get(name), Mapping):
            problems += find_clashes(fields[name], value, place)
        elif name in fields and name != "id":
            problems.append(Problem(place, "is in the patch as well: give one of them"))
    return problems


def merge_members(fields: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Add members to a body; objects that both have are merged."""
    merged = {**fields, **copy.deepcopy(dict(more))}
    both = [name for name in more if isinstance(fields.get(name), Mapping) and isinstance(more[name], Mapping)]
    return {**merged, **{name: merge_members(fields[name], more[name]) for name in both}}
