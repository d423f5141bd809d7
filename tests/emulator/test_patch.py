"""What a patch does to an event, member by member, under each switch."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    HOLIDAY,
    LIN,
    MORGAN,
    ONE_TO_ONE,
    PLANNING,
    REVIEW,
    STAND_UP,
    STAND_UP_MOVED,
    WANG,
)

DOCUMENTED = {
    "id",
    "summary",
    "description",
    "start",
    "end",
    "isAllDay",
    "recurrence",
    "attendees",
    "organizer",
    "location",
    "reminders",
    "createTime",
    "updateTime",
    "onlineMeetingInfo",
    "richTextDescription",
    "uiConfigs",
    "cardInstances",
    "categories",
}


def all_day(start, end):
    """Return start and end of an all-day event."""
    return {"start": {"date": start}, "end": {"date": end}}


def invited_ids(event):
    """Return who is invited."""
    return [person["id"] for person in event["attendees"]]


def test_only_what_is_named_changes(client, dingtalk):
    """Members not passed remain unchanged."""
    before = dingtalk.event(REVIEW)
    client.patch(REVIEW, summary="Renamed")
    after = dingtalk.event(REVIEW)
    assert {name for name in after if after[name] != before.get(name)} == {"summary", "updateTime"}


def test_the_answer_has_the_documented_members(client):
    """PatchEvent answers with the members of its page (and of the SDK), and with none that only GetEvent has."""
    full = {
        "recurrence": {"pattern": {"type": "daily"}, "range": {"type": "numbered", "numberOfOccurrences": 2}},
        "onlineMeetingInfo": {"type": "dingtalk"},
        "cardInstances": [{"outTrackId": "a", "scenario": "b"}],
        "categories": [{"categoryId": "a", "displayName": "b"}],
        "extra": {"noPushNotification": "true"},
        "freeBusyStatus": "free",
    }
    answer = client.patch(REVIEW, **full).json()
    assert answer.keys() == DOCUMENTED
    assert answer["recurrence"] == full["recurrence"]
    assert answer["categories"] == full["categories"]
    assert answer["attendees"][0].keys() == {"id", "displayName", "responseStatus", "self", "isOptional"}
    assert answer["organizer"] == {"id": LIN, "displayName": "林悦", "responseStatus": "accepted", "self": True}
    assert answer["location"]["meetingRooms"] == ["4F Plum 梅"]
    assert client.patch(STAND_UP_MOVED, summary="x").json().keys() <= DOCUMENTED


def test_minutes_are_a_string_in_answers(client):
    """An integer in the request comes back as a string."""
    answer = client.patch(REVIEW, reminders=[{"method": "dingtalk", "minutes": 30}]).json()
    assert answer["reminders"] == [{"method": "dingtalk", "minutes": "30"}]


def test_the_update_time_moves_with_each_update(client):
    """Two updates within a second still have different times, written in China's zone."""
    times = [client.patch(REVIEW, summary="x").json()["updateTime"] for _ in range(3)]
    assert times == sorted(set(times))
    assert all(time.endswith("+08:00") for time in times)


def test_times_are_written_in_their_zone(client):
    """A time given in UTC comes back as local time of the zone, the same moment."""
    start = {"dateTime": "2038-01-14T06:30:00.000Z", "timeZone": "Asia/Shanghai"}
    assert client.patch(REVIEW, start=start).json()["start"]["dateTime"] == "2038-01-14T14:30:00+08:00"


def test_a_timed_event_becomes_an_all_day_one(client):
    """With isAllDay, start and end the kind of an event changes; the old time is gone."""
    answer = client.patch(ONE_TO_ONE, isAllDay=True, **all_day("2038-01-05", "2038-01-06")).json()
    assert (answer["start"], answer["end"], answer["isAllDay"]) == (
        {"date": "2038-01-05"},
        {"date": "2038-01-06"},
        True,
    )


@pytest.mark.parametrize(("setting", "status"), [("exclusive", 400), ("inclusive", 200)])
def test_whether_a_day_may_end_on_itself_is_a_switch(client, dingtalk, setting, status):
    """An all-day event may start and end on the same date only if ends are inclusive."""
    dingtalk.configure(all_day_end=setting)
    assert client.patch(HOLIDAY, **all_day("2038-02-05", "2038-02-05")).status_code == status
    assert client.patch(HOLIDAY, **all_day("2038-02-05", "2038-02-04")).status_code == 400
    assert client.patch(HOLIDAY, **all_day("2038-02-05", "2038-02-06")).status_code == 200


def test_a_recurrence_is_replaced_as_a_whole(client):
    """A partial rule is not merged with the old one: what it lacks is gone."""
    answer = client.patch(STAND_UP, recurrence={"pattern": {"interval": 2}}).json()
    assert answer["recurrence"] == {"pattern": {"interval": 2}}


def test_attendees_replace_those_there_were(client, dingtalk):
    """By default the list is the new list; the organizer stays, and so does the answer of who was invited before."""
    answer = client.patch(REVIEW, attendees=[{"id": WANG, "isOptional": True}, {"id": "new"}]).json()
    assert invited_ids(answer) == [LIN, WANG, "new"]
    assert [person["responseStatus"] for person in answer["attendees"]] == ["accepted", "accepted", "needsAction"]
    assert [person["isOptional"] for person in answer["attendees"]] == [False, True, False]
    assert invited_ids(client.patch(REVIEW, attendees=[]).json()) == [LIN]


def test_attendees_append_to_those_there_were(client, dingtalk):
    """With the switch at append the list adds to who is invited."""
    dingtalk.configure(attendees="append")
    answer = client.patch(ONE_TO_ONE, attendees=[{"id": CHEN, "isOptional": True}, {"id": WANG}]).json()
    assert invited_ids(answer) == [LIN, CHEN, WANG]
    assert answer["attendees"][1]["isOptional"] is True


