"""The Markdown that a person reads before a plan is approved: it says what changes, and nothing else gets into it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans.apply import ApplyOptions
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.plans.report import preview_plan
from airflow_dingtalk_calendar.plans.review import (
    MAX_REVIEW_BYTES,
    MAX_SHOWN_CHARACTERS,
    TABLE_HEAD,
    TAIL_BYTES,
    code_span,
)
from tests.airflow_runs import Ti

if TYPE_CHECKING:
    from markdown_it.token import Token

TITLES: list[str] = json.loads(
    (Path(__file__).parent.parent / "data" / "hostile_titles.json").read_text(encoding="utf-8")
)
TIME = {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
PEOPLE = [{"id": "iiPLin"}, {"id": "iiPChen"}]
# What a page of ours consists of.
EXPECTED = {"paragraph", "bullet_list", "list_item", "table", "thead", "tbody", "tr", "th", "td"}
GITHUB = MarkdownIt("commonmark", {"html": True, "linkify": True}).enable(["table", "strikethrough", "linkify"])
# Texts that are more often than not something in Markdown.
TEXTS = st.lists(
    st.one_of(st.sampled_from([*"`|\\[]()<>*_~#!&\n -", "``", "www.", "http://", "a@b.c"]), st.text())
).map("".join)


def event(title: Any, **fields: Any) -> dict[str, Any]:
    """Make an event as it was read."""
    return {"id": "E", "summary": title, "start": TIME, "end": TIME, "attendees": PEOPLE, **fields}


def review(*rows: dict[str, Any]) -> str:
    """Return the Markdown of a plan."""
    plan = parse_plan(list(rows), union_id="iiPWang", timezone="Asia/Shanghai")
    return str(preview_plan(plan.rows, ApplyOptions(lambda *_: "token"))["markdown"])


def retitle(title: Any, number: int = 0, **fields: Any) -> dict[str, Any]:
    """Make a row that gives an event another title."""
    changed = {"summary": "New", "location": "5F"}
    return {"event_id": f"E{number}", "patch": changed, "event": event(title, **fields)}


def table(text: str) -> list[list[str]]:
    """Render a page and return its table as people see it; there is nothing that is not expected."""
    tokens = GITHUB.parse(text)
    assert {token.type.removesuffix("_open").removesuffix("_close") for token in tokens} <= {*EXPECTED, "inline"}
    rows: list[list[str]] = []
    for before, token in pairwise(tokens):
        if token.type == "tr_open":
            rows.append([])
        elif before.type in ("th_open", "td_open"):
            rows[-1].append("".join(parts(token)))
    return rows


def parts(token: Token) -> Iterator[str]:
    """Return the texts of a cell, which is plain text and code."""
    for child in token.children or ():
        assert child.type in ("text", "code_inline"), child
        yield child.content


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_a_title_is_shown_as_text(title: str) -> None:
    """A hostile title makes no link, image, HTML, emphasis, and no column or row of the table."""
    text = review(retitle(title, location={"displayName": title}), {"action": "delete", "event_id": "E1"})
    shown = table(text)
    assert [row[2:] for row in shown] == [
        ["action", "change"],
        ["patch", shown[1][3]],
        ["", shown[2][3]],
        ["delete", "the event is cancelled, or leaves the calendar of an attendee"],
    ]
    assert shown[1][3].startswith("summary: ")
    assert shown[1][3].endswith(" -> New")
    assert shown[2][3].startswith("location: ")
    assert all(character.isprintable() for character in text.replace("\n", ""))


@given(TEXTS)
def test_any_text_is_one_code_span(text: str) -> None:
    """Whatever a text has, a cell with it is one piece of code, with the words that people can see."""
    shown = table("\n".join([*TABLE_HEAD, f"| {code_span(text)} | `2` | 3 | `4` |"]))
    assert [row[1:] for row in shown[1:]] == [["2", "3", "4"]]
    assert len(shown[1][0]) <= 2 * MAX_SHOWN_CHARACTERS
    words = "".join(character for character in text if character.isascii() and character.isalnum())
    if text.isascii() and text.isprintable() and len(text) < MAX_SHOWN_CHARACTERS and "\\|" not in text:
        assert shown[1][0] == (" ".join(text.split()) or "(nothing)")
        assert "".join(character for character in shown[1][0] if character.isalnum()) == words or not words


def test_what_nobody_sees_is_shown_by_its_number() -> None:
    """Controls of the direction of writing, characters without a form, and heaps of marks are visible as numbers."""
    assert code_span("a\u202eb") == "`a<U+202E>b`"
    assert code_span("\u200b\U000e0041\u3164\x00\ud83d") == "`<U+200B><U+E0041><U+3164><U+0000><U+D83D>`"
    assert code_span("e\u0301\u0301\u0301\u0301\u0301") == "`e\u0301\u0301\u0301\u0301<U+0301>`"
    assert code_span("❤\ufe0f e\u0301 设计 עברית") == "`❤ e\u0301 设计 עברית`"


def test_every_action_has_its_lines() -> None:
    """A table says for each field what changes, and names new events, groups, and the rows that go together."""
    kickoff = {"summary": "Kickoff", "start": "2027-03-03T09:00", "end": "2027-03-03T10:00"}
    made = {"event_id": {"created_by": "kickoff"}, "group": "g"}
    text = review(
        {"action": "create", "event": kickoff, "name": "kickoff", "group": "g"},
        {"action": "add_rooms", "room_ids": ["R1"], **made},
        {"action": "add_attendees", "attendees": ["iiPLin"], **made},
        {"action": "respond", "event_id": "E1", "response_status": "accepted", "event": event("Review")},
        {"event_id": "E2", "patch": {"summary": "New", "reminders": [15]}},
        {"event_id": "E3", "patch": None},
        {"event_id": "E4", "patch": {"summary": "New"}, "event": event("New")},
    )
    named = "create, named kickoff, group g"
    assert table(text)[1:] == [
        ["Kickoff", "2027-03-03 09:00 (Asia/Shanghai)", named, "a new event"],
        ["", "", "", "summary: (nothing) -> Kickoff"],
        ["", "", "", "start: (nothing) -> 2027-03-03 09:00 (Asia/Shanghai)"],
        ["", "", "", "end: (nothing) -> 2027-03-03 10:00 (Asia/Shanghai)"],
        ["created by kickoff", "unknown", "add_rooms, group g", "meeting rooms: + R1"],
        ["created by kickoff", "unknown", "add_attendees, group g", "attendees: + iiPLin"],
        ["Review", "2027-03-02 10:00 (Asia/Shanghai)", "respond", "response: -> accepted"],
        ["E2", "unknown", "patch", 'summary: -> "New"'],
        ["", "", "", 'reminders: -> [{"method": "dingtalk", "minutes": 15}]'],
        ["E3", "unknown", "patch", "nothing"],
        ["New", "2027-03-02 10:00 (Asia/Shanghai)", "patch", "nothing: the event is so already"],
    ]
    assert text.startswith("Rows: 7 (1 create, 1 add_rooms, 1 add_attendees, 1 respond, 3 patch). Notices to about ")


def test_a_long_plan_says_what_is_not_shown() -> None:
    """At most 50,000 bytes are written, then how many more rows there are, with the counts of all."""
    rows = [{**retitle("评审" * 200, number)} for number in range(2000)]
    text = review(*rows)
    whole = len(table(text)) // 2
    assert MAX_REVIEW_BYTES - TAIL_BYTES - 4000 < len(text.encode()) <= MAX_REVIEW_BYTES
    assert text.endswith(
        f"\n\nand {2000 - whole:,} more rows, not shown here or not wholly. Rows: 2,000 (2,000 patch)."
    )
    assert len(review(*rows[:5]).encode()) < MAX_REVIEW_BYTES / 4
    assert "more rows" not in review(*rows[:5])


def test_a_row_with_very_many_fields_is_cut() -> None:
    """A row that alone is too long is shown in part, and counted among those that are not shown wholly."""
    fields = {f"field{number}": "x" * 200 for number in range(1000)}
    text = review({"event_id": "E", "patch": {"summary": "New"}, "unchecked_fields": fields}, retitle("Review", 1))
    assert len(text.encode()) <= MAX_REVIEW_BYTES
    assert len(table(text)) > 100
    assert "and 2 more rows, not shown here or not wholly. Rows: 2 (2 patch)." in text


def test_an_event_without_a_title_has_its_id() -> None:
    """An event whose title is blank or absent is named by its id."""
    assert [row[0] for row in table(review(retitle("  ", 1), retitle(None, 2))) if row[0]] == ["event", "E1", "E2"]


def test_an_empty_plan_says_so() -> None:
    """A plan without rows has no table."""
    assert review() == "The plan is empty: nothing to do."


def test_cautions_stand_before_the_table() -> None:
    """What is uncertain about rows is said once for each kind, before what changes."""
    rows = [{**retitle("Review", number), "patch": {"attendees": ["iiPLin"]}} for number in range(3)]
    before, _, after = review(*rows).partition(TABLE_HEAD[0])
    assert before.count("- `plan[0].patch.attendees") == 1
    assert "(and 2 more rows)" in before
    assert "Cautions" not in after


def test_a_dry_run_pushes_the_table(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """The table is in an XCom of its own, which an approval task takes as its body, and nothing is sent."""
    connect()
    ti = Ti()
    context: Any = {"ti": ti}
    preview = DingTalkCalendarApplyPlanOperator(task_id="t", union_id="iiPWang", plan=[retitle("A|B")], dry_run=True)
    shown = preview.execute(context)
    assert ti.pushed == {"markdown": shown["markdown"]}
    assert "`A\\|B`" in shown["markdown"]
    assert dingtalk.requests == []
