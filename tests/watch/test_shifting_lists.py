"""Lists that shift while they are read, and watchers of a calendar whose answers are odd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.copies import newest_bodies
from airflow_dingtalk_calendar.watch.event_poll import EventTarget, poll_event
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.operators.test_all_operators import List, execute
from tests.triggers.test_changes import (
    Step,
    Store,
    Triggerer,
    airflow_3,
    calls,
    edit,
    nothing,
    store,
    triggerer,
    what,
)

__all__ = ["store", "triggerer"]  # fixtures

OLD, NEW = "2027-03-01T10:00:00+08:00", "2027-03-01T03:00:00Z"
ERROR = {"code": "system.error", "message": "busy"}


def pages(dingtalk: Emulator, *listed: list[Any], last: dict[str, Any] | None = None) -> None:
    """Have the next lists of events be these pages of one list."""
    for number, events in enumerate(listed, start=1):
        more = (last or {}) if number == len(listed) else {"nextToken": f"page-{number}"}
        dingtalk.fault(kind="body", action="ListEvents", body={"events": events, **more})


# -- whole lists ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [OLD, NEW])
def test_an_event_on_two_pages(dingtalk: Emulator, first: str) -> None:
    """An event that is on two pages is found once, as it was changed last, and filtered as such."""
    second = NEW if first == OLD else OLD
    copies = {OLD: event(summary="Old plan", updateTime=OLD), NEW: event(summary="New plan", updateTime=NEW)}
    for wanted, found in (("plan", [copies[NEW]]), ("old", [])):
        pages(dingtalk, [event("a", summary="A plan"), copies[first]], [copies[second]])
        expected = [event("a", summary="A plan"), *found] if wanted == "plan" else []
        assert execute(List, summary_contains=wanted) == expected


def test_copies_without_a_time() -> None:
    """Of copies with the same times, the one that was read later counts; what has no id is left alone."""
    listed: list[dict[str, Any]] = [
        {"id": "a", "n": 1},
        {"n": 2},
        {"id": "a", "n": 3, "updateTime": "soon"},
        {"n": 4},
        {"id": 7},
        {"id": 7},
    ]
    assert newest_bodies(listed) == [listed[2], listed[1], listed[3], {"id": 7}, {"id": 7}]


def test_occurrences_that_share_an_id() -> None:
    """Two times of a series are two events, whatever id an expanded view gives them."""
    first, second = ({"id": "series", "originStart": {"dateTime": day}} for day in ("2027-03-02", "2027-03-09"))
    assert newest_bodies([first, second, dict(first)]) == [first, second]


TIMES = st.sampled_from([None, 7, "", "soon", OLD, NEW, "2027-03-01T02:30:00", "0001-01-01T00:00:00+08:00"])
BODIES = st.fixed_dictionaries({}, optional={"id": st.sampled_from(["a", "b", None, 7]), "updateTime": TIMES})


@given(listed=st.lists(BODIES, max_size=6))
def test_each_copy_counts_once(listed: list[dict[str, Any]]) -> None:
    """Of each id one copy is left, and keeping the newest a second time changes nothing."""
    kept = newest_bodies(listed)
    ids = [one["id"] for one in kept if isinstance(one.get("id"), str)]
    assert len(ids) == len(set(ids))
    assert {one["id"] for one in listed if isinstance(one.get("id"), str)} == set(ids)
    assert newest_bodies(kept) == kept


CROWD = [{"id": f"iiP{number}", "responseStatus": "accepted"} for number in range(500)]


@pytest.mark.parametrize(
    ("second", "state", "text"),
    [
        ({"attendees": [CROWD[0], {"id": "iiPlast", "responseStatus": "accepted"}]}, "met", "501 of 501"),
        ({"attendees": [{**CROWD[0], "responseStatus": "declined"}]}, "waiting", "499 of 500"),
        ({"attendees": [None]}, "waiting", "500 of 501"),
        ({}, "unknown", "without attendees"),
        (ERROR, "unknown", "busy"),
    ],
    ids=["once", "later copy", "illegible", "absent", "error"],
)
def test_a_crowd_that_is_read_in_pages(
    dingtalk: Emulator, connect: Callable[..., None], second: dict[str, Any], state: str, text: str
) -> None:
    """Somebody on two pages counts once; a page that does not say who is invited is no reason to be done."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(kind="body", action="GetEvent", body=event(attendees=CROWD))
    dingtalk.fault(kind="body", action="ListAttendees", body={"attendees": CROWD, "nextToken": "more"})
    dingtalk.fault(kind="body", action="ListAttendees", body=second, times=None)
    condition = {"responses": {"least": {"accepted": "all"}, "count_optional": False}}
    with DingTalkCalendarHook() as hook:
        verdict = hook.follow(poll_event(EventTarget(ORGANIZER, EVENT, "primary", condition, None), lambda: 0.0))
    assert (verdict.state, text in verdict.text) == (state, True), verdict.text


