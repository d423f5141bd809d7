"""ListEventsView and ListInstances: series expanded into their instances."""

from __future__ import annotations

import base64
from datetime import datetime

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    CORP,
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
from tests.emulator.answers import error_of

JANUARY = {"timeMin": "2038-01-01T00:00:00+08:00", "timeMax": "2038-02-01T00:00:00+08:00"}


def view_events(client, user=LIN, **params):
    """List events as they take place."""
    return client.about("GET", "calendars/primary/eventsview", user=user, params={**JANUARY, **params})


def list_instances(client, event_id=STAND_UP, user=LIN, **params):
    """List the instances of a series."""
    return client.send("GET", event_id, "/instances", user=user, params={**JANUARY, **params})


def start_times(answer):
    """Return day and time of each event listed."""
    assert answer.status_code == 200, answer.text
    moments = [event["start"] for event in answer.json()["events"]]
    return [moment.get("date") or f"{datetime.fromisoformat(moment['dateTime']):%m-%d %H:%M}" for moment in moments]


def create_event(client, start, end, zone, **more):
    """Create an event and return its id."""
    times = {name: {"dateTime": time, "timeZone": zone} for name, time in (("start", start), ("end", end))}
    return client.send("POST", body={"summary": "s", **times, **more}).json()["id"]


def test_a_series_is_expanded_into_what_takes_place(client):
    """Each Monday is an event of its own, the moved one at its own time, between everything else in the period."""
    assert start_times(view_events(client)) == [
        "01-04 09:30",
        "01-05 14:00",
        "01-11 10:00",
        "01-14 15:00",
        "01-15 10:00",
        "01-18 09:30",
        "01-20 09:00",
        "01-25 09:30",
    ]


def test_an_instance_is_the_series_at_its_time(client):
    """It names its series and original start, has no rule, and an id that is not a stored event's."""
    first, *_ = view_events(client).json()["events"]
    assert first["seriesMasterId"] == STAND_UP
    assert first["originStart"] == {"dateTime": "2038-01-04T01:30:00Z"}
    assert first["start"] == {"dateTime": "2038-01-04T09:30:00+08:00", "timeZone": "Asia/Shanghai"}
    assert first["end"] == {"dateTime": "2038-01-04T09:45:00+08:00", "timeZone": "Asia/Shanghai"}
    assert "recurrence" not in first
    assert first["id"] != STAND_UP
    assert first["id"].endswith("=")
    assert error_of(client.get(first["id"])) == (404, "itemNotFound")
    assert [event["id"] for event in view_events(client).json()["events"] if event["id"] == first["id"]] == [
        first["id"]
    ]


def test_ids_of_instances_can_be_usable(client, dingtalk):
    """A switch makes an instance one that can be read, and is stored once it is changed or cancelled."""
    dingtalk.configure(view_ids="usable")
    first, _, third, _ = (event["id"] for event in list_instances(client).json()["events"])
    assert client.get(first).json()["start"]["dateTime"] == "2038-01-04T09:30:00+08:00"
    assert client.patch(first, summary="Only this one").status_code == 200
    assert client.send("DELETE", third).status_code == 200
    listed = list_instances(client).json()["events"]
    assert (listed[0]["id"], listed[0]["summary"], len(listed)) == (first, "Only this one", 3)
    assert error_of(client.get(third)) == (404, "instanceNotExist")
    assert dingtalk.event(STAND_UP)["summary"] == "Team stand-up 站会"
    assert dingtalk.effects["updates"][0]["changed"] == {"summary": ["Team stand-up 站会", "Only this one"]}


@pytest.mark.parametrize("plain", ["x@", f"{STAND_UP}@20380105T013000Z", f"{REVIEW}@20380114T070000Z", "x"])
def test_a_made_up_instance_is_not_found(client, dingtalk, plain):
    """An id must be one that the view gives."""
    dingtalk.configure(view_ids="usable")
    for event_id in (base64.b64encode(plain.encode()).decode(), plain):
        assert error_of(client.get(event_id)) == (404, "itemNotFound")


