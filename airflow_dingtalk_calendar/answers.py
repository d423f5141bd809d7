"""What an answer of the service means: the JSON that it holds, or which error.

Errors are sorted by ``code``, never by status alone: a 403 can be throttling, quota, permission or an IP list,
and an expired token is a 400. Codes, statuses and meanings are from DingTalk's global error code page
(``server-api-error-codes-1``), from PatchEvent's page, and, where noted, seen in live answers by third parties.
The language of ``message`` varies, so nothing is read out of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar

from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    InProgressError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    QuotaExceededError,
    RequestError,
    ServiceError,
    ThrottledError,
    TokenRejectedError,
    UnexpectedAnswerError,
)

T = TypeVar("T")
MINUTE_SECONDS, DAY_SECONDS = 60.0, 86400.0
MAX_TEXT_READ = 4000
IP_BAN_SECONDS = 5 * MINUTE_SECONDS  # the edge bans an address that made 10,000 calls in 20 s (call frequency page)


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer: status, headers (lower-case names) and the whole body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class ErrorCode(NamedTuple):
    """What a code means: which error, what to do, and how long to wait at least."""

    error: type[RequestError]
    hint: str = ""
    wait: float | None = None


REGION_HINT = (
    "The app may belong to the other region: api.dingtalk.com is China's, api.dingtalk.io the international one."
)
ORGANIZER_HINT = (
    "Check that union_id is the organizer's unionId (not a staff userId, nor a unionId from another company's app) "
    "and that the event is in this calendar."
)
SCOPE_HINT = "Grant the permission to the app in DingTalk's developer console and publish the app again."
CORP_HINT = "Check corp_id in the connection's extra, or have an administrator of that organisation add the app."
GRANT_GONE_CODE = "invalidParameter.authCode.notFound"  # seen by third parties; the page has no table of errors
QUOTA_HINT = "Calls fail until the month ends or the plan is upgraded."
_QPS_LIMIT = ErrorCode(ThrottledError, "The limit is per second: lower max_qps or use an Airflow pool.", 1.0)
_QPM_LIMIT = ErrorCode(ThrottledError, "The limit is per minute.", MINUTE_SECONDS)
_GLOBAL_LIMIT = ErrorCode(ThrottledError, "DingTalk is busy for all its users; avoid the full hour.", 1.0)
_BAD_CREDENTIALS = ErrorCode(
    CredentialsError, f"Check login (app key) and password (app secret) of the connection. {REGION_HINT}"
)
INVALID_REQUEST = ErrorCode(InvalidRequestError)
SERVICE_FAILURE = ErrorCode(ServiceError)

ERROR_CODES: dict[str, ErrorCode] = {
    "InvalidAuthentication": ErrorCode(TokenRejectedError, REGION_HINT),
    "accesstoken.expired": ErrorCode(TokenRejectedError, REGION_HINT),
    "AuthenticationFailed.MissingParameter": ErrorCode(InvalidRequestError, "The token header was lost on the way."),
    "invalidClientIdOrSecret": _BAD_CREDENTIALS,
    "invalid.client": _BAD_CREDENTIALS,
    "invalidSuiteKey": _BAD_CREDENTIALS,
    "invalidSuiteTicket": ErrorCode(
        CredentialsError,
        "The suite ticket in the Variable that suite_ticket_variable names is old: DingTalk pushes a new one every "
        "5 hours.",
    ),
    "invalidAuthInfo": ErrorCode(CredentialsError, f"The organisation has not opened this app. {CORP_HINT}"),
    "unauthorized.client": ErrorCode(CredentialsError, f"The organisation has not authorised this app. {CORP_HINT}"),
    GRANT_GONE_CODE: ErrorCode(
        CredentialsError, "This authorization code or refresh token is unknown or was used before."
    ),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": ErrorCode(PermissionDeniedError, SCOPE_HINT),
    "Forbidden.AccessDenied.IpNotInWhiteList": ErrorCode(
        PermissionDeniedError, "Add the workers' public IP address to the app's IP list."
    ),
    "permissionDeny": ErrorCode(PermissionDeniedError, "A user is outside the range that the app is authorised for."),
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": _QPS_LIMIT,
    "Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi": _QPS_LIMIT,
    "Forbidden.AccessDenied.QpsLimitForApi": _GLOBAL_LIMIT,
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi": _QPM_LIMIT,
    "Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi": _QPM_LIMIT,
    "Forbidden.AccessDenied.ApiCountLimitForOrg": ErrorCode(
        QuotaExceededError, f"The organisation's monthly call quota is used up. {QUOTA_HINT}"
    ),
    "system.busy": _GLOBAL_LIMIT,
    "systemBusy": _GLOBAL_LIMIT,
    "flowLimit": ErrorCode(QuotaExceededError, "A user may create 100 events a day."),
    "idempotencyProcessing": ErrorCode(InProgressError, "The same request is still being worked on.", 1.0),
    "IdempotentParameterMismatch": ErrorCode(InvalidRequestError, "This client_token was used for another request."),
    "invalidRequest.duplicateClientToken": ErrorCode(
        InvalidRequestError, "This client_token was used for another request."
    ),
    "system.error": SERVICE_FAILURE,  # seen with HTTP 400
    "systemError": SERVICE_FAILURE,
    "sysErrror": SERVICE_FAILURE,  # spelt so by the service
    "internalError": SERVICE_FAILURE,
    "serviceBusy": SERVICE_FAILURE,
    "unknownError": SERVICE_FAILURE,  # seen with HTTP 500
    "ServiceUnavailable": SERVICE_FAILURE,
    "invalidParameter": ErrorCode(
        InvalidRequestError,
        "Where that text does not tell: union_id must be the organizer's unionId (not a staff userId, nor a unionId "
        "from another company's app), and a room booked for the event must be free at the new time.",
    ),
    "paramIllegal": INVALID_REQUEST,
    "InvalidParameter.ParsedISO8601TimestampError": INVALID_REQUEST,
    "itemNotFound": ErrorCode(NotFoundError, ORGANIZER_HINT),
    "instanceNotExist": ErrorCode(NotFoundError, "This instance of the series is gone."),
}

_TOKEN_REFUSED = ErrorCode(TokenRejectedError, REGION_HINT)
_UNKNOWN_USER = ErrorCode(NotFoundError, "Check user_id: it is the staff id that DingTalk's admin console shows.")

# The older host answers 200 with a number; where it wraps another host's error, that one's number counts.
LEGACY_CODES: dict[str, ErrorCode] = {
    **dict.fromkeys(("88", "40001", "40014", "42001"), _TOKEN_REFUSED),
    "60011": ErrorCode(PermissionDeniedError, SCOPE_HINT),
    "60020": ERROR_CODES["Forbidden.AccessDenied.IpNotInWhiteList"],
    "50002": ERROR_CODES["permissionDeny"],
    "90018": _QPS_LIMIT,
    "90002": _GLOBAL_LIMIT,
    "90020": ERROR_CODES["Forbidden.AccessDenied.ApiCountLimitForOrg"],
    "-1": ErrorCode(ServiceError, "", 1.0),
    "60121": _UNKNOWN_USER,
    "33012": _UNKNOWN_USER,
    "400002": INVALID_REQUEST,
}

# For codes that the table does not have.
STATUS_CODES: dict[int, ErrorCode] = {
    401: ErrorCode(TokenRejectedError, REGION_HINT),
    403: ErrorCode(PermissionDeniedError),
    404: ErrorCode(NotFoundError, ORGANIZER_HINT),
    408: SERVICE_FAILURE,
    429: _GLOBAL_LIMIT,
}


def read_response(answer: Response, *secrets: str) -> Any:
    """Return the JSON that a good answer holds (None for an empty body); raise what a bad one means.

    :param secrets: blotted out of the error's texts, in case the answer echoes the request.
    :raises RequestError: one of its classes, by the tables above.
    """
    payload, error = _interpret_response(answer, secrets)
    if error:
        raise error  # here, where no variable holds the body: some tracebacks show variables
    return payload


def _interpret_response(answer: Response, secrets: tuple[str, ...]) -> tuple[Any, RequestError | None]:
    try:
        payload = json.loads(answer.content) if answer.content.strip() or answer.status >= 300 else None
    except (ValueError, RecursionError):
        return None, _not_json_error(answer)
    fields = {key.lower(): value for key, value in payload.items()} if isinstance(payload, dict) else {}
    if answer.status < 300 and not _is_error_payload(fields):
        return payload, None
    return None, _build_error(answer, fields, partial(_clean_text, secrets=secrets))


def parse_response(call: Call[T], answer: Response, *secrets: str) -> T:
    """Read an answer as the call's result.

    :raises RequestError: with status, request id and the name of the action.
    """
    try:
        return call.parse(read_response(answer, *secrets))
    except RequestError as error:
        error.action = error.action or call.action
        error.hint = _page_token_hint(call, error) or error.hint
        error.status_code = error.status_code or answer.status
        error.request_id = error.request_id or request_id(answer)
        raise


# What a list may be refused for beside its parameters; page "pagination" advises to begin again.
PAGE_TOKEN_HINTS = {
    "nextToken": "If it is the page token that was refused: start over from the first page.",
    "syncToken": "If it is the sync token that was refused: list everything anew, without it.",
}


def _page_token_hint(call: Call[Any], error: RequestError) -> str:
    """Say what to do when a refused call goes on where an earlier one ended."""
    hints = [hint for name, hint in PAGE_TOKEN_HINTS.items() if name in call.params]
    return " ".join(hints) if isinstance(error, InvalidRequestError) else ""


def _is_error_payload(fields: Mapping[str, Any]) -> bool:
    """Whether a 200 is none: unknown paths and legacy APIs answer so, and the edge when it bans an address."""
    return _scalar_text(fields.get("errcode", 0)) != "0" or (fields.get("status") == 1111 and "punish" in fields)


def _not_json_error(answer: Response) -> RequestError:
    """Say what an answer that is not JSON means; its text is not shown, it may be anything."""
    status = answer.status
    if 300 <= status < 400:
        hint = "Redirects are not followed, so that the token goes nowhere else: check the connection's host."
        return UnexpectedAnswerError("answered with a redirect.", status_code=status, hint=hint)
    if status == 403:
        hint = "An HTML page with this status is how DingTalk bans an address that called too often."
        return ThrottledError(
            "answered with a page instead of JSON.", status_code=status, retry_after=IP_BAN_SECONDS, hint=hint
        )
    if status == 429 or status == 408 or status >= 500:
        meaning = STATUS_CODES.get(status, SERVICE_FAILURE)
        wait = _wait_seconds(answer, meaning)
        return meaning.error("answered with a page instead of JSON.", status_code=status, retry_after=wait)
    hint = "Check the connection's host, and what stands between the workers and DingTalk."
    return UnexpectedAnswerError(
        "answered with something that is not JSON.", status_code=status, retryable=status < 300, hint=hint
    )


def _build_error(answer: Response, fields: Mapping[str, Any], text: Callable[[Any], str]) -> RequestError:
    code = text(fields.get("code") or fields.get("sub_code") or fields.get("errcode") or fields.get("status") or "")
    meaning = _find_code(answer.status, code, fields)
    scopes = tuple(map(text, _required_scopes(fields.get("accessdenieddetail"))))
    return meaning.error(
        text(fields.get("message") or fields.get("sub_msg") or fields.get("errmsg") or ""),
        status_code=answer.status,
        code=code,
        request_id=text(fields.get("requestid") or fields.get("request_id") or request_id(answer)),
        required_scopes=scopes,
        retry_after=_wait_seconds(answer, meaning),
        hint=" ".join(filter(None, (meaning.hint, f"Missing: {', '.join(scopes)}." if scopes else ""))),
    )


def _find_code(status: int, code: str, fields: Mapping[str, Any]) -> ErrorCode:
    if "punish" in fields:
        return ErrorCode(ThrottledError, "DingTalk bans this address for having called too often.", IP_BAN_SECONDS)
    if status < 300:
        return LEGACY_CODES.get(code) or LEGACY_CODES.get(_scalar_text(fields.get("errcode"))) or _unknown_api(code)
    return ERROR_CODES.get(code) or STATUS_CODES.get(status) or (SERVICE_FAILURE if status >= 500 else INVALID_REQUEST)


def _unknown_api(code: str) -> ErrorCode:
    hint = f"There is no such API at this host. {REGION_HINT}" if code == "404" else ""
    return ErrorCode(UnexpectedAnswerError, hint)


def _wait_seconds(answer: Response, meaning: ErrorCode) -> float | None:
    """Seconds to wait: what the answer says, but not less than what its code says."""
    asked = _parse_retry_after(answer.headers)
    return meaning.wait if asked is None else max(asked, meaning.wait or 0.0)


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``: seconds, or a date, which counts from the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        return min(float(value[:9]), DAY_SECONDS)
    try:
        later = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(later.total_seconds(), 0.0), DAY_SECONDS)


def request_id(answer: Response) -> str:
    """Read the id under which DingTalk's developer console explains the request."""
    return _clean_text(answer.headers.get("x-acs-request-id", ""))


def _required_scopes(detail: Any) -> list[Any]:
    named = {str(key).lower(): value for key, value in detail.items()} if isinstance(detail, dict) else {}
    scopes = named.get("requiredscopes")
    return scopes[:20] if isinstance(scopes, list) else []


def _scalar_text(value: Any) -> str:
    """Read a word or a number; writing out anything else is no use, and can fail if it is nested deeply."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def _clean_text(value: Any, secrets: tuple[str, ...] = ()) -> str:
    """Make the service's words fit for one line of a log."""
    text = _scalar_text(value)[:MAX_TEXT_READ]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(char if char.isprintable() else " " for char in text[:300])
