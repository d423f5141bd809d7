"""People of a table: those given by something other than the unionId, looked up once for the whole plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models.json_values import get_member
from airflow_dingtalk_calendar.plans.table_columns import Path, TableRow

Lookup = Callable[[list[str]], Mapping[str, str]]
PEOPLE_PATHS: tuple[Path, ...] = (("union_id",), ("attendees",), ("patch", "attendees"), ("event", "attendees"))
_BY_MAIL = ("patch", "attendees")  # PatchEvent alone takes email addresses (official page, SDK)
_MAIL_TEXT = "is an email address, which only a patch accepts and for which DingTalk documents no lookup: use unionIds"


def name_people(rows: Iterable[TableRow], people: Lookup | Mapping[str, str] | None) -> list[Problem]:
    """Put unionIds in the place of what the table names people by.

    :param people: finds the unionIds of many people at once, or has them. It need not know email addresses, which stay
        where a patch may have them. None: the table has unionIds.
    """
    rows = list(rows)
    known = _look_up(rows, people)
    return [problem for row in rows for path in PEOPLE_PATHS for problem in _name_in_cell(row, path, known)]


def _look_up(rows: list[TableRow], people: Lookup | Mapping[str, str] | None) -> Mapping[str, str] | None:
    if people is None or isinstance(people, Mapping):
        return people
    if not callable(people):
        raise InvalidInputError(("people", "must find unionIds, as resolve_staff_ids of the hook does, or have them"))
    named = (name for row in rows for path in PEOPLE_PATHS for name in _names_in(row, path))
    asked = [name for name in dict.fromkeys(named) if not _is_mail(name)]
    return people(asked) if asked else {}


def _names_in(row: TableRow, path: Path) -> list[str]:
    value = get_member(row.row, *path)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _name_in_cell(row: TableRow, path: Path, known: Mapping[str, str] | None) -> Iterator[Problem]:
    names = _names_in(row, path)
    for number, name in enumerate(names, start=1):
        if problem := _refuse_person(path, name, known):
            yield row.problem(path, f"person {number} of {len(names)} {problem}" if len(names) > 1 else problem)
    if known and names:
        found = [known.get(name, name) for name in names]
        _set_names(row.row, path, found)


def _refuse_person(path: Path, name: str, known: Mapping[str, str] | None) -> str:
    if known is not None and name in known:
        return ""
    if _is_mail(name):
        return "" if path == _BY_MAIL else _MAIL_TEXT
    return "" if known is None else "is not among those whom people finds: check how the person is written"


def _set_names(row: Any, path: Path, names: list[str]) -> None:
    *above, last = path
    for name in above:
        row = row[name]
    row[last] = names if isinstance(row[last], list) else names[0]


def _is_mail(name: str) -> bool:
    return "@" in name  # no unionId and no staff id has one
