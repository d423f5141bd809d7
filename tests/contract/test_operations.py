"""Each operation of the hook, on the emulator and in a tenant; see ``conftest.py``."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.exceptions import NotFoundError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.idempotency import fresh_client_token
from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from tests.contract.calendars import DAY, EVENING, MORNING, NEXT_DAY, THREE_DAYS, TITLE, ZONE, Calendar, at
from tests.contract.places import Place

calls = pytest.mark.calls

# Every field that the page of PatchEvent documents both in the request and in the response.
FIELDS: dict[str, dict[str, Any]] = {
    "summary": {"summary": f"{TITLE} (renamed)"},
    "description": {"description": "What comes next\n接下来的事"},
    "times": {"start": at(14), "end": at(15)},
    "all day": {"is_all_day": True, "start": DAY, "end": NEXT_DAY},
    "recurrence": {"recurrence": THREE_DAYS},
    "location": {"location": "4F, room Plum 梅"},
    "reminders": {"reminders": [15, 60]},
    "no reminders": {"reminders": []},
    "online meeting": {"online_meeting": True},
    "rich text": {"rich_text_description": "<p>Please <b>read</b></p>"},
    "ui configs": {"ui_configs": [{"uiName": "comment", "uiStatus": "hide"}]},
}


def ids(pages: Any) -> list[str]:
    """Name the events of some pages."""
    return [event["id"] for page in pages for event in page["events"]]


# -- one event ----------------------------------------------------------------------------------------------


@calls(3)
def test_create_and_get(calendar: Calendar) -> None:
    """A new event can be read, and is what was asked for."""
    body = calendar.new(description="Goals", location="4F", reminders=[30], attendees=[calendar.guest])
    created = calendar.create(body)
    event = calendar.get(created)
    assert event["id"] == created["id"]
    assert event["organizer"]["id"] == calendar.organizer
    assert comparison.not_applied(body, event) == []


@pytest.mark.parametrize("name", FIELDS)
@calls(4)
def test_patch(calendar: Calendar, name: str) -> None:
    """Each field arrives, and the others stay as they were."""
    event, patch = calendar.create(description="It stays"), FIELDS[name]
    calendar.patch(event, patch)
    wanted = EventPatch.parse(patch, timezone=ZONE).to_body(event["id"])
    found = calendar.get(event)
    assert comparison.not_applied(wanted, found) == []
    kept = {member: event[member] for member in ("summary", "description", "start", "end") if member not in wanted}
    assert comparison.not_applied(kept, found) == []


@calls(5)
def test_a_repeated_request(calendar: Calendar) -> None:
    """A patch that is sent twice under one client token succeeds twice, and the event has what it says."""
    event, token = calendar.create(), fresh_client_token()
    answers = [calendar.patch(event, {"location": "4F"}, client_token=token) for _ in range(2)]
    assert [answer["id"] for answer in answers] == [event["id"]] * 2
    assert calendar.get(event)["location"]["displayName"] == "4F"


@calls(3)
def test_delete(calendar: Calendar) -> None:
    """A deleted event is not there any more, or shows that it is cancelled."""
    event = calendar.create()
    calendar.delete(event)
    with suppress(NotFoundError):
        assert calendar.get(event)["status"] == "cancelled"


# -- lists --------------------------------------------------------------------------------------------------


@calls(6)
def test_pages(calendar: Calendar) -> None:
    """Listing leads from page to page, and each event is on one of them."""
    mine = sorted(calendar.create(start=at(12), end=at(13))["id"] for _ in range(2))
    window = {"time_min": f"{at(12)}:00.000+08:00", "time_max": f"{at(13)}:00.000+08:00"}
    listing = api.list_events(calendar.organizer, max_results=1, **window)
    pages = calendar.eventually(lambda: list(calendar.hook.pages(listing)), lambda pages: {*mine} <= {*ids(pages)})
    assert all(len(page["events"]) <= 1 for page in pages)
    assert sorted(one for one in ids(pages) if one in mine) == mine


@calls(4)
def test_what_changed_since(calendar: Calendar) -> None:
    """A sync token brings what was deleted after it was given."""
    event = calendar.create()
    *_, last = calendar.hook.pages(api.list_events(calendar.organizer, time_min=MORNING))
    calendar.delete(event)
    since = api.list_events(calendar.organizer, sync_token=last["syncToken"])
    pages = calendar.eventually(lambda: list(calendar.hook.pages(since)), lambda pages: event["id"] in ids(pages))
    changed = {one["id"]: one["status"] for page in pages for one in page["events"]}
    assert changed[event["id"]] == "cancelled"


@calls(4)
def test_a_watcher_can_go_on(calendar: Calendar) -> None:
    """Asked as a watcher asks, with the same parameters again, a sync token leads to the next one."""
    asked: dict[str, Any] = {"show_deleted": True, "max_results": 100, "max_attendees": 1}
    *_, last = calendar.hook.pages(api.list_events(calendar.organizer, time_min=MORNING, **asked))
    event = calendar.create()
    since = api.list_events(calendar.organizer, sync_token=last["syncToken"], **asked)
    pages = calendar.eventually(lambda: list(calendar.hook.pages(since)), lambda pages: event["id"] in ids(pages))
    assert pages[-1]["syncToken"]


@calls(4)
def test_deleted_events_are_listed_if_asked_for(calendar: Calendar) -> None:
    """A cancelled event is in the list with ``show_deleted``, and not in the list without."""
    event = calendar.create()
    calendar.delete(event)

    def listed(show_deleted: bool) -> list[str]:
        listing = api.list_events(calendar.organizer, time_min=MORNING, time_max=EVENING, show_deleted=show_deleted)
        return ids(calendar.hook.pages(listing))

    assert event["id"] in calendar.eventually(lambda: listed(True), lambda found: event["id"] in found)
    assert event["id"] not in calendar.eventually(lambda: listed(False), lambda found: event["id"] not in found)


@calls(3)
def test_the_view_has_each_day_of_a_series(calendar: Calendar) -> None:
    """The view expands a series, and names it at each of its instances."""
    series = calendar.create(recurrence=THREE_DAYS)
    assert len({one["start"]["dateTime"] for one in calendar.instances(series)}) == 3


@calls(3)
def test_instances(calendar: Calendar) -> None:
    """The instances of a series can be listed by themselves."""
    series = calendar.create(recurrence=THREE_DAYS)
    page = calendar.hook.list_instances(calendar.organizer, series["id"], time_min=MORNING)
    assert [one["seriesMasterId"] for one in page["events"]] == [series["id"]] * 3


@calls(1)
def test_calendars(hook: DingTalkCalendarHook, place: Place) -> None:
    """Everybody has a primary calendar."""
    assert "primary" in {calendar["type"] for calendar in hook.list_calendars(place.organizer)}


# -- people and rooms ---------------------------------------------------------------------------------------


@calls(6)
def test_attendees(calendar: Calendar) -> None:
    """People are invited and uninvited."""
    event = calendar.create()
    quiet = {"push_notification": False, "chat_notification": False}
    guest = {"id": calendar.guest, "isOptional": True}
    calendar.hook.add_attendees(calendar.organizer, event["id"], [guest], **quiet)
    assert calendar.guest in calendar.people(event)
    calendar.hook.remove_attendees(calendar.organizer, event["id"], [calendar.guest])
    assert calendar.guest not in calendar.people(event)


@calls(4)
def test_respond(calendar: Calendar, as_app: None) -> None:
    """The guest answers, and the organizer sees it."""
    event = calendar.create(attendees=[calendar.guest])
    calendar.hook.respond_event(calendar.guest, event["id"], "tentative")
    assert calendar.people(event)[calendar.guest] == "tentative"


@pytest.fixture
def room(place: Place) -> str:
    """A room that may be booked."""
    return place.room_id or pytest.skip("needs DINGTALK_TEST_ROOM_ID")


@calls(6)
def test_rooms(calendar: Calendar, room: str) -> None:
    """A room is booked and given back."""

    def rooms() -> list[str]:
        return [one["roomId"] for one in calendar.get(event).get("meetingRooms", ())]

    event = calendar.create()
    calendar.hook.add_meeting_rooms(calendar.organizer, event["id"], [room])
    assert rooms() == [room]
    calendar.hook.remove_meeting_rooms(calendar.organizer, event["id"], [room])
    assert rooms() == []


@calls(1)
def test_the_rooms_there_are(calendar: Calendar, room: str) -> None:
    """The room that may be booked is one of those that are listed, if they fit on a page."""
    page = calendar.hook.list_meeting_rooms(calendar.organizer)
    if page["nextToken"] is None:
        assert room in {one["roomId"] for one in page["result"]}
    assert all(one["roomName"] for one in page["result"])


@calls(4)
def test_free_busy_of_a_room(calendar: Calendar, room: str) -> None:
    """A room that is taken names the event that has it."""
    event = calendar.create()
    calendar.hook.add_meeting_rooms(calendar.organizer, event["id"], [room])
    (found,) = calendar.hook.get_meeting_rooms_schedule(
        calendar.organizer, [room], start_time=MORNING, end_time=EVENING
    )
    assert event["id"] in {item["eventId"] for item in found["scheduleItems"]}


@calls(3)
def test_free_busy(calendar: Calendar) -> None:
    """Who has an event is busy then."""
    calendar.create()
    (found,) = calendar.hook.get_schedule(
        calendar.organizer, [calendar.organizer], start_time=MORNING, end_time=EVENING
    )
    assert found["userId"] == calendar.organizer
    assert found["scheduleItems"]


@calls(0)
def test_staff_id(hook: DingTalkCalendarHook, place: Place, as_app: None) -> None:
    """A staff id leads to the unionId."""
    if not place.staff_id:
        pytest.skip("needs DINGTALK_TEST_STAFF_ID")
    assert hook.get_user_by_staff_id(place.staff_id)["unionid"] == place.organizer


@calls(0)
def test_me(as_person: DingTalkCalendarHook, place: Place) -> None:
    """A person's grant says whose it is."""
    with as_person:
        assert as_person.get_me()["unionId"] == place.organizer
