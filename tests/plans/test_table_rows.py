"""Rows of a plan from a CSV file, a spreadsheet, or what a database returned."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import json
import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import CHEN, DEMO, LIN, REVIEW, WANG
from airflow_dingtalk_calendar.exceptions import InvalidInputError, PermissionDeniedError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.plans import rows_from_table
from tests.markdown import sample

__all__ = ["sample"]  # a fixture

COLUMNS = {"Event": "event_id", "Title": "patch.summary", "Start": "patch.start", "End": "patch.end", "Remarks": None}
ZONE = "Asia/Shanghai"


def read(text: str, columns: Any = None, **options: Any) -> list[dict[str, Any]]:
    """Make rows from a CSV file."""
    return rows_from_table(csv.DictReader(io.StringIO(text)), columns or COLUMNS, **options)


def one(columns: Mapping[str, str | None], cells: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Make the row of a table of one line."""
    (row,) = rows_from_table([cells], columns, **options)
    json.dumps(row, allow_nan=False)
    return row


def problems(*arguments: Any, **options: Any) -> list[str]:
    """Make rows of a table that is wrong; return what is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        rows_from_table(*arguments, **options)
    assert "secret" not in str(caught.value)
    return [str(problem) for problem in caught.value.problems]


def test_a_csv_file(caplog: pytest.LogCaptureFixture) -> None:
    """Each line is a row; blank cells, blank lines and lines that change nothing are left out, and counted."""
    caplog.set_level(logging.INFO)
    rows = read(
        "\ufeffEvent,Title , Start,End,Remarks\n"
        "E1,Sprint 42,2027-03-02T10:00,2027-03-02T11:00,moved\n"
        "E2, ,,,nothing\n"
        ",,,,only a remark\n"
        'E3,"Planning, part 2",,,\n',
        timezone=ZONE,
    )
    times = {"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}
    assert rows == [
        {"event_id": "E1", "patch": {"summary": "Sprint 42", **times}, "timezone": ZONE},
        {"event_id": "E3", "patch": {"summary": "Planning, part 2"}, "timezone": ZONE},
    ]
    assert [record.message for record in caplog.records] == [
        "2 rows from 4 lines; left out: 1 blank, 1 without a change."
    ]


def test_lists_of_cells() -> None:
    """The first list of a spreadsheet has the headings; those of a database's rows are given."""
    expected = [{"event_id": "E1", "patch": {"summary": "a"}}, {"event_id": "E2", "patch": {"summary": "b"}}]
    columns = {"Event": "event_id", "Title": "patch.summary"}
    lines: list[list[Any]] = [["E1", "a", ""], ["E2", "b"], ["", None]]
    assert rows_from_table([["Event", "Title", ""], *lines], columns) == expected
    assert rows_from_table([tuple(line) for line in lines], columns, headings=("Event", "Title")) == expected
    assert rows_from_table([], columns) == []


