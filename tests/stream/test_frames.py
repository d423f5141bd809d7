"""Frames of Stream mode as data: what is read, and what is answered, whatever a server sends."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.connection.hosts import find_endpoint_problem
from airflow_dingtalk_calendar.stream import frames, pushes

CHANGE = {
    "changeType": "updated",
    "calendarEventId": "an-event",
    "unionIdList": ["lin", "chen"],
    "calendarId": "primary",
    "calendarEventUpdateTime": 1800000000123,
    "legacyCalendarEventId": "old",
    "operator": {"type": "user"},
}
HEADERS = {"topic": "*", "messageId": "m1", "eventType": "calendar_event_change", "eventId": "e1"}


def write(kind: str = "EVENT", headers: Any = None, data: Any = None, **others: Any) -> str:
    """Write a frame."""
    given = {"specVersion": "1.0", "type": kind, "headers": HEADERS if headers is None else headers, **others}
    return json.dumps({**given, "data": json.dumps(CHANGE if data is None else data)})


def camel_case(members: dict[str, Any]) -> dict[str, Any]:
    """Spell members as HTTP callbacks do."""
    return {name[0].upper() + name[1:]: member for name, member in members.items()}


@pytest.mark.parametrize("data", [CHANGE, camel_case(CHANGE)], ids=["camelCase", "CamelCase"])
def test_a_change_is_read_in_both_spellings(data: dict[str, Any]) -> None:
    """A push has kind, event, people, calendar, time and operator."""
    frame = frames.parse_frame(write(data=data))
    push = pushes.parse_push(frame)
    assert pushes.is_calendar_change(frame)
    assert push is not None
    assert push.payload("lin") == {
        "change_id": push.change_id,
        "kind": "updated",
        "event_id": "an-event",
        "union_ids": ["lin", "chen"],
        "update_time": "2027-01-15T08:00:00.123Z",
        "operator_type": "user",
        "union_id": "lin",
        "calendar_id": "primary",
        "source": "push",
    }


@pytest.mark.parametrize(
    ("word", "kind"), [("created", "created"), ("Updated", "updated"), ("cancelled", "deleted"), ("moved", "updated")]
)
def test_kinds_of_changes(word: str, kind: str) -> None:
    """Kinds have the names that polling gives them; one that nobody knows is an update."""
    push = pushes.parse_push(frames.parse_frame(write(data={**CHANGE, "changeType": word})))
    assert push is not None
    assert push.kind == kind


def test_the_same_event_has_the_same_change_id() -> None:
    """A change is named by DingTalk's eventId, whatever frame it comes in."""
    first, again, other = (
        pushes.parse_push(frames.parse_frame(write(headers={**HEADERS, "messageId": message, "eventId": event})))
        for message, event in (("m1", "e1"), ("m2", "e1"), ("m3", "e2"))
    )
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.change_id == again.change_id != other.change_id
    assert len(first.change_id) == 32


def test_whose_calendar_and_which_kind() -> None:
    """A push concerns the people it names, in the calendar it names."""
    push = pushes.parse_push(frames.parse_frame(write()))
    assert push is not None
    assert push.concerns("lin", "primary")
    assert push.concerns("chen", "primary", ["updated"])
    assert not push.concerns("morgan", "primary")
    assert not push.concerns("lin", "another")
    assert not push.concerns("lin", "primary", ["created"])


def test_a_push_of_no_event_is_none() -> None:
    """Without an event's id there is nothing that anybody could do."""
    assert pushes.parse_push(frames.parse_frame(write(data={**CHANGE, "calendarEventId": None}))) is None
    assert pushes.parse_push(frames.parse_frame(write(data=[]))) is None


def test_headers_may_be_called_header() -> None:
    """One sample of the protocol's description writes it so."""
    frame = frames.parse_frame(json.dumps({"type": "EVENT", "header": HEADERS, "data": "{}"}))
    assert (frame.kind, frame.message_id) == ("event", "m1")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (write("SYSTEM", {"topic": "ping", "messageId": "m"}), "ping"),
        (write("SYSTEM", {"topic": "disconnect"}), "disconnect"),
        (write("SYSTEM", {"topic": "something new"}), "other"),
        (write("CALLBACK"), "other"),
        (write("SOMETHING"), "other"),
        ("not a frame", "unreadable"),
        (b"\xff\xfe", "unreadable"),
        ("[" * 100_000, "unreadable"),
        ("null", "unreadable"),
        ('{"type": 5}', "unreadable"),
        ('{"type": "EVENT", "headers": [], "data": {}}', "event"),
    ],
)
def test_what_comes_is_sorted(text: str | bytes, kind: str) -> None:
    """A frame is what its type and topic say; what is no frame is said to be none."""
    assert frames.parse_frame(text).kind == kind


