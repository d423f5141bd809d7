"""Stream mode: what is pushed when something changes, and when it is pushed again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import (
    CHEN,
    LIN,
    MORGAN,
    ONE_TO_ONE,
    ORCHID_ROOM,
    REVIEW,
    SAMPLE,
    STAND_UP,
)
from tests.emulator.conftest import Client
from tests.emulator.stream_client import StreamClient, eventually

HOURS = {
    name: {"dateTime": f"2038-03-01T{hour}:00:00+08:00", "timeZone": "Asia/Shanghai"}
    for name, hour in (("start", "09"), ("end", "10"))
}


def statuses(dingtalk: Emulator) -> list[str]:
    """Return what became of each event."""
    return [event["status"] for event in dingtalk.pushed_events()]


def test_a_change_is_pushed(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """The frame has the protocol's members, and its data has which event changed, when and for whom."""
    socket = stream.open()
    event = client.patch(REVIEW, summary="x").json()
    frame = stream.read(socket)
    headers, data = frame["headers"], frame["data"]
    assert {name: frame[name] for name in ("specVersion", "type")} == {"specVersion": "1.0", "type": "EVENT"}
    assert headers.keys() == {
        *("topic", "messageId", "contentType", "time", "eventType", "eventId"),
        *("eventCorpId", "eventBornTime", "eventUnifiedAppId"),
    }
    assert (headers["topic"], headers["eventType"]) == ("*", "calendar_event_change")
    assert (headers["contentType"], headers["eventCorpId"]) == ("application/json", dingtalk.corp_id)
    assert int(headers["time"]) >= int(headers["eventBornTime"]) > 10**12
    assert data.keys() == {
        *("changeType", "calendarEventId", "unionIdList", "calendarId", "calendarEventUpdateTime"),
        *("legacyCalendarEventId", "operator"),
    }
    assert (data["changeType"], data["calendarEventId"], data["calendarId"]) == ("updated", REVIEW, "primary")
    assert {LIN, CHEN} <= set(data["unionIdList"])
    assert data["operator"] == {"type": "user"}
    assert event["updateTime"].startswith("20")
    assert data["calendarEventUpdateTime"] % 1000 == 0


def test_everything_that_changes_is_pushed(stream: StreamClient, client: Client) -> None:
    """Creation, updates, attendees, answers, rooms and the deletion are one push each, in their order."""
    socket = stream.open()
    new = client.send("POST", body={"summary": "Brand new", **HOURS}).json()["id"]
    client.send("POST", new, "/attendees", body={"attendeesToAdd": [{"id": CHEN}]})
    client.send("POST", new, "/respond", user=CHEN, body={"responseStatus": "declined"})
    client.send("POST", new, "/attendees/batchRemove", body={"attendeesToRemove": [{"id": CHEN}]})
    client.send("POST", new, "/meetingRooms", body={"meetingRoomsToAdd": [{"roomId": ORCHID_ROOM}]})
    client.send("POST", new, "/meetingRooms/batchRemove", body={"meetingRoomsToRemove": [{"roomId": ORCHID_ROOM}]})
    client.patch(new, summary="Older")
    client.send("DELETE", new)
    frames = [stream.read(socket)["data"] for _ in range(8)]
    assert [frame["changeType"] for frame in frames] == ["created", *["updated"] * 6, "cancelled"]
    assert {frame["calendarEventId"] for frame in frames} == {new}
    assert [CHEN in frame["unionIdList"] for frame in frames] == [False, True, True, True, *[False] * 4]


