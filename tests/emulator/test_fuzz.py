"""Whatever arrives, the emulator never answers 500 of itself, and never loses its footing."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator.sample import HOLIDAY, LIN, REVIEW, STAND_UP

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["", "daily", "2027-01-01"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
MOMENT = st.fixed_dictionaries(
    {},
    optional={
        "date": st.dates().map(str) | JSON,
        "dateTime": st.datetimes().map(lambda time: time.isoformat() + "+08:00") | JSON,
        "timeZone": st.sampled_from(["Asia/Shanghai", "UTC", "Pacific/Kiritimati", "Etc/GMT+12"]) | JSON,
    },
)
RULE = st.fixed_dictionaries(
    {},
    optional={
        "pattern": st.fixed_dictionaries(
            {},
            optional={
                "type": st.sampled_from(["daily", "weekly", "absoluteMonthly", "relativeMonthly", "absoluteYearly"]),
                "interval": st.integers(1, 365),
                "dayOfMonth": st.integers(1, 31),
                "daysOfWeek": st.sampled_from(["monday", "tuesday,sunday"]),
                "index": st.sampled_from(["first", "last"]),
            },
        ),
        "range": st.fixed_dictionaries({}, optional={"numberOfOccurrences": st.integers(1, 99) | JSON}),
    },
)
PATCH = st.fixed_dictionaries(
    {},
    optional={
        "summary": st.text() | JSON,
        "start": MOMENT | JSON,
        "end": MOMENT | JSON,
        "isAllDay": st.booleans() | JSON,
        "recurrence": RULE | JSON,
        "attendees": st.lists(st.fixed_dictionaries({}, optional={"id": st.text(), "email": st.text()})) | JSON,
        "location": st.fixed_dictionaries({"displayName": st.text()}) | JSON,
        "extra": JSON,
        "reminders": st.lists(st.fixed_dictionaries({}, optional={"minutes": st.integers()})) | JSON,
        "onlineMeetingInfo": st.just({}) | JSON,
        "richTextDescription": st.fixed_dictionaries({"text": st.text()}) | JSON,
        "uiConfigs": JSON,
        "categories": JSON,
    },
)
relaxed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def check(client, dingtalk):
    """Return a function that makes sure an answer is no accident."""

    def sound(answer):
        assert answer.status_code in (200, 400, 404), answer.text
        assert isinstance(answer.json(), dict)
        return answer

    return sound


@relaxed
@given(event_id=st.sampled_from([REVIEW, STAND_UP, HOLIDAY]), patch=PATCH)
def test_any_patch(client, dingtalk, check, event_id, patch):
    """Any JSON gets an answer, and what was accepted can be read, listed and looked at."""
    content = json.dumps({**patch, "id": event_id})
    if check(client.put(event_id, content)).status_code == 200:
        check(client.get(event_id))
        check(client.list())
        assert client.http.get(dingtalk.url + "/").status_code == 200


@relaxed
@given(content=st.binary() | JSON.map(json.dumps).map(str.encode))
def test_any_body(client, check, content):
    """Any bytes get an answer, as a patch and as a token request."""
    check(client.put(REVIEW, content))
    check(client.http.post(client.emulator.url + "/v1.0/oauth2/accessToken", content=content))


@relaxed
@given(
    method=st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS"]),
    segments=st.lists(
        st.sampled_from(["v1.0", "calendar", "users", LIN, "calendars", "primary", "events"]) | st.text()
    ),
    query=st.dictionaries(
        st.sampled_from(["timeMin", "nextToken", "maxResults", "maxAttendees"]) | st.text(), st.text()
    ),
)
def test_any_path(client, check, method, segments, query):
    """Any path, method and query get an answer."""
    path = "/".join(quote(segment, safe="") for segment in segments)
    if not path.startswith("_emulator") and path:
        url = f"{client.emulator.url}/x/{path}" if path.startswith(".") else f"{client.emulator.url}/{path}"
        check(client.http.request(method, url, params=query, headers=client.headers))


@relaxed
@given(
    path=st.sampled_from(["reset", "events", "faults", "settings", "clock"]),
    method=st.sampled_from(["POST", "PATCH"]),
    content=JSON.map(json.dumps) | st.text(),
)
def test_any_control_input(client, path, method, content):
    """The emulator's own routes refuse what they do not understand."""
    assert client.control(method, path, content=content.encode()).status_code in (200, 400, 405)


@relaxed
@given(
    params=st.fixed_dictionaries(
        {},
        optional={
            name: st.text() | st.integers().map(str)
            for name in ("timeMin", "timeMax", "showDeleted", "maxResults", "maxAttendees", "nextToken", "syncToken")
        },
    )
)
def test_any_question(client, check, params):
    """Any query parameters of a list get an answer."""
    check(client.list(**params))