def test_a_pong_has_the_data_of_its_ping() -> None:
    """The service knows its ping by what it holds."""
    frame = frames.parse_frame(write("SYSTEM", {"topic": "ping", "messageId": "m"}, {"opaque": "x"}))
    assert json.loads(frames.write_pong(frame)) == {
        "code": 200,
        "headers": {"messageId": "m", "contentType": "application/json"},
        "message": "OK",
        "data": '{"opaque": "x"}',
    }


@pytest.mark.parametrize("status", ["SUCCESS", "LATER"])
def test_an_acknowledgement_has_a_status(status: frames.AckStatus) -> None:
    """Without ``data.status`` the service pushes the event again."""
    answer = json.loads(frames.write_acknowledgement("m", status))
    assert (answer["code"], answer["headers"]["messageId"]) == (200, "m")
    assert json.loads(answer["data"])["status"] == status


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    headers=st.dictionaries(st.sampled_from([*HEADERS, "other"]), JSON),
    data=st.dictionaries(st.sampled_from([*CHANGE, *camel_case(CHANGE)]), JSON) | JSON,
    kind=st.sampled_from(["EVENT", "SYSTEM", "x"]),
)
def test_odd_data_never_raises(headers: Any, data: Any, kind: str) -> None:
    """Whatever a frame holds, it can be read and answered, and its payload is JSON."""
    frame = frames.parse_frame(write(kind, headers, data))
    push = pushes.parse_push(frame)
    json.loads(frames.write_pong(frame))
    json.loads(frames.write_acknowledgement(frame.message_id, "LATER"))
    pushes.is_calendar_change(frame)
    if push is not None:
        json.dumps(push.payload("lin"), allow_nan=False)
        assert push.event_id


@given(st.binary() | st.text())
def test_any_message_can_be_read(message: str | bytes) -> None:
    """What is no JSON at all is no error either."""
    assert frames.parse_frame(message).kind in ("unreadable", "other", "event", "ping", "disconnect")


CHINA, WORLD, LOCAL = "https://api.dingtalk.com", "https://api.dingtalk.io", "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("base", "endpoint"),
    [
        (CHINA, "wss://wss-open-connection.dingtalk.com:443/connect"),
        (WORLD, "wss://wss-open-connection.dingtalk.io/connect"),
        (LOCAL, "ws://127.0.0.1:9090/connect"),
        (LOCAL, "ws://localhost/connect"),
        ("http://emulator:8080", "ws://emulator:8080/connect"),
        ("https://dingtalk.example.com", "wss://dingtalk.example.com/connect"),
    ],
)
def test_endpoints_of_the_region_are_allowed(base: str, endpoint: str) -> None:
    """A connection is opened at DingTalk's hosts of the region, at the connection's host, or on this machine."""
    assert find_endpoint_problem(endpoint, base) == ""


@pytest.mark.parametrize(
    ("base", "endpoint", "problem"),
    [
        (CHINA, "ws://wss-open-connection.dingtalk.com/connect", "wss://"),
        (CHINA, "https://wss-open-connection.dingtalk.com/connect", "wss://"),
        (CHINA, "wss://wss-open-connection.dingtalk.io/connect", "region"),
        (WORLD, "wss://wss-open-connection.dingtalk.com/connect", "region"),
        (CHINA, "wss://dingtalk.com.example.org/connect", "region"),
        (CHINA, "wss://evildingtalk.com/connect", "region"),
        (CHINA, "wss://127.0.0.1/connect", "region"),
        (CHINA, "ws://127.0.0.1/connect", "wss://"),
        (LOCAL, "ws://192.0.2.1/connect", "region"),
        ("http://emulator:8080", "ws://other:8080/connect", "region"),
        (CHINA, "wss://user@wss-open-connection.dingtalk.com/connect", "user"),
        (CHINA, "wss://x.dingtalk.com/connect#part", "fragment"),
        (CHINA, "wss://x.dingtalk.com\\@example.org/connect", "address"),
        (CHINA, "wss://x.dingtalk.com%2f.example.org/", "address"),
        (CHINA, "wss://x.dingtalk.com:99999/", "address"),
        (CHINA, "wss://[broken/", "address"),
        (CHINA, "wss://\uff58.dingtalk.com/", "address"),
        (CHINA, "", "address"),
    ],
)
def test_other_endpoints_are_refused(base: str, endpoint: str, problem: str) -> None:
    """The ticket goes nowhere else, and never in clear but on this machine."""
    assert problem in find_endpoint_problem(endpoint, base)
