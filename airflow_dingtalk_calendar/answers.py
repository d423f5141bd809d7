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
MINUTE, DAY = 60.0, 86400.0
MAX_TEXT = 4000
IP_BAN = 5 * MINUTE  # the edge bans an address that made 10,000 calls in 20 s (call frequency page)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: status, headers (lower-case names) and the whole body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


class Meaning(NamedTuple):
    """What a code means: which error, what to do, and how long to wait at least."""

    error: type[RequestError]
    hint: str = ""
    wait: float | None = None


REGION = "The app may belong to the other region: api.dingtalk.com is China's, api.dingtalk.io the international one."
ORGANIZER = (
    "Check that union_id is the organizer's unionId (not a staff userId, nor a unionId from another company's app) "
    "and that the event is in this calendar."
)
SCOPE = "Grant the permission to the app in DingTalk's developer console and publish the app again."
CORP = "Check corp_id in the connection's extra, or have an administrator of that organisation add the app."
GRANT_GONE = "invalidParameter.authCode.notFound"  # seen by third parties; the page has no table of errors
QUOTA = "Calls fail until the month ends or the plan is upgraded."
_QPS = Meaning(ThrottledError, "The limit is per second: lower max_qps or use an Airflow pool.", 1.0)
_QPM = Meaning(ThrottledError, "The limit is per minute.", MINUTE)
_GLOBAL_QPS = Meaning(ThrottledError, "DingTalk is busy for all its users; avoid the full hour.", 1.0)
_CREDENTIALS = Meaning(CredentialsError, f"Check login (app key) and password (app secret) of the connection. {REGION}")
_INVALID = Meaning(InvalidRequestError)
_SERVICE = Meaning(ServiceError)

MEANINGS: dict[str, Meaning] = {
    "InvalidAuthentication": Meaning(TokenRejectedError, REGION),
    "accesstoken.expired": Meaning(TokenRejectedError, REGION),
    "AuthenticationFailed.MissingParameter": Meaning(InvalidRequestError, "The token header was lost on the way."),
    "invalidClientIdOrSecret": _CREDENTIALS,
    "invalid.client": _CREDENTIALS,
    "invalidSuiteKey": _CREDENTIALS,
    "invalidSuiteTicket": Meaning(
        CredentialsError,
        "The suite ticket in the Variable that suite_ticket_variable names is old: DingTalk pushes a new one every "
        "5 hours.",
    ),
    "invalidAuthInfo": Meaning(CredentialsError, f"The organisation has not opened this app. {CORP}"),
    "unauthorized.client": Meaning(CredentialsError, f"The organisation has not authorised this app. {CORP}"),
    GRANT_GONE: Meaning(CredentialsError, "This authorization code or refresh token is unknown or was used before."),
    "Forbidden.AccessDenied.AccessTokenPermissionDenied": Meaning(PermissionDeniedError, SCOPE),
    "Forbidden.AccessDenied.IpNotInWhiteList": Meaning(
        PermissionDeniedError, "Add the workers' public IP address to the app's IP list."
    ),
    "permissionDeny": Meaning(PermissionDeniedError, "A user is outside the range that the app is authorised for."),
    "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi": _QPS,
    "Forbidden.AccessDenied.QpsLimitForSuitekeyAndOrgAndApi": _QPS,
    "Forbidden.AccessDenied.QpsLimitForApi": _GLOBAL_QPS,
    "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi": _QPM,
    "Forbidden.AccessDenied.QpmLimitForSuitekeyAndOrgAndApi": _QPM,
    "Forbidden.AccessDenied.ApiCountLimitForOrg": Meaning(
        QuotaExceededError, f"The organisation's monthly call quota is used up. {QUOTA}"
    ),
    "system.busy": _GLOBAL_QPS,
    "systemBusy": _GLOBAL_QPS,
    "flowLimit": Meaning(QuotaExceededError, "A user may create 100 events a day."),
    "idempotencyProcessing": Meaning(InProgressError, "The same request is still being worked on.", 1.0),
    "IdempotentParameterMismatch": Meaning(InvalidRequestError, "This client_token was used for another request."),
    "invalidRequest.duplicateClientToken": Meaning(
        InvalidRequestError, "This client_token was used for another request."
    ),
    "system.error": _SERVICE,  # seen with HTTP 400
    "systemError": _SERVICE,
    "sysErrror": _SERVICE,  # spelt so by the service
    "internalError": _SERVICE,
    "serviceBusy": _SERVICE,
    "unknownError": _SERVICE,  # seen with HTTP 500
    "ServiceUnavailable": _SERVICE,
    "invalidParameter": Meaning(
        InvalidRequestError,
        "Where that text does not tell: union_id must be the organizer's unionId (not a staff userId, nor a unionId "
        "from another company's app), and a room booked for the event must be free at the new time.",
    ),
    "paramIllegal": _INVALID,
    "InvalidParameter.ParsedISO8601TimestampError": _INVALID,
    "itemNotFound": Meaning(NotFoundError, ORGANIZER),
    "instanceNotExist": Meaning(NotFoundError, "This instance of the series is gone."),
}

