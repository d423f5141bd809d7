"""CreateEvent, DeleteEvent and RespondEvent."""

from __future__ import annotations

import base64

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    HOLIDAY,
    LIN,
    MORGAN,
    OKAFOR,
    ONE_TO_ONE,
    REVIEW,
    SAMPLE,
    STAND_UP,
    STAND_UP_MOVED,
    WANG,
)
from tests.emulator.answers import error_of

START = {"dateTime": "2038-03-01T09:00:00+08:00", "timeZone": "Asia/Shanghai"}
END = {"dateTime": "2038-03-01T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
EVENT = {"summary": "New", "start": START, "end": END}
NO_NEWS = {"noPushNotification": "true", "noChatNotification": "true"}


def test_a_created_event_is_there(client, dingtalk):
    """The answer is the event, with an id of DingTalk's shape; everybody invited can read it."""
    answer = client.send("POST", body={**EVENT, "attendees": [{"id": CHEN}, {"id": LIN}]})
    assert answer.status_code == 200
    event = answer.json()
    assert len(event["id"]) == 32
    assert event["id"].isalnum()
    assert len(base64.b64decode(base64.b64decode(event["id"]))) == 16
    assert client.get(event["id"], user=CHEN).json()["status"] == "confirmed"
    assert {person["id"]: person["responseStatus"] for person in event["attendees"]} == {
        LIN: "accepted",
        CHEN: "needsAction",
    }
    assert event["organizer"]["self"] is True
    assert event["reminders"] == [{"method": "dingtalk", "minutes": "15"}]
    assert event["createTime"] == event["updateTime"]


def test_a_created_event_is_all_it_was_asked_to_be(client, dingtalk):
    """Every documented member is taken, and those of the SDK."""
    event = client.send(
        "POST",
        body={
            **EVENT,
            "description": "d",
            "isAllDay": False,
            "recurrence": {"pattern": {"type": "daily", "interval": 2}, "range": {"type": "noEnd"}},
            "location": {"displayName": "here"},
            "reminders": [],
            "onlineMeetingInfo": {"type": "dingtalk"},
            "richTextDescription": {"text": "<b>d</b>"},
            "uiConfigs": [{"uiName": "comment", "uiStatus": "hide"}],
            "extra": NO_NEWS,
            "eventConfig": {"allowAttendeeAddParticipants": False},
            "freeBusyStatus": "free",
        },
    ).json()
    shown = client.get(event["id"]).json()
    assert (shown["description"], shown["location"]["displayName"], shown["reminders"]) == ("d", "here", [])
    assert shown["recurrence"]["pattern"]["interval"] == 2
    assert shown["onlineMeetingInfo"]["conferenceId"] == dingtalk.effects["meetings"][0]["conference_id"]
    assert "extra" not in shown
    assert next(row for row in dingtalk.requests if row["action"] == "CreateEvent")["ignored"] == []


def test_what_a_creation_leaves_out_gets_a_default(client):
    """Without an end an event lasts an hour or a day; an all-day one is announced the day before at nine."""
    timed = client.send("POST", body={"summary": "s", "start": START}).json()
    assert timed["end"] == {"dateTime": "2038-03-01T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
    all_day = client.send("POST", body={"summary": "s", "start": {"date": "2038-03-01"}, "isAllDay": True}).json()
    assert all_day["end"] == {"date": "2038-03-02"}
    assert all_day["reminders"] == [{"method": "dingtalk", "minutes": "900"}]


def test_an_end_can_be_insisted_on(client, dingtalk):
    """A switch refuses an event without an end."""
    dingtalk.configure(omitted_end="refused")
    assert error_of(client.send("POST", body={"summary": "s", "start": START})) == (400, "invalidParameter")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"summary": None}, "summary: is required"),
        ({"summary": "  "}, "summary: cannot be blank"),
        ({"summary": "x" * 2049}, "2048"),
        ({"description": "x" * 5001}, "5000"),
        ({"start": None}, "start: is required"),
        ({"start": {"date": "2038-03-01"}}, "isAllDay"),
        ({"end": {**END, "timeZone": "Asia/Tokyo"}}, "end.timeZone"),
        ({"end": START}, "end: must be after start"),
        ({"recurrence": {"pattern": {"type": "daily", "interval": 366}}}, "interval must between [1, 365]"),
        ({"recurrence": {"range": {"numberOfOccurrences": 100}}}, "numberOfOccurrences must between [1, 99]"),
        ({"attendees": [{"email": "chen.bo@example.com"}]}, "attendees[0].id: is required"),
        ({"attendees": [{"id": str(n)} for n in range(501)]}, "at most 500"),
        ({"eventConfig": {"allowAttendeeCreateComment": "yes"}}, "eventConfig.allowAttendeeCreateComment"),
    ],
)
def test_a_wrong_event_is_not_created(client, dingtalk, changes, message):
    """Each documented limit is an invalid parameter, and nothing is written."""
    answer = client.send("POST", body={**EVENT, **changes})
    assert error_of(answer) == (400, "invalidParameter")
    assert message in answer.json()["message"]
    assert dingtalk.effects["writes"] == []


