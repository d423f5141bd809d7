"""GetEvent and ListEvents."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    DEMO,
    HOLIDAY,
    LIN,
    MORGAN,
    OKAFOR,
    ONE_TO_ONE,
    PLANNING,
    REVIEW,
    STAND_UP,
    STAND_UP_MOVED,
)

IN_ORDER = [STAND_UP, ONE_TO_ONE, STAND_UP_MOVED, REVIEW, DEMO, PLANNING, HOLIDAY]


def event_ids(answer):
    """Return the ids of the events listed."""
    assert answer.status_code == 200, answer.text
    return [event["id"] for event in answer.json()["events"]]


def test_an_event_is_shown_to_who_takes_part(client):
    """Organizer and attendees see the event, each as themselves."""
    mine, theirs = client.get(REVIEW).json(), client.get(REVIEW, user=CHEN).json()
    assert mine["organizer"]["self"] is True
    assert theirs["organizer"]["self"] is False
    assert [person["id"] for person in theirs["attendees"] if person["self"]] == [CHEN]


def test_get_has_more_than_a_patch_answers(client):
    """Status, series, original start, rooms and the meeting's extraInfo come with GetEvent."""
    review, moved = client.get(REVIEW).json(), client.get(STAND_UP_MOVED).json()
    assert review["status"] == "confirmed"
    assert review["meetingRooms"][0]["roomId"] == "room-4f-plum"
    assert "seriesMasterId" not in review
    assert moved["seriesMasterId"] == STAND_UP
    assert moved["originStart"] == {"dateTime": "2038-01-11T01:30:00Z"}
    assert client.get(PLANNING).json()["onlineMeetingInfo"]["extraInfo"] == {}


@pytest.mark.parametrize(("event_id", "user"), [("nothing", LIN), (ONE_TO_ONE, MORGAN), (ONE_TO_ONE, "nobody")])
def test_an_event_is_not_found(client, event_id, user):
    """Neither unknown events nor other people's are found."""
    answer = client.get(event_id, user=user)
    assert (answer.status_code, answer.json()["code"]) == (404, "itemNotFound")


def test_a_deleted_instance_does_not_exist(client, dingtalk):
    """A cancelled instance of a series has a code of its own; a cancelled event is shown as such."""
    gone = [{**dingtalk.event(event_id), "status": "cancelled"} for event_id in (STAND_UP_MOVED, ONE_TO_ONE)]
    dingtalk.store.put_events(gone)
    answer = client.get(STAND_UP_MOVED)
    assert (answer.status_code, answer.json()["code"]) == (404, "instanceNotExist")
    assert client.get(ONE_TO_ONE).json()["status"] == "cancelled"


def test_as_many_attendees_as_asked_for(client):
    """maxAttendees limits those shown, 1 to 500 for one event and 1 to 100 in a list."""
    assert len(client.get(REVIEW, maxAttendees=2).json()["attendees"]) == 2
    assert len(client.get(REVIEW).json()["attendees"]) == 5
    assert {len(event["attendees"]) for event in client.list(maxAttendees=1).json()["events"]} == {1}
    for refused in (
        client.get(REVIEW, maxAttendees=501),
        client.get(REVIEW, maxAttendees="x"),
        client.list(maxAttendees=101),
    ):
        assert (refused.status_code, refused.json()["code"]) == (400, "invalidParameter")


@pytest.mark.parametrize(
    ("user", "expected"), [(LIN, IN_ORDER), (OKAFOR, [STAND_UP, STAND_UP_MOVED, REVIEW, PLANNING])]
)
def test_a_list_has_what_somebody_takes_part_in(client, user, expected):
    """Events come in the order of their start."""
    assert event_ids(client.list(user=user)) == expected


def test_times_filter_on_the_start(client):
    """timeMin is included, timeMax is not."""
    between = {"timeMin": "2038-01-05T14:00:00+08:00", "timeMax": "2038-01-14T07:00:00Z"}
    assert event_ids(client.list(**between)) == [ONE_TO_ONE, STAND_UP_MOVED]