def test_mail_addresses_do_not_come_back(client, dingtalk):
    """Somebody invited by mail is known by an id, a colleague by their own, and the address is never shown."""
    invited = [{"email": "wang.min@example.com"}, {"email": "guest@example.org"}]
    answer = client.patch(ONE_TO_ONE, attendees=invited)
    assert "example" not in answer.text
    assert invited_ids(answer.json())[:2] == [LIN, WANG]
    again = client.patch(ONE_TO_ONE, attendees=invited)
    assert invited_ids(again.json()) == invited_ids(answer.json())
    assert dingtalk.store.events[ONE_TO_ONE]["attendees"][2]["email"] == "guest@example.org"


def test_location_keeps_booked_rooms(client):
    """The text is replaced; rooms have calls of their own."""
    location = client.patch(REVIEW, location={"displayName": "5F"}).json()["location"]
    assert location == {"displayName": "5F", "meetingRooms": ["4F Plum 梅"]}


def test_ui_configs_are_replaced(client):
    """The list is the new list."""
    new = [{"uiName": "attendee", "uiStatus": "hide"}]
    assert client.patch(REVIEW, uiConfigs=new).json()["uiConfigs"] == new


def test_each_online_meeting_is_a_new_one(client):
    """Passing onlineMeetingInfo creates a meeting each time, in place of the one there was."""
    meetings = [client.patch(PLANNING, user=MORGAN, onlineMeetingInfo={}).json()["onlineMeetingInfo"] for _ in range(2)]
    assert meetings[0].keys() == {"type", "conferenceId", "url"}
    assert meetings[0]["conferenceId"] != meetings[1]["conferenceId"]
    assert meetings[1]["conferenceId"] in meetings[1]["url"]


def test_an_empty_list_of_reminders_means_none(client):
    """Reminders are replaced, and none is none."""
    assert client.patch(REVIEW, reminders=[]).json()["reminders"] == []


@pytest.mark.parametrize(
    ("setting", "event_id", "minutes"),
    [
        ("unchanged", REVIEW, ["15", "60"]),
        ("default", REVIEW, ["15"]),
        ("default", HOLIDAY, ["900"]),
    ],
)
def test_what_omitted_reminders_mean_is_a_switch(client, dingtalk, setting, event_id, minutes):
    """Without reminders they stay, or the default comes back: 15 minutes before, or 9 AM on the day before."""
    dingtalk.configure(omitted_reminders=setting)
    answer = client.patch(event_id, summary="x").json()
    assert [reminder["minutes"] for reminder in answer["reminders"]] == minutes


TEXTS = {
    "summary": "",
    "description": "",
    "location": {"displayName": ""},
    "richTextDescription": {"text": ""},
}


@pytest.mark.parametrize("name", TEXTS)
def test_empty_text_clears(client, name):
    """By default an empty text is the new text."""
    answer = client.patch(REVIEW, **{name: TEXTS[name]}).json()
    assert answer[name] == ({**answer[name], **TEXTS[name]} if isinstance(TEXTS[name], dict) else "")


@pytest.mark.parametrize("name", TEXTS)
def test_empty_text_is_ignored(client, dingtalk, name):
    """With the switch at ignored an empty text changes nothing."""
    dingtalk.configure(empty_text="ignored")
    before = dingtalk.event(REVIEW)
    assert client.patch(REVIEW, **{name: TEXTS[name]}).json()[name] == before[name]


@pytest.mark.parametrize("name", TEXTS)
def test_empty_text_is_refused(client, dingtalk, name):
    """With the switch at refused an empty text is an invalid parameter."""
    dingtalk.configure(empty_text="refused")
    answer = client.patch(REVIEW, **{name: TEXTS[name]})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalidParameter")
    assert name in answer.json()["message"]


def test_patching_an_instance_changes_the_instance(client, dingtalk):
    """By default only the instance named changes."""
    assert client.patch(STAND_UP_MOVED, summary="x").json()["id"] == STAND_UP_MOVED
    assert dingtalk.event(STAND_UP)["summary"] != "x"


def test_patching_an_instance_changes_the_series(client, dingtalk):
    """With the switch at series the master changes and is the answer."""
    dingtalk.configure(instance_patch="series")
    assert client.patch(STAND_UP_MOVED, summary="x").json()["id"] == STAND_UP
    assert dingtalk.event(STAND_UP)["summary"] == "x"
    assert dingtalk.effects["updates"][0]["event_id"] == STAND_UP


def test_patching_an_instance_is_refused(client, dingtalk):
    """With the switch at refuse only series and single events can be updated."""
    dingtalk.configure(instance_patch="refuse")
    assert client.patch(STAND_UP_MOVED, summary="x").json()["code"] == "invalidParameter"
    assert client.patch(STAND_UP, summary="x").status_code == 200


ODD = ["a/b+c==", "100%", "%2F", "a b", "会议 🎉", "what?", "#1", "a/../b", "a//b", "{eventId}", "a\nb", "&=;"]


@pytest.mark.parametrize("event_id", ODD)
def test_an_event_id_may_hold_anything(client, dingtalk, event_id):
    """Ids travel as one percent-encoded segment, whatever is in them."""
    dingtalk.store.put_events([{**dingtalk.event(ONE_TO_ONE), "id": event_id}])
    answer = client.patch(event_id, summary="odd")
    assert answer.status_code == 200, answer.text
    assert client.get(event_id).json()["summary"] == "odd"
    assert dingtalk.requests[-1]["path"].endswith(f"/events/{event_id}")
