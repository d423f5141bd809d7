"""Each operation of the hook against DingTalk on loopback, once with threads and once with coroutines."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar import api, exceptions
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import (
    BAMBOO_ROOM,
    CHEN,
    LIN,
    ORCHID_ROOM,
    REVIEW,
    SAMPLE,
    STAND_UP,
    WANG,
)
from airflow_dingtalk_calendar.exceptions import (
    InvalidInputError,
    InvalidRequestError,
    NotFoundError,
    QuotaExceededError,
    UnexpectedAnswerError,
)
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent

Run = Callable[..., Any]
NEW = {
    "summary": "Retrospective",
    "start": {"dateTime": "2038-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2038-03-02T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
}
JANUARY = {"time_min": "2038-01-01T00:00:00+08:00", "time_max": "2038-02-01T00:00:00+08:00"}
REVIEW_DAY = {"start_time": "2038-01-14T00:00:00+08:00", "end_time": "2038-01-15T00:00:00+08:00"}
SHANGHAI = dt.timezone(dt.timedelta(hours=8))


@pytest.fixture(autouse=True)
def dingtalk(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with the sample calendar."""
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    return dingtalk


@pytest.fixture(params=["sync", "async"])
def pages(request: pytest.FixtureRequest) -> Callable[[api.Call[api.Json]], list[api.Json]]:
    """Get all pages of a call that lists."""

    def get(call: api.Call[api.Json]) -> list[api.Json]:
        with DingTalkCalendarHook() as hook:
            return list(hook.pages(call))

    async def aget(call: api.Call[api.Json]) -> list[api.Json]:
        async with DingTalkCalendarHook() as hook:
            return [page async for page in hook.apages(call)]

    return get if request.param == "sync" else lambda call: asyncio.run(aget(call))


def written(dingtalk: Emulator) -> list[tuple[str, str]]:
    """Name action and event of each write that took effect."""
    return [(row["action"], row["event_id"]) for row in dingtalk.effects["writes"]]


def people(dingtalk: Emulator) -> dict[str, str]:
    """Return who takes part in the review, and what each has answered."""
    return {person["id"]: person["responseStatus"] for person in dingtalk.event(REVIEW)["attendees"]}


def rooms(dingtalk: Emulator) -> set[str]:
    """Name the rooms of the review."""
    return {room["roomId"] for room in dingtalk.event(REVIEW).get("meetingRooms", ())}


# -- events -------------------------------------------------------------------------------------------------


def test_create_and_delete(run: Run, dingtalk: Emulator) -> None:
    """An event is made once per client token, and is gone after its deletion."""
    first, again = (run("create_event", LIN, NEW, client_token="mine") for _ in range(2))
    assert first["id"] == again["id"]
    assert first["summary"] == "Retrospective"
    assert run("delete_event", LIN, first["id"], push_notification=False) is None
    assert written(dingtalk) == [("CreateEvent", first["id"]), ("DeleteEvent", first["id"])]
    assert "pushNotification=false" in dingtalk.requests[-1]["query"]


@pytest.mark.parametrize("kind", ["reset", "apply_then_reset", "truncated"])
def test_a_creation_that_is_cut_short_happens_once(run: Run, dingtalk: Emulator, kind: str) -> None:
    """A creation is sent again under the same client token, so that there are never two events."""
    dingtalk.fault(kind=kind, action="CreateEvent")
    run("create_event", LIN, NEW)
    assert len(written(dingtalk)) == 1


def test_creating_too_much_in_a_day(run: Run, dingtalk: Emulator) -> None:
    """The daily limit is explained and not tried again."""
    dingtalk.configure(daily_creations=1)
    run("create_event", LIN, NEW)
    with pytest.raises(QuotaExceededError, match="100 events a day") as caught:
        run("create_event", LIN, NEW)
    assert (caught.value.code, caught.value.retryable, caught.value.outcome) == ("flowLimit", False, "rejected")
    assert len(written(dingtalk)) == 1


def test_deleting_what_is_not_there(run: Run, dingtalk: Emulator) -> None:
    """Deleting an unknown event is an error of its own kind, for the caller to accept."""
    with pytest.raises(NotFoundError):
        run("delete_event", LIN, "missing")
    assert written(dingtalk) == []


def test_list_events_and_view(run: Run) -> None:
    """The list has stored events, the view each time of a series as well."""
    listed = [event["id"] for event in run("list_events", LIN, **JANUARY)["events"]]
    viewed = run("list_events_view", LIN, **JANUARY)["events"]
    assert REVIEW in listed
    assert len(viewed) > len(listed)


