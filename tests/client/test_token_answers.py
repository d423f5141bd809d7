"""Answers of the token endpoints that are not quite as documented: what can be used is used, and stored first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.oauth import TOKEN_LIFETIME
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError, UnexpectedAnswerError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.client.test_auth import (
    GRANT_VARIABLE,
    TICKET,
    TICKET_VARIABLE,
    Connect,
    Run,
    dingtalk,
    ending,
    grant,
    requests,
    sign_in,
    stored,
)
from tests.conftest import EVENT, ORGANIZER

__all__ = ["dingtalk", "grant", "sign_in", "stored"]  # fixtures

TOKEN_CALLS: dict[str, Callable[..., Any]] = {
    "app": lambda: api.get_access_token("key", "secret"),
    "unified": lambda: api.get_unified_token("corp", "key", "secret"),
    "corp_app": lambda: api.get_corp_access_token("key", "secret", "corp", "ticket"),
    "user": lambda: api.get_user_token("key", "secret", refresh_token="old"),
}


@pytest.mark.parametrize("auth_type", TOKEN_CALLS)
@pytest.mark.parametrize("name", ["expireIn", "expiresIn", "expires_in"])
@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (7200, 7200),
        (600, 600),
        (0.5, 0.5),
        ("7200", 7200),
        (" 600 ", 600),
        ("600.0", 600),
        (31536000, TOKEN_LIFETIME),
        ("31536000", TOKEN_LIFETIME),
        (10**400, TOKEN_LIFETIME),
        (float("inf"), TOKEN_LIFETIME),
        (float("nan"), TOKEN_LIFETIME),
        (0, TOKEN_LIFETIME),
        (-1, TOKEN_LIFETIME),
        (True, TOKEN_LIFETIME),
        ("soon", TOKEN_LIFETIME),
        (None, TOKEN_LIFETIME),
        ({"seconds": 7200}, TOKEN_LIFETIME),
    ],
    ids=lambda value: str(value)[:12],
)
def test_lifetimes(auth_type: str, name: str, value: Any, seconds: float) -> None:
    """A lifetime is read under all names and as text; what makes no sense, or is longer, is the documented one."""
    answer = {"accessToken": "t", "access_token": "t", "refreshToken": "r", name: value}
    assert TOKEN_CALLS[auth_type]().parse(answer) == ("t", seconds, "r")


@given(payload=st.dictionaries(st.sampled_from(["accessToken", "expireIn", "expiresIn", "refreshToken"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner), max_leaves=3
)))  # fmt: skip
def test_any_answer_is_read(payload: dict[str, Any]) -> None:
    """Whatever the members are, the lifetime is two hours at most, and a token is fit for a header or blank."""
    token = api.get_user_token("key", "secret", refresh_token="old").parse(payload)
    assert 0 < token.lifetime <= TOKEN_LIFETIME
    assert token.value == "" or (token.value.isascii() and token.value.isprintable())
    json.dumps(token.refresh_token, ensure_ascii=False).encode()


@pytest.mark.parametrize("member", ["expiresIn", "text", "none", "year"])
@pytest.mark.parametrize("auth_type", ["app", "unified", "corp_app"])
def test_odd_lifetimes_of_apps(
    run: Run, dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], auth_type: str, member: str
) -> None:
    """However its lifetime is written, a token is used until five minutes before two hours have passed."""
    dingtalk.configure(lifetime_member=member)
    stored[TICKET_VARIABLE] = TICKET
    sign_in(auth_type)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    kept = TOKEN_CACHE.get(DingTalkCalendarHook().get_conn().identity, 0.0)
    assert kept is not None
    assert kept.good_until - kept.fetched == pytest.approx(TOKEN_LIFETIME - 300)


@pytest.mark.parametrize("member", ["documented", "expiresIn", "text", "none", "year"])
@pytest.mark.parametrize("refresh_tokens", ["rotated", "kept"])
def test_odd_refreshes(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], member: str, refresh_tokens: str
) -> None:
    """A refresh with an odd lifetime, or without a new refresh token, goes on for refresh after refresh."""
    dingtalk.configure(lifetime_member=member, refresh_tokens=refresh_tokens)
    for _ in range(3):
        stored[GRANT_VARIABLE] = ending(UserGrant.parse(stored[GRANT_VARIABLE]))  # type: ignore[arg-type]
        TOKEN_CACHE.clear()
        assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    new = UserGrant.parse(stored[GRANT_VARIABLE])
    assert new is not None
    assert (new.refresh_token == grant.refresh_token) == (refresh_tokens == "kept")
    assert new.good_until == pytest.approx(time.time() + TOKEN_LIFETIME, abs=60)


@pytest.mark.parametrize("members", [{}, {"accessToken": None}, {"accessToken": "a\nb"}, {"expireIn": []}], ids=str)
def test_a_new_refresh_token_is_stored_before_the_rest_is_judged(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], connect: Connect, members: dict[str, Any]
) -> None:
    """A refresh that brings no usable access token has its new refresh token stored, and then is an error."""
    connect({**dingtalk.connection("user")["extra"], "max_attempts": 1})
    stored[GRANT_VARIABLE] = ending(grant)
    dingtalk.fault(kind="body", action="GetUserToken", body={"refreshToken": "the-new-one", **members})
    with pytest.raises(UnexpectedAnswerError, match=r"GetUserToken.* without a usable access token") as caught:
        run("get_event", ORGANIZER, EVENT)
    assert caught.value.retryable
    new = UserGrant.parse(stored[GRANT_VARIABLE])
    assert new is not None
    assert (new.refresh_token, new.access_token, new.good_until) == ("the-new-one", "", 0.0)


def test_a_grant_without_access_token_is_refreshed(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str]
) -> None:
    """A Variable with a refresh token alone is enough."""
    stored[GRANT_VARIABLE] = json.dumps({"refresh_token": grant.refresh_token})
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert requests(dingtalk, "GetUserToken") == 2


NO_GRANTS = [None, "", "  ", "None", "null", 7, True, [], {}, "\ud83d", "a\nb"]


@pytest.mark.parametrize("value", NO_GRANTS, ids=ascii)
def test_a_grant_without_refresh_token(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], value: Any
) -> None:
    """A Variable without a refresh token is named with the remedy, and nothing is sent."""
    before = len(dingtalk.requests)
    stored[GRANT_VARIABLE] = json.dumps({"access_token": None, "refresh_token": value, "good_until": 0})
    with pytest.raises(InvalidConnectionError, match=rf"{GRANT_VARIABLE} holds no grant\. Authorize again: python -m"):
        run("get_event", ORGANIZER, EVENT)
    assert len(dingtalk.requests) == before


@pytest.mark.parametrize("ticket", ["None", "null", " \n", "\ud83d"], ids=ascii)
def test_a_ticket_that_is_none(
    run: Run, dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], ticket: str
) -> None:
    """A Variable that holds the word None, or no text that can be sent, is named, and nothing is sent."""
    sign_in("corp_app")
    stored[TICKET_VARIABLE] = ticket
    with pytest.raises(InvalidConnectionError, match=f"{TICKET_VARIABLE} is empty or missing"):
        run("get_event", ORGANIZER, EVENT)
    assert dingtalk.requests == []


def test_a_failed_write_of_a_kept_grant(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the refresh token stays the same, a write that fails loses nothing, and the call goes on."""
    from airflow_dingtalk_calendar.hooks import airflow_compat

    def fail(name: str, value: str) -> None:
        raise OSError

    dingtalk.configure(refresh_tokens="kept")
    stored[GRANT_VARIABLE] = ending(grant)
    monkeypatch.setattr(airflow_compat, "write_variable", fail)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT


def test_a_write_that_fails_once(
    run: Run, grant: UserGrant, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write of a new grant that fails is tried again, for nothing else has it."""
    from airflow_dingtalk_calendar.hooks import airflow_compat

    failures = [OSError(), OSError()]

    def fail(name: str, value: str) -> None:
        if failures:
            raise failures.pop()
        stored[name] = value

    stored[GRANT_VARIABLE] = ending(grant)
    monkeypatch.setattr(airflow_compat, "write_variable", fail)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert UserGrant.parse(stored[GRANT_VARIABLE]) != grant