def test_what_the_control_api_changes_is_pushed(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Events that are posted are changes like others."""
    socket = stream.open()
    new = {**dingtalk.event(REVIEW), "id": "posted"}
    client.control("POST", "events", json=[new, dingtalk.event(ONE_TO_ONE)])
    frames = [stream.read(socket)["data"] for _ in range(2)]
    assert [(one["changeType"], one["calendarEventId"]) for one in frames] == [
        ("created", "posted"),
        ("updated", ONE_TO_ONE),
    ]


def test_a_series_is_cancelled_with_its_instances(stream: StreamClient, client: Client) -> None:
    """Deleting a series pushes what becomes of the instances that are stored, and of the series."""
    socket = stream.open()
    client.send("DELETE", STAND_UP)
    frames = [stream.read(socket)["data"] for _ in range(2)]
    assert [frame["changeType"] for frame in frames] == ["cancelled"] * 2
    assert frames[1]["calendarEventId"] == STAND_UP


def test_what_changes_nothing_pushes_nothing(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """A call that is refused, and one that only reads, are no events."""
    stream.open()
    client.patch(REVIEW, user=CHEN, summary="not mine")
    client.get(REVIEW)
    assert dingtalk.pushed_events() == []


def test_an_event_is_acknowledged(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """After SUCCESS it does not come again."""
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    assert [one["status"] for one in dingtalk.unacknowledged()] == ["pushed"]
    stream.acknowledge(socket, stream.read(socket))
    assert eventually(lambda: dingtalk.unacknowledged() == [])
    dingtalk.advance_clock(3600)
    assert [(event["status"], event["pushes"]) for event in dingtalk.pushed_events()] == [("acknowledged", 1)]
    assert dingtalk.connections()[0]["acknowledged"] == 1


@pytest.mark.parametrize("seconds", [60, 7])
def test_what_is_not_acknowledged_comes_again(
    stream: StreamClient, client: Client, dingtalk: Emulator, seconds: int
) -> None:
    """After the time-out the same event comes in another message, as often as it takes; any of them may be answered."""
    dingtalk.configure(stream_redelivery=seconds)
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    first = stream.read(socket)
    dingtalk.advance_clock(seconds - 1)
    assert dingtalk.unacknowledged()[0]["pushes"] == 1
    dingtalk.advance_clock(1)
    second = stream.read(socket)
    assert second["data"] == first["data"]
    assert second["headers"]["eventId"] == first["headers"]["eventId"]
    assert second["headers"]["messageId"] != first["headers"]["messageId"]
    stream.acknowledge(socket, first)
    assert eventually(lambda: statuses(dingtalk) == ["acknowledged"])


def test_later_is_the_time_out_again(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """LATER is no acknowledgement: the event comes again, a time-out after that answer."""
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    dingtalk.advance_clock(50)
    stream.acknowledge(socket, stream.read(socket), "LATER")
    assert eventually(lambda: statuses(dingtalk) == ["later"])
    dingtalk.advance_clock(59)
    assert statuses(dingtalk) == ["later"]
    dingtalk.advance_clock(1)
    stream.acknowledge(socket, stream.read(socket))
    assert eventually(lambda: statuses(dingtalk) == ["acknowledged"])


@pytest.mark.parametrize(
    ("data", "code", "problem"),
    [
        ({"status": "SUCCESS"}, 500, "code is 500"),
        ({"status": "SUCCESS"}, 404, "code is 404"),
        ({}, 200, "data.status must be SUCCESS or LATER, not None"),
        ({"status": "success"}, 200, "not 'success'"),
        ({"changeType": "updated"}, 200, "not None"),
        ("SUCCESS", 200, "data must be the text of a JSON object"),
    ],
)
def test_an_answer_that_says_no_status_acknowledges_nothing(
    stream: StreamClient, client: Client, dingtalk: Emulator, data: Any, code: int, problem: str
) -> None:
    """Such an answer is noted with what is wrong with it, and the event comes again."""
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    stream.answer(socket, stream.read(socket), data, code)
    assert eventually(lambda: bool(dingtalk.connections()[0]["problems"]))
    assert problem in dingtalk.connections()[0]["problems"][0]
    dingtalk.advance_clock(60)
    assert stream.read(socket)["data"]["calendarEventId"] == REVIEW


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "5", "{}", '{"code": 200}', '{"headers": {"messageId": 5}, "code": 200}', b"\xff\x00"],
)
def test_what_is_no_answer_is_noted(stream: StreamClient, dingtalk: Emulator, text: str | bytes) -> None:
    """Whatever a client sends does the connection no harm."""
    socket = stream.open()
    socket.send(text)
    assert eventually(lambda: len(dingtalk.connections()[0]["problems"]) == 1)


def test_an_answer_to_nothing_is_noted(stream: StreamClient, dingtalk: Emulator) -> None:
    """A messageId that no frame had is named."""
    socket = stream.open()
    stream.answer(socket, {"headers": {"messageId": "made-up"}}, {"status": "SUCCESS"})
    assert eventually(lambda: dingtalk.connections()[0]["problems"] == ["no frame has the messageId 'made-up'"])


def test_while_nobody_is_connected_events_are_lost(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """With the switch as it is, what changes then is never pushed."""
    client.patch(REVIEW, summary="x")
    socket = stream.open()
    client.patch(ONE_TO_ONE, summary="x")
    assert stream.read(socket)["data"]["calendarEventId"] == ONE_TO_ONE
    assert statuses(dingtalk) == ["lost", "pushed"]


def test_or_they_are_kept(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """With the switch the other way, they are pushed in their order when somebody connects."""
    dingtalk.configure(stream_unconnected="kept")
    for event_id in (REVIEW, ONE_TO_ONE):
        client.patch(event_id, summary="x")
    assert statuses(dingtalk) == ["waiting", "waiting"]
    socket = stream.open()
    assert [stream.read(socket)["data"]["calendarEventId"] for _ in range(2)] == [REVIEW, ONE_TO_ONE]


@pytest.mark.parametrize(("switch", "status"), [("lost", "lost"), ("kept", "waiting")])
def test_what_was_not_acknowledged_when_the_connection_ended(
    stream: StreamClient, client: Client, dingtalk: Emulator, switch: str, status: str
) -> None:
    """At the time-out it is as with any event while nobody is connected; who is connected by then gets it."""
    dingtalk.configure(stream_unconnected=switch)
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    stream.read(socket)
    socket.close()
    assert eventually(lambda: dingtalk.connections() == [])
    again = stream.open()
    dingtalk.advance_clock(60)
    assert stream.read(again)["data"]["calendarEventId"] == REVIEW
    again.close()
    assert eventually(lambda: dingtalk.connections() == [])
    dingtalk.advance_clock(60)
    assert statuses(dingtalk) == [status]


def test_an_event_is_given_up_at_last(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """After a day, or what the switch says, it is not pushed any more."""
    dingtalk.configure(stream_retention=100)
    stream.open()
    client.patch(REVIEW, summary="x")
    dingtalk.advance_clock(60)
    dingtalk.advance_clock(40)
    assert [(one["status"], one["pushes"]) for one in dingtalk.pushed_events()] == [("expired", 2)]


def test_each_push_goes_to_one_connection(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """Several connections of an app share its events, each has some, and the same seed is the same choice."""

    def shares(seed: int) -> list[int]:
        dingtalk.reset(stream_ping_interval=0, stream_seed=seed)
        client.log_in()
        for _ in range(3):
            stream.open()
        for number in range(30):
            client.patch(REVIEW, summary=f"no. {number}")
        return [event["connection"] for event in dingtalk.pushed_events()]

    first, second, other = shares(1), shares(1), shares(2)
    assert first == second != other
    assert min(Counter(first)[number] for number in (1, 2, 3)) >= 3


def test_each_app_has_events_of_its_own(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """A change is an event for each app, and what one acknowledges the other still has to."""
    other = {"appKey": "another", "appSecret": "made-up"}
    dingtalk.reset({**SAMPLE, "apps": [*SAMPLE["apps"], other]}, stream_ping_interval=0)
    mine, others = stream.open(), stream.open(clientId="another", clientSecret="made-up")
    client.log_in().patch(REVIEW, summary="x")
    stream.acknowledge(mine, stream.read(mine))
    assert eventually(lambda: [one["app_key"] for one in dingtalk.unacknowledged()] == ["another"])
    assert stream.read(others)["data"]["calendarEventId"] == REVIEW


@pytest.mark.parametrize(
    ("switch", "received"),
    [("range", [(REVIEW, [MORGAN])]), ("everybody", [(ONE_TO_ONE, [CHEN, LIN]), (REVIEW, None)])],
)
def test_whose_changes_an_app_receives(
    stream: StreamClient, client: Client, dingtalk: Emulator, switch: str, received: list[Any]
) -> None:
    """Those of people in its range, and only they are named, or everybody's, as the switch says."""
    narrow = {"appKey": "narrow", "appSecret": "made-up", "range": [MORGAN]}
    dingtalk.reset({**SAMPLE, "apps": [*SAMPLE["apps"], narrow]}, stream_ping_interval=0, stream_audience=switch)
    socket = stream.open(clientId="narrow", clientSecret="made-up")
    client.log_in()
    for event_id in (ONE_TO_ONE, REVIEW):
        client.patch(event_id, summary="x")
    for event_id, people in received:
        data = stream.read(socket)["data"]
        assert data["calendarEventId"] == event_id
        assert people is None or sorted(data["unionIdList"]) == sorted(people)


def test_keys_in_the_other_spelling(stream: StreamClient, client: Client, dingtalk: Emulator) -> None:
    """With the switch, data is spelled as in HTTP callbacks, with what they have beside it."""
    dingtalk.configure(stream_keys="CamelCase")
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    data = stream.read(socket)["data"]
    assert data.keys() == {
        *("ChangeType", "CalendarEventId", "UnionIdList", "CalendarId", "CalendarEventUpdateTime"),
        *("LegacyCalendarEventId", "Operator", "EventType", "EventTime", "CorpId", "BizId"),
    }
    assert (data["ChangeType"], data["EventType"]) == ("updated", "calendar_event_change")


@pytest.mark.parametrize(("switch", "kind"), [("text", str), ("number", int)])
def test_times_in_headers(stream: StreamClient, client: Client, dingtalk: Emulator, switch: str, kind: type) -> None:
    """They are text or numbers, as the switch says."""
    dingtalk.configure(stream_times=switch)
    socket = stream.open()
    client.patch(REVIEW, summary="x")
    headers = stream.read(socket)["headers"]
    assert {type(headers[name]) for name in ("time", "eventBornTime")} == {kind}


def test_what_changed_is_readable_when_the_push_comes(stream: StreamClient, client: Client) -> None:
    """Who reads the event on hearing of it gets it as it is after the change."""
    socket = stream.open()
    client.patch(REVIEW, summary="Moved")
    changed = stream.read(socket)["data"]["calendarEventId"]
    assert client.get(changed).json()["summary"] == "Moved"
