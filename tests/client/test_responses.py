"""What answers mean, code by code."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.client.error_codes import ERROR_CODES
from airflow_dingtalk_calendar.client.responses import Response, read_response
from airflow_dingtalk_calendar.exceptions import DingTalkError, RequestError


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """Make an answer; a dict or list becomes JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
    return Response(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def error(status: int, body: Any = None, **headers: str) -> RequestError:
    """Read an answer that must be an error."""
    with pytest.raises(RequestError) as caught:
        read_response(answer(status, body, **headers))
    return caught.value


THROTTLED = "Forbidden.AccessDenied."
# status, code, class, retryable, seconds to wait: the rows of DingTalk's error tables.
TABLE: list[tuple[int, str, str, bool, float | None]] = [
    (400, "InvalidAuthentication", "TokenRejectedError", False, None),
    (400, "accesstoken.expired", "TokenRejectedError", False, None),
    (401, "anything", "TokenRejectedError", False, None),
    (400, "AuthenticationFailed.MissingParameter", "InvalidRequestError", False, None),
    (403, THROTTLED + "AccessTokenPermissionDenied", "PermissionDeniedError", False, None),
    (403, THROTTLED + "IpNotInWhiteList", "PermissionDeniedError", False, None),
    (403, THROTTLED + "SomethingNew", "PermissionDeniedError", False, None),
    (400, "permissionDeny", "PermissionDeniedError", False, None),
    (403, THROTTLED + "QpsLimitForAppkeyAndApi", "ThrottledError", True, 1.0),
    (403, THROTTLED + "QpsLimitForSuitekeyAndOrgAndApi", "ThrottledError", True, 1.0),
    (403, THROTTLED + "QpsLimitForApi", "ThrottledError", True, 1.0),
    (403, THROTTLED + "QpmLimitForAppkeyAndApi", "ThrottledError", True, 60.0),
    (403, THROTTLED + "QpmLimitForSuitekeyAndOrgAndApi", "ThrottledError", True, 60.0),
    (403, THROTTLED + "ApiCountLimitForOrg", "QuotaExceededError", False, None),
    (400, "flowLimit", "QuotaExceededError", False, None),
    (400, "invalidParameter.authCode.notFound", "CredentialsError", False, None),
    (429, "system.busy", "ThrottledError", True, 1.0),
    (429, "systemBusy", "ThrottledError", True, 1.0),
    (429, "anything", "ThrottledError", True, 1.0),
    (400, "idempotencyProcessing", "InProgressError", True, 1.0),
    (400, "IdempotentParameterMismatch", "InvalidRequestError", False, None),
    (409, "invalidRequest.duplicateClientToken", "InvalidRequestError", False, None),
    (400, "system.error", "ServiceError", True, None),
    (500, "systemError", "ServiceError", True, None),
    (500, "sysErrror", "ServiceError", True, None),
    (400, "internalError", "ServiceError", True, None),
    (503, "serviceBusy", "ServiceError", True, None),
    (500, "unknownError", "ServiceError", True, None),
    (503, "ServiceUnavailable", "ServiceError", True, None),
    (502, "anything", "ServiceError", True, None),
    (408, "anything", "ServiceError", True, None),
    (400, "invalidParameter", "InvalidRequestError", False, None),
    (400, "meetingRoomNotAvailable", "InvalidRequestError", False, None),
    (400, "paramIllegal", "InvalidRequestError", False, None),
    (400, "InvalidParameter.ParsedISO8601TimestampError", "InvalidRequestError", False, None),
    (422, "anything", "InvalidRequestError", False, None),
    (404, "itemNotFound", "NotFoundError", False, None),
    (404, "instanceNotExist", "NotFoundError", False, None),
    (404, "anything", "NotFoundError", False, None),
    (400, "invalidClientIdOrSecret", "CredentialsError", False, None),
    (400, "invalid.client", "CredentialsError", False, None),
    (401, "authFailed", "CredentialsError", False, None),
    (400, "invalidSuiteKey", "CredentialsError", False, None),
    (400, "invalidSuiteTicket", "CredentialsError", False, None),
    (400, "invalidAuthInfo", "CredentialsError", False, None),
    (401, "unauthorized.client", "CredentialsError", False, None),
]


@pytest.mark.parametrize(("status", "code", "kind", "retryable", "wait"), TABLE, ids=[f"{r[0]}-{r[1]}" for r in TABLE])
def test_each_code_has_its_meaning(status: int, code: str, kind: str, retryable: bool, wait: float | None) -> None:
    """Each documented code becomes its own kind of error, with how long to wait."""
    found = error(status, {"code": code, "message": "says so", "requestid": "R-1"})
    assert type(found) is getattr(exceptions, kind)
    assert (found.retryable, found.retry_after) == (retryable, wait)
    assert (found.status_code, found.code, found.message, found.request_id) == (status, code, "says so", "R-1")


def test_no_code_of_the_table_is_untested() -> None:
    """The table of the package has no row that the table of this test lacks."""
    assert set(ERROR_CODES) <= {row[1] for row in TABLE}


@pytest.mark.parametrize("detail", ["accessdenieddetail", "AccessDeniedDetail"])
def test_missing_permissions_are_named(detail: str) -> None:
    """A permission error names the scopes that the app lacks, however the keys are spelt."""
    body = {
        "Code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "Message": "应用尚未开通所需的权限",
        "RequestId": "R-2",
        detail: {"requiredScopes": ["Calendar.Event.Write"]},
    }
    found = error(403, body)
    assert found.required_scopes == ("Calendar.Event.Write",)
    assert "Missing: Calendar.Event.Write." in str(found)
    assert "request id R-2" in str(found)


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({}, 1.0),
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0"}, 1.0),
        ({"retry_after": "999999999999"}, 86400.0),
        ({"retry_after": "soon"}, 1.0),
        ({"retry_after": "-5"}, 1.0),
        ({"retry_after": "Mon, 01 Mar 2027 08:00:30 GMT", "date": "Mon, 01 Mar 2027 08:00:00 GMT"}, 30.0),
        ({"retry_after": "Mon, 01 Mar 2027 08:00:30 GMT"}, 1.0),
    ],
    ids=str,
)
def test_retry_after_is_honoured(headers: dict[str, str], wait: float) -> None:
    """Retry-After counts in both notations, within a day, and never below what the code demands."""
    assert error(429, {"code": "system.busy"}, **headers).retry_after == wait


