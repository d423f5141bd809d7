"""Lists that fit XCom: fields, attendees, a search, the size said, and a file instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException, ObjectStoragePath

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.models.event_selection import ANSWER_FIELDS, has_text
from tests.airflow_runs import Run
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.operators.test_all_operators import List, execute

WINDOW = {"time_min": "2027-01-01T00:00:00Z", "time_max": "2027-12-01T00:00:00Z"}
VIEWS = pytest.mark.parametrize("view", [WINDOW, {**WINDOW, "expand": True}], ids=["list", "view"])


@pytest.fixture
def crowd(dingtalk: Emulator) -> Emulator:
    """DingTalk with one event of 90 people, and some more events."""
    people = [{"id": f"p{number}", "responseStatus": "accepted"} for number in range(90)]
    users = [*DATA["users"], *({"unionId": one["id"], "name": f"Person {one['id']}"} for one in people)]
    events = [
        event(attendees=people),
        event("lunch", summary="Lunch", description="", location={"displayName": "Canteen"}),
        event("talk", summary="A talk", description="About lunch", location={"displayName": "Room 2"}),
    ]
    dingtalk.reset({**DATA, "users": users, "events": events})
    return dingtalk


# -- fields and attendees -------------------------------------------------------------------------------------


@VIEWS
def test_only_the_fields_asked_for(view: dict[str, Any], crowd: Emulator) -> None:
    """With ``fields``, in either notation, an event has its id and those that it has of them."""
    for fields in (["summary", "isAllDay"], ["summary", "is_all_day"], '["summary", "is_all_day"]'):
        found = execute(List, **view, fields=fields, summary_contains="lunch")
        assert [(one["id"], one.keys()) for one in found] == [("lunch", {"id", "summary", "isAllDay"})]


def test_filters_see_fields_that_are_not_returned(crowd: Emulator) -> None:
    """A filter is applied to the whole event, whatever is returned of it."""
    assert execute(List, **WINDOW, fields=["start"], search="canteen", organizer_id=ORGANIZER)[0].keys() == {
        "id",
        "start",
    }


@VIEWS
def test_attendees_are_bounded(view: dict[str, Any], crowd: Emulator) -> None:
    """With ``max_attendees``, DingTalk sends no more people of each event, which makes the result small."""
    whole = execute(List, **view, summary_contains="planning")
    few = execute(List, **view, summary_contains="planning", max_attendees="2")
    assert [len(one["attendees"]) for one in (*whole, *few)] == [90, 2]
    assert len(json.dumps(few)) < len(json.dumps(whole)) / 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"fields": ["title"]}, r"fields\[0\]: is no field that DingTalk answers with; known: id, status, summary"),
        ({"fields": ["summary", 5]}, r"fields\[1\]: is no field"),
        ({"fields": []}, "fields: must not be empty"),
        ({"fields": "summary"}, "fields: must be a list or the JSON text of one"),
        ({"max_attendees": 101}, "max_attendees: must be from 1 to 100"),
        ({"max_attendees": "few"}, "max_attendees: "),
        ({"search": " "}, "search: is blank"),
        (
            {"to_file": "nowhere://events.jsonl"},
            r"to_file: is not a location supported by Airflow's object storage \(Value",
        ),
        ({"to_file": " "}, "to_file: must be a URL, or a path"),
        ({"to_file": 5}, "to_file: must be a URL, or a path"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], problem: str, crowd: Emulator) -> None:
    """What cannot be is refused before anything is sent."""
    with pytest.raises(AirflowFailException, match=problem):
        execute(List, **WINDOW, **arguments)
    assert crowd.effects["calls"] == {}


def test_the_fields_are_those_of_answers(crowd: Emulator) -> None:
    """Every member that the emulator answers with can be asked for."""
    crowd.reset({**DATA, "events": [event(recurrence={"pattern": {"type": "daily", "interval": 1}})]})
    found = [*execute(List, **WINDOW), *execute(List, **WINDOW, expand=True)]
    assert {name for one in found for name in one} <= set(ANSWER_FIELDS)


# -- search ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "ids"),
    [
        ("LUNCH", {"lunch", "talk"}),
        ("about lunch", {"talk"}),
        ("room", {EVENT, "talk"}),
        ("Person p7", {EVENT}),
        ("Lin", {EVENT, "lunch", "talk"}),
        ("nothing of the kind", set()),
    ],
)
def test_a_search(search: str, ids: set[str], crowd: Emulator) -> None:
    """A text is searched in title, description, place and people, in capitals or not."""
    assert {one["id"] for one in execute(List, **WINDOW, search=search)} == ids
    assert crowd.effects["calls"] == {"ListEvents": 1}


def test_a_search_in_rooms_and_odd_events() -> None:
    """The names of booked rooms count, and an event of another shape is searched as far as it can be."""
    assert has_text({"meetingRooms": [{"displayName": "Plum"}]}, "plum")
    odd = {"summary": 5, "location": ["plum"], "attendees": ["plum", {"displayName": None}], "organizer": "plum"}
    assert not has_text(odd, "plum")


# -- size -----------------------------------------------------------------------------------------------------


def test_the_size_is_said(crowd: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The log says how many bytes the result has."""
    size = len(json.dumps(execute(List, **WINDOW)))
    assert f"The result has {size} bytes." in said.text
    assert "much for XCom" not in said.text
    assert "xcom_backend" not in said.text


