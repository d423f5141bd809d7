"""The error table: what each of DingTalk's codes means, and what a person can do about it.

Errors are sorted by ``code``, never by status alone: a 403 can be throttling, quota, permission or an IP list,
and an expired token is a 400. Codes, statuses and meanings are from DingTalk's global error code page
(``server-api-error-codes-1``), from PatchEvent's page, and, where noted, seen in live answers by third parties.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

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
)

MINUTE_SECONDS = 60.0
IP_BAN_SECONDS = 5 * MINUTE_SECONDS  # the edge bans an address that made 10,000 calls in 20 s (call frequency page)


class ErrorCode(NamedTuple):
    """What a code means: which error, what to do, and how long to wait at least.

    :ivar hint: what to do, whatever the action; ``hints`` says what to do instead for some actions.
    """

    error: type[RequestError]
    hint: str = ""
    wait: float | None = None
    hints: Mapping[str, str] = MappingProxyType({})

    def hint_for(self, action: str) -> str:
        """Say what to do when an action was answered so."""
        return self.hints.get(action, self.hint)


REGION_HINT = (
    "The app may belong to the other region: api.dingtalk.com is China's, api.dingtalk.io the international one."
)
# Whose unionId an action takes, and what else may be wrong with it.
_WHOSE_UNION_ID = {
    **dict.fromkeys(
        ("PatchEvent", "AddAttendee", "RemoveAttendee", "AddMeetingRooms", "RemoveMeetingRooms"),
        "the organizer's unionId",
    ),
    **dict.fromkeys(
        ("GetEvent", "DeleteEvent", "ListAttendees", "ListInstances"),
        "the unionId of somebody who takes part in the event",
    ),
    "RespondEvent": "the unionId of the attendee who answers",
    **dict.fromkeys(
        ("CreateEvent", "ListEvents", "ListEventsView", "ListCalendars"), "the unionId of the calendar's owner"
    ),
}
_ABOUT_ROOMS = {
    "PatchEvent": ", and a room booked for the event must be free at the new time",
    "AddMeetingRooms": ", and the rooms must be free at the time of the event",
}
_ON_ONE_EVENT = _WHOSE_UNION_ID.keys() - {"CreateEvent", "ListEvents", "ListEventsView", "ListCalendars"}
_NO_STAFF_ID = "(not a staff userId, nor a unionId from another company's app)"
NOT_FOUND_HINTS = {
    action: f"Check that union_id is {whose} {_NO_STAFF_ID}"
    + (" and that the event is in this calendar." if action in _ON_ONE_EVENT else ".")
    for action, whose in _WHOSE_UNION_ID.items()
}
INVALID_HINTS = {
    action: f"If that message does not say: union_id must be {whose} {_NO_STAFF_ID}{_ABOUT_ROOMS.get(action, '')}."
    for action, whose in _WHOSE_UNION_ID.items()
}
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
    "authFailed": _BAD_CREDENTIALS,  # of Stream mode's ticket endpoint
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
        hints=INVALID_HINTS,
    ),
    "meetingRoomNotAvailable": ErrorCode(InvalidRequestError, "The rooms must be free at the time of the event."),
    "paramIllegal": INVALID_REQUEST,
    "InvalidParameter.ParsedISO8601TimestampError": INVALID_REQUEST,
    "itemNotFound": ErrorCode(NotFoundError, hints=NOT_FOUND_HINTS),
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
    404: ErrorCode(NotFoundError, hints=NOT_FOUND_HINTS),
    408: SERVICE_FAILURE,
    429: _GLOBAL_LIMIT,
}
_CODES_FOLDED = {code.lower(): meaning for code, meaning in ERROR_CODES.items()}
_SPELLINGS = {code.lower(): code for code in ERROR_CODES}
# What the last part of a code begins with, for those of a known family that DingTalk adds.
_CODE_FAMILIES = {
    "qpslimit": _QPS_LIMIT,
    "qpmlimit": _QPM_LIMIT,
    "apicountlimit": ERROR_CODES["Forbidden.AccessDenied.ApiCountLimitForOrg"],
    "ipnotin": ERROR_CODES["Forbidden.AccessDenied.IpNotInWhiteList"],
    "accesstokenpermission": ERROR_CODES["Forbidden.AccessDenied.AccessTokenPermissionDenied"],
}


def find_meaning(code: str) -> ErrorCode | None:
    """Look up a code, in capitals or not; one that is not in the table is like its family, or what it is a part of."""
    folded = code.lower()
    family = next((known for known in _CODE_FAMILIES if folded.rpartition(".")[2].startswith(known)), "")
    if family and folded not in _CODES_FOLDED:
        return _CODE_FAMILIES[family]
    while folded and folded not in _CODES_FOLDED:
        folded = folded.rpartition(".")[0]
    return _CODES_FOLDED.get(folded)


def spell_code(code: str) -> str:
    """Write a code as the table does, in the table's capitalization, so that comparisons need not fold case."""
    return _SPELLINGS.get(code.lower(), code)
