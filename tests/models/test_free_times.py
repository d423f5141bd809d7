"""Free times: when people and one of several rooms are free, and what finding that out costs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import BAMBOO_ROOM, CHEN, LIN, ORCHID_ROOM, PLUM_ROOM, SAMPLE, WANG
from airflow_dingtalk_calendar.exceptions import InvalidInputError, PermissionDeniedError, UnexpectedAnswerError
from airflow_dingtalk_calendar.models.busy_times import Span, read_busy_times
from airflow_dingtalk_calendar.models.free_times import WorkingHours, search_free_times

Run = Callable[..., Any]
ZONE = "Asia/Shanghai"
# A Thursday with the design review from 15:00 to 16:30, in the room Plum.
THURSDAY = {"start_time": "2038-01-14T00:00:00+08:00", "end_time": "2038-01-15T00:00:00+08:00", "timezone": ZONE}
HOUR = dt.timedelta(hours=1)
MARCH = dt.datetime(2038, 3, 1, tzinfo=dt.UTC)
ROOMS = [PLUM_ROOM, BAMBOO_ROOM]


@pytest.fixture
def dingtalk(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with the sample calendar."""
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    return dingtalk


@pytest.fixture(autouse=True)
def _sample(dingtalk: Emulator) -> None:
    """Every test has it."""


def starts(found: dict[str, Any]) -> list[str]:
    """Return the clock times at which the times that were found begin."""
    return [one["start"][11:16] for one in found["times"]]


# -- rooms there are ------------------------------------------------------------------------------------------


def test_rooms_are_listed_page_by_page(run: Run, dingtalk: Emulator) -> None:
    """The number that leads to the next page is text here, as each page token is, and is taken back."""
    first = run("list_meeting_rooms", LIN, max_results=2)
    assert (first["nextToken"], first["hasMore"]) == ("2", True)
    second = run("list_meeting_rooms", LIN, max_results=2, next_token=first["nextToken"])
    assert second["nextToken"] is None
    listed = [*first["result"], *second["result"]]
    assert [one["roomId"] for one in listed] == [PLUM_ROOM, BAMBOO_ROOM, ORCHID_ROOM]
    assert listed[0]["roomName"] == "4F Plum 梅"
    assert dingtalk.effects["calls"] == {"QueryMeetingRoomList": 2}


def test_a_page_of_rooms_that_leads_nowhere(run: Run, dingtalk: Emulator) -> None:
    """An answer that says there are more rooms, without a token, is an error and not the last page."""
    body = {"result": [{"roomId": "r"}], "hasMore": True}
    dingtalk.fault(kind="body", action="QueryMeetingRoomList", body=body, times=None)
    with pytest.raises(UnexpectedAnswerError, match="there is more"):
        run("list_meeting_rooms", LIN)


def test_a_last_page_of_rooms_that_has_a_token(run: Run, dingtalk: Emulator) -> None:
    """A last page may have a token; it leads nowhere."""
    dingtalk.fault(kind="body", action="QueryMeetingRoomList", body={"result": [], "hasMore": False, "nextToken": 9})
    assert run("list_meeting_rooms", LIN)["nextToken"] is None


def test_rooms_need_a_permission_of_their_own(run: Run, dingtalk: Emulator) -> None:
    """The error of an app without it names the permission to grant."""
    dingtalk.reset({**SAMPLE, "apps": [{**SAMPLE["apps"][0], "scopes": ["Calendar.Event.Read"]}]})
    with pytest.raises(PermissionDeniedError) as caught:
        run("list_meeting_rooms", LIN)
    assert caught.value.required_scopes == ("VideoConference.Conference.Read",)


# -- free times ----------------------------------------------------------------------------------------------


def test_the_first_times_at_which_all_are_free(run: Run, dingtalk: Emulator) -> None:
    """Nobody of those asked is busy then, and each time names the rooms that are free."""
    found = run(
        "find_free_times", LIN, [LIN, WANG], **THURSDAY, duration=HOUR, room_ids=ROOMS, hours=("14:00", "18:00")
    )
    assert starts(found) == ["14:00", "16:30", "17:00"]
    assert found["times"][0] == {
        "start": "2038-01-14T14:00:00+08:00",
        "end": "2038-01-14T15:00:00+08:00",
        "rooms": ROOMS,
    }
    assert (found["unknown"], found["calls"]) == ({}, 2)
    assert dingtalk.effects["calls"] == {"GetSchedule": 1, "GetMeetingRoomsSchedule": 1}


def test_a_time_needs_one_of_the_rooms(run: Run) -> None:
    """When the only room is taken, a time at which everybody is free is none."""
    asked = {**THURSDAY, "duration": HOUR, "hours": ("15:00", "17:30")}
    assert starts(run("find_free_times", LIN, ["iiPfree"], **asked, limit=1, room_ids=[PLUM_ROOM])) == []
    assert starts(run("find_free_times", CHEN, [CHEN], **asked, room_ids=[PLUM_ROOM])) == ["16:30"]


def test_who_is_unknown_is_never_free(run: Run) -> None:
    """With a person whose times DingTalk does not return there is no free time; a room like that is no alternative."""
    asked = {**THURSDAY, "duration": HOUR}
    found = run("find_free_times", LIN, [LIN, "nobody"], **asked)
    assert (found["times"], list(found["unknown"])) == ([], ["nobody"])
    found = run("find_free_times", LIN, [LIN], **asked, room_ids=["no-room", BAMBOO_ROOM], limit=1)
    assert [one["rooms"] for one in found["times"]] == [[BAMBOO_ROOM]]
    assert list(found["unknown"]) == ["no-room"]
    assert run("find_free_times", LIN, [LIN], **asked, room_ids=["no-room"])["times"] == []


