"""Rows of a plan from a table: a CSV file, a spreadsheet, or what a database returned."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models.blanks import describe_type
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.json_values import Json
from airflow_dingtalk_calendar.models.types import read_argument
from airflow_dingtalk_calendar.models.validation_errors import limit_problems, suggest_name
from airflow_dingtalk_calendar.models.zones import parse_zone
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
from airflow_dingtalk_calendar.plans.row_counts import describe_rows
from airflow_dingtalk_calendar.plans.table_cells import is_blank_cell, read_cell
from airflow_dingtalk_calendar.plans.table_checks import check_table_row, find_repeated_events
from airflow_dingtalk_calendar.plans.table_columns import (
    Path,
    TableRow,
    fold_path,
    name_column,
    name_lines,
    read_columns,
    trim_heading,
)
from airflow_dingtalk_calendar.plans.table_people import Lookup, name_people

log = logging.getLogger(__name__)

_CLEARABLE = {fold_path((name,)) for name in FIELDS.cleared}
_NO_CHANGE = {"event_id", "union_id", "calendar_id", "group", "if_updated_at", "timezone"}
_UNKNOWN_TEXT = "is not in columns: name the member of a row that it is, or None to leave it out"


class Line(NamedTuple):
    """A line of a table: its number, and its cells by heading."""

    number: int
    cells: Mapping[str, Any]


class TableOptions(NamedTuple):
    """How the cells of a table become rows.

    :ivar columns: the path of each heading.
    """

    columns: Mapping[str, Path | None]
    action: str
    clear_text: str | None


def rows_from_table(
    records: Iterable[Mapping[Any, Any] | Sequence[Any]],
    columns: Mapping[str, str | None],
    *,
    action: str = "patch",
    headings: Sequence[str] | None = None,
    first_line: int = 2,
    timezone: str | None = None,
    people: Lookup | Mapping[str, str] | None = None,
    clear_text: str | None = None,
) -> list[Json]:
    """Make the rows of a plan from a table, each line one row.

    ::

        with open(path, newline="", encoding="utf-8-sig") as file, DingTalkCalendarHook() as hook:
            rows = rows_from_table(
                csv.DictReader(file),
                {"Event": "event_id", "Title": "patch.summary", "Start": "patch.start", "Remarks": None},
                timezone="Asia/Shanghai",
                people=hook.resolve_staff_ids,
            )

    A blank cell says nothing: its field stays as it is. So do NaN and NaT, with which pandas fills gaps. Lines without
    a word are left out, and so are those that change nothing; the log says how many. Several people, rooms, reminders
    or fields to clear stand in one cell, separated by ``,`` or ``;`` or on lines of their own. Of numbers, dates and
    times the values serve as well as their texts.

    :param records: mappings by heading (``csv.DictReader``, a database's rows), or lists of cells (a spreadsheet's), of
        which the first has the headings.
    :param columns: which member of a row each column is: ``event_id``, ``patch.summary``, ``attendees`` and so on;
        None for a column that is of no interest. A column that is not named is refused. For a line that creates an
        event, ``patch.…`` is the same as ``event.…``.
    :param action: what is done in a line that does not say so in a column for ``action``.
    :param headings: those of lists of cells that come without, as from a database; the first list is then a line.
    :param first_line: number of the first line after the headings, for messages. ``csv.DictReader`` counts itself.
    :param timezone: IANA zone for times that have none of their own. None: that of the operator.
    :param people: what finds the unionIds of people that the table has otherwise, given all of them at once:
        ``hook.resolve_staff_ids`` for staff ids, or a mapping of your own, as from email addresses. None: the table has
        unionIds. DingTalk documents no way from an email address to a person; only ``patch.attendees`` may have some.
    :param clear_text: what a cell says to empty its field (``"-"``). A column for ``clear`` names fields to empty.
    :return: rows as the operator that applies plans takes them.
    :raises InvalidInputError: with what is wrong by line and column, 20 problems at most, without what is in a cell.
    """
    wanted = read_columns(columns)
    zone = None if timezone is None else read_argument("timezone", parse_zone, timezone)
    _check_action(action)
    problems: list[Problem] = []
    lines = list(_read_lines(records, headings, first_line, problems))
    _raise_problems([*problems, *_check_headings(lines, wanted)])
    options = TableOptions(wanted, action, clear_text)
    table = [_build_row(line, options, problems) for line in lines]
    rows = [row for row in table if row.row and not _changes_nothing(row)]
    for row in rows:
        problems += check_table_row(row, zone)
    _raise_problems([*problems, *find_repeated_events(rows)])
    _raise_problems(name_people(rows, people))
    blank = sum(not row.row for row in table)
    left_out = Counter({"blank": blank, "without a change": len(table) - blank - len(rows)})
    log.info("%s", describe_rows(len(rows), counted(len(lines), "line"), left_out))
    return [_add_zone(row.row, zone) for row in rows]


def _check_action(action: Any) -> None:
    if action not in ACTIONS:
        raise InvalidInputError(("action", f"is not an action{suggest_name(str(action), ACTIONS)}"))


def _raise_problems(problems: Sequence[Problem]) -> None:
    if problems:
        raise InvalidInputError(*name_lines(limit_problems(problems, "records")))


def _read_lines(records: Any, headings: Any, first_line: int, problems: list[Problem]) -> Iterator[Line]:
    """Read the records, of whatever kind, and name their cells."""
    if isinstance(records, (str, bytes, Mapping)) or not isinstance(records, Iterable):
        raise InvalidInputError(("records", f"must be a list of lines, not {describe_type(records)}"))
    names = None if headings is None else [trim_heading(one) for one in headings]
    number = first_line - 1
    for record in records:
        if isinstance(record, (list, tuple)) and names is None:
            names = [trim_heading(one) for one in record]
            problems += _find_twice(names)
            continue
        number = getattr(records, "line_num", number + 1)  # csv.DictReader's, which knows of cells with several lines
        cells = _name_cells(record, names or [])
        if cells is None:
            problems.append(Problem(f"[{number}]", "must be a mapping by heading, or a list of cells"))
        else:
            yield Line(number, cells)


def _name_cells(record: Any, names: Sequence[str]) -> dict[str, Any] | None:
    """Name the cells of a line; those beyond the last heading, like those of columns without one, have a blank name."""
    if isinstance(record, Mapping):
        pairs = [(trim_heading(name), value) for name, value in record.items()]
    elif isinstance(record, (list, tuple)):
        pairs = [(names[at] if at < len(names) else "", value) for at, value in enumerate(record)]
    else:
        return None
    nameless = [value for name, value in pairs if not name and not is_blank_cell(value)]
    return {**{name: value for name, value in pairs if name}, **({"": nameless} if nameless else {})}


def _find_twice(names: Sequence[str]) -> Iterator[Problem]:
    for name, count in Counter(names).items():
        if name and count > 1:
            yield Problem(name_column(name), "is there twice: give the columns different headings")


def _check_headings(lines: Sequence[Line], wanted: Mapping[str, Any]) -> Iterator[Problem]:
    """Compare the headings of the table with those that somebody has named."""
    seen = dict.fromkeys(heading for line in lines for heading in line.cells)
    for line in lines:
        if "" in line.cells:
            yield Problem(f"[{line.number}]", "has a cell without a heading")
    for heading in seen:
        if heading and heading not in wanted:
            yield Problem(name_column(heading), _UNKNOWN_TEXT)
    for heading in wanted if seen else ():
        if heading not in seen:
            yield Problem(name_column(heading), f"is not in the table{suggest_name(heading, [*filter(None, seen)])}")


def _build_row(line: Line, options: TableOptions, problems: list[Problem]) -> TableRow:
    """Make the row of a line; one without a word has no members."""
    filled = {name: value for name, value in line.cells.items() if not is_blank_cell(value)}
    paths = {path: heading for heading, path in options.columns.items() if path}
    acts = next((filled[heading] for path, heading in paths.items() if path == ("action",) and heading in filled), "")
    action = str(acts).strip() or options.action
    if action == "create":
        paths = {("event", *path[1:]) if path[0] == "patch" else path: heading for path, heading in paths.items()}
    row = TableRow(line.number, paths)
    for path, heading in paths.items():
        if heading in filled and path != ("action",):
            _fill_member(row, path, filled[heading], options.clear_text, problems)
    if row.row and action != "patch":
        row.row["action"] = action
    return row


def _fill_member(row: TableRow, path: Path, value: Any, clear_text: str | None, problems: list[Problem]) -> None:
    try:
        if clear_text is None or value != clear_text:
            _set_member(row.row, path, read_cell(path, value))
        elif path[0] == "patch" and fold_path(path[1:]) in _CLEARABLE:
            row.row.setdefault("clear", []).append(path[1])
        else:
            raise ValueError("cannot be emptied: give it a value, or leave it blank to keep what the event has")
    except ValueError as error:
        problems.append(row.problem(path, str(error)))


def _set_member(row: Any, path: Path, value: Any) -> None:
    *above, last = path
    for name in above:
        row = row.setdefault(name, {})
    row[last] = [*row[last], *value] if isinstance(row.get(last), list) else value


def _changes_nothing(row: TableRow) -> bool:
    """Whether a line names an event, and nothing that is to happen to it."""
    return "event_id" in row.row and row.row.keys() <= _NO_CHANGE


def _add_zone(row: Json, zone: str | None) -> Json:
    takes_zone = zone and "timezone" not in row and ("patch" in row or "event" in row)
    return {**row, "timezone": zone} if takes_zone else row
