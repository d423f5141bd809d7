"""Which column of a table is which member of a row, and where in the table something is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models.json_values import Json
from airflow_dingtalk_calendar.models.validation_errors import limit_problems, printable_name, suggest_name
from airflow_dingtalk_calendar.plans.actions.base import COMMON_MEMBERS, EVENT_MEMBERS, Change
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS

Path = tuple[str, ...]
# What a row brings for other tasks, rather than for a person to write.
_NOT_IN_TABLES = {"if_fields", "unchecked_fields"}


def members_of(kind: type[Change]) -> list[str]:
    """Name the members that a table can have of an action's rows."""
    of_event = () if kind.creates else [name for name in EVENT_MEMBERS if name != "event"]
    members = (*COMMON_MEMBERS, *of_event, *kind.members)
    return [name for name in members if name not in _NOT_IN_TABLES]


ROW_PATHS = tuple(dict.fromkeys(name for kind in ACTIONS.values() for name in members_of(kind)))
_NESTED = {"patch", "event", "event_id"}  # of an event_id, the name of the row that creates it: event_id.created_by


def read_columns(columns: Any) -> dict[str, Path | None]:
    """Read which heading is which member.

    :param columns: a path (``patch.start``) by heading, or None for a column that is of no interest.
    :raises InvalidInputError: with all problems.
    """
    if not isinstance(columns, Mapping) or not columns:
        text = 'must name a member of a row for each column, like {"Title": "patch.summary"}'
        raise InvalidInputError(("columns", text))
    read = {trim_heading(heading): _read_path(path) for heading, path in columns.items()}
    problems = [
        Problem(name_column(heading), _refuse_path(path))
        for heading, path in read.items()
        if path and _refuse_path(path)
    ]
    if problems := problems or list(_find_overlaps(read)):
        raise InvalidInputError(*limit_problems(problems, "columns"))
    return read


def trim_heading(heading: Any) -> str:
    """Write a heading as it is compared: without blanks around it, and without the mark that files may begin with."""
    return "" if heading is None else str(heading).strip("\ufeff \t\r\n")


def name_column(heading: str) -> str:
    """Name a column in a message."""
    return f'column "{printable_name(heading)}"'


def fold_path(path: Path | Iterable[str]) -> Path:
    """Write a path so that ``is_all_day`` and ``isAllDay`` are one."""
    return tuple(part.replace("_", "").lower() for part in path)


def _read_path(path: Any) -> Path | None:
    return None if path is None else tuple(part.strip() for part in str(path).split("."))


def _refuse_path(path: Path) -> str:
    root = path[0]
    if root not in ROW_PATHS:
        return f"cannot be {printable_name('.'.join(path))}{suggest_name(root, ROW_PATHS)}; what to change is patch.…"
    if len(path) > 1 and (root not in _NESTED or not all(path)):
        return f"cannot be {printable_name('.'.join(path))}: {root} has nothing in it"
    return ""


def _find_overlaps(columns: Mapping[str, Path | None]) -> Iterator[Problem]:
    paths = [(heading, fold_path(path)) for heading, path in columns.items() if path]
    for (first, one), (second, other) in combinations(paths, 2):
        if one[: len(other)] == other or other[: len(one)] == one:
            yield Problem(name_column(second), f"is the same member of a row as {name_column(first)}, or a part of it")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a plan, and where in the table it is from.

    :ivar line: number of the line.
    :ivar headings: the column of each path, of the cells that are not blank and of those that are.
    """

    line: int
    headings: Mapping[Path, str]
    row: Json = field(default_factory=dict)

    def problem(self, path: Path, text: str) -> Problem:
        """Say what is wrong with a member, by the column that it is from; ``[7]`` becomes ``line 7`` in the end."""
        wanted = fold_path(path)
        found = [(len(own), heading) for own, heading in self.headings.items() if wanted[: len(own)] == fold_path(own)]
        return Problem(f"[{self.line}]{max(found)[1] if found else ''}", text)


def name_lines(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Write where problems are as people do: line and column."""
    for path, text in problems:
        line, closed, heading = path.removeprefix("[").partition("]")
        place = f"line {line}, {name_column(heading)}" if heading else f"line {line}"
        yield Problem(place if closed and line.isdecimal() else path, text)