def test_a_creation_needs_a_body(client):
    """No body is no event."""
    assert client.send("POST").json()["message"] == "Event must be provided."


def test_whom_an_app_may_not_act_for(client, dingtalk):
    """Somebody outside the app's range, or unknown, is denied with a 400."""
    assert error_of(client.send("POST", user="staff-id-in-the-wrong-place", body=EVENT)) == (400, "permissionDeny")
    dingtalk.reset({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "range": [LIN]}]})
    client.log_in()
    assert error_of(client.send("POST", user=CHEN, body=EVENT)) == (400, "permissionDeny")
    assert client.send("POST", body=EVENT).status_code == 200


def test_a_user_creates_a_hundred_events_a_day(client, dingtalk):
    """The next one is refused until tomorrow; others are not concerned, nor do refused ones count."""
    dingtalk.configure(daily_creations=2)
    client.send("POST", body={})
    assert [client.send("POST", body=EVENT).status_code for _ in range(3)] == [200, 200, 400]
    assert error_of(client.send("POST", body=EVENT)) == (400, "flowLimit")
    assert client.send("POST", user=CHEN, body=EVENT).status_code == 200
    dingtalk.store.advance_clock(86400)
    assert client.log_in().send("POST", body=EVENT).status_code == 200
    assert type(dingtalk.store.settings)().daily_creations == 100


def test_creations_are_recorded(client, dingtalk):
    """The ledger has the new event with everything it has, and who was notified."""
    answer = client.send("POST", client_token="t", body={**EVENT, "attendees": [{"id": CHEN}, {"id": WANG}]})
    (row,) = dingtalk.effects["writes"]
    assert (row["action"], row["event_id"], row["client_token"]) == ("CreateEvent", answer.json()["id"], "t")
    assert row["request_id"] == answer.headers["x-acs-request-id"]
    assert row["changed"]["summary"] == [None, "New"]
    assert dingtalk.effects["updates"] == []
    assert [(one["kind"], one["recipients"]) for one in dingtalk.effects["notifications"]] == [
        ("push", 2),
        ("chat", 2),
    ]
    client.send("POST", body={**EVENT, "attendees": [{"id": CHEN}], "extra": NO_NEWS})
    assert len(dingtalk.effects["notifications"]) == 2


def test_a_sync_has_a_created_event(client):
    """A sync brings it."""
    token = client.list().json()["syncToken"]
    created = client.send("POST", body=EVENT).json()["id"]
    assert [event["id"] for event in client.list(syncToken=token).json()["events"]] == [created]


def test_an_organizer_cancels_for_all(client, dingtalk):
    """The event stays as cancelled, and its people are notified; a second deletion does not find it."""
    answer = client.send("DELETE", REVIEW, client_token="t")
    assert (answer.status_code, answer.content) == (200, b"")
    assert client.get(REVIEW, user=CHEN).json()["status"] == "cancelled"
    assert REVIEW not in [event["id"] for event in client.list().json()["events"]]
    assert error_of(client.send("DELETE", REVIEW)) == (404, "itemNotFound")
    (row,) = dingtalk.effects["writes"]
    assert (row["action"], row["changed"]) == ("DeleteEvent", {"status": ["confirmed", "cancelled"]})
    assert {(one["kind"], one["recipients"]) for one in dingtalk.effects["notifications"]} == {
        ("push", 4),
        ("chat", 4),
    }


