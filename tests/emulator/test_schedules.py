"""GetSchedule: when people are busy."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, HOLIDAY, LIN, OKAFOR, REVIEW, SAMPLE, WANG

DAY = {"startTime": "2038-01-14T00:00:00+08:00", "endTime": "2038-01-15T00:00:00+08:00"}


def query_schedule(client, *users, caller=LIN, **changes):
    """Ask when people are busy."""
    body = {"userIds": [*users], **DAY, **changes}
    return client.about("POST", "querySchedule", user=caller, json=body)


def busy_statuses(answer):
    """Return the statuses returned for each user."""
    assert answer.status_code == 200, answer.text
    rows = answer.json()["scheduleInformation"]
    return {row["userId"]: [item["status"] for item in row["scheduleItems"]] for row in rows}


def test_who_is_busy(client):
    """Who accepted or has not answered is busy, a tentative answer is returned so, and nothing else of the event."""
    answer = query_schedule(client, LIN, CHEN, OKAFOR)
    assert busy_statuses(answer) == {LIN: ["BUSY"], CHEN: ["BUSY"], OKAFOR: ["TENTATIVE"]}
    assert answer.json()["scheduleInformation"][0] == {
        "userId": LIN,
        "scheduleItems": [
            {
                "status": "BUSY",
                "start": {"dateTime": "2038-01-14T15:00:00+08:00", "timeZone": "Asia/Shanghai"},
                "end": {"dateTime": "2038-01-14T16:30:00+08:00", "timeZone": "Asia/Shanghai"},
            }
        ],
    }


def test_who_is_not(client):
    """Declined, cancelled and free events leave the time free, and so does one that ends where the question starts."""
    client.send("POST", REVIEW, "/respond", user=CHEN, body={"responseStatus": "declined"})
    assert busy_statuses(query_schedule(client, CHEN)) == {CHEN: []}
    client.patch(REVIEW, freeBusyStatus="free")
    assert busy_statuses(query_schedule(client, LIN, WANG)) == {LIN: [], WANG: []}
    client.patch(REVIEW, freeBusyStatus="busy")
    assert busy_statuses(query_schedule(client, WANG, startTime="2038-01-14T16:30:00+08:00")) == {WANG: []}
    client.send("DELETE", REVIEW)
    assert busy_statuses(query_schedule(client, WANG)) == {WANG: []}


def test_series_and_days_count(client):
    """Each instance of a series is returned, the moved one once, and an all-day event in UTC."""
    january = {"startTime": "2038-01-04T00:00:00+08:00", "endTime": "2038-01-19T00:00:00+08:00"}
    rows = query_schedule(client, OKAFOR, **january).json()["scheduleInformation"][0]["scheduleItems"]
    assert [row["start"]["dateTime"][5:16] for row in rows] == [
        "01-04T09:30",
        "01-11T10:00",
        "01-14T15:00",
        "01-18T09:30",
    ]
    february = {"startTime": "2038-02-05T00:00:00+08:00", "endTime": "2038-02-08T00:00:00+08:00"}
    (holiday,) = query_schedule(client, LIN, **february).json()["scheduleInformation"][0]["scheduleItems"]
    assert holiday["start"] == {"date": "2038-02-05", "timeZone": "UTC"}
    assert client.get(HOLIDAY).json()["start"] == {"date": "2038-02-05"}


def test_an_error_can_be_inside(client, dingtalk):
    """Who is unknown, or outside the app's range, has an error; the others are answered for."""
    known, unknown = query_schedule(client, LIN, "nobody").json()["scheduleInformation"]
    assert "error" not in known
    assert unknown["error"]
    dingtalk.reset({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "range": [LIN]}]})
    outside = query_schedule(client.log_in(), CHEN).json()["scheduleInformation"][0]
    assert outside["error"]


@pytest.mark.parametrize(
    "changes",
    [
        {"userIds": []},
        {"userIds": None},
        {"userIds": "x"},
        {"userIds": [str(n) for n in range(21)]},
        {"startTime": None},
        {"endTime": "tomorrow"},
        {"endTime": DAY["startTime"]},
    ],
)
def test_wrong_questions_are_illegal(client, changes):
    """Each wrong member is a paramIllegal."""
    answer = query_schedule(client, LIN, **changes)
    assert (answer.status_code, answer.json()["code"]) == (400, "paramIllegal")


def test_a_body_and_a_caller_are_needed(client):
    """No body, and nobody in the path, are a paramIllegal, too."""
    for answer in (client.about("POST", "querySchedule"), query_schedule(client, LIN, caller=" ")):
        assert (answer.status_code, answer.json()["code"]) == (400, "paramIllegal")


def test_milliseconds_can_be_insisted_on(client, dingtalk):
    """A switch refuses times without them, as a third party has seen the service do."""
    dingtalk.configure(schedule_times="milliseconds")
    answer = query_schedule(client, LIN)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidParameter.ParsedISO8601TimestampError")
    precise = {name: time.replace("+", ".000+") for name, time in DAY.items()}
    assert busy_statuses(query_schedule(client, LIN, **precise)) == {LIN: ["BUSY"]}


def test_intervals_can_be_cut(client, dingtalk):
    """A switch returns of an interval only what is in the time asked about."""
    dingtalk.configure(busy_intervals="cut")
    (whole,) = query_schedule(client, LIN).json()["scheduleInformation"][0]["scheduleItems"]
    later = whole["start"]["dateTime"].replace(":00:00", ":10:00")
    (cut,) = query_schedule(client, LIN, startTime=later).json()["scheduleInformation"][0]["scheduleItems"]
    assert (cut["start"]["dateTime"], cut["end"]) == (later, whole["end"])


def test_a_schedule_has_a_permission_of_its_own(stranger, dingtalk):
    """Reading events does not include it."""
    dingtalk.reset({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "scopes": ["Calendar.Event.Read"]}]})
    answer = query_schedule(stranger.log_in(), LIN)
    assert answer.json()["accessdenieddetail"] == {"requiredScopes": ["Calendar.EventSchedule.Read"]}
