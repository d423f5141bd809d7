"""AddMeetingRooms, RemoveMeetingRooms, and when rooms are taken."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    BAMBOO_ROOM,
    CHEN,
    DEMO,
    LIN,
    MORGAN,
    ONE_TO_ONE,
    ORCHID_ROOM,
    PLANNING,
    PLUM_ROOM,
    REVIEW,
    SAMPLE,
    STAND_UP,
    WANG,
)
from tests.emulator.answers import error_of


def book_rooms(client, event_id, *rooms, user=LIN):
    """Add rooms to an event."""
    body = {"meetingRoomsToAdd": [{"roomId": room} for room in rooms]}
    return client.send("POST", event_id, "/meetingRooms", user=user, body=body)


def release_rooms(client, event_id, *rooms, user=LIN):
    """Remove rooms from an event."""
    body = {"meetingRoomsToRemove": [{"roomId": room} for room in rooms]}
    return client.send("POST", event_id, "/meetingRooms/batchRemove", user=user, body=body)


def test_rooms_are_booked(client, dingtalk):
    """The room shows in both of its places; asking again books it once."""
    assert book_rooms(client, REVIEW, ORCHID_ROOM, PLUM_ROOM).json() == {"result": True}
    event = client.get(REVIEW).json()
    assert [room["roomId"] for room in event["meetingRooms"]] == [PLUM_ROOM, ORCHID_ROOM]
    assert event["meetingRooms"][1] == {
        "roomId": ORCHID_ROOM,
        "displayName": "3F Orchid 兰",
        "responseStatus": "accepted",
    }
    assert event["location"] == {
        "displayName": "4F, room Plum, screen on the left",
        "meetingRooms": ["4F Plum 梅", "3F Orchid 兰"],
    }
    (row,) = dingtalk.effects["writes"]
    assert (row["action"], row["changed"].keys()) == ("AddMeetingRooms", {"meetingRooms", "location"})


def test_rooms_are_given_back(client, dingtalk):
    """The room is free then; one that was not booked is ignored."""
    assert release_rooms(client, REVIEW, PLUM_ROOM, BAMBOO_ROOM).json() == {"result": True}
    event = client.get(REVIEW).json()
    assert (event["meetingRooms"], event["location"]["meetingRooms"]) == ([], [])
    assert dingtalk.effects["writes"][0]["action"] == "RemoveMeetingRooms"


def test_a_room_is_not_booked_twice(client):
    """A room that somebody has at that time is not available, until it is given back or that event is cancelled."""
    moment = {name: {**SAMPLE["events"][3][name]} for name in ("start", "end")}
    event_id = client.send("POST", user=CHEN, body={"summary": "At the same time", **moment}).json()["id"]
    assert error_of(book_rooms(client, event_id, PLUM_ROOM, user=CHEN)) == (400, "meetingRoomNotAvailable")
    assert book_rooms(client, event_id, BAMBOO_ROOM, user=CHEN).status_code == 200
    client.send("DELETE", REVIEW)
    assert book_rooms(client, event_id, PLUM_ROOM, user=CHEN).status_code == 200


def test_an_event_has_at_most_five_rooms(client, dingtalk):
    """The sixth is refused, over several calls, too."""
    rooms = [{"roomId": f"r{n}", "displayName": f"R{n}"} for n in range(6)]
    dingtalk.reset({**SAMPLE, "rooms": rooms})
    client.log_in()
    assert book_rooms(client, ONE_TO_ONE, "r0", "r1", "r2").status_code == 200
    assert error_of(book_rooms(client, ONE_TO_ONE, "r3", "r4", "r5")) == (400, "invalidParameter")
    assert book_rooms(client, ONE_TO_ONE, "r3", "r4").status_code == 200
    assert error_of(book_rooms(client, ONE_TO_ONE, "r5")) == (400, "invalidParameter")


@pytest.mark.parametrize(
    ("under", "body"),
    [
        ("/meetingRooms", {"meetingRoomsToAdd": [{"roomId": "nowhere"}]}),
        ("/meetingRooms", {"meetingRoomsToAdd": [{"roomId": ""}]}),
        ("/meetingRooms", {"meetingRoomsToAdd": []}),
        ("/meetingRooms", {"meetingRoomsToAdd": [{}]}),
        ("/meetingRooms", {}),
        ("/meetingRooms", None),
        ("/meetingRooms/batchRemove", {"meetingRoomsToRemove": []}),
        ("/meetingRooms/batchRemove", {"meetingRoomsToRemove": "x"}),
    ],
)
def test_wrong_rooms_are_refused(client, dingtalk, under, body):
    """There must be a room, and it must exist."""
    assert error_of(client.send("POST", ONE_TO_ONE, under, body=body)) == (400, "invalidParameter")
    assert dingtalk.effects["writes"] == []


def test_a_series_needs_a_last_day_to_get_rooms(client):
    """A rule that ends on a date can have rooms, one that ends after a number of times cannot."""
    assert book_rooms(client, STAND_UP, ORCHID_ROOM).status_code == 200
    assert error_of(book_rooms(client, PLANNING, ORCHID_ROOM, user=MORGAN)) == (400, "invalidParameter")


def test_a_series_keeps_its_room_each_time(client):
    """Another event at one of its times does not get the room."""
    book_rooms(client, STAND_UP, ORCHID_ROOM)
    times = [f"2038-02-08T{clock}:00+08:00" for clock in ("09:40", "09:50")]
    start, end = ({"dateTime": time, "timeZone": "Asia/Shanghai"} for time in times)
    event_id = client.send("POST", body={"summary": "s", "start": start, "end": end}).json()["id"]
    assert error_of(book_rooms(client, event_id, ORCHID_ROOM)) == (400, "meetingRoomNotAvailable")


@pytest.mark.parametrize("call", [book_rooms, release_rooms])
def test_only_the_organizer_changes_rooms(client, call):
    """Others are refused, and an unknown event is not found."""
    assert error_of(call(client, REVIEW, BAMBOO_ROOM, user=CHEN)) == (400, "invalidParameter")
    assert error_of(call(client, "nothing", BAMBOO_ROOM)) == (404, "itemNotFound")


@pytest.mark.parametrize("call", [book_rooms, release_rooms])
def test_rooms_are_not_for_users_tokens(stranger, call):
    """A personal app has no rooms."""
    answer = call(stranger.log_in_as(LIN), REVIEW, BAMBOO_ROOM)
    assert error_of(answer) == (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied")


def query_rooms(client, *rooms, start="2038-01-14T00:00:00+08:00", end="2038-01-16T00:00:00+08:00"):
    """Ask when rooms are taken."""
    body = {"roomIds": [*rooms], "startTime": start, "endTime": end}
    return client.about("POST", "meetingRooms/schedules/query", json=body)


def test_the_schedule_of_rooms(client):
    """Each booking has its event, organizer and time; a free room has none, and an unknown one an error inside."""
    plum, bamboo, unknown = query_rooms(client, PLUM_ROOM, BAMBOO_ROOM, "nowhere").json()["scheduleInformation"]
    assert [item["eventId"] for item in plum["scheduleItems"]] == [REVIEW, DEMO]
    assert plum["scheduleItems"][1] == {
        "status": "BUSY",
        "eventId": DEMO,
        "organizer": {"id": WANG},
        "start": {"dateTime": "2038-01-15T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
        "end": {"dateTime": "2038-01-15T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
    }
    assert (bamboo["roomId"], bamboo["scheduleItems"]) == (BAMBOO_ROOM, [])
    assert "error" not in bamboo
    assert unknown["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"end": "2038-04-15T00:00:00+08:00"},
        {"end": "2038-01-14T00:00:00+08:00"},
        {"start": "2038-01-14"},
    ],
)
def test_wrong_questions_about_rooms_are_refused(client, body):
    """A period has two ends, in their order, and at most 90 days."""
    assert error_of(query_rooms(client, PLUM_ROOM, **body)) == (400, "invalidParameter")
    assert query_rooms(client, PLUM_ROOM, end="2038-04-14T00:00:00+08:00").status_code == 200


def test_rooms_must_be_named(client):
    """None, and more than the five advised, are refused."""
    assert error_of(query_rooms(client)) == (400, "invalidParameter")
    assert error_of(query_rooms(client, *"abcdef")) == (400, "invalidParameter")


def list_rooms(client, **params):
    """List the rooms there are."""
    url = f"{client.emulator.url}/v1.0/rooms/meetingRoomLists"
    return client.http.get(url, params={"unionId": LIN, **params}, headers=client.headers)


def test_the_rooms_there_are(client):
    """They come page by page, with a number that leads to the next one, until there are no more."""
    first = list_rooms(client, maxResults=2).json()
    assert [room["roomId"] for room in first["result"]] == [PLUM_ROOM, BAMBOO_ROOM]
    assert (first["hasMore"], first["nextToken"]) == (True, 2)
    last = list_rooms(client, maxResults=2, nextToken=2).json()
    assert [room["roomName"] for room in last["result"]] == ["3F Orchid 兰"]
    assert (last["hasMore"], "nextToken" in last) == (False, False)


@pytest.mark.parametrize("params", [{"unionId": " "}, {"maxResults": 0}, {"maxResults": "many"}, {"nextToken": "x"}])
def test_wrong_questions_about_which_rooms_there_are(client, params):
    """Somebody asks, and numbers are numbers."""
    assert error_of(list_rooms(client, **params)) == (400, "invalidParameter")
