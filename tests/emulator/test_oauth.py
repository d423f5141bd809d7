"""Tokens of every kind of app, and the login page."""

from __future__ import annotations

import json

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import CHEN, CORP, LIN, OTHER_CORP, REVIEW, SAMPLE
from tests.emulator.answers import error_of

MONTH = 30 * 86400


def carry_token(client, token):
    """Return the client, carrying a token."""
    client.headers["x-acs-dingtalk-access-token"] = token
    return client


def request_unified_token(client, corp=CORP, **changes):
    """Ask for a token of the kind every app can get."""
    app = {"client_id": client.emulator.app_key, "client_secret": client.emulator.app_secret}
    return client.oauth(f"{corp}/token", **{**app, "grant_type": "client_credentials", **changes})


def request_corp_token(client, **changes):
    """Ask for a third-party app's token for an organisation."""
    app = {"suiteKey": client.emulator.app_key, "suiteSecret": client.emulator.app_secret}
    corp = {"authCorpId": CORP, "suiteTicket": client.emulator.suite_ticket}
    return client.oauth("corpAccessToken", **{**app, **corp, **changes})


def exchange_code(client, code, **changes):
    """Ask for a user's token for a code."""
    return client.user_token(**{"grantType": "authorization_code", "code": code, **changes})


def refresh_grant(client, token, **changes):
    """Ask for a user's token for a refresh token."""
    return client.user_token(**{"grantType": "refresh_token", "refreshToken": token, **changes})


def test_a_unified_token_opens_the_calendar(stranger):
    """Body and answer are in snake_case."""
    answer = request_unified_token(stranger)
    assert answer.json().keys() == {"access_token", "expires_in"}
    assert answer.json()["expires_in"] == 7200
    assert carry_token(stranger, answer.json()["access_token"]).get(REVIEW).status_code == 200
    assert request_unified_token(stranger).json() == answer.json()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_id": "nobody"}, (400, "invalid.client")),
        ({"client_secret": "wrong"}, (400, "invalid.client")),
        ({"grant_type": "password"}, (400, "unsupported.grant.type")),
        ({"client_id": ""}, (400, "Missingclient_id")),
        ({"client_secret": None}, (400, "Missingclient_secret")),
        ({"grant_type": None}, (400, "Missinggrant_type")),
        ({"corp": OTHER_CORP}, (401, "unauthorized.client")),
        ({"corp": "bogus"}, (500, "unknownError")),
        ({"corp": "bogus", "client_secret": "wrong"}, (500, "unknownError")),
    ],
)
def test_a_wrong_request_for_a_unified_token(stranger, changes, expected):
    """Each mistake has its code, that of the organisation a 500."""
    assert error_of(request_unified_token(stranger, **changes)) == expected


def test_a_corp_token_opens_the_calendar(stranger):
    """Each request has a new one, and earlier ones stay valid."""
    first, second = (request_corp_token(stranger).json() for _ in range(2))
    assert first.keys() == {"accessToken", "expireIn"}
    assert first["accessToken"] != second["accessToken"]
    for token in (first, second):
        assert carry_token(stranger, token["accessToken"]).get(REVIEW).status_code == 200


def test_earlier_corp_tokens_can_end(stranger, dingtalk):
    """A switch makes a new token the only one."""
    dingtalk.configure(earlier_corp_tokens="invalid")
    first, second = (request_corp_token(stranger).json()["accessToken"] for _ in range(2))
    assert error_of(carry_token(stranger, first).get(REVIEW)) == (400, "InvalidAuthentication")
    assert carry_token(stranger, second).get(REVIEW).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"suiteKey": "nobody"}, "invalidSuiteKey"),
        ({"suiteSecret": "wrong"}, "invalidSuiteKey"),
        ({"suiteTicket": "old"}, "invalidSuiteTicket"),
        ({"authCorpId": OTHER_CORP}, "invalidAuthInfo"),
        ({"authCorpId": "bogus"}, "invalidAuthInfo"),
        ({"authCorpId": ""}, "MissingauthCorpId"),
        ({"suiteTicket": None}, "MissingsuiteTicket"),
    ],
)
def test_a_wrong_request_for_a_corp_token(stranger, changes, code):
    """Each mistake has its code."""
    assert error_of(request_corp_token(stranger, **changes)) == (400, code)