def test_many_people_and_rooms_take_several_calls(run: Run, dingtalk: Emulator) -> None:
    """A call asks about 20 people or 5 rooms, and the result says how many it took."""
    people, rooms = [f"p{n}" for n in range(21)], [f"r{n}" for n in range(11)]
    found = run("find_free_times", LIN, people, **THURSDAY, duration=HOUR, room_ids=rooms)
    assert found["calls"] == 5
    assert dingtalk.effects["calls"] == {"GetSchedule": 2, "GetMeetingRoomsSchedule": 3}


def test_days_off_are_left_out(run: Run) -> None:
    """Without a calendar of its own a search takes Monday to Friday; with one, on the days that it names."""
    week = {**THURSDAY, "end_time": "2038-01-18T12:00:00+08:00", "duration": 4 * HOUR, "hours": ("08:00", "12:00")}
    days = [one["start"][:10] for one in run("find_free_times", CHEN, [CHEN], **week)["times"]]
    assert days == ["2038-01-14", "2038-01-15"]
    sunday = run("find_free_times", CHEN, [CHEN], **week, is_workday=lambda day: day.weekday() == 6)
    assert [one["start"][:10] for one in sunday["times"]] == ["2038-01-17"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"duration": 0}, "duration"),
        ({"step": "soon"}, "step"),
        ({"hours": ("18:00", "09:00")}, "hours"),
        ({"hours": "9-18"}, "hours"),
        ({"timezone": "Mars/Base"}, "timezone"),
        ({"limit": 0}, "limit"),
        ({"end_time": "2038-05-14T00:00:00+08:00"}, "end_time"),
        ({"room_ids": ["a", "a"]}, "room_ids"),
    ],
)
def test_wrong_questions(run: Run, dingtalk: Emulator, changes: dict[str, Any], name: str) -> None:
    """What cannot be searched for is refused by its name, before any call."""
    with pytest.raises(InvalidInputError, match=name):
        run("find_free_times", LIN, [LIN], **{**THURSDAY, "duration": HOUR, **changes})
    assert dingtalk.requests == []


def test_a_failed_call_finds_nothing(run: Run, dingtalk: Emulator) -> None:
    """An answer that does not say who is busy is an error, and no free time."""
    dingtalk.fault(kind="body", action="GetSchedule", body={}, times=None)
    with pytest.raises(UnexpectedAnswerError):
        run("find_free_times", LIN, [LIN], **THURSDAY, duration=HOUR)


# -- the search itself -----------------------------------------------------------------------------------------


def test_an_all_day_event_is_a_day_where_the_meeting_is() -> None:
    """Its days, which DingTalk writes in UTC, begin and end at midnight of the zone asked about."""
    item = {"start": {"date": "2038-02-05", "timeZone": "UTC"}, "end": {"date": "2038-02-05", "timeZone": "UTC"}}
    (span,) = read_busy_times({"availability": "known", "scheduleItems": [item]}, ZONE) or ()
    assert span == Span(*(dt.datetime(2038, 2, day, tzinfo=ZoneInfo(ZONE)) for day in (5, 6)))


@pytest.mark.parametrize("item", [{}, {"start": {"dateTime": "soon"}, "end": {}}, {"start": {"date": "2038-02-05"}}, 7])
def test_times_of_odd_shape_are_unknown(item: Any) -> None:
    """Somebody with a busy time that cannot be read is unknown, and not free."""
    assert read_busy_times({"availability": "known", "scheduleItems": [item]}, ZONE) is None


MOMENTS = st.integers(0, 40 * 24 * 60).map(lambda minute: MARCH + dt.timedelta(minutes=minute))
SPANS = st.tuples(MOMENTS, st.integers(1, 3000)).map(lambda one: Span(one[0], one[0] + dt.timedelta(minutes=one[1])))


@given(
    people=st.lists(SPANS, max_size=12),
    rooms=st.none() | st.dictionaries(st.sampled_from("abc"), st.lists(SPANS, max_size=4)),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"]),
    minutes=st.integers(5, 400),
    clocks=st.lists(st.integers(0, 23), min_size=2, max_size=2, unique=True).map(sorted),
)
def test_what_is_found_is_free(
    people: list[Span], rooms: dict[str, list[Span]] | None, zone: str, minutes: int, clocks: list[int]
) -> None:
    """Each time found is in the working hours of a workday, in the window, and free; and so are no others."""
    window = Span(*(dt.datetime(2038, *day, tzinfo=dt.UTC) for day in ((3, 10), (4, 2))))
    hours = WorkingHours(zone, dt.time(clocks[0]), dt.time(clocks[1]))
    duration, step = dt.timedelta(minutes=minutes), dt.timedelta(minutes=30)
    found = list(search_free_times(window, duration, hours, step, people, rooms))
    every = search_free_times(window, duration, hours, step, ())
    assert [one.span for one in found] == [
        one.span
        for one in every
        if not any(one.span.overlaps(busy) for busy in people)
        and (rooms is None or any(not any(one.span.overlaps(busy) for busy in taken) for taken in rooms.values()))
    ]
    for span, free in found:
        first, last = (moment.astimezone(ZoneInfo(zone)) for moment in span)
        assert span.end - span.start == duration
        assert window.start <= span.start < span.end <= window.end
        assert first.weekday() < 5
        assert first.date() == last.date()
        assert last.time() <= hours.closing
        assert not any(span.overlaps(busy) for room in free for busy in (rooms or {})[room])
