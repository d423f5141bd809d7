"""Reading a plan: defaults, every problem at once, and what makes two plans the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.validation_errors import MAX_PROBLEMS
from airflow_dingtalk_calendar.plans.plan import parse_plan

Json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def row(event_id: str = "E", **members: Any) -> dict[str, Any]:
    """Make a row of a plan."""
    return {"event_id": event_id, "patch": {"summary": "New"}, **members}


def problems(*rows: Any, **defaults: Any) -> list[str]:
    """Return what is said of a plan that is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        parse_plan(rows, **{"union_id": "u", **defaults})
    return [str(problem) for problem in caught.value.problems]


def test_a_row_takes_what_it_lacks_from_the_operator() -> None:
    """Ids and time zone are the row's own, or else those given for all."""
    times = {"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}
    own = row("E2", patch=times, union_id="v", calendar_id="c", timezone="Asia/Tokyo")
    plan = parse_plan([row("E1", patch=times, union_id=None), own], union_id="u", timezone="Asia/Shanghai")
    first, second = plan.rows
    assert (first.union_id, first.calendar_id, first.event_id) == ("u", "primary", "E1")
    assert (second.union_id, second.calendar_id, second.event_id) == ("v", "c", "E2")
    assert [one.change.body["start"]["timeZone"] for one in (first, second)] == ["Asia/Shanghai", "Asia/Tokyo"]
    assert first.change.make_calls(first.target())[0].json["id"] == "E1"


def test_a_row_has_what_a_patch_may_have() -> None:
    """Fields can be emptied and passed through unchecked, in each row."""
    (read,) = parse_plan([row(patch={}, clear=["description"], unchecked_fields={"newField": 1})], union_id="u").rows
    assert read.change.body == {"description": "", "newField": 1}
    assert read.fields == ["description", "newField"]


def test_every_bad_row_is_named_by_index_and_path() -> None:
    """All problems of all rows come in one error, each with the place in the plan, none with a value."""
    assert problems(
        row("E0", patch={"sumary": "secret"}),
        row("E1"),
        row("E2", patch={"start": "2027-03-02T10:00"}),
        {"patch": {"summary": "x"}},
        "E4",
        row("E5", evnt={}),
        row("E6", patch={"description": " "}),
        row("E7", if_updated_at="yesterday", event="E7"),
        {"event_id": "E8"},
        row("E9", patch='{"id": "E8", "summary": "x"}'),
        row("E10", unchecked_fields="{"),
    ) == [
        "plan[0].patch.sumary: is not a field; did you mean summary?",
        "plan[2].patch.start: needs a time zone: give timeZone, or the timezone argument",
        "plan[3].event_id: is absent: give it in the row",
        "plan[4]: must be a mapping, such as one with event_id and patch",
        "plan[5]: has no place for evnt in the action patch; did you mean event?; what to change belongs into patch",
        "plan[6].patch.description: is blank, or the word None; name the field in clear=[…] to empty it, or leave "
        "it out",
        "plan[7].if_updated_at: must be an ISO 8601 date and time, like 2027-03-02T10:00:00+08:00",
        "plan[7].event: must be a mapping: the event as it was read",
        "plan[8].patch: is absent: give it in the row; None changes nothing",
        "plan[9].patch.id: is another event's id than event_id; leave it out",
        "plan[10].unchecked_fields: is not JSON (line 1, column 2); a mapping or list that a template renders needs "
        "| tojson",
    ]


def test_a_plan_that_is_wrong_throughout_is_not_listed_in_full() -> None:
    """The first twenty problems are listed, then how many more there are."""
    said = problems(*(row(f"E{n}", patch={}) for n in range(50)))
    assert len(said) == 21
    assert said[0] == "plan[0].patch: names nothing to change"
    assert said[-1] == "plan: 30 more problems"


def test_an_event_has_one_row() -> None:
    """A second row for an event is refused, naming both."""
    assert problems(row("E"), row("F"), row("E", union_id="v")) == [
        "plan[2].event_id: is the event of plan[0] again; put both changes into one patch"
    ]


def test_without_an_organizer_there_is_no_request() -> None:
    """A row that has no union_id where the operator has none either is refused."""
    assert problems(row(), union_id=None) == [
        "plan[0].union_id: is absent: give it in the row, or to the operator for all rows"
    ]


def test_the_digest_is_of_what_is_asked_for() -> None:
    """The same plan has the same digest, and another order of members does not matter; another request does."""
    plans = [
        [row("E"), row("F")],
        [dict(reversed(list(row("E").items()))), row("F", event={"id": "F"})],
        [row("F"), row("E")],
        [row("E"), row("F", patch={"summary": "Newer"})],
        [row("E"), row("F", if_updated_at="2027-03-02T10:00:00Z")],
    ]
    digests = [parse_plan(rows, union_id="u").digest() for rows in plans]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


@given(st.lists(Json, max_size=3))
def test_whatever_is_no_plan_is_refused_in_our_words(rows: list[Any]) -> None:
    """No JSON makes anything but rows or an error that names places in the plan."""
    try:
        read = parse_plan(rows, union_id="u").rows
    except InvalidInputError as error:
        *named, last = error.problems
        assert all(problem.path.startswith("plan[") for problem in named)
        assert last.path.startswith("plan[") or (last.path == "plan" and len(named) == MAX_PROBLEMS)
    else:
        assert len(read) == len(rows)
        assert json.dumps([one.key for one in read])