def test_times_may_be_datetimes(run: Run, dingtalk: Emulator) -> None:
    """A datetime with a zone is as good as text, and its offset arrives whole."""
    begin = dt.datetime(2038, 1, 14, tzinfo=SHANGHAI)
    page = run("list_events", LIN, time_min=begin, time_max=begin + dt.timedelta(days=1))
    assert [event["id"] for event in page["events"]] == [REVIEW]
    assert "%2B08%3A00" in dingtalk.requests[-1]["query"]


def test_list_instances(run: Run) -> None:
    """The instances of a series are those of that series."""
    events = run("list_instances", LIN, STAND_UP, **JANUARY)["events"]
    assert events
    assert {event.get("seriesMasterId") for event in events} == {STAND_UP}


def test_a_sync_token_that_is_refused(run: Run) -> None:
    """The remedy for a sync token that is no longer good is to list everything."""
    with pytest.raises(InvalidRequestError, match="without it"):
        run("list_events", LIN, sync_token="not-one-of-yours")


def test_what_changed_since(run: Run) -> None:
    """A sync token brings what changed after it was given, also what was deleted."""
    token = run("list_events", LIN)["syncToken"]
    assert run("list_events", LIN, sync_token=token)["events"] == []
    run("delete_event", LIN, REVIEW)
    changed = run("list_events", LIN, sync_token=token)["events"]
    assert [(event["id"], event["status"]) for event in changed] == [(REVIEW, "cancelled")]


# -- pages --------------------------------------------------------------------------------------------------

Pages = Callable[[api.Call[api.Json]], list[api.Json]]


def test_all_pages(pages: Pages, dingtalk: Emulator) -> None:
    """Pages follow one another to the last, each event once."""
    got = pages(api.list_events(LIN, max_results=2))
    ids = [event["id"] for page in got for event in page["events"]]
    assert len(got) == len(dingtalk.requests) - 1 > 2
    assert len(ids) == len(set(ids))
    assert REVIEW in ids
    assert got[-1]["syncToken"]


def test_pages_of_attendees(pages: Pages) -> None:
    """Attendees come in pages, too."""
    got = pages(api.list_attendees(LIN, REVIEW, max_results=2))
    assert [len(page["attendees"]) for page in got] == [2, 2, 1]


@pytest.mark.parametrize("start", [None, "again"])
def test_a_page_token_that_comes_again(pages: Pages, dingtalk: Emulator, start: str | None) -> None:
    """A service that repeats a page token is not asked forever."""
    body = {"events": [], "nextToken": "again"}
    dingtalk.fault(kind="body", action="ListEvents", status=200, body=body, times=None)
    with pytest.raises(UnexpectedAnswerError, match="the same page token again"):
        pages(api.list_events(LIN, next_token=start))
    assert [one["action"] for one in dingtalk.requests].count("ListEvents") == (1 if start else 2)


def test_a_page_token_that_is_refused(pages: Pages, dingtalk: Emulator) -> None:
    """A refused page token is a permanent error that says what to do, whatever DingTalk says."""
    dingtalk.fault(kind="error", action="ListEvents", status=400, code="invalidParameter", message="no", skip=1)
    with pytest.raises(InvalidRequestError, match="start over from the first page") as caught:
        pages(api.list_events(LIN, max_results=2))
    assert not caught.value.retryable
    assert [one["action"] for one in dingtalk.requests].count("ListEvents") == 2


def test_a_page_token_of_ones_own(pages: Pages, dingtalk: Emulator) -> None:
    """A page token that DingTalk never gave is refused at once, and named."""
    with pytest.raises(InvalidRequestError, match="nextToken"):
        pages(api.list_events(LIN, next_token="not-one-of-yours"))
    assert [one["action"] for one in dingtalk.requests].count("ListEvents") == 1


@pytest.mark.parametrize("body", [{"events": {}}, {"events": ["x"]}, {"events": [], "nextToken": 7}, []])
def test_a_page_of_another_shape(pages: Pages, dingtalk: Emulator, body: Any) -> None:
    """A page that is none is an error, not an empty result."""
    dingtalk.fault(kind="body", action="ListEvents", status=200, body=body, times=None)
    with pytest.raises(UnexpectedAnswerError):
        pages(api.list_events(LIN))


# -- people and rooms ---------------------------------------------------------------------------------------