def test_the_suite_ticket_changes(stranger, dingtalk):
    """The newest ticket counts, set here or from another process, and a reset brings the first one back."""
    old = dingtalk.suite_ticket
    dingtalk.suite_ticket = "newer"
    assert error_of(request_corp_token(stranger, suiteTicket=old)) == (400, "invalidSuiteTicket")
    assert request_corp_token(stranger).status_code == 200
    changed = stranger.control("PATCH", "sign_in", json={"suite_ticket": "newest"})
    assert changed.json() == {"suite_ticket": "newest", "signed_in": LIN}
    assert dingtalk.suite_ticket == "newest"
    assert stranger.control("GET", "sign_in").json() == changed.json()
    dingtalk.reset()
    assert dingtalk.suite_ticket == old


@pytest.mark.parametrize("path", ["userAccessToken", "corpAccessToken", f"{CORP}/token"])
def test_every_token_request_must_be_json(stranger, dingtalk, path):
    """A form lacks a body."""
    answer = stranger.http.post(f"{dingtalk.url}/v1.0/oauth2/{path}", data={"appKey": "a"})
    assert error_of(answer) == (400, "Missingbody")


def test_the_path_without_its_version_is_unknown(stranger, dingtalk):
    """The documentation prints it that way; the service does not know it."""
    assert stranger.http.post(dingtalk.url + "/oauth2/corpAccessToken", json={}).json()["errcode"] == 404


def test_a_code_gets_a_users_token_once(stranger, dingtalk):
    """The answer has both tokens and the organisation; the code is used up then."""
    code = dingtalk.authorization_code(CHEN)
    answer = exchange_code(stranger, code)
    assert answer.json().keys() == {"accessToken", "refreshToken", "expireIn", "corpId"}
    assert (answer.json()["corpId"], answer.json()["expireIn"]) == (dingtalk.corp_id, 7200)
    assert carry_token(stranger, answer.json()["accessToken"]).get(REVIEW, user=CHEN).status_code == 200
    assert error_of(exchange_code(stranger, code)) == (400, "invalidParameter.authCode.notFound")


def test_a_refresh_token_rotates(stranger, dingtalk):
    """Each refresh gives a new refresh token and ends the one used; access tokens live on for their time."""
    first = exchange_code(stranger, dingtalk.authorization_code(CHEN)).json()
    second = refresh_grant(stranger, first["refreshToken"]).json()
    assert second["refreshToken"] != first["refreshToken"]
    assert error_of(refresh_grant(stranger, first["refreshToken"])) == (400, "invalidParameter.authCode.notFound")
    assert refresh_grant(stranger, second["refreshToken"]).status_code == 200
    for grant in (first, second):
        assert carry_token(stranger, grant["accessToken"]).get(REVIEW, user=CHEN).status_code == 200


@pytest.mark.parametrize(("age", "status"), [(MONTH - 1, 200), (MONTH, 400)])
def test_a_refresh_token_lives_for_thirty_days(stranger, dingtalk, age, status):
    """Unused, it ends a month after it was given."""
    dingtalk.store.clock = lambda: 1_800_000_000.0
    grant = exchange_code(stranger, dingtalk.authorization_code(CHEN)).json()
    dingtalk.store.advance_clock(age)
    assert refresh_grant(stranger, grant["refreshToken"]).status_code == status


