"""The ledger has every effect, and nothing that did not happen."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import HOLIDAY, ONE_TO_ONE, REVIEW


def test_an_update_is_recorded_with_before_and_after(client, dingtalk):
    """A row has the event, the token, the request id of the answer, what was sent, and what became different."""
    answer = client.patch(REVIEW, client_token="t", summary="Renamed", reminders=[], location={"displayName": "5F"})
    (row,) = dingtalk.effects["updates"]
    assert row["event_id"] == REVIEW
    assert row["client_token"] == "t"
    assert row["request_id"] == answer.headers["x-acs-request-id"]
    assert row["fields"] == ["summary", "reminders", "location"]
    assert row["changed"]["summary"] == ["Design review: booking flow 设计评审", "Renamed"]
    assert row["changed"].keys() == {"summary", "reminders", "location"}
    assert row["time"] == answer.json()["updateTime"]


def test_an_update_that_changes_nothing_is_recorded_too(client, dingtalk):
    """A patch with the values there are is an update, but nobody is notified."""
    client.patch(REVIEW, summary=dingtalk.event(REVIEW)["summary"])
    assert dingtalk.effects["updates"][0]["changed"] == {}
    assert dingtalk.effects["notifications"] == []


@pytest.mark.parametrize(
    ("extra", "kinds"),
    [
        ({}, ["push", "chat"]),
        ({"noPushNotification": "false"}, ["push", "chat"]),
        ({"noPushNotification": "true"}, ["chat"]),
        ({"noChatNotification": "true"}, ["push"]),
        ({"noPushNotification": "true", "noChatNotification": "true"}, []),
    ],
)
def test_notifications_go_out_unless_held_back(client, dingtalk, extra, kinds):
    """The two switches in extra hold back one kind each; the organizer is not notified of their own change."""
    client.patch(REVIEW, client_token="t", summary="x", **({"extra": extra} if extra else {}))
    rows = dingtalk.effects["notifications"]
    assert [(row["kind"], row["recipients"], row["client_token"]) for row in rows] == [(kind, 4, "t") for kind in kinds]


def test_what_nobody_sees_notifies_nobody(client, dingtalk):
    """freeBusyStatus never comes back, so changing it notifies nobody; an event without others has nobody to notify."""
    client.patch(REVIEW, freeBusyStatus="free")
    dingtalk.store.put_events([{**dingtalk.event(ONE_TO_ONE), "attendees": []}])
    client.patch(ONE_TO_ONE, summary="x")
    assert dingtalk.effects["notifications"] == []


def test_meetings_are_recorded(client, dingtalk):
    """A meeting created is recorded with its id."""
    answer = client.patch(REVIEW, client_token="t", onlineMeetingInfo={}).json()
    (row,) = dingtalk.effects["meetings"]
    assert row["conference_id"] == answer["onlineMeetingInfo"]["conferenceId"]
    assert (row["event_id"], row["client_token"]) == (REVIEW, "t")


def test_calls_are_counted_when_metered(client, dingtalk):
    """Refused or not, a call that reaches the calendar counts; tokens and unknown paths do not."""
    client.patch(HOLIDAY, summary="x")
    client.patch("nothing")
    client.get(HOLIDAY)
    client.list()
    client.http.get(client.emulator.url + "/nothing")
    assert dingtalk.effects["calls"] == {"PatchEvent": 2, "GetEvent": 1, "ListEvents": 1}
    assert dingtalk.effects["tokens_issued"] == 1


def test_the_ledger_is_a_copy(client, dingtalk):
    """What a test does to the answer does not change the emulator."""
    client.patch(REVIEW, summary="x")
    dingtalk.effects["updates"].clear()
    dingtalk.requests.clear()
    dingtalk.event(REVIEW)["summary"] = "y"
    assert len(dingtalk.effects["updates"]) == 1
    assert len(dingtalk.requests) == 2
    assert dingtalk.event(REVIEW)["summary"] == "x"
