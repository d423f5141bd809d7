"""Data an emulator starts with: what users may pass, and how a mistake in it is reported."""

from __future__ import annotations

import base64
from copy import deepcopy

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, PLANNING, REVIEW, SAMPLE, STAND_UP


def with_event(**changes):
    """Return the sample with its first event changed."""
    first, *others = SAMPLE["events"]
    return {**SAMPLE, "events": [{**first, **changes}, *others]}


def test_the_sample_is_as_documented(dingtalk):
    """Ids have DingTalk's shape, and nothing in the sample could be mistaken for real."""
    for event in SAMPLE["events"]:
        assert len(event["id"]) == 32
        assert event["id"].isalnum()
        assert len(base64.b64decode(base64.b64decode(event["id"]))) == 16
    assert "example" in dingtalk.app_key


def test_the_sample_is_not_changed_by_use(client):
    """Two emulators do not share what they change."""
    before = deepcopy(SAMPLE)
    client.patch(REVIEW, summary="x", attendees=[], location={"displayName": "y"})
    assert before == SAMPLE


def test_what_get_shows_can_be_given_as_data(dingtalk):
    """Events in the shape of GetEvent's answers are data."""
    shown = {event_id: dingtalk.event(event_id) for event_id in dingtalk.store.events}
    dingtalk.reset({**SAMPLE, "events": list(shown.values())})
    assert {event_id: dingtalk.event(event_id) for event_id in dingtalk.store.events} == shown


def test_what_is_left_out_gets_a_default(dingtalk):
    """A short event is complete once loaded."""
    short = {
        "id": "short",
        "summary": "s",
        "start": {"date": "2038-05-01"},
        "end": {"date": "2038-05-02"},
        "organizer": {"id": LIN},
        "attendees": [{"id": "x"}],
    }
    dingtalk.reset({"apps": SAMPLE["apps"], "events": [short]})
    event = dingtalk.event("short")
    assert (event["isAllDay"], event["status"]) == (True, "confirmed")
    assert event["organizer"] == {"id": LIN, "displayName": "", "responseStatus": "accepted", "self": True}
    assert event["attendees"][0]["responseStatus"] == "needsAction"
    assert event["createTime"] == event["updateTime"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "must be an object"),
        ({}, "apps: is required"),
        ({"apps": []}, "apps: there must be at least one"),
        ({"apps": [{"appKey": "k"}]}, r"apps\[0\].appSecret: is required"),
        ({"apps": [{"appKey": "k", "appSecret": "s", "scope": []}]}, r"apps\[0\].scope: unknown member"),
        ({"apps": [{"appKey": "k", "appSecret": "s"}] * 2}, "same appKey"),
        ({**SAMPLE, "users": [{"unionId": "u"}]}, r"users\[0\].name: is required"),
        ({**SAMPLE, "users": [{"unionId": "u", "name": "n"}] * 2}, "same unionId"),
        ({**SAMPLE, "event": []}, "event: unknown member"),
        ({**SAMPLE, "users": [{"unionId": u, "name": "n", "userId": "same"} for u in "ab"]}, "same userId"),
        ({**SAMPLE, "rooms": [{"roomId": "r"}]}, r"rooms\[0\].displayName: is required"),
        ({**SAMPLE, "rooms": [{"roomId": "r", "displayName": "R"}] * 2}, "same roomId"),
        ({**SAMPLE, "corps": "x"}, "corps: must be an array"),
        ({**SAMPLE, "suiteTicket": 5}, "suiteTicket: must be a string"),
        ({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "authorizedBy": ["x"]}]}, "app k: authorizedBy: 'x'"),
        ({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "range": LIN}]}, r"apps\[0\].range: must be an array"),
        (with_event(sumary="x"), r"events\[0\].sumary: unknown member"),
        (with_event(summary=""), r"events\[0\].summary: is required"),
        (with_event(organizer={}), r"events\[0\].organizer.id: is required"),
        (with_event(start={"date": "tomorrow"}), r"events\[0\].start.date: must be a date"),
        (with_event(end={"date": "2038-01-05"}), "isAllDay"),
        (with_event(id=PLANNING), "same id"),
        (with_event(attendees=[{"email": "x@example.com"}]), r"attendees\[0\].id: is required"),
        (with_event(reminders=[{"method": "dingtalk", "minutes": "soon"}]), r"reminders\[0\].minutes"),
        (with_event(status="maybe"), r"events\[0\].status: must be one of"),
    ],
)
def test_wrong_data_is_reported_with_its_place(data, message):
    """A mistake in the data is a ValueError before anything listens."""
    with pytest.raises(ValueError, match=message):
        Emulator(data)


def test_wrong_data_leaves_the_emulator_as_it_was(dingtalk):
    """A reset that fails changes nothing."""
    with pytest.raises(ValueError, match="apps"):
        dingtalk.reset({}, replay="again")
    assert dingtalk.event(STAND_UP)
    assert dingtalk.store.settings.replay == "stored"


def test_data_may_say_nothing_of_corps_staff_and_rooms(dingtalk):
    """Then there is one organisation, which has authorized every app foreverybody, with the rooms its events have."""
    events = [SAMPLE["events"][3]]
    dingtalk.reset({"apps": SAMPLE["apps"], "events": events})
    (app,) = dingtalk.store.apps.values()
    assert app.corps == {dingtalk.corp_id}
    assert app.range is None
    assert dingtalk.suite_ticket
    assert dingtalk.store.staff == {}
    assert dingtalk.store.rooms == {"room-4f-plum": "4F Plum 梅"}
    assert dingtalk.signed_in is None