@pytest.mark.parametrize(
    "params",
    [
        {"timeMin": "2038-01-01"},
        {"timeMin": "2038-01-01T00:00:00 08:00"},
        {"timeMin": "2038-01-01T00:00:00Z", "timeMax": "2039-02-01T00:00:00Z"},
        {"timeMin": "2038-01-02T00:00:00Z", "timeMax": "2038-01-01T00:00:00Z"},
        {"maxResults": 0},
        {"maxResults": 101},
        {"maxResults": "1e2"},
        {"showDeleted": "perhaps"},
        {"nextToken": "made-up"},
        {"syncToken": "made-up"},
    ],
)
def test_wrong_questions_are_refused(client, params):
    """Each wrong parameter is an invalid parameter, named in the message."""
    answer = client.list(**params)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalidParameter")
    assert any(name in answer.json()["message"] for name in params)


def test_instances_of_a_series(client):
    """seriesMasterId lists the stored instances of one series."""
    assert event_ids(client.list(seriesMasterId=STAND_UP)) == [STAND_UP_MOVED]


def test_deleted_events_are_listed_on_request(client, dingtalk):
    """showDeleted brings cancelled events back."""
    dingtalk.store.put_events([{**dingtalk.event(REVIEW), "status": "cancelled"}])
    assert REVIEW not in event_ids(client.list())
    assert REVIEW in event_ids(client.list(showDeleted="true"))


def test_pages_cover_everything_once(client, dingtalk):
    """Following nextToken gives every event once, even if events change meanwhile; the last page has no nextToken."""
    seen, token = [], None
    while True:
        answer = client.list(maxResults=3, **({"nextToken": token} if token else {}))
        seen += event_ids(answer)
        client.patch(HOLIDAY, start={"date": "2038-01-01"}, isAllDay=True)
        token = answer.json().get("nextToken")
        if not token:
            break
    assert seen == IN_ORDER
    assert len([row for row in dingtalk.requests if row["action"] == "ListEvents"]) == 3


def test_a_page_token_is_good_for_its_user_only(client):
    """Somebody else's nextToken, or a syncToken in its place, is refused."""
    answer = client.list(maxResults=1).json()
    assert client.list(user=CHEN, nextToken=answer["nextToken"]).status_code == 400
    assert client.list(syncToken=answer["nextToken"]).status_code == 400
    assert client.list(nextToken=client.list().json()["syncToken"]).status_code == 400


def test_a_sync_token_comes_with_the_last_page_only(client):
    """The last page has a syncToken, earlier ones do not, and with timeMax none has."""
    first = client.list(maxResults=6).json()
    assert "syncToken" not in first
    assert "syncToken" in client.list(nextToken=first["nextToken"]).json()
    assert client.list(timeMax="2039-01-01T00:00:00Z").json().keys() == {"events"}


def test_a_sync_token_lists_what_has_changed(client, dingtalk):
    """Changed, deleted and no longer shared events come back, each once; then nothing, until the next change."""
    token = client.list(user=CHEN).json()["syncToken"]
    client.patch(ONE_TO_ONE, summary="one")
    client.patch(ONE_TO_ONE, summary="two")
    client.patch(REVIEW, attendees=[])
    client.patch(PLANNING, user=MORGAN, summary="not for Chen")
    dingtalk.store.put_events([{**dingtalk.event(STAND_UP_MOVED), "status": "cancelled"}])
    answer = client.list(user=CHEN, syncToken=token).json()
    assert [(event["id"], event["status"]) for event in answer["events"]] == [
        (ONE_TO_ONE, "confirmed"),
        (REVIEW, "cancelled"),
        (STAND_UP_MOVED, "cancelled"),
    ]
    assert answer["events"][0]["summary"] == "two"
    assert event_ids(client.list(user=CHEN, syncToken=answer["syncToken"])) == []
    assert len(event_ids(client.list(user=CHEN, syncToken=token))) == 3


def test_changes_come_in_pages_as_well(client):
    """A sync with more changes than fit on a page goes on with nextToken, and ends with a new syncToken."""
    token = client.list().json()["syncToken"]
    for event_id in (STAND_UP, ONE_TO_ONE):
        client.patch(event_id, summary="x")
    first = client.list(syncToken=token, maxResults=1)
    second = client.list(nextToken=first.json()["nextToken"], maxResults=1)
    assert event_ids(first) + event_ids(second) == [STAND_UP, ONE_TO_ONE]
    assert event_ids(client.list(syncToken=second.json()["syncToken"])) == []


def test_another_calendar_is_not_found(client, http):
    """Reading, too, knows the primary calendar only."""
    answer = http.get(client.url(calendar="work"), headers=client.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "itemNotFound")