_TOKEN = Meaning(TokenRejectedError, REGION)
_NOBODY = Meaning(NotFoundError, "Check user_id: it is the staff id that DingTalk's admin console shows.")

# The older host answers 200 with a number; where it wraps another host's error, that one's number counts.
LEGACY: dict[str, Meaning] = {
    **dict.fromkeys(("88", "40001", "40014", "42001"), _TOKEN),
    "60011": Meaning(PermissionDeniedError, SCOPE),
    "60020": MEANINGS["Forbidden.AccessDenied.IpNotInWhiteList"],
    "50002": MEANINGS["permissionDeny"],
    "90018": _QPS,
    "90002": _GLOBAL_QPS,
    "90020": MEANINGS["Forbidden.AccessDenied.ApiCountLimitForOrg"],
    "-1": Meaning(ServiceError, "", 1.0),
    "60121": _NOBODY,
    "33012": _NOBODY,
    "400002": _INVALID,
}

# For codes that the table does not have.
STATUSES: dict[int, Meaning] = {
    401: Meaning(TokenRejectedError, REGION),
    403: Meaning(PermissionDeniedError),
    404: Meaning(NotFoundError, ORGANIZER),
    408: _SERVICE,
    429: _GLOBAL_QPS,
}


def read(answer: Answer, *secrets: str) -> Any:
    """Return the JSON that a good answer holds (None for an empty body); raise what a bad one means.

    :param secrets: blotted out of the error's texts, in case the answer echoes the request.
    :raises RequestError: one of its classes, by the tables above.
    """
    payload, error = _understood(answer, secrets)
    if error:
        raise error  # here, where no variable holds the body: some tracebacks show variables
    return payload


def _understood(answer: Answer, secrets: tuple[str, ...]) -> tuple[Any, RequestError | None]:
    try:
        payload = json.loads(answer.content) if answer.content.strip() or answer.status >= 300 else None
    except (ValueError, RecursionError):
        return None, _unreadable(answer)
    fields = {key.lower(): value for key, value in payload.items()} if isinstance(payload, dict) else {}
    if answer.status < 300 and not _refused(fields):
        return payload, None
    return None, _error(answer, fields, partial(_printable, secrets=secrets))


def parsed(call: Call[T], answer: Answer, *secrets: str) -> T:
    """Read an answer as the call's result.

    :raises RequestError: with status, request id and the name of the action.
    """
    try:
        return call.parse(read(answer, *secrets))
    except RequestError as error:
        error.action = error.action or call.action
        error.hint = _of_list(call, error) or error.hint
        error.status_code = error.status_code or answer.status
        error.request_id = error.request_id or request_id(answer)
        raise


# What a list may be refused for beside its parameters; page "pagination" advises to begin again.
LIST_TOKENS = {
    "nextToken": "If it is the page token that was refused: start over from the first page.",
    "syncToken": "If it is the sync token that was refused: list everything anew, without it.",
}


def _of_list(call: Call[Any], error: RequestError) -> str:
    """Say what to do when a refused call goes on where an earlier one ended."""
    hints = [hint for name, hint in LIST_TOKENS.items() if name in call.params]
    return " ".join(hints) if isinstance(error, InvalidRequestError) else ""