VALUES = [
    ("patch.summary", 42.0, 42),
    ("patch.summary", Decimal("1.50"), "1.50"),
    ("patch.isAllDay", True, True),
    ("patch.start", dt.date(2027, 3, 2), "2027-03-02"),
    ("patch.start", dt.datetime(2027, 3, 2, 10, tzinfo=dt.UTC), "2027-03-02T10:00:00+00:00"),
    ("patch.start", dt.datetime.fromisoformat("2027-03-02T10:00"), "2027-03-02T10:00:00"),
    (
        "patch.start",
        dt.datetime(2027, 3, 2, 10, tzinfo=ZoneInfo(ZONE)),
        {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": ZONE},
    ),
    ("patch.reminders", "15; 60\n90", ["15", "60", "90"]),
    ("patch.reminders", 15.0, [15]),
    ("patch.attendees", "u1, u2;lin@example.com;", ["u1", "u2", "lin@example.com"]),
    ("patch.attendees", ("u1", None, 7), ["u1", "7"]),
    ("patch.attendees", "u1\uff1bu2\uff0cu3\u3001u4", ["u1", "u2", "u3", "u4"]),
    ("patch.recurrence", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4", "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=4"),
    ("patch.location.displayName", " 4F ", "4F"),
]


@pytest.mark.parametrize(("path", "value", "expected"), VALUES, ids=range(len(VALUES)))
def test_what_a_cell_may_hold(path: str, value: Any, expected: Any) -> None:
    """Texts, numbers, dates, times and lists of a table are what a patch takes, as JSON."""
    row = one({"Event": "event_id", "X": path, "Also": "patch.description"}, {"Event": 7, "X": value, "Also": "x"})
    assert row["event_id"] == "7"
    found = row["patch"]
    for name in path.split(".")[1:]:
        found = found[name]
    assert found == expected
    assert type(found) is type(expected)


class Missing:
    """What pandas writes where there is nothing: it equals not even itself, and is no truth."""

    def __ne__(self, other: object) -> Any:
        """Compare as pandas does."""
        raise TypeError("boolean value of NA is ambiguous")

    __hash__ = None  # type: ignore[assignment]


Missing.__name__ = "NAType"


@pytest.mark.parametrize(
    "blank", ["", " \t", None, float("nan"), Decimal("nan"), Missing(), [], ["", None]], ids=range(8)
)
def test_a_blank_cell_changes_nothing(blank: Any) -> None:
    """What is blank in a table clears no field."""
    columns = {"Event": "event_id", "Title": "patch.summary", "Text": "patch.description"}
    assert one(columns, {"Event": "E", "Title": "x", "Text": blank}) == {"event_id": "E", "patch": {"summary": "x"}}
    assert rows_from_table([{"Event": "E", "Title": blank, "Text": blank}], columns) == []


def test_a_field_is_cleared_only_by_a_word() -> None:
    """A field is emptied by the text that somebody has named for it, or by its name in a column for ``clear``."""
    columns = {"Event": "event_id", "Text": "patch.description", "Where": "patch.location", "Empty": "clear"}
    assert one(columns, {"Event": "E", "Text": "-", "Where": "", "Empty": ""}, clear_text="-") == {
        "event_id": "E",
        "clear": ["description"],
    }
    assert one(columns, {"Event": "E", "Text": "-", "Where": "4F", "Empty": "reminders"}) == {
        "event_id": "E",
        "patch": {"description": "-", "location": "4F"},
        "clear": ["reminders"],
    }
    both = one(columns, {"Event": "E", "Text": "-", "Where": "4F", "Empty": "reminders,categories"}, clear_text="-")
    assert sorted(both["clear"]) == ["categories", "description", "reminders"]
    (problem,) = problems([{"Event": "E", "At": "-"}], {"Event": "event_id", "At": "patch.start"}, clear_text="-")
    assert problem.startswith('line 2, column "At": cannot be emptied')


ACTIONS: list[tuple[str, dict[str, str], dict[str, Any], dict[str, Any]]] = [
    (
        "create",
        {"Title": "event.summary", "From": "event.start", "Name": "name", "Group": "group"},
        {"Title": "x", "From": "2027-03-02", "Name": "kick-off", "Group": "1"},
        {"event": {"summary": "x", "start": "2027-03-02"}, "name": "kick-off", "group": "1"},
    ),
    (
        "create",
        {"T": "patch.summary", "S": "patch.start"},
        {"T": "x", "S": "2027-03-02"},
        {"event": {"summary": "x", "start": "2027-03-02"}},
    ),
    (
        "delete",
        {"E": "event_id", "Tell": "push_notification"},
        {"E": "E", "Tell": "FALSE"},
        {"event_id": "E", "push_notification": False},
    ),
    (
        "add_attendees",
        {"E": "event_id", "Who": "attendees"},
        {"E": "E", "Who": "u1;u2"},
        {"event_id": "E", "attendees": ["u1", "u2"]},
    ),
    (
        "remove_attendees",
        {"E": "event_id", "Who": "attendees"},
        {"E": "E", "Who": "u1"},
        {"event_id": "E", "attendees": ["u1"]},
    ),
    (
        "add_rooms",
        {"E": "event_id", "R": "room_ids"},
        {"E": "E", "R": "r1,r2"},
        {"event_id": "E", "room_ids": ["r1", "r2"]},
    ),
    ("remove_rooms", {"E": "event_id", "R": "room_ids"}, {"E": "E", "R": 12}, {"event_id": "E", "room_ids": ["12"]}),
    (
        "respond",
        {"E": "event_id", "Me": "union_id", "Answer": "response_status"},
        {"E": "E", "Me": "u1", "Answer": "accepted"},
        {"event_id": "E", "union_id": "u1", "response_status": "accepted"},
    ),
    (
        "add_rooms",
        {"New": "event_id.created_by", "R": "room_ids", "Group": "group"},
        {"New": "kick-off", "R": "r1", "Group": "1"},
        {"event_id": {"created_by": "kick-off"}, "room_ids": ["r1"], "group": "1"},
    ),
]


@pytest.mark.parametrize(("action", "columns", "cells", "row"), ACTIONS, ids=range(len(ACTIONS)))
def test_every_action_has_rows(
    action: str, columns: dict[str, Any], cells: dict[str, Any], row: dict[str, Any]
) -> None:
    """What is done stands for the whole table, or in a column of its own; each action has its members."""
    assert one(columns, cells, action=action) == {"action": action, **row}
    assert one({**columns, "Do": "action"}, {**cells, "Do": f" {action} "}) == {"action": action, **row}


def test_a_column_serves_patches_and_new_events() -> None:
    """In a table that changes some events and creates others, one column has the titles of both."""
    columns = {"Do": "action", "Event": "event_id", "Title": "patch.summary", "Start": "patch.start"}
    rows = rows_from_table(
        [("", "E", "a", None), ("create", "", "b", "2027-03-02T10:00")], columns, headings=list(columns), timezone=ZONE
    )
    assert rows == [
        {"event_id": "E", "patch": {"summary": "a"}, "timezone": ZONE},
        {"event": {"summary": "b", "start": "2027-03-02T10:00"}, "action": "create", "timezone": ZONE},
    ]


def test_what_is_wrong_is_said_by_line_and_column() -> None:
    """All that is wrong is found at once, and named as a person finds it in the table."""
    with pytest.raises(InvalidInputError) as caught:
        read(
            "Event,Title,Start,End,Remarks\n"
            "E1,ok,soon,2027-03-02T11:00,\n"
            '"E2\n",ok,,"2027-13-01",\n'
            ",ok,,,\n"
            "E1,again,,,\n"
            f"E4,{'x' * 2100},,,\n",
            timezone=ZONE,
        )
    assert [str(problem).split(";")[0] for problem in caught.value.problems] == [
        'line 2, column "Start": must be an ISO 8601 date and time, like 2027-03-02T10:00:00+08:00',
        'line 4, column "End": must be a date, yyyy-MM-dd',
        'line 5, column "Event": has no event_id, which the action patch needs',
        'line 7, column "Title": has more than 2048 characters',
        'line 6, column "Event": is the event of line 2 again',
    ]


def test_lines_are_counted_from_where_the_table_begins() -> None:
    """Of other tables than CSV files, somebody says which line the first one is."""
    columns = {"E": "event_id", "S": "patch.start"}
    (problem,) = problems([["E", "secret"]], columns, headings=["E", "S"], first_line=1)
    assert problem.startswith('line 1, column "S": ')
    (problem,) = problems([["E", "S"], ["E", "2027-03-02"], ["F", "secret"]], columns)
    assert problem.startswith('line 3, column "S": ')


def test_problems_are_bounded() -> None:
    """A table that is wrong throughout names 20 places, and counts the others."""
    *first, more = problems([{"E": f"E{n}", "S": "secret"} for n in range(50)], {"E": "event_id", "S": "patch.start"})
    assert len(first) == 20
    assert first[0].startswith('line 2, column "S": ')
    assert more == "records: 30 more problems"


E, S, W = {"E": "event_id"}, {"S": "patch.start"}, {"W": "attendees"}
WRONG: list[tuple[Any, Any, dict[str, Any], str]] = [
    ([], {}, {}, "columns: must name a member of a row for each column"),
    ([], ["E"], {}, "columns: must name a member"),
    ([], {"E": "eventid"}, {}, 'column "E": cannot be eventid; did you mean event_id?'),
    ([], {"E": "summary"}, {}, 'column "E": cannot be summary'),
    ([], {"E": "event_id.id.", "F": None}, {}, 'column "E": cannot be event_id.id.'),
    ([], {"G": "group.name"}, {}, 'column "G": cannot be group.name: group has nothing in it'),
    ([], {"A": "patch.is_all_day", "B": "patch.isAllDay"}, {}, 'column "B": is the same member of a row as column "A"'),
    ([], {"A": "patch.start", "B": "patch.start.date"}, {}, 'column "B": is the same member of a row as column "A"'),
    ("secret", E, {}, "records: must be a list of lines, not text"),
    ({"E": "secret"}, E, {}, "records: must be a list of lines, not a mapping"),
    (["secret"], E, {}, "line 2: must be a mapping by heading, or a list of cells"),
    ([{"E": "E", "Title": "secret"}], E, {}, 'column "Title": is not in columns: name the member'),
    ([{"E": "E"}], {**E, "Titel": "patch.summary"}, {}, 'column "Titel": is not in the table'),
    ([["E", "E"]], E, {}, 'column "E": is there twice'),
    ([["E"], ["E", "secret"]], E, {}, "line 2: has a cell without a heading"),
    ([{"E": "E", None: ["secret"]}], E, {}, "line 2: has a cell without a heading"),
    ([], E, {"action": "patches"}, "action: is not an action; did you mean patch?"),
    ([], E, {"timezone": "Shanghai"}, "timezone: "),
    (
        [{"E": "E", "A": "secret"}],
        {**E, "A": "action"},
        {},
        'line 2, column "A": is not an action; known: add_attendees',
    ),
    ([{"E": "E", **W}], {**E, **W}, {}, 'line 2, column "W": the action patch does not take attendees: leave it blank'),
    ([{"E": "E", "W": ""}], {**E, **W}, {"action": "add_attendees"}, 'line 2, column "W": has no attendees, which'),
    ([{"W": "u"}], W, {"action": "add_attendees"}, "line 2: has no event_id, which the action add_attendees needs"),
    ([{"T": "x"}], {"T": "event.summary"}, {"action": "create"}, "line 2: is required"),
    ([{"E": "E", "P": "no"}], {**E, "P": "push_notification"}, {"action": "delete"}, "must be true or false"),
    ([{"E": "E", "S": dt.time(9)}], {**E, **S}, {}, 'line 2, column "S": must be text, a number, a date or a time'),
    ([{"E": "E", "S": float("inf")}], {**E, **S}, {}, 'line 2, column "S": must be text, a number'),
    ([{"E": "E", "S": "None"}], {**E, **S}, {}, 'line 2, column "S": is blank, or the word None'),
    ([{"E": "E", "W": "lin@example.com"}], {**E, **W}, {"action": "add_attendees"}, "which only a patch accepts"),
    (
        [{"E": "E", "W": "u;lin@example.com"}],
        {**E, **W},
        {"action": "remove_attendees"},
        "person 2 of 2 is an email address",
    ),
    ([{"E": "E", "W": "x"}], {**E, **W}, {"action": "add_attendees", "people": ["x"]}, "people: must find unionIds"),
    (
        [{"E": "E", "W": "x;y"}],
        {**E, **W},
        {"action": "add_attendees", "people": {"x": "u"}},
        "person 2 of 2 is not among",
    ),
]


@pytest.mark.parametrize(("records", "columns", "options", "text"), WRONG, ids=range(len(WRONG)))
def test_what_makes_no_rows_is_refused(records: Any, columns: Any, options: dict[str, Any], text: str) -> None:
    """What is wrong with the table or with what is said of it is named with a remedy, never with what is in a cell."""
    found = problems(records, columns, **options)
    assert any(text in problem for problem in found), found


def test_the_zone_may_be_the_operators() -> None:
    """A time without zone or offset is left to the zone of the operator, unless the table is given one."""
    columns = {"E": "event_id", "S": "patch.start", "Z": "timezone"}
    assert "timezone" not in one(columns, {"E": "E", "S": "2027-03-02T10:00", "Z": ""})
    assert (
        one(columns, {"E": "E", "S": "2027-03-02T10:00", "Z": "Europe/Berlin"}, timezone=ZONE)["timezone"]
        == "Europe/Berlin"
    )
    # In Berlin the clocks skip that hour.
    (problem,) = problems([{"E": "E", "S": "2027-03-28T02:30", "Z": "Europe/Berlin"}], columns)
    assert "clocks skip" in problem


def test_people_are_found_by_staff_id_once(sample: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """Each person of a table is asked for once, by calls that the log counts; mail addresses of a patch stay."""
    caplog.set_level(logging.INFO)
    columns = {"E": "event_id", "By": "union_id", "Who": "patch.attendees"}
    cells = [
        (REVIEW, "lin-yue", "lin-yue; chen-bo; okafor@example.com"),
        (DEMO, "wang-min", "wang-min\nlin-yue"),
    ]
    with DingTalkCalendarHook() as hook:
        rows = rows_from_table(cells, columns, headings=list(columns), people=hook.resolve_staff_ids)
    assert [(row["union_id"], row["patch"]["attendees"]) for row in rows] == [
        (LIN, [LIN, CHEN, "okafor@example.com"]),
        (WANG, [WANG, LIN]),
    ]
    asked = [request for request in sample.requests if "user/get" in request["path"]]
    assert len(asked) == 3
    assert "3 of 3 people found by staff id with 3 calls, not metered." in caplog.messages


@pytest.mark.parametrize("unknown_staff", ["60121", "33012"])
def test_people_that_nobody_knows_are_named_by_line(sample: Emulator, unknown_staff: str) -> None:
    """Staff ids that DingTalk does not know are found all at once, by line and column."""
    sample.configure(unknown_staff=unknown_staff)
    columns = {"E": "event_id", "Who": "attendees"}
    lines = [{"E": "A", "Who": "lin-yue,secret-1"}, {"E": "B", "Who": "secret-2"}]
    with DingTalkCalendarHook() as hook:
        found = problems(lines, columns, action="add_attendees", people=hook.resolve_staff_ids)
    assert found == [
        'line 2, column "Who": person 2 of 2 is not among those whom people finds: check how the person is written',
        'line 3, column "Who": is not among those whom people finds: check how the person is written',
    ]


def test_a_table_that_is_wrong_asks_for_nobody(sample: Emulator) -> None:
    """People are resolved only when everything else is right."""
    columns = {"E": "event_id", "Who": "patch.attendees", "S": "patch.start"}
    with DingTalkCalendarHook() as hook:
        problems([{"E": "E", "Who": "lin-yue", "S": "secret"}], columns, people=hook.resolve_staff_ids)
    assert sample.requests == []


def test_people_of_a_mapping() -> None:
    """A mapping of one's own finds people as well, by mail address too, and asks nobody."""
    columns = {"E": "event_id", "Who": "attendees"}
    row = one(
        columns,
        {"E": "E", "Who": "lin@example.com;7"},
        action="add_attendees",
        people={"lin@example.com": LIN, "7": CHEN},
    )
    assert row["attendees"] == [LIN, CHEN]


def test_staff_ids_are_resolved_by_coroutines_too(sample: Emulator) -> None:
    """The hook's method for coroutines finds the same people, leaves out unknown ones, and refuses a text."""

    async def resolve(staff_ids: Any) -> Any:
        async with DingTalkCalendarHook() as hook:
            return await hook.aresolve_staff_ids(staff_ids)

    assert asyncio.run(resolve(["chen-bo", "nobody", "chen-bo"])) == {"chen-bo": CHEN}
    with pytest.raises(InvalidInputError, match="user_ids: must be a list"):
        asyncio.run(resolve("chen-bo"))


CELLS = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.decimals(),
    st.binary(max_size=3),
    st.lists(st.one_of(st.none(), st.text(max_size=3), st.integers()), max_size=3),
)
PATHS = ["patch.summary", "patch.start", "patch.attendees", "patch.reminders", "clear", "union_id", "group", "action"]


@given(st.lists(st.tuples(CELLS, *(CELLS for _ in PATHS)), max_size=4))
def test_any_table_makes_rows_or_problems(lines: list[tuple[Any, ...]]) -> None:
    """Whatever is in the cells, the rows are JSON, or all problems have a line."""
    columns = {"event": "event_id", **{path: path for path in PATHS}}
    try:
        rows = rows_from_table(lines, columns, headings=list(columns), timezone=ZONE)
    except InvalidInputError as error:
        assert all(problem.path.startswith(("line ", "records")) for problem in error.problems)
    else:
        json.dumps(rows, allow_nan=False)
        assert all(row.get("event_id") for row in rows if row.get("action") != "create")


def test_a_refused_search_is_an_error() -> None:
    """Where the app may not search people, the error says so, and no person is called unknown."""

    def refuse(_: list[str]) -> dict[str, str]:
        raise PermissionDeniedError("no")

    with pytest.raises(PermissionDeniedError):
        rows_from_table([{"W": "x", "E": "E"}], {**E, **W}, action="add_attendees", people=refuse)
