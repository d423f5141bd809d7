"""Finding the events of a room or a series: the same as by going through all events."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator.state.event_index import EventIndex

ROOMS, SERIES = ["R1", "R2", "R3"], ["s1", "s2"]
bookings = st.lists(st.sampled_from(ROOMS), max_size=3, unique=True)
changes = st.tuples(st.sampled_from(["a", "b", "c", "d", *SERIES]), bookings, st.booleans())


def event(event_id: str, rooms: list[str], cancelled: bool) -> dict[str, Any]:
    """Make an event as it is stored; a, b and c are instances of a series."""
    series = {"seriesMasterId": SERIES["abc".index(event_id) % 2]} if event_id in "abc" else {}
    booked = [{"roomId": room} for room in rooms]
    return {"id": event_id, "status": "cancelled" if cancelled else "confirmed", "meetingRooms": booked, **series}


@given(first=st.lists(changes, max_size=5), then=st.lists(changes, max_size=20), gone=st.sampled_from(["", "a", "d"]))
def test_nothing_is_missed(first: list[Any], then: list[Any], gone: str) -> None:
    """After any changes, also when a test has taken an event away, asking finds what going through all would."""
    index = EventIndex(event(*change) for change in first)
    for change in then:
        index[change[0]] = event(*change)
    index.pop(gone, None)
    for room in ROOMS:
        has = [one for one in index.values() if {"roomId": room} in one["meetingRooms"]]
        assert sorted(index.in_room(room), key=str) == sorted(has, key=str)
    for series in SERIES:
        has = [one for one in index.values() if one.get("seriesMasterId") == series]
        assert sorted(index.instances_of(series), key=str) == sorted(has, key=str)


def test_what_nobody_has_booked() -> None:
    """A room or a series without events has none, and asking does not make it known."""
    index = EventIndex([event("d", [], cancelled=False)])
    assert index.in_room("R1") == index.instances_of("s1") == []