def test_attendees(run: Run, dingtalk: Emulator) -> None:
    """People are uninvited and invited, with the switches asked for."""
    run("remove_attendees", LIN, REVIEW, [CHEN, WANG])
    assert {CHEN, WANG}.isdisjoint(people(dingtalk))
    run("add_attendees", LIN, REVIEW, [{"id": CHEN, "isOptional": True}], chat_notification=True)
    assert people(dingtalk)[CHEN] == "needsAction"
    assert written(dingtalk) == [("RemoveAttendee", REVIEW), ("AddAttendee", REVIEW)]
    sent = dingtalk.requests[-1]["body"]
    assert sent == {"attendeesToAdd": [{"id": CHEN, "isOptional": True}], "chatNotification": True}
    assert CHEN in {one["id"] for one in run("list_attendees", LIN, REVIEW)["attendees"]}


def test_respond(run: Run, dingtalk: Emulator) -> None:
    """An attendee answers under the own unionId."""
    run("respond_event", CHEN, REVIEW, "declined")
    assert people(dingtalk)[CHEN] == "declined"
    assert written(dingtalk) == [("RespondEvent", REVIEW)]


def test_rooms(run: Run, dingtalk: Emulator) -> None:
    """Rooms are booked and given back."""
    before = rooms(dingtalk)
    run("add_meeting_rooms", LIN, REVIEW, [BAMBOO_ROOM, ORCHID_ROOM])
    assert rooms(dingtalk) == before | {BAMBOO_ROOM, ORCHID_ROOM}
    run("remove_meeting_rooms", LIN, REVIEW, [BAMBOO_ROOM])
    assert rooms(dingtalk) == before | {ORCHID_ROOM}
    assert written(dingtalk) == [("AddMeetingRooms", REVIEW), ("RemoveMeetingRooms", REVIEW)]


def test_a_room_that_is_taken(run: Run, dingtalk: Emulator) -> None:
    """A room that somebody else has is refused, and nothing changes."""
    other = run("create_event", LIN, {**NEW, **{k: dingtalk.event(REVIEW)[k] for k in ("start", "end")}})
    with pytest.raises(InvalidRequestError) as caught:
        run("add_meeting_rooms", LIN, other["id"], sorted(rooms(dingtalk)))
    assert (caught.value.code, caught.value.outcome) == ("meetingRoomNotAvailable", "rejected")


def test_calendars(run: Run) -> None:
    """Calendars come unwrapped."""
    assert "primary" in {calendar["type"] for calendar in run("list_calendars", LIN)}


def test_free_busy(run: Run) -> None:
    """Who cannot be asked about has an error inside, and the others their times."""
    lin, nobody = run("get_schedule", LIN, [LIN, "iiPnobody"], **REVIEW_DAY)
    assert [item["status"] for item in lin["scheduleItems"]] == ["BUSY"]
    assert nobody["error"]
    assert not nobody["scheduleItems"]


def test_free_busy_of_rooms(run: Run, dingtalk: Emulator) -> None:
    """A taken room names the event that has it; an unknown one has an error inside."""
    taken, unknown = run("get_meeting_rooms_schedule", LIN, [*rooms(dingtalk), "no-room"], **REVIEW_DAY)
    assert [item["eventId"] for item in taken["scheduleItems"]] == [REVIEW]
    assert unknown["error"]


# -- limits, before anything is sent ---------------------------------------------------------------------------

YEAR = {"time_min": "2038-01-01T00:00:00Z", "time_max": "2039-01-03T00:00:00Z"}
BACKWARDS = {"time_min": "2038-01-02T00:00:00Z", "time_max": "2038-01-01T00:00:00Z"}
MONTHS = {"start_time": "2038-01-01T00:00:00Z", "end_time": "2038-04-01T00:00:01Z"}
CROWD = [f"person-{number}" for number in range(501)]