def test_an_attendee_leaves(client, dingtalk):
    """To the attendee the event is gone, to everybody else it goes on."""
    assert client.send("DELETE", REVIEW, user=CHEN).status_code == 200
    assert error_of(client.get(REVIEW, user=CHEN)) == (404, "itemNotFound")
    assert client.get(REVIEW).json()["status"] == "confirmed"
    assert dingtalk.effects["writes"][0]["changed"].keys() == {"attendees"}
    assert dingtalk.effects["notifications"] == []


@pytest.mark.parametrize(("event_id", "user"), [("nothing", LIN), (ONE_TO_ONE, MORGAN)])
def test_only_who_takes_part_deletes(client, event_id, user):
    """Neither unknown events nor other people's are found."""
    assert error_of(client.send("DELETE", event_id, user=user)) == (404, "itemNotFound")


def test_a_series_goes_as_a_whole(client):
    """Cancelling the series cancels its instances; cancelling an instance leaves the series."""
    client.send("DELETE", STAND_UP_MOVED)
    assert error_of(client.get(STAND_UP_MOVED)) == (404, "instanceNotExist")
    assert client.get(STAND_UP).json()["status"] == "confirmed"
    client.send("DELETE", STAND_UP)
    assert client.get(STAND_UP).json()["status"] == "cancelled"


@pytest.mark.parametrize(
    ("params", "switch", "kinds"),
    [
        ({"pushNotification": "true"}, "held_back", {"push", "chat"}),
        ({"pushNotification": "false"}, "sent", {"chat"}),
        ({}, "sent", {"push", "chat"}),
        ({}, "held_back", {"chat"}),
    ],
)
def test_a_pop_up_can_be_asked_for(client, dingtalk, params, switch, kinds):
    """pushNotification decides on the pop-up, and a switch on what happens without it."""
    dingtalk.configure(unasked_notifications=switch)
    client.send("DELETE", REVIEW, params=params)
    assert {one["kind"] for one in dingtalk.effects["notifications"]} == kinds


def test_a_pop_up_is_true_or_false(client):
    """Anything else is an invalid parameter."""
    assert error_of(client.send("DELETE", REVIEW, params={"pushNotification": "please"})) == (400, "invalidParameter")


def test_a_sync_has_a_deletion(client):
    """A sync has the event as cancelled for attendees."""
    token = client.list(user=CHEN).json()["syncToken"]
    client.send("DELETE", REVIEW)
    (gone,) = client.list(user=CHEN, syncToken=token).json()["events"]
    assert (gone["id"], gone["status"]) == (REVIEW, "cancelled")


@pytest.mark.parametrize("answer", ["accepted", "declined", "tentative", "needsAction"])
def test_an_attendee_answers(client, dingtalk, answer):
    """The answer is the attendee's own, and nobody else's changes."""
    said = client.send("POST", REVIEW, "/respond", user=OKAFOR, body={"responseStatus": answer})
    assert (said.status_code, said.content) == (200, b"")
    people = {person["id"]: person["responseStatus"] for person in dingtalk.event(REVIEW)["attendees"]}
    assert (people[OKAFOR], people[LIN]) == (answer, "accepted")
    assert dingtalk.effects["writes"][0]["action"] == "RespondEvent"


@pytest.mark.parametrize(
    ("event_id", "user", "body", "expected"),
    [
        (REVIEW, OKAFOR, {"responseStatus": "perhaps"}, (400, "invalidParameter")),
        (REVIEW, OKAFOR, {}, (400, "invalidParameter")),
        (REVIEW, OKAFOR, None, (400, "invalidParameter")),
        (REVIEW, "nobody", {"responseStatus": "accepted"}, (404, "itemNotFound")),
        ("nothing", LIN, {"responseStatus": "accepted"}, (404, "itemNotFound")),
    ],
)
def test_a_wrong_answer_is_refused(client, event_id, user, body, expected):
    """Only attendees answer, with one of four words."""
    assert error_of(client.send("POST", event_id, "/respond", user=user, body=body)) == expected


def test_an_organizer_who_is_not_invited_has_nothing_to_answer(client, dingtalk):
    """Answers are kept with attendees."""
    dingtalk.store.put_events([{**dingtalk.event(HOLIDAY), "attendees": []}])
    answer = client.send("POST", HOLIDAY, "/respond", body={"responseStatus": "accepted"})
    assert error_of(answer) == (400, "invalidParameter")