def test_expired_access_tokens_leave_the_refresh_token(stranger, dingtalk):
    """A user's access token ends like any other, and is got again."""
    grant = exchange_code(stranger, dingtalk.authorization_code(CHEN)).json()
    dingtalk.store.advance_clock(7200)
    assert error_of(carry_token(stranger, grant["accessToken"]).get(REVIEW, user=CHEN)) == (
        400,
        "InvalidAuthentication",
    )
    again = refresh_grant(stranger, grant["refreshToken"]).json()
    assert carry_token(stranger, again["accessToken"]).get(REVIEW, user=CHEN).status_code == 200


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"clientId": "nobody"}, "invalidClientIdOrSecret"),
        ({"clientSecret": "wrong"}, "invalidClientIdOrSecret"),
        ({"code": "made-up"}, "invalidParameter.authCode.notFound"),
        ({"code": None}, "Missingcode"),
        ({"grantType": None}, "MissinggrantType"),
        ({"grantType": "password"}, "unsupported.grant.type"),
        ({"grantType": "refresh_token"}, "MissingrefreshToken"),
    ],
)
def test_a_wrong_request_for_a_users_token_leaves_the_code(stranger, dingtalk, changes, code):
    """Each mistake has its code, and the authorization can still be used."""
    good = dingtalk.authorization_code(CHEN)
    assert error_of(exchange_code(stranger, **{"code": good, **changes})) == (400, code)
    assert exchange_code(stranger, good).status_code == 200


def test_a_code_is_no_refresh_token(stranger, dingtalk):
    """Nor the other way round."""
    code = dingtalk.authorization_code(CHEN)
    assert refresh_grant(stranger, code).status_code == 400
    token = exchange_code(stranger, code).json()["refreshToken"]
    assert exchange_code(stranger, token).status_code == 400
    assert refresh_grant(stranger, token).status_code == 200


def test_a_code_is_for_its_app(stranger, dingtalk):
    """Another app cannot use it."""
    apps = [{"appKey": name, "appSecret": "s"} for name in "ab"]
    dingtalk.reset({**SAMPLE, "apps": apps})
    code = dingtalk.authorization_code(CHEN)
    assert error_of(exchange_code(stranger, code, clientId="b")) == (400, "invalidParameter.authCode.notFound")
    assert exchange_code(stranger, code, clientId="a").status_code == 200


def test_a_users_token_acts_as_its_user(stranger, dingtalk):
    """Another user's path is denied, unless the switch allows it."""
    stranger.log_in_as(CHEN)
    assert error_of(stranger.get(REVIEW, user=LIN)) == (403, "permissionDeny")
    assert error_of(stranger.patch(REVIEW, user=CHEN, summary="x")) == (400, "invalidParameter")
    dingtalk.configure(user_paths="any")
    assert stranger.get(REVIEW, user=LIN).status_code == 200


def test_token_requests_are_logged_without_secrets(stranger, dingtalk):
    """Neither secrets, tickets, codes nor refresh tokens get into the log."""
    request_unified_token(stranger)
    request_corp_token(stranger)
    code = dingtalk.authorization_code(CHEN)
    grant = exchange_code(stranger, code).json()
    refresh_grant(stranger, grant["refreshToken"])
    logged = json.dumps(dingtalk.requests)
    secrets = [dingtalk.app_secret, dingtalk.suite_ticket, code, *(grant[n] for n in ("accessToken", "refreshToken"))]
    assert not [secret for secret in secrets if secret in logged]
    assert dingtalk.effects["tokens_issued"] == 4
    assert [row["action"] for row in dingtalk.requests] == [
        "GetToken",
        "GetCorpAccessToken",
        "GetUserToken",
        "GetUserToken",
    ]


@pytest.mark.parametrize(
    ("auth_type", "extra"),
    [
        ("app", {}),
        ("unified", {"auth_type": "unified", "corp_id": CORP}),
        (
            "corp_app",
            {"auth_type": "corp_app", "corp_id": CORP, "suite_ticket_variable": "dingtalk_suite_ticket_secret"},
        ),
        ("user", {"auth_type": "user", "user_grant_variable": "dingtalk_user_grant_secret"}),
    ],
)
def test_there_is_a_connection_for_every_kind_of_app(dingtalk, auth_type, extra):
    """The extra has what each kind needs."""
    assert dingtalk.connection(auth_type) == {
        **dingtalk.connection(),
        "extra": {"timezone": "Asia/Shanghai", **extra},
    }


def test_an_unknown_kind_of_app_is_reported(dingtalk):
    """With what was probably meant."""
    with pytest.raises(ValueError, match="did you mean 'corp_app'"):
        dingtalk.connection("corpapp")