TOO_MUCH: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("list_events", (LIN,), YEAR, "time_max"),
    ("list_events", (LIN,), BACKWARDS, "time_max"),
    ("list_events", (LIN,), {"time_min": "2038-01-01T00:00:00"}, "time_min"),
    ("list_events", (LIN,), {"time_min": "tomorrow"}, "time_min"),
    ("list_events", (LIN,), {"max_results": 101}, "max_results"),
    ("list_events_view", (LIN,), {**JANUARY, "max_results": 101}, "max_results"),
    ("list_events_view", (LIN,), BACKWARDS, "time_max"),
    ("list_instances", (LIN, STAND_UP), {"max_results": 101}, "max_results"),
    ("list_instances", (LIN, " "), {}, "event_id"),
    ("list_attendees", (LIN, REVIEW), {"max_results": 501}, "max_results"),
    ("list_calendars", ("",), {}, "union_id"),
    ("list_meeting_rooms", (LIN,), {"max_results": 0}, "max_results"),
    ("list_meeting_rooms", ("",), {}, "union_id"),
    ("create_event", ("", NEW), {}, "union_id"),
    ("create_event", (LIN, {**NEW, "sumary": "x"}), {}, "did you mean summary"),
    ("create_event", (LIN, {"summary": "x"}), {}, "start"),
    ("create_event", (LIN, NewEvent.parse(NEW)), {"timezone": "UTC"}, "event: is parsed already"),
    ("delete_event", (LIN, ""), {}, "event_id"),
    ("add_attendees", (LIN, REVIEW, [{"id": one} for one in CROWD]), {}, "attendees"),
    ("add_attendees", (LIN, REVIEW, []), {}, "attendees"),
    ("add_attendees", (LIN, REVIEW, [{"id": " "}]), {}, "attendees"),
    ("add_attendees", (LIN, REVIEW, [CHEN]), {}, "attendees"),
    ("add_attendees", (LIN, REVIEW, [{"id": CHEN}, {"id": CHEN}]), {}, "attendees"),
    ("add_attendees", (LIN, REVIEW, [{"id": CHEN, "is_optional": True}]), {}, "can have id and isOptional"),
    ("patch_event", (LIN, REVIEW, EventPatch.parse({"summary": "x"})), {"timezone": "UTC"}, "patch: is parsed already"),
    ("patch_event", (LIN, REVIEW, NewEvent.parse(NEW)), {}, "patch: must be a mapping"),
    ("patch_event", (LIN, REVIEW, EventPatch.parse({"summary": "x"})), {"unchecked_fields": {"a": 1}}, "is parsed"),
    ("patch_event", (LIN, REVIEW, {"summary": "x", "start": "2038-03-02T10:00"}), {"timezone": ""}, "is blank|zone"),
    ("remove_attendees", (LIN, REVIEW, CROWD), {}, "attendees"),
    ("remove_attendees", (LIN, REVIEW, CHEN), {}, "attendees"),
    ("remove_attendees", (LIN, REVIEW, [""]), {}, "attendees"),
    ("respond_event", (LIN, REVIEW, "maybe"), {}, "response_status"),
    ("add_meeting_rooms", (LIN, REVIEW, CROWD[:6]), {}, "room_ids"),
    ("remove_meeting_rooms", (LIN, REVIEW, CROWD[:6]), {}, "room_ids"),
    ("remove_meeting_rooms", (LIN, REVIEW, ["None"]), {}, "room_ids"),
    ("get_schedule", (LIN, CROWD[:21]), REVIEW_DAY, "user_ids"),
    ("get_schedule", (LIN, [" "]), REVIEW_DAY, "user_ids"),
    ("get_meeting_rooms_schedule", (LIN, CROWD[:6]), REVIEW_DAY, "room_ids"),
    ("get_meeting_rooms_schedule", (LIN, CROWD[:1]), MONTHS, "end_time"),
    ("get_user_by_staff_id", (" ",), {}, "user_id"),
]


@pytest.mark.parametrize(("method", "arguments", "options", "name"), TOO_MUCH)
def test_limits(
    run: Run, dingtalk: Emulator, method: str, arguments: tuple[Any, ...], options: dict[str, Any], name: str
) -> None:
    """What is beyond the documented limits is refused by name, before even a token is fetched."""
    with pytest.raises(InvalidInputError, match=name):
        run(method, *arguments, **options)
    assert dingtalk.requests == []


ENOUGH: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("list_events", (LIN,), {**YEAR, "time_max": "2039-01-01T00:00:00Z", "max_results": 100}),
    ("list_attendees", (LIN, REVIEW), {"max_results": 500}),
    ("remove_attendees", (LIN, REVIEW, CROWD[:500]), {}),
    ("get_schedule", (LIN, CROWD[:20]), REVIEW_DAY),
    ("get_meeting_rooms_schedule", (LIN, CROWD[:5]), {**MONTHS, "end_time": "2038-04-01T00:00:00Z"}),
]


