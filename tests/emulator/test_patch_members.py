"""PatchEvent refuses and accepts the values that the documentation says, and a refused patch changes nothing."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    HOLIDAY,
    LIN,
    PLANNING,
    REVIEW,
    SAMPLE,
    STAND_UP,
    STAND_UP_MOVED,
)
from tests.emulator.answers import assert_patch_refused

RULE = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "noEnd"}}


def review_time(time, zone="Asia/Shanghai"):
    """Return a start or end on the day of the review."""
    return {"dateTime": f"2038-01-14T{time}:00+08:00", "timeZone": zone}


def with_pattern(**members):
    """Return a body with a recurrence pattern."""
    return {"recurrence": {**RULE, "pattern": {**RULE["pattern"], **members}}}


def with_range(**members):
    """Return a body with a recurrence range."""
    return {"recurrence": {**RULE, "range": members}}


@pytest.mark.parametrize("number", [0, 100, -1])
def test_number_of_occurrences_out_of_range(client, number):
    """numberOfOccurrences outside 1 to 99 is refused with the page's message."""
    answer = client.patch(STAND_UP, **with_range(type="numbered", numberOfOccurrences=number))
    assert_patch_refused(client, answer)
    assert answer.json()["message"] == "Recurrence range numberOfOccurrences must between [1, 99]"


@pytest.mark.parametrize("number", [0, 366])
def test_interval_out_of_range(client, number):
    """An interval outside 1 to 365 is refused with the page's message."""
    answer = client.patch(STAND_UP, **with_pattern(interval=number))
    assert_patch_refused(client, answer)
    assert answer.json()["message"] == "Recurrence interval must between [1, 365]"


@pytest.mark.parametrize(
    "body",
    [
        {"start": {"dateTime": "2038-01-15T09:30:00+08:00", "timeZone": "Asia/Shanghai"}},
        {"recurrence": RULE},
    ],
)
def test_meeting_room_invalid(client, body):
    """An event whose booked room is taken at the new time, be it at one of many, is refused with the page's message."""
    end = {"end": {"dateTime": "2038-01-15T10:30:00+08:00", "timeZone": "Asia/Shanghai"}} if "start" in body else {}
    if "recurrence" in body:
        client.control("POST", "events", json={**client.emulator.event(REVIEW), **_half_past_ten()})
        client.emulator.store.changes.clear()
    answer = client.patch(REVIEW, **body, **end)
    assert_patch_refused(client, answer)
    assert answer.json()["message"] == "Meeting room invalid"


def _half_past_ten():
    zone = "Asia/Shanghai"
    return {
        "start": {"dateTime": "2038-01-14T10:30:00+08:00", "timeZone": zone},
        "end": {"dateTime": "2038-01-14T11:30:00+08:00", "timeZone": zone},
    }


def test_a_room_keeps_nobody_from_changing_other_things(client):
    """Where the room is free at the new time, or the time stays, the event can be changed."""
    assert client.patch(REVIEW, start=review_time("13:00"), end=review_time("14:00")).status_code == 200
    assert client.patch(REVIEW, summary="x").status_code == 200


WRONG = {
    "summary": [5, ["x"], "x" * 2049],
    "description": [True, "x" * 5001],
    "isAllDay": ["true", 1],
    "start": [
        "2038-01-14",
        {},
        {"date": "2038-01-14", "dateTime": "2038-01-14T09:00:00+08:00", "timeZone": "Asia/Shanghai"},
        {"date": "2038-01-14", "timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-01-14T09:00:00+08:00"},
        {"timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-01-14 09:00", "timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-01-14T09:00:00", "timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-02-30T09:00:00+08:00", "timeZone": "Asia/Shanghai"},
        {"dateTime": "0001-01-01T00:00:00+08:00", "timeZone": "Asia/Shanghai"},
        {"dateTime": 1, "timeZone": "Asia/Shanghai"},
        review_time("09:00", "Asia/Peking"),
        review_time("09:00", "../etc"),
        review_time("09:00", 8),
        {"date": "2038-1-14"},
        {"date": "2038-01-14"},
    ],
    "end": [review_time("09:00"), review_time("15:00"), review_time("18:00", "Asia/Tokyo"), {"date": "2038-01-15"}],
    "recurrence": [
        "daily",
        {},
        {"pattern": []},
        {"pattern": {"type": "relativeYearly"}},
        {"pattern": {"type": "weekly", "daysOfWeek": ["monday"]}},
        {"pattern": {"type": "weekly", "daysOfWeek": "Monday"}},
        {"pattern": {"type": "weekly", "daysOfWeek": "monday, friday"}},
        {"pattern": {"type": "daily", "interval": "1"}},
        {"pattern": {"type": "absoluteMonthly", "dayOfMonth": 32}},
        {"pattern": {"type": "relativeMonthly", "index": "fifth"}},
        {"pattern": {"type": "weekly", "firstDayOfWeek": "mon"}},
        {"range": {"type": "forever"}},
        {"range": {"type": "endDate", "endDate": "2038-12-31"}},
        {"range": {"endDate": "2038-12-31T00:00:00+08:00", "numberOfOccurrences": 3}},
        {"range": {"type": "numbered", "numberOfOccurrences": 3.0}},
    ],
    "attendees": [
        {"id": CHEN},
        [None],
        [{}],
        [{"isOptional": True}],
        [{"id": 5}],
        [{"id": CHEN, "isOptional": "no"}],
        [{"id": f"u{number}"} for number in range(501)],
    ],
    "location": ["room", {"displayName": 5}],
    "extra": [[], {"noPushNotification": True}],
    "reminders": [{}, [5], [{"minutes": "15"}], [{"minutes": True}], [{"minutes": 2**31}], [{"method": "email"}]],
    "onlineMeetingInfo": [True, {"type": "zoom"}],
    "richTextDescription": ["<p>", {"text": 5}],
    "uiConfigs": [{}, [{}], [{"uiName": "comment"}], [{"uiStatus": "hide"}], [{"uiName": "x", "uiStatus": "gone"}]],
    "cardInstances": [[{"outTrackId": 5}]],
    "categories": [[{"categoryId": 5}]],
    "freeBusyStatus": [True],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in WRONG.items() for value in values])
