"""Tokens, permissions, rates and quotas: what happens before the calendar sees a call."""

from __future__ import annotations

import json

import pytest

from airflow_dingtalk_calendar.emulator.state.sample import LIN, REVIEW, SAMPLE

READ_ONLY = {**SAMPLE, "apps": [{"appKey": "k", "appSecret": "s", "scopes": ["Calendar.Event.Read"]}]}


def test_a_token_is_issued_for_two_hours(stranger):
    """The token endpoint answers accessToken and expireIn."""
    answer = stranger.token()
    assert answer.status_code == 200
    assert answer.json().keys() == {"accessToken", "expireIn"}
    assert answer.json()["expireIn"] == 7200


def test_a_valid_token_is_handed_out_again_and_renewed(stranger, dingtalk):
    """While a token is valid the same one comes back, good for the full time again."""
    first = stranger.token().json()["accessToken"]
    dingtalk.store.advance_clock(7000)
    assert stranger.token().json()["accessToken"] == first
    dingtalk.store.advance_clock(7000)
    stranger.headers["x-acs-dingtalk-access-token"] = first
    assert stranger.get(REVIEW).status_code == 200


def test_an_expired_token_is_replaced(stranger, dingtalk):
    """After its lifetime a new token is issued."""
    first = stranger.token().json()["accessToken"]
    dingtalk.store.advance_clock(7200)
    assert stranger.token().json()["accessToken"] != first
    assert dingtalk.effects["tokens_issued"] == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"appSecret": "wrong"}, "invalidClientIdOrSecret"),
        ({"appKey": "nobody"}, "invalidClientIdOrSecret"),
        ({"appKey": 5}, "invalidClientIdOrSecret"),
        ({"appKey": ""}, "MissingappKey"),
        ({"appSecret": None}, "MissingappSecret"),
    ],
)
def test_wrong_credentials_are_refused(stranger, body, code):
    """Wrong or missing credentials are a 400 with a code of their own."""
    answer = stranger.token(**body)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["requestid"] == answer.headers["x-acs-request-id"]


@pytest.mark.parametrize("content", [b"", b"appKey=a&appSecret=b", b"[]", b"\xff", b"[" * 100_000])
def test_a_token_request_must_be_json(stranger, http, content):
    """A form, or anything else that is not a JSON object, lacks a body."""
    answer = http.post(f"{stranger.emulator.url}/v1.0/oauth2/accessToken", content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "Missingbody")


def test_a_call_without_a_token_is_refused(stranger):
    """The token is expected in its header and nowhere else."""
    stranger.headers["authorization"] = "Bearer " + stranger.token().json()["accessToken"]
    answer = stranger.get(REVIEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "AuthenticationFailed.MissingParameter")


def test_an_unknown_token_is_refused(stranger):
    """A token nobody issued is a 400, not a 401."""
    stranger.headers["x-acs-dingtalk-access-token"] = "made-up"
    answer = stranger.get(REVIEW)
    assert (answer.status_code, answer.json()["code"]) == (400, "InvalidAuthentication")


def test_the_token_lifetime_is_a_switch(stranger, dingtalk):
    """A token is refused after token_lifetime seconds."""
    dingtalk.configure(token_lifetime=0.5)
    assert stranger.token().json()["expireIn"] == 1
    stranger.log_in()
    dingtalk.store.advance_clock(0.6)
    assert stranger.get(REVIEW).json()["code"] == "InvalidAuthentication"


def test_a_missing_permission_is_named(stranger, dingtalk):
    """An app without the scope gets a 403 that lists it."""
    dingtalk.reset(READ_ONLY)
    stranger.log_in()
    answer = stranger.patch(REVIEW, summary="x")
    assert answer.status_code == 403
    assert answer.json()["code"] == "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    assert answer.json()["accessdenieddetail"] == {"requiredScopes": ["Calendar.Event.Write"]}
    assert stranger.get(REVIEW).status_code == 200


