"""What all calls that change an event have in common."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, REVIEW, SAMPLE
from tests.emulator.answers import error_of

START = {"dateTime": "2038-03-01T09:00:00+08:00", "timeZone": "Asia/Shanghai"}
END = {"dateTime": "2038-03-01T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
EVENT = {"summary": "New", "start": START, "end": END}
CALLS = [
    ("POST", "", "", EVENT),
    ("DELETE", REVIEW, "", None),
    ("POST", REVIEW, "/respond", {"responseStatus": "accepted"}),
    ("POST", REVIEW, "/attendees", {"attendeesToAdd": [{"id": "new"}]}),
    ("POST", REVIEW, "/attendees/batchRemove", {"attendeesToRemove": [{"id": CHEN}]}),
    ("POST", REVIEW, "/meetingRooms", {"meetingRoomsToAdd": [{"roomId": "room-3f-orchid"}]}),
    ("POST", REVIEW, "/meetingRooms/batchRemove", {"meetingRoomsToRemove": [{"roomId": "room-4f-plum"}]}),
]


@pytest.mark.parametrize(("method", "event_id", "under", "body"), CALLS)
def test_every_write_takes_a_client_token(client, dingtalk, method, event_id, under, body):
    """The same token is the same request with one effect, unless the switch has it executed again."""
    first, second = (client.send(method, event_id, under, client_token="t", body=body) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.content == second.content
    assert len(dingtalk.effects["writes"]) == 1
    dingtalk.configure(replay="again")
    third = client.send(method, event_id, under, client_token="t", body=body)
    gone = method == "DELETE"
    assert (third.status_code, len(dingtalk.effects["writes"])) == ((404, 1) if gone else (200, 2))


@pytest.mark.parametrize(("method", "event_id", "under", "body"), CALLS)
def test_every_write_knows_the_primary_calendar_only(client, method, event_id, under, body):
    """Any other is not found, and an empty one is invalid."""
    work, blank = (client.send(method, event_id, under, calendar=name, body=body) for name in ("work", " "))
    assert error_of(work) == (404, "itemNotFound")
    assert error_of(blank) == (400, "invalidParameter")
    assert blank.json()["message"] == "CalendarId cannot be blank"


@pytest.mark.parametrize(("method", "event_id", "under", "body"), CALLS)
def test_every_write_needs_its_permission(stranger, dingtalk, method, event_id, under, body):
    """An app that may only read writes nothing."""
    dingtalk.reset({**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "scopes": ["Calendar.Event.Read"]}]})
    answer = stranger.log_in().send(method, event_id, under, body=body)
    assert error_of(answer) == (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied")
    assert answer.json()["accessdenieddetail"] == {"requiredScopes": ["Calendar.Event.Write"]}