# -- watchers -------------------------------------------------------------------------------------------------

EVENTS = [event(f"event-{number}") for number in range(3)]


@pytest.fixture
def forgetful(dingtalk: Emulator) -> Step:
    """DingTalk with three events, and the step in which it forgets its tokens, so that all is listed anew."""
    dingtalk.reset({**DATA, "events": EVENTS})
    return lambda: dingtalk.store.list_pages.clear()


@airflow_3
@pytest.mark.parametrize(
    "body",
    [ERROR, {}, {"requestId": "R"}, {"events": None}, {"syncToken": "S"}, {"nextToken": "N"}, {"events": {}}, []],
)
def test_an_answer_without_events_deletes_nothing(
    dingtalk: Emulator, triggerer: Triggerer, store: Store, forgetful: Step, body: Any
) -> None:
    """Whatever the whole calendar is answered with but its events: nothing is reported, and it is read again."""

    def fail() -> None:
        forgetful()
        dingtalk.fault(kind="body", action="ListEvents", skip=1, times=4, body=body)

    reported = triggerer.run(fail, edit(dingtalk, "event-1", location="Room 2"), nothing, store=store)
    assert what(reported) == [("updated", "event-1", ["location"])]


@airflow_3
@pytest.mark.parametrize("odd", [None, 7, [], {}, {"id": None}, {"id": 7}, {"id": " "}, {"summary": "no id"}])
def test_an_event_that_cannot_be_read_is_not_gone(
    dingtalk: Emulator, triggerer: Triggerer, store: Store, forgetful: Step, odd: Any
) -> None:
    """Of a calendar of which one event cannot be read the others are reported, and none counts as deleted."""

    def spoil() -> None:
        forgetful()
        moved = {**EVENTS[0], "location": {"displayName": "Room 2"}}
        dingtalk.fault(kind="body", action="ListEvents", skip=1, body={"events": [moved, odd, EVENTS[2]]})

    reported = triggerer.run(spoil, nothing, store=store)
    assert ("updated", "event-0", ["location"]) in what(reported)
    assert all(kind == "updated" for kind, _, _ in what(reported))


@airflow_3
def test_an_odd_event_does_not_stop_a_watcher(dingtalk: Emulator, triggerer: Triggerer, store: Store) -> None:
    """Next to an event whose title is a number, the change of another one is reported, by pattern too."""
    odd = event("odd", summary=7, attendees=[None], organizer="Lin", start={"dateTime": 0})
    moved = event(location={"displayName": "Room 2"})

    def spoil() -> None:
        dingtalk.fault(kind="body", action="ListEvents", body={"events": [odd, moved], "syncToken": "S"})

    reported = triggerer.run(spoil, store=store, summary_pattern="Plan")
    assert what(reported) == [("updated", EVENT, ["location"])]


@airflow_3
@pytest.mark.parametrize("older_first", [True, False])
def test_the_newer_copy_is_reported(dingtalk: Emulator, triggerer: Triggerer, store: Store, older_first: bool) -> None:
    """Of two copies of an event in a watcher's pages the newer one counts, whichever comes first."""
    older = event(updateTime=OLD)
    newer = event(updateTime=NEW, location={"displayName": "Room 2"})
    copies = [older, newer] if older_first else [newer, older]

    def shift() -> None:
        pages(dingtalk, [copies[0]], [copies[1]], last={"syncToken": "S"})

    reported = triggerer.run(shift, store=store)
    assert what(reported) == [("updated", EVENT, ["location"])]
    assert reported[0]["update_time"] == NEW


@airflow_3
@pytest.mark.parametrize("body", [{}, {"requestId": "R"}, ERROR])
def test_a_position_is_not_taken_of_nothing(
    dingtalk: Emulator, triggerer: Triggerer, store: Store, forgetful: Step, body: Any
) -> None:
    """An initial snapshot that is not answered with events is no position, from which all of them would seem new."""
    dingtalk.fault(kind="body", action="ListEvents", times=4, body=body)
    reported = triggerer.run(nothing, forgetful, edit(dingtalk, "event-1", location="Room 2"), nothing, store=store)
    assert what(reported) == [("updated", "event-1", ["location"])]


@airflow_3
def test_an_initial_snapshot_of_nothing(dingtalk: Emulator, triggerer: Triggerer, store: Store) -> None:
    """An initial snapshot without a list is of an empty calendar if it has a token, and costs no more."""
    dingtalk.reset({**DATA, "events": []}, empty_lists="left_out")
    assert triggerer.run(nothing, store=store) == []
    assert calls(dingtalk) == 2
