"""The emulator's own routes and the older host, given input that is nearly right, huge, or of another type."""

from __future__ import annotations

import json
from contextlib import suppress
from copy import deepcopy
from dataclasses import fields

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings
from airflow_dingtalk_calendar.emulator.state.fault_rules import FAULT_KINDS
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW, SAMPLE

JUNK = st.sampled_from(
    [None, True, -1, 1.5, 10**30, "", "x", "日程", [], [None], {}, {"id": None}, [[]], "\ud800"]
).map(deepcopy)
EVENT = next(event for event in SAMPLE["events"] if event["id"] == REVIEW)
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def spoiled_copy(draw, good):
    """Return something good in which up to three places, however deep, hold junk instead."""
    whole = {"it": deepcopy(good)}
    for _ in range(draw(st.integers(0, 3))):
        place, key = whole, "it"
        while isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 4)):
            place = place[key]
            key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        place[key] = draw(JUNK)
    return whole["it"]


def assert_sound(client, answer):
    """Make sure that an answer is no accident, and that the emulator goes on working."""
    assert answer.status_code in (200, 400), answer.text
    for path in ("events", "faults"):
        assert client.control("GET", path).status_code == 200
    assert client.http.get(client.emulator.url + "/").status_code == 200


@relaxed
@given(data=spoiled_copy(SAMPLE))
def test_nearly_right_data(client, dingtalk, data):
    """Data to start over with is taken or refused, and the calendar can be shown either way."""
    assert_sound(client, client.control("POST", "reset", content=json.dumps({"data": data})))
    dingtalk.reset()


@relaxed
@given(event=spoiled_copy(EVENT))
def test_nearly_right_events(client, dingtalk, event):
    """Events to be put into the calendar are taken or refused."""
    dingtalk.reset()
    assert_sound(client, client.control("POST", "events", content=json.dumps(event)))


@relaxed
@given(
    kind=st.sampled_from(sorted(FAULT_KINDS)),
    given_=st.dictionaries(
        st.sampled_from(["action", "skip", "times", "status", "body", "headers", "seconds", "interval", "base64", "x"]),
        JUNK | st.sampled_from(["PatchEvent", 200, {"a": "b"}, {"a": 1}, {"a b": "c\r\nd"}, 0.1]),
    ),
)
def test_nearly_right_faults(client, dingtalk, kind, given_):
    """Rules for faults are taken or refused, and a request that one hits does the emulator itself no harm."""
    dingtalk.reset()
    taken = client.control("POST", "faults", content=json.dumps({**given_, "kind": kind}))
    if taken.status_code == 200 and not {"hang", "drip"} & set(kind.split("_")):
        with suppress(httpx.HTTPError):
            client.get(REVIEW)
    assert_sound(client, taken)
    client.control("DELETE", "faults")


@relaxed
@given(given_=st.dictionaries(st.sampled_from([field.name for field in fields(EmulatorSettings)]), JUNK, max_size=3))
def test_nearly_right_settings(client, dingtalk, given_):
    """Switches are set or refused."""
    assert_sound(client, client.control("PATCH", "settings", content=json.dumps(given_)))
    dingtalk.reset()


TYPES = [
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/xml",
    "",
    "/;=",
]


@pytest.mark.parametrize("kind", TYPES)
@settings(relaxed, max_examples=15)
@given(content=st.binary(max_size=60) | st.sampled_from([b"userid=chen-bo", b"access_token=%ff", b"a=b&a=c&=&%", b"{"]))
def test_the_older_host_and_any_content_type(client, kind, content):
    """The older host answers 200 with a number, whatever the body is and says it is."""
    headers = {"content-type": kind} if kind else {}
    url = f"{client.emulator.url}/topapi/v2/user/get"
    answer = client.http.post(url, content=content, headers=headers)
    assert answer.status_code == 200
    assert answer.json()["errcode"] != 0


@pytest.mark.parametrize("kind", TYPES)
def test_patches_of_any_content_type(client, kind):
    """A patch is read as JSON, or refused, whatever it says it is."""
    headers = {**client.headers, **({"content-type": kind} if kind else {})}
    body = json.dumps({"id": REVIEW, "summary": "x"}).encode()
    assert client.http.put(client.url(REVIEW), content=body, headers=headers).status_code in (200, 400)


@pytest.mark.parametrize(
    "content",
    [b"[" * 10_000_000, b'{"id": "' + b"x" * 10_000_000 + b'"}', b"\x00" * 10_000_000, b"9" * 10_000_000],
    ids=["nested", "text", "zeros", "number"],
)
def test_huge_bodies(client, dingtalk, content):
    """Bodies of ten megabytes are refused like others, also on the emulator's own routes."""
    assert client.put(REVIEW, content).status_code == 400
    assert client.control("POST", "events", content=content).status_code == 400
    dingtalk.reset()
