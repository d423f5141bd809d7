"""The login page, which sends its user back to the app with a code."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, LIN, REVIEW
from tests.emulator.answers import error_of


def open_login_page(client, **changes):
    """Open the login page."""
    params = {
        "redirect_uri": "http://localhost:1234/back",
        "response_type": "code",
        "client_id": client.emulator.app_key,
        "scope": "openid corpid",
        "state": "a b&c",
        "prompt": "consent",
        **changes,
    }
    given = {name: value for name, value in params.items() if value is not None}
    return client.http.get(client.emulator.url + "/oauth2/auth", params=given)


def read_redirect(answer):
    """Return the address and the parameters a browser is sent to."""
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}", {k: v for k, (v,) in parse_qs(parts.query).items()}


def read_review(client, code, user):
    """Show an event to a user, with the token that a code gets."""
    grant = client.user_token(grantType="authorization_code", code=code).json()
    client.headers["x-acs-dingtalk-access-token"] = grant["accessToken"]
    return client.get(REVIEW, user=user)


def test_the_login_page_sends_back_with_a_code(stranger):
    """The code comes as authCode, with the state as it was; it is good for a token of who is signed in."""
    address, params = read_redirect(open_login_page(stranger))
    assert address == "http://localhost:1234/back"
    assert params.keys() == {"authCode", "state"}
    assert params["state"] == "a b&c"
    assert read_review(stranger, params["authCode"], LIN).status_code == 200


def test_who_is_signed_in_can_change(stranger, dingtalk):
    """Somebody else gets a code of theirs; somebody who declines sends an error back."""
    dingtalk.signed_in = CHEN
    _, params = read_redirect(open_login_page(stranger, redirect_uri="http://localhost/back?x=1", state=None))
    assert params.keys() == {"x", "authCode"}
    assert read_review(stranger, params["authCode"], CHEN).status_code == 200
    stranger.control("PATCH", "sign_in", json={"signed_in": None})
    assert dingtalk.signed_in is None
    assert read_redirect(open_login_page(stranger))[1] == {"error": "access_denied", "state": "a b&c"}


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "nobody"},
        {"client_id": None},
        {"response_type": "token"},
        {"scope": "corpid"},
        {"scope": None},
        {"redirect_uri": None},
        {"redirect_uri": "/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "http://[::1/back"},
        {"redirect_uri": "http://localhost/\nx: y"},
    ],
)
def test_the_login_page_refuses_a_wrong_address(stranger, changes):
    """Nobody is sent anywhere then."""
    assert error_of(open_login_page(stranger, **changes)) == (400, "invalidParameter")