def test_a_large_result_is_warned_of(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Above 1 MB, a warning names what makes it smaller; written to a file it is not warned of."""
    long = "x" * 4900
    dingtalk.reset({**DATA, "events": [event(f"e{number}", description=long) for number in range(230)]})
    execute(List, **WINDOW)
    (warning,) = [record.getMessage() for record in said.records if record.levelname == "WARNING"]
    assert warning.startswith("XCom return_value has 1.")
    assert "or return less: fields, max_attendees, to_file." in warning
    said.clear()
    execute(List, **WINDOW, fields=["summary"])
    assert not [record for record in said.records if record.levelname == "WARNING"]


# -- a file ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_file_has_an_event_a_line(scheme: str, crowd: Emulator, tmp_path: Path) -> None:
    """With ``to_file`` the events are in a file, each in its line, and the path is returned; its folder is made."""
    path = f"{scheme}{tmp_path}/new/events.jsonl"
    assert execute(List, **WINDOW, to_file=path) == path
    lines = ObjectStoragePath(path).read_text().splitlines()
    assert [json.loads(line) for line in lines] == execute(List, **WINDOW)


def test_a_file_is_replaced(crowd: Emulator, tmp_path: Path) -> None:
    """A retry, or the next run, writes the file anew; a list of no events is a file of no lines."""
    path = str(tmp_path / "events.jsonl")
    execute(List, **WINDOW, to_file=path, fields=["summary"])
    assert len(Path(path).read_text().splitlines()) == 3
    execute(List, **WINDOW, to_file=path, search="nothing of the kind")
    assert Path(path).read_text() == ""


def test_a_file_takes_any_text(dingtalk: Emulator, tmp_path: Path) -> None:
    """Titles in any writing, with line breaks, come out of the file as they went in."""
    title = '晨会\u2028\u0085 \U0001f4c5 "quoted"'
    dingtalk.reset({**DATA, "events": [event(summary=title)]})
    path = execute(List, **WINDOW, to_file=str(tmp_path / "events.jsonl"))
    assert [json.loads(line)["summary"] for line in Path(path).read_text().split("\n")[:-1]] == [title]


def test_airflow_runs_it(dag: Callable[..., Run], crowd: Emulator, tmp_path: Path) -> None:
    """In a task, the path is templated, and XCom has it."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator as List
        List(task_id="find", union_id="{ORGANIZER}", to_file="{tmp_path}/{{{{ run_id }}}}.jsonl", **{WINDOW!r})
        """
    )
    (file,) = tmp_path.iterdir()
    assert run.xcom("find") == str(file)
    assert len(file.read_text().splitlines()) == 3