def _refused(fields: Mapping[str, Any]) -> bool:
    """Whether a 200 is none: unknown paths and legacy APIs answer so, and the edge when it bans an address."""
    return _word(fields.get("errcode", 0)) != "0" or (fields.get("status") == 1111 and "punish" in fields)


def _unreadable(answer: Answer) -> RequestError:
    """Say what an answer that is not JSON means; its text is not shown, it may be anything."""
    status = answer.status
    if 300 <= status < 400:
        hint = "Redirects are not followed, so that the token goes nowhere else: check the connection's host."
        return UnexpectedAnswerError("answered with a redirect.", status_code=status, hint=hint)
    if status == 403:
        hint = "An HTML page with this status is how DingTalk bans an address that called too often."
        return ThrottledError(
            "answered with a page instead of JSON.", status_code=status, retry_after=IP_BAN, hint=hint
        )
    if status == 429 or status == 408 or status >= 500:
        meaning = STATUSES.get(status, _SERVICE)
        wait = _wait(answer, meaning)
        return meaning.error("answered with a page instead of JSON.", status_code=status, retry_after=wait)
    hint = "Check the connection's host, and what stands between the workers and DingTalk."
    return UnexpectedAnswerError(
        "answered with something that is not JSON.", status_code=status, retryable=status < 300, hint=hint
    )


def _error(answer: Answer, fields: Mapping[str, Any], text: Callable[[Any], str]) -> RequestError:
    code = text(fields.get("code") or fields.get("sub_code") or fields.get("errcode") or fields.get("status") or "")
    meaning = _meaning(answer.status, code, fields)
    scopes = tuple(map(text, _scopes(fields.get("accessdenieddetail"))))
    return meaning.error(
        text(fields.get("message") or fields.get("sub_msg") or fields.get("errmsg") or ""),
        status_code=answer.status,
        code=code,
        request_id=text(fields.get("requestid") or fields.get("request_id") or request_id(answer)),
        required_scopes=scopes,
        retry_after=_wait(answer, meaning),
        hint=" ".join(filter(None, (meaning.hint, f"Missing: {', '.join(scopes)}." if scopes else ""))),
    )


def _meaning(status: int, code: str, fields: Mapping[str, Any]) -> Meaning:
    if "punish" in fields:
        return Meaning(ThrottledError, "DingTalk bans this address for having called too often.", IP_BAN)
    if status < 300:
        return LEGACY.get(code) or LEGACY.get(_word(fields.get("errcode"))) or _no_such_api(code)
    return MEANINGS.get(code) or STATUSES.get(status) or (_SERVICE if status >= 500 else _INVALID)


def _no_such_api(code: str) -> Meaning:
    hint = f"There is no such API at this host. {REGION}" if code == "404" else ""
    return Meaning(UnexpectedAnswerError, hint)


def _wait(answer: Answer, meaning: Meaning) -> float | None:
    """Seconds to wait: what the answer says, but not less than what its code says."""
    asked = _retry_after(answer.headers)
    return meaning.wait if asked is None else max(asked, meaning.wait or 0.0)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``: seconds, or a date, which counts from the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        return min(float(value[:9]), DAY)
    try:
        later = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(later.total_seconds(), 0.0), DAY)


def request_id(answer: Answer) -> str:
    """Read the id under which DingTalk's developer console explains the request."""
    return _printable(answer.headers.get("x-acs-request-id", ""))


def _scopes(detail: Any) -> list[Any]:
    named = {str(key).lower(): value for key, value in detail.items()} if isinstance(detail, dict) else {}
    scopes = named.get("requiredscopes")
    return scopes[:20] if isinstance(scopes, list) else []


def _word(value: Any) -> str:
    """Read a word or a number; writing out anything else is no use, and can fail if it is nested deeply."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def _printable(value: Any, secrets: tuple[str, ...] = ()) -> str:
    """Make the service's words fit for one line of a log."""
    text = _word(value)[:MAX_TEXT]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(char if char.isprintable() else " " for char in text[:300])
