"""Errors that no fault has to be injected for, on the emulator and in a tenant; see ``conftest.py``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar.exceptions import CredentialsError, NotFoundError, TokenRejectedError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.contract.calendars import Calendar, made_up_id
from tests.contract.conftest import CONNECTION
from tests.contract.places import Place

calls = pytest.mark.calls

MISSING: dict[str, Callable[[Calendar], object]] = {
    "get": lambda calendar: calendar.get({"id": made_up_id()}),
    "patch": lambda calendar: calendar.patch({"id": made_up_id()}, {"location": "nowhere"}),
    "delete": lambda calendar: calendar.delete({"id": made_up_id()}),
}


@pytest.mark.parametrize("action", MISSING)
@calls(1)
def test_an_event_that_is_not_there(calendar: Calendar, action: str) -> None:
    """Whatever is to be done with it, it is said not to be there, and no retry is due."""
    with pytest.raises(NotFoundError) as caught:
        MISSING[action](calendar)
    assert caught.value.request_id
    assert not caught.value.retryable


@pytest.fixture
def instead(place: Place, metered: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., DingTalkCalendarHook]:
    """Connect with something else than what is right."""

    def connect(**fields: Any) -> DingTalkCalendarHook:
        monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps({**place.connection, **fields}))
        return DingTalkCalendarHook(CONNECTION)

    return connect


@calls(0)
def test_a_wrong_secret(instead: Callable[..., DingTalkCalendarHook], place: Place, as_app: None) -> None:
    """A wrong secret is a wrong credential, and the error does not show it."""
    wrong = "not-the-app-secret-of-anybody"
    with instead(password=wrong) as hook, pytest.raises(CredentialsError) as caught:
        hook.list_calendars(place.organizer)
    assert wrong not in str(caught.value)


@calls(0)
def test_a_wrong_region(instead: Callable[..., DingTalkCalendarHook], place: Place, as_app: None) -> None:
    """In the other region the app is unknown, and the error names both regions."""
    if not place.elsewhere:
        pytest.skip("needs one of DingTalk's own hosts in DINGTALK_TEST_HOST")
    with instead(host=place.elsewhere) as hook, pytest.raises((CredentialsError, TokenRejectedError)) as caught:
        hook.list_calendars(place.organizer)
    assert "region" in str(caught.value)


@calls(2)
def test_the_connection_tests_well(hook: DingTalkCalendarHook) -> None:
    """The connection test finds nothing wrong."""
    assert hook.test_connection()[0] is True