def test_stored_instances_have_their_own_ids(client):
    """What somebody has changed is stored, and can be read by its id."""
    ids = [event["id"] for event in view_events(client).json()["events"]]
    assert STAND_UP_MOVED in ids
    assert REVIEW in ids
    assert STAND_UP not in ids


def test_a_view_has_an_address_and_no_reminders(client):
    """The answer differs from GetEvent's in these two."""
    for event in view_events(client).json()["events"]:
        address = event["extendedProperties"]["privateProperties"]["dingtalkDetailUrl"]
        assert address.startswith("dingtalk://dingtalkclient/page/calendar_detail?uniqueId=")
        assert address.endswith(CORP)
        assert "reminders" not in event


def test_the_period_takes_what_has_not_ended_yet(client):
    """An event counts that ends at timeMin or later and starts before timeMax."""
    within = {"timeMin": "2038-01-05T14:30:00+08:00", "timeMax": "2038-01-14T15:00:00+08:00"}
    assert start_times(view_events(client, **within)) == ["01-05 14:00", "01-11 10:00"]


def test_cancelled_instances_are_left_out(client):
    """A cancelled Monday is not listed, neither at its own time nor at the moved one."""
    client.send("DELETE", STAND_UP_MOVED)
    assert start_times(list_instances(client)) == ["01-04 09:30", "01-18 09:30", "01-25 09:30"]
    client.send("DELETE", STAND_UP)
    assert "01-04 09:30" not in start_times(view_events(client))
    assert error_of(list_instances(client)) == (404, "itemNotFound")


def test_a_view_is_somebodys_own(client):
    """Who takes part sees the event, who does not does not."""
    assert "01-05 14:00" in start_times(view_events(client, user=CHEN))
    assert "01-05 14:00" not in start_times(view_events(client, user=WANG))
    assert start_times(view_events(client, user="nobody")) == []


def test_local_time_stays_over_a_clock_change(client):
    """A weekly meeting at nine in London is at nine before and after summer time begins."""
    rule = {"pattern": {"type": "weekly"}, "range": {"type": "noEnd"}}
    series = create_event(
        client, "2038-03-22T09:00:00+00:00", "2038-03-22T10:00:00+00:00", "Europe/London", recurrence=rule
    )
    answer = list_instances(client, series, timeMin="2038-03-20T00:00:00Z", timeMax="2038-04-06T00:00:00Z")
    assert start_times(answer) == ["03-22 09:00", "03-29 09:00", "04-05 09:00"]
    offsets = [event["start"]["dateTime"][-6:] for event in answer.json()["events"]]
    assert offsets == ["+00:00", "+01:00", "+01:00"]
    assert [event["originStart"]["dateTime"][11:] for event in answer.json()["events"]] == [
        "09:00:00Z",
        "08:00:00Z",
        "08:00:00Z",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ({"type": "daily", "interval": 10}, ["01-04", "01-14", "01-24"]),
        ({"type": "weekly", "daysOfWeek": "monday,friday", "interval": 2}, ["01-04", "01-08", "01-18", "01-22"]),
        ({"type": "absoluteMonthly", "dayOfMonth": 15}, ["01-04", "01-15"]),
        ({"type": "relativeMonthly", "index": "last", "daysOfWeek": "friday"}, ["01-04", "01-29"]),
        ({"type": "absoluteYearly", "dayOfMonth": 4}, ["01-04"]),
    ],
)
def test_each_kind_of_rule_is_expanded(client, pattern, expected):
    """All documented types name their days."""
    series = create_event(
        client,
        "2038-01-04T09:00:00+08:00",
        "2038-01-04T10:00:00+08:00",
        "Asia/Shanghai",
        recurrence={"pattern": pattern, "range": {"type": "noEnd"}},
    )
    assert [moment[:5] for moment in start_times(list_instances(client, series))] == expected