@pytest.mark.parametrize(
    ("status", "body", "kind", "retryable"),
    [
        (200, b"<html>", "UnexpectedAnswerError", True),
        (200, b"\xff\xfe", "UnexpectedAnswerError", True),
        (200, b"[" * 100_000, "UnexpectedAnswerError", True),
        (200, {"errcode": 404, "errmsg": "请求的URI地址不存在"}, "UnexpectedAnswerError", False),
        (200, {"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}, "ThrottledError", True),
        (403, {"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}, "ThrottledError", True),
        (302, b"", "UnexpectedAnswerError", False),
        (400, b"<html>The plain HTTP request was sent to HTTPS port", "UnexpectedAnswerError", False),
        (403, b"<html>banned", "ThrottledError", True),
        (404, b"<html>", "UnexpectedAnswerError", False),
        (429, b"slow down", "ThrottledError", True),
        (500, b"<html>", "ServiceError", True),
        (503, b"", "ServiceError", True),
        (500, [1], "ServiceError", True),
        (400, None, "UnexpectedAnswerError", False),
        (400, "text", "InvalidRequestError", False),
    ],
    ids=lambda value: str(value)[:40],
)
def test_answers_that_no_api_gives(status: int, body: Any, kind: str, retryable: bool) -> None:
    """Pages, redirects, bans and garbage become typed errors that do not repeat the body."""
    found = error(status, body)
    assert (type(found).__name__, found.retryable) == (kind, retryable)
    assert "<html" not in str(found)


def test_a_ban_of_the_address_takes_five_minutes() -> None:
    """Both forms of the ban of an address ask for five minutes, which leaves the waiting to Airflow."""
    assert error(403, b"<html>").retry_after == 300.0
    assert error(200, {"status": 1111, "punish": "deny"}).retry_after == 300.0


@pytest.mark.parametrize("errcode", [0, "0"])
def test_a_good_answer_is_returned_as_sent(errcode: Any) -> None:
    """A 200 with errcode 0 is a success, as legacy APIs write it, and nothing in it is touched."""
    assert read_response(answer(200, {"errcode": errcode, "x": [None]})) == {"errcode": errcode, "x": [None]}
    assert read_response(answer(200)) is None


@pytest.mark.parametrize("change", [str.upper, str.lower, str.swapcase, " {} ".format])
@pytest.mark.parametrize("code", ERROR_CODES)
def test_capitals_of_codes_say_nothing(code: str, change: Callable[[str], str]) -> None:
    """A code in other capitals is the same code: a 200 with it is no success, and errors spell it as documented."""
    for status in (200, 400):
        found, same = (error(status, {"code": one}) for one in (change(code), code))
        assert (type(found), found.code, found.hint) == (type(same), code, same.hint)


def test_secrets_are_blotted_out_of_errors() -> None:
    """An answer that echoes the token does not publish it in the error."""
    with pytest.raises(DingTalkError) as caught:
        read_response(answer(400, {"code": "tok-123", "message": "bad tok-123", "requestid": "tok-123"}), "tok-123", "")
    assert "tok-123" not in str(caught.value)


def test_control_characters_stay_out_of_logs() -> None:
    """A message cannot forge log lines or colour terminals."""
    found = error(400, {"code": "x\ny", "message": "a\r\nb\x1b[31m"})
    assert str(found).isprintable()


@given(status=st.integers(200, 599), body=st.binary(max_size=200), header=st.text(max_size=20))
def test_reading_never_fails_otherwise(status: int, body: bytes, header: str) -> None:
    """Whatever comes as an answer is read, or becomes a RequestError."""
    try:
        read_response(Response(status, {"retry-after": header, "date": header}, body))
    except RequestError as found:
        assert found.status_code == status


@given(
    body=st.recursive(
        st.none() | st.integers() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "code",
                        "Code",
                        "message",
                        "errcode",
                        "status",
                        "punish",
                        "accessdenieddetail",
                        "requiredScopes",
                        "requestid",
                    ]
                ),
                x,
            )
        ),
    )
)
def test_reading_any_json_never_fails_otherwise(body: Any) -> None:
    """Whatever JSON an error has, it becomes a RequestError whose text fits on a line."""
    try:
        read_response(answer(400, body))
    except RequestError as found:
        assert str(found).isprintable()
