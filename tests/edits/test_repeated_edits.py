"""Edits that build on the old value: the description, and reminders; and edits that have nothing left to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import edits
from airflow_dingtalk_calendar.edits import add_reminder, append_description, drop_reminder, merge
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import EVENT, ORGANIZER

TIMES = {
    "start": {"dateTime": "2027-03-22T09:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-22T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
}
VIEW = {"privateProperties": {"dingtalkDetailUrl": "dingtalk://dingtalkclient/page/calendar_detail?uniqueId=E"}}


def event(**fields: Any) -> dict[str, Any]:
    """Describe an event as GetEvent returns it."""
    return {"id": "E", "summary": "Planning", **TIMES, **fields}


def reminders(*minutes: str, method: str = "dingtalk") -> list[dict[str, str]]:
    """Write reminders as the service returns them."""
    return [{"method": method, "minutes": one} for one in minutes]


APPENDED = [
    ({}, {"description": "Bring a\nlaptop"}),
    ({"description": ""}, {"description": "Bring a\nlaptop"}),
    ({"description": "Agenda:\n- one\n"}, {"description": "Agenda:\n- one\nBring a\nlaptop"}),
    ({"description": "Bring a"}, {"description": "Bring a\nBring a\nlaptop"}),
    ({"description": "Bring a\r\n  laptop\n"}, None),
    ({"description": "Agenda.\nBring a laptop"}, None),
    ({"description": "Bring a\nlaptop\n\nAgenda"}, None),
    (
        {"richTextDescription": {"text": "<p>Agenda</p>"}},
        {"richTextDescription": {"text": "<p>Agenda</p><p>Bring a<br>laptop</p>"}},
    ),
    (
        {"description": "Agenda", "richTextDescription": {"text": "<b>Agenda</b>"}},
        {
            "description": "Agenda\nBring a\nlaptop",
            "richTextDescription": {"text": "<b>Agenda</b><p>Bring a<br>laptop</p>"},
        },
    ),
    (
        {
            "description": "Agenda",
            "richTextDescription": {"text": "<p>Agenda</p><div>Bring&nbsp;a<br/><i>laptop</i></div>"},
        },
        {"description": "Agenda\nBring a\nlaptop"},
    ),
    ({"description": "Bring a\nlaptop", "richTextDescription": {"text": "Bring a<br>laptop"}}, None),
]


@pytest.mark.parametrize(("fields", "patch"), APPENDED, ids=range(len(APPENDED)))
def test_lines_are_added_once(fields: dict[str, Any], patch: dict[str, Any] | None) -> None:
    """Lines come at the end of the plain and of the rich text, in each unless they stand in it."""
    assert append_description(event(**fields), "  Bring a\nlaptop\n") == patch


def test_a_rich_text_gets_no_markup() -> None:
    """HTML in the lines is shown as it is in a rich text."""
    patch = append_description(event(richTextDescription={"text": "<p>x</p>"}), 'a < b & "c"')
    assert patch == {"richTextDescription": {"text": "<p>x</p><p>a &lt; b &amp; &quot;c&quot;</p>"}}


def test_lines_are_whole_lines() -> None:
    """A part of another line is not the line that is asked for."""
    assert append_description(event(description="Room 42\nbring it"), "Room 4") == {
        "description": "Room 42\nbring it\nRoom 4"
    }


def test_two_additions_do_not_repeat_each_other() -> None:
    """Two edits of the description, made day after day, add both lines once."""
    there = event(description="Agenda")
    for _ in range(3):
        for line in ("Bring a laptop", "Bring water"):
            there = {**there, **(append_description(there, line) or {})}
    assert there["description"] == "Agenda\nBring a laptop\nBring water"


def test_reminders_are_added_and_dropped() -> None:
    """A reminder comes beside the others, or leaves them; what is so already changes nothing."""
    there = event(reminders=reminders("15", "60"))
    assert add_reminder(there, 30) == {
        "reminders": [{"method": "dingtalk", "minutes": minutes} for minutes in (15, 60, 30)]
    }
    assert add_reminder(there, 60) is None
    assert drop_reminder(there, 60) == {"reminders": [{"method": "dingtalk", "minutes": 15}]}
    assert drop_reminder(there, 30) is None
    assert drop_reminder(event(reminders=reminders("15")), 15) == {"reminders": []}
    assert drop_reminder(event(), 15) is None
    assert add_reminder(event(), 0) == {"reminders": [{"method": "dingtalk", "minutes": 0}]}


REFUSED: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: append_description(event(), " \n"), "text", "blank"),
    (lambda: append_description(event(), None), "text", "must be text"),  # type: ignore[arg-type]
    (lambda: append_description(event(description=["secret"]), "x"), "event.description", "must be text"),
    (lambda: append_description(event(richTextDescription={"text": 1}), "x"), "event.richTextDescription", "text"),
    (lambda: append_description(event(description="x" * 4999), "secret"), "patch.description", "5000"),
    (lambda: append_description(event(seriesMasterId="M"), "x"), "event.seriesMasterId", "allow_instance=True"),
    (lambda: add_reminder(event(), -1), "minutes", "0 or more"),
    (lambda: add_reminder(event(), "soon"), "minutes", "integer"),  # type: ignore[arg-type]
    (lambda: add_reminder(event(extendedProperties=VIEW), 5), "event.reminders", "get_event"),
    (lambda: drop_reminder(event(extendedProperties=VIEW), 5), "event.reminders", "get_event"),
    (lambda: add_reminder(event(reminders=reminders("5", method="sms")), 9), "event.reminders", "phone"),
    (lambda: drop_reminder(event(reminders=[{"minutes": "secret"}]), 5), "event.reminders", "with minutes"),
    (lambda: drop_reminder(event(reminders="secret"), 5), "event.reminders", "with minutes"),
    (lambda: drop_reminder(event(seriesMasterId="M"), 5), "event.seriesMasterId", "allow_instance=True"),
]


@pytest.mark.parametrize(("edit", "path", "text"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_edited_is_refused(edit: Callable[[], Any], path: str, text: str) -> None:
    """A wrong argument or event is refused by its path, without what is in it."""
    with pytest.raises(InvalidInputError) as caught:
        edit()
    ((where, said),) = caught.value.problems
    assert where == path
    assert text in said
    assert "secret" not in said


def test_an_event_of_the_view_has_reminders_that_nobody_sees(dingtalk: Emulator) -> None:
    """ListEventsView returns no reminders, so an edit of them refuses its events; read by GetEvent, they are edited."""
    with DingTalkCalendarHook() as hook:
        page = hook.list_events_view(
            ORGANIZER, time_min="2027-01-01T00:00:00+08:00", time_max="2027-12-31T00:00:00+08:00"
        )
        (seen,) = [one for one in page["events"] if one["id"] == EVENT]
        with pytest.raises(InvalidInputError, match=r"event\.reminders: is absent"):
            add_reminder(seen, 7)
        assert add_reminder(hook.get_event(ORGANIZER, EVENT), 7)


SAFE = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\r\t"), max_size=30)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "description": SAFE,
        "richTextDescription": SAFE.map(lambda text: {"text": text}),
        "reminders": st.lists(st.integers(0, 90).map(lambda n: {"method": "dingtalk", "minutes": str(n)}), max_size=4),
        "location": SAFE.map(lambda text: {"displayName": text}),
    },
).map(lambda fields: event(**fields))
WORDS = SAFE.filter(lambda text: text.strip())
EDITS: st.SearchStrategy[Callable[[dict[str, Any]], Any]] = st.one_of(
    WORDS.map(lambda text: lambda one: append_description(one, text)),
    st.integers(0, 90).map(lambda minutes: lambda one: add_reminder(one, minutes)),
    st.integers(0, 90).map(lambda minutes: lambda one: drop_reminder(one, minutes)),
    WORDS.map(lambda text: lambda one: edits.relocate(one, text)),
    st.dates(dt.date(2026, 1, 1), dt.date(2028, 1, 1)).map(lambda day: lambda one: edits.move_to(one, f"{day}T10:30")),
    st.integers(1, 9999).map(lambda n: lambda one: edits.resize(one, dt.timedelta(minutes=n))),
)


@given(EVENTS, EDITS)
def test_an_edit_has_nothing_to_do_on_its_own_result(
    there: dict[str, Any], edit: Callable[[dict[str, Any]], Any]
) -> None:
    """Made again on the event as it would be after it, an edit that names what shall be gives None."""
    assert edit({**there, **(edit(there) or {})}) is None


@given(EVENTS, WORDS, st.integers(0, 90))
def test_edits_of_different_fields_do_not_disturb_each_other(there: dict[str, Any], text: str, minutes: int) -> None:
    """Merged, the edits of description and reminders do what each does alone, and then have nothing left to do."""
    patch = merge(append_description(there, text), add_reminder(there, minutes)) or {}
    after = {**there, **patch}
    assert append_description(after, text) is None
    assert add_reminder(after, minutes) is None


PLANS: list[Callable[[dict[str, Any]], Any]] = [
    lambda one: append_description(one, "Bring a laptop\nand <water>"),
    lambda one: add_reminder(one, 7),
    lambda one: drop_reminder(one, 15),
]


@pytest.mark.parametrize("empty_lists", ["present", "left_out"])
@pytest.mark.parametrize("rich", ["", "<p>Agenda</p>"])
@pytest.mark.parametrize("plan", PLANS, ids=range(len(PLANS)))
def test_an_edit_that_was_applied_has_nothing_left(
    plan: Callable[[dict[str, Any]], Any], rich: str, empty_lists: str, dingtalk: Emulator
) -> None:
    """A patch applied by DingTalk, and the event read again, leaves the same edit nothing to do."""
    dingtalk.configure(empty_lists=empty_lists)
    with DingTalkCalendarHook() as hook:
        before = {"description": "Agenda", "reminders": [15], **({"richTextDescription": rich} if rich else {})}
        hook.patch_event(ORGANIZER, EVENT, before)
        patch = plan(hook.get_event(ORGANIZER, EVENT))
        assert patch
        hook.patch_event(ORGANIZER, EVENT, patch)
        assert plan(hook.get_event(ORGANIZER, EVENT)) is None


def test_the_face_shows_every_edit() -> None:
    """What the package names can be imported from it, and is listed; another name is none."""
    for name in edits.__all__:
        assert callable(getattr(edits, name))
    assert set(edits.__all__) <= set(dir(edits))
    with pytest.raises(AttributeError, match="no attribute 'shrink'"):
        edits.shrink  # noqa: B018