def test_a_wrong_member_is_named(client, name, value):
    """A member of the wrong type, format or size is an invalid parameter, and the message says which."""
    answer = client.patch(REVIEW, **{name: value})
    assert_patch_refused(client, answer)
    assert any(word in answer.json()["message"] for word in (name, "isAllDay", "end"))


RIGHT = {
    "summary": ["x" * 2048, None],
    "description": ["x" * 5000],
    "isAllDay": [False],
    "start": [
        review_time("14:00"),
        {**review_time("14:00"), "date": ""},
        {"dateTime": "2038-01-14T06:00Z", "timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-01-14T06:00:00.000Z", "timeZone": "Asia/Shanghai"},
        {"dateTime": "2038-01-14T14:00:00+0800", "timeZone": "Asia/Shanghai"},
    ],
    "recurrence": [
        RULE,
        {"pattern": {"type": "weekly", "daysOfWeek": "monday,friday", "interval": 365, "firstDayOfWeek": "monday"}},
        {
            "pattern": {"type": "absoluteMonthly", "dayOfMonth": 31},
            "range": {"type": "numbered", "numberOfOccurrences": 99},
        },
        {"pattern": {"type": "relativeMonthly", "index": "last", "daysOfWeek": "sunday"}},
        {"pattern": {"type": "absoluteYearly"}, "range": {"type": "endDate", "endDate": "2031-12-31T10:15Z"}},
    ],
    "attendees": [[], [{"id": CHEN, "isOptional": None}], [{"id": f"u{number}"} for number in range(500)]],
    "location": [{}, {"displayName": "x"}],
    "extra": [{"noPushNotification": "true", "anything": "x"}],
    "reminders": [[], [{"method": "dingtalk", "minutes": 0}, {"minutes": 15}, {"method": "dingtalk"}]],
    "onlineMeetingInfo": [{}, {"type": "dingtalk"}],
    "richTextDescription": [{}, {"text": "<p>x</p>"}],
    "uiConfigs": [[], [{"uiName": "somethingNew", "uiStatus": "hide"}]],
    "cardInstances": [[{"outTrackId": "a", "scenario": "b"}]],
    "categories": [[{"categoryId": "a", "displayName": "b"}]],
    "freeBusyStatus": ["free"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in RIGHT.items() for value in values])
def test_a_right_member_is_accepted(client, dingtalk, name, value):
    """What the documentation allows is accepted, up to its limits, and null is as good as absent."""
    dingtalk.store.put_events([{k: v for k, v in dingtalk.event(REVIEW).items() if k != "meetingRooms"}])
    answer = client.patch(REVIEW, **{name: value})
    assert answer.status_code == 200, answer.text


def test_end_together_with_number_of_occurrences_is_accepted(client):
    """The page forbids it and the official tutorial does it, so it passes."""
    body = with_range(type="numbered", numberOfOccurrences=3)
    assert client.patch(
        STAND_UP, **body, end={"dateTime": "2038-01-04T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
    ).is_success


def test_both_ends_must_have_the_same_zone(client):
    """Start and end in two zones are refused."""
    answer = client.patch(
        PLANNING,
        user=SAMPLE["events"][5]["organizer"]["id"],
        start=review_time("09:00"),
        end=review_time("18:00", "Asia/Tokyo"),
    )
    assert_patch_refused(client, answer, message="timeZone")


@pytest.mark.parametrize(
    ("event_id", "body"),
    [
        (REVIEW, {"start": {"date": "2038-01-14"}, "end": {"date": "2038-01-15"}}),
        (REVIEW, {"isAllDay": True}),
        (HOLIDAY, {"isAllDay": False}),
        (HOLIDAY, {"start": review_time("09:00"), "end": review_time("10:00")}),
    ],
)
def test_all_day_and_times_must_agree(client, event_id, body):
    """An all-day event has dates and any other has times."""
    assert_patch_refused(client, client.patch(event_id, **body), message="isAllDay")


def test_an_event_has_at_most_5000_attendees(client, dingtalk):
    """Attendees beyond 5,000 are refused even when each call stays within 500."""
    dingtalk.configure(attendees="append")
    crowd = [{"id": f"u{number}"} for number in range(4999)]
    dingtalk.store.put_events([{**dingtalk.event(REVIEW), "attendees": [{"id": LIN}, *crowd]}])
    dingtalk.store.changes.clear()
    assert_patch_refused(client, client.patch(REVIEW, attendees=[{"id": "one too many"}]), message="5000")


def test_an_instance_cannot_get_a_recurrence(client):
    """One instance of a series has no recurrence of its own."""
    assert_patch_refused(client, client.patch(STAND_UP_MOVED, recurrence=RULE), message="recurrence")


def test_a_patch_is_all_or_nothing(client, dingtalk):
    """One wrong member keeps the right ones from being applied."""
    before = dingtalk.event(REVIEW)
    assert_patch_refused(client, client.patch(REVIEW, summary="changed", reminders=[{"minutes": "soon"}]))
    assert_patch_refused(client, client.patch(REVIEW, summary="changed", end=review_time("14:00")))
    assert dingtalk.event(REVIEW) == before
