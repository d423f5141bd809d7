"""PatchEvent refuses a body, an event or a caller as the documentation says, and a refused patch changes nothing."""

from __future__ import annotations

import json

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, ONE_TO_ONE, REVIEW
from tests.emulator.answers import assert_patch_refused


@pytest.mark.parametrize("calendar", ["", " "])
def test_calendar_id_blank(client, calendar):
    """A blank calendar id is refused with the page's message."""
    assert_patch_refused(
        client, client.patch(REVIEW, calendar=calendar, summary="x"), message="CalendarId cannot be blank"
    )


def test_another_calendar_than_primary(client):
    """Any other calendar is not found."""
    assert_patch_refused(client, client.patch(REVIEW, calendar="work", summary="x"), 404, "itemNotFound")


@pytest.mark.parametrize("content", ["", "  ", "null"])
def test_event_must_be_provided(client, content):
    """An empty body is refused with the page's message."""
    answer = client.put(REVIEW, content)
    assert_patch_refused(client, answer)
    assert answer.json()["message"] == "Event must be provided."


@pytest.mark.parametrize("body", [{}, {"id": ""}, {"id": " "}, {"id": None}, {"summary": "x"}])
def test_event_id_blank(client, body):
    """A body without the event's id is refused with the page's (garbled) message."""
    answer = client.put(REVIEW, json.dumps(body))
    assert_patch_refused(client, answer)
    assert answer.json()["message"] == "Event id summary cannot be blank"


def test_event_id_of_another_event(client):
    """The id in the body must be the one in the path."""
    assert_patch_refused(client, client.patch(REVIEW, id=ONE_TO_ONE), message="id:")


def test_event_not_found(client):
    """An unknown event is a 404."""
    assert_patch_refused(client, client.patch("nothing", summary="x"), 404, "itemNotFound")


def test_a_cancelled_event_is_not_found(client, dingtalk):
    """A cancelled event cannot be updated."""
    dingtalk.store.put_events([{**dingtalk.event(REVIEW), "status": "cancelled"}])
    dingtalk.store.changes.clear()
    assert_patch_refused(client, client.patch(REVIEW, summary="x"), 404, "itemNotFound")


@pytest.mark.parametrize(
    ("setting", "status", "code"),
    [
        ("invalidParameter", 400, "invalidParameter"),
        ("itemNotFound", 404, "itemNotFound"),
        ("forbidden", 403, "permissionDeny"),
    ],
)
@pytest.mark.parametrize("user", [CHEN, "nobody"])
def test_somebody_else_than_the_organizer(client, dingtalk, setting, status, code, user):
    """Only the organizer may update; which error others get is a switch."""
    dingtalk.configure(not_organizer=setting)
    assert_patch_refused(client, client.patch(REVIEW, user=user, summary="x"), status, code)


def test_a_blank_user(client):
    """A blank user is refused."""
    assert_patch_refused(client, client.patch(REVIEW, user="", summary="x"), message="userId")


@pytest.mark.parametrize(
    "content", ["{", "[1", "\xff", '{"id": NaN}', '{"id": 1e999}', r'{"id": "\ud800"}', "[" * 90 + "]" * 90]
)
def test_not_json(client, content):
    """A body that is not JSON, or could not be answered in JSON, is an invalid parameter."""
    assert_patch_refused(client, client.put(REVIEW, content.encode("latin-1")), message="JSON")


@pytest.mark.parametrize("content", ["[]", "5", '"x"', "true"])
def test_not_an_object(client, content):
    """The body must be an object."""
    assert_patch_refused(client, client.put(REVIEW, content), message="object")


def test_unknown_members_are_ignored_and_noted(client, dingtalk):
    """The service ignores what it does not know, at any depth; the log names it."""
    answer = client.patch(REVIEW, colour="red", location={"displayName": "x", "floor": {"number": 5}})
    assert answer.status_code == 200
    assert answer.json()["location"]["displayName"] == "x"
    assert dingtalk.requests[-1]["ignored"] == ["colour", "location.floor"]
    assert "floor" not in dingtalk.event(REVIEW)["location"]