def test_an_all_day_series_has_days(client):
    """Its instances start and end on dates."""
    client.patch(HOLIDAY, recurrence={"pattern": {"type": "absoluteYearly"}, "range": {"type": "noEnd"}})
    answer = list_instances(client, HOLIDAY, timeMin="2039-01-01T00:00:00Z", timeMax="2039-12-31T00:00:00Z")
    (event,) = answer.json()["events"]
    assert (event["start"], event["end"]) == ({"date": "2039-02-05"}, {"date": "2039-02-12"})


def test_without_a_period_there_is_a_year(client, dingtalk):
    """An open end is a year away from the other, and with none the year begins now."""
    dingtalk.store.clock = lambda: datetime.fromisoformat("2038-01-25T09:40:00+08:00").timestamp()
    client.log_in()
    nothing = {"timeMin": None, "timeMax": None}
    assert start_times(list_instances(client, **nothing))[:2] == ["01-25 09:30", "02-01 09:30"]
    assert start_times(list_instances(client, timeMax=None))[0] == "01-04 09:30"
    assert start_times(list_instances(client, timeMin=None))[-1] == "01-25 09:30"


@pytest.mark.parametrize(
    "params",
    [
        {"timeMin": "yesterday"},
        {"timeMin": "2038-02-02T00:00:00Z"},
        {"timeMax": "2039-02-01T00:00:00Z"},
        {"maxResults": 101},
        {"maxAttendees": 0},
        {"nextToken": "made-up"},
    ],
)
@pytest.mark.parametrize("call", [view_events, list_instances])
def test_wrong_questions_are_refused(client, call, params):
    """Each wrong parameter is an invalid parameter."""
    assert error_of(call(client, **params)) == (400, "invalidParameter")


@pytest.mark.parametrize("call", [view_events, list_instances])
def test_pages_cover_everything_once(client, call):
    """Following nextToken gives each event once, though the series changes meanwhile; the last page has no token."""
    everything, seen, token = start_times(call(client)), [], None
    while True:
        answer = call(client, maxResults=1, **({"nextToken": token} if token else {}))
        seen += start_times(answer)
        client.patch(STAND_UP, summary="x", extra={"noPushNotification": "true", "noChatNotification": "true"})
        token = answer.json().get("nextToken")
        if not token:
            break
    assert seen == everything
    assert answer.json().keys() == {"events"}


def test_a_page_token_is_good_for_its_question_only(client):
    """Neither somebody else nor another call can use it."""
    token = view_events(client, maxResults=1).json()["nextToken"]
    assert error_of(view_events(client, user=CHEN, nextToken=token)) == (400, "invalidParameter")
    assert error_of(list_instances(client, nextToken=token)) == (400, "invalidParameter")


def test_as_many_attendees_as_asked_for(client):
    """maxAttendees limits those shown."""
    assert {len(event["attendees"]) for event in view_events(client, maxAttendees=1).json()["events"]} == {1}


@pytest.mark.parametrize(
    ("event_id", "user", "expected"),
    [
        (ONE_TO_ONE, LIN, (400, "invalidParameter")),
        ("nothing", LIN, (404, "itemNotFound")),
        (PLANNING, CHEN, (404, "itemNotFound")),
    ],
)
def test_only_a_series_has_instances(client, event_id, user, expected):
    """Nor are other people's series found."""
    assert error_of(list_instances(client, event_id, user=user)) == expected
    assert start_times(list_instances(client, PLANNING, user=MORGAN)) == ["01-20 09:00"]


@pytest.mark.parametrize("calendar", ["work", "%20"])
def test_the_primary_calendar_only(client, calendar):
    """The view knows no other calendar."""
    answer = client.about("GET", f"calendars/{calendar}/eventsview", params=JANUARY)
    assert answer.status_code in (400, 404)