def test_the_rate_is_limited_per_app_and_api(client, dingtalk):
    """More calls of one API in a second than allowed are refused; another API, and the next second, are free."""
    dingtalk.configure(qps_limit=2)
    dingtalk.store.clock = lambda: 1_800_000_000.0
    client.log_in()
    codes = [client.get(REVIEW).status_code for _ in range(3)]
    assert codes == [200, 200, 403]
    assert client.get(REVIEW).json()["code"] == "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    assert client.list().status_code == 200
    dingtalk.store.advance_clock(1.01)
    assert client.get(REVIEW).status_code == 200
    assert dingtalk.effects["calls"] == {"GetEvent": 3, "ListEvents": 1}


def test_the_token_endpoint_is_throttled_too(stranger, dingtalk):
    """Asking for tokens too often is refused with the same code."""
    dingtalk.configure(qps_limit=1)
    dingtalk.store.clock = lambda: 1_800_000_000.0
    assert [stranger.token().status_code for _ in range(2)] == [200, 403]


def test_the_monthly_quota_ends_the_month(client, dingtalk):
    """Calls beyond the quota are refused until the next month; the token endpoint is exempt."""
    dingtalk.configure(monthly_quota=1)
    assert client.get(REVIEW).status_code == 200
    answer = client.list()
    assert (answer.status_code, answer.json()["code"]) == (403, "Forbidden.AccessDenied.ApiCountLimitForOrg")
    assert client.token().status_code == 200
    dingtalk.store.advance_clock(32 * 86400)
    assert client.log_in().get(REVIEW).status_code == 200


def test_token_comes_before_permission_before_rate_before_business(stranger, dingtalk):
    """The gateway's checks come in its documented order."""
    dingtalk.reset(READ_ONLY, qps_limit=1)
    assert stranger.put("nothing", b"").json()["code"] == "AuthenticationFailed.MissingParameter"
    stranger.log_in()
    assert [stranger.put("nothing", b"").status_code for _ in range(3)] == [403, 403, 403]
    assert stranger.get("nothing").json()["code"] == "itemNotFound"
    assert stranger.get("nothing").json()["code"].endswith("QpsLimitForAppkeyAndApi")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1.0/calendar/nothing"),
        ("PATCH", f"/v1.0/calendar/users/{LIN}/calendars/primary/events/{REVIEW}"),
        ("GET", "/v1.0/oauth2/accessToken"),
        ("POST", "/V1.0/oauth2/accessToken"),
        ("GET", "/%0A"),
    ],
)
def test_an_unknown_path_or_method_is_a_200_with_errcode_404(stranger, http, method, path):
    """The gateway answers what it does not know with HTTP 200."""
    answer = http.request(method, stranger.emulator.url + path)
    assert answer.status_code == 200
    assert answer.json() == {"errcode": 404, "errmsg": "请求的URI地址不存在"}


def test_every_answer_has_a_request_id(client):
    """Good or bad, an answer can be asked about by its x-acs-request-id."""
    answers = [client.get(REVIEW), client.get("nothing"), client.token()]
    assert len({answer.headers["x-acs-request-id"] for answer in answers}) == 3


def test_an_error_body_is_flat_json_with_lower_case_keys(client):
    """Errors have code, requestid and message."""
    assert client.get("nothing").json().keys() == {"code", "requestid", "message"}


def test_requests_are_logged_without_secrets(client, dingtalk):
    """The log has everything of a request but the token and the app secret."""
    client.patch(REVIEW, summary="x", colour="red", start={}, client_token="t")
    token_request, patch = dingtalk.requests
    assert token_request["action"] == "GetAccessToken"
    assert token_request["body"]["appSecret"] == "***"
    assert patch["method"] == "PUT"
    assert patch["path"].endswith(REVIEW)
    assert patch["query"] == ""
    assert (patch["action"], patch["status"], patch["code"]) == ("PatchEvent", 400, "invalidParameter")
    assert patch["client_token"] == "t"
    assert patch["body"]["colour"] == "red"
    assert patch["ignored"] == ["colour"]
    assert patch["authorized"] is True
    assert "x-acs-dingtalk-access-token" in patch["headers"]
    assert client.headers["x-acs-dingtalk-access-token"] not in json.dumps(dingtalk.requests)