@pytest.mark.parametrize(("method", "arguments", "options"), ENOUGH)
def test_the_limits_themselves_are_fine(
    run: Run, method: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    """What is just within a limit is sent, and DingTalk takes it."""
    run(method, *arguments, **options)


def test_blanks_around_arguments_do_not_go_out(run: Run, dingtalk: Emulator) -> None:
    """Text is sent as it was checked: without what a template left around it."""
    run("list_events", LIN, time_min=" 2038-03-02T10:00:00+08:00\n")
    run("add_attendees", LIN, REVIEW, [{"id": f" {WANG}\n"}])
    listed, added = [one for one in dingtalk.requests if one["action"] in ("ListEvents", "AddAttendee")]
    assert listed["query"] == "timeMin=2038-03-02T10%3A00%3A00%2B08%3A00"
    assert added["body"]["attendeesToAdd"] == [{"id": WANG}]


def test_batches_cover_longer_lists() -> None:
    """A list too long for one call is cut into parts that are not."""
    assert [len(part) for part in api.split_batches(CROWD, 500)] == [500, 1]
    assert api.split_batches([], 500) == []


# -- the legacy host ----------------------------------------------------------------------------------------


def test_a_staff_id_leads_to_a_union_id(run: Run, dingtalk: Emulator) -> None:
    """The person comes with a unionId, and the token went in the form, never in the URL."""
    assert run("get_user_by_staff_id", "lin-yue")["unionid"] == LIN
    request = dingtalk.requests[-1]
    assert request["action"] == "topapi/v2/user/get"
    assert not any(one["token_in_url"] for one in dingtalk.requests)
    assert not {"x-acs-dingtalk-access-token"} & set(request["headers"])
    assert dingtalk.effects["calls"] == {}


@pytest.mark.parametrize("code", ["60121", "33012"])
def test_a_staff_id_of_nobody(run: Run, dingtalk: Emulator, code: str) -> None:
    """Nobody has this staff id: both codes that DingTalk documents say so."""
    dingtalk.configure(unknown_staff=code)
    with pytest.raises(NotFoundError, match="staff id") as caught:
        run("get_user_by_staff_id", "nobody")
    assert caught.value.code == code
    assert caught.value.request_id


def test_an_expired_token_is_renewed_there_too(run: Run, dingtalk: Emulator) -> None:
    """A token refused by the older host, inside a 200, is renewed once."""
    dingtalk.fault(kind="expire_tokens", action="topapi/v2/user/get")
    assert run("get_user_by_staff_id", "lin-yue")["unionid"] == LIN
    assert dingtalk.effects["tokens_issued"] == 2


WRAPPED = {"errcode": 88, "sub_code": "40014", "sub_msg": "不合法的access_token", "errmsg": "ding talk error"}
LEGACY: list[tuple[dict[str, Any], str, bool]] = [
    (WRAPPED, "TokenRejectedError", False),
    ({"errcode": 88}, "TokenRejectedError", False),
    ({"errcode": 88, "sub_code": "something-new"}, "TokenRejectedError", False),
    ({"errcode": 40014}, "TokenRejectedError", False),
    ({"errcode": 40001}, "TokenRejectedError", False),
    ({"errcode": "42001"}, "TokenRejectedError", False),
    ({"errcode": 88, "sub_code": "60011", "sub_msg": "no permission"}, "PermissionDeniedError", False),
    ({"errcode": 60011}, "PermissionDeniedError", False),
    ({"errcode": 60020}, "PermissionDeniedError", False),
    ({"errcode": 50002}, "PermissionDeniedError", False),
    ({"errcode": 90018}, "ThrottledError", True),
    ({"errcode": 90002}, "ThrottledError", True),
    ({"errcode": 90020}, "QuotaExceededError", False),
    ({"errcode": -1}, "ServiceError", True),
    ({"errcode": 33012}, "NotFoundError", False),
    ({"errcode": 60121}, "NotFoundError", False),
    ({"errcode": 400002}, "InvalidRequestError", False),
    ({"errcode": 404}, "UnexpectedAnswerError", False),
    ({"errcode": 12345}, "UnexpectedAnswerError", False),
]


@pytest.mark.parametrize(("body", "kind", "retryable"), LEGACY)
def test_errors_of_the_legacy_host(
    run: Run, dingtalk: Emulator, body: dict[str, Any], kind: str, retryable: bool
) -> None:
    """Each documented number, in a 200, becomes the error that the same failure has elsewhere."""
    dingtalk.fault(kind="body", action="topapi/v2/user/get", status=200, body=body, times=None)
    with pytest.raises(exceptions.RequestError) as caught:
        run("get_user_by_staff_id", "lin-yue")
    assert type(caught.value).__name__ == kind
    assert caught.value.retryable == retryable
    assert caught.value.code == str(body.get("sub_code") or body["errcode"])
