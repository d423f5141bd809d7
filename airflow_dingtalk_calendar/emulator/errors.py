"""What DingTalk answers when it refuses a call: one table and one exception.

Sources: the error tables of the pages named in the comments; the messages of the gateway as seen on the live service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class HttpResponse:
    """A response before it meets a socket; a text is sent as it is, any other body as JSON."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The error code a client would read in it."""
        if not isinstance(self.body, dict):
            return None
        errcode = self.body.get("sub_code") or self.body.get("errcode")
        return self.body.get("code") if self.status >= 400 else str(errcode) if errcode else None


class Refusal(Enum):
    """HTTP status, code, message; where the message is empty the service passes on what went wrong in its own words."""

    # Gateway ("Global error codes"); the wording is what the live gateway sends.
    MISSING_TOKEN = (400, "AuthenticationFailed.MissingParameter", "Missing parameters: x-acs-dingtalk-access-token")
    INVALID_TOKEN = (400, "InvalidAuthentication", "不合法的access_token")
    NO_PERMISSION = (403, "Forbidden.AccessDenied.AccessTokenPermissionDenied", "")
    QPS_LIMIT = (
        403,
        "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
        "Requests of this app to this API are too frequent",
    )
    MONTHLY_QUOTA = (
        403,
        "Forbidden.AccessDenied.ApiCountLimitForOrg",
        "The organisation's calls of this month are used up",
    )
    MISSING_BODY = (400, "Missingbody", "body is mandatory for this action")
    # "Get the access token of an internal app".
    INVALID_CREDENTIALS = (400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    # "Get the access token of an app", "... of the authorized enterprise".
    INVALID_CLIENT = (400, "invalid.client", "The client id or secret is not valid")
    UNSUPPORTED_GRANT_TYPE = (400, "unsupported.grant.type", "The grant type is not supported")
    UNAUTHORIZED_CLIENT = (401, "unauthorized.client", "The organisation has not authorized the app")
    UNKNOWN_ERROR = (500, "unknownError", "未知错误")
    INVALID_SUITE_KEY = (400, "invalidSuiteKey", "The suite key or secret is not valid")
    INVALID_SUITE_TICKET = (400, "invalidSuiteTicket", "The suite ticket is not valid")
    INVALID_AUTH_INFO = (400, "invalidAuthInfo", "The organisation has not authorized the app")
    # "Get a user token" has no table; this is what third parties have got for a code and a refresh token used before.
    GRANT_NOT_FOUND = (400, "invalidParameter.authCode.notFound", "不合法的临时授权码")
    # "Update event", error codes, in the order of the page ("invalidParameter / forwardErrorMessage" first).
    INVALID_PARAMETER = (400, "invalidParameter", "")
    BLANK_CALENDAR_ID = (400, "invalidParameter", "CalendarId cannot be blank")
    MISSING_EVENT = (400, "invalidParameter", "Event must be provided.")
    BLANK_EVENT_ID = (400, "invalidParameter", "Event id summary cannot be blank")
    OCCURRENCES_OUT_OF_RANGE = (400, "invalidParameter", "Recurrence range numberOfOccurrences must between [1, 99]")
    INTERVAL_OUT_OF_RANGE = (400, "invalidParameter", "Recurrence interval must between [1, 365]")
    MEETING_ROOM_INVALID = (400, "invalidParameter", "Meeting room invalid")
    IDEMPOTENCY_PROCESSING = (400, "idempotencyProcessing", "Idempotency processing")
    NOT_FOUND = (404, "itemNotFound", "")
    # "Query event details": the instance of a series is gone.
    INSTANCE_NOT_FOUND = (404, "instanceNotExist", "The instance of the recurring event does not exist")
    # "Create event": the user is outside the app's range; created too much today.
    USER_OUT_OF_RANGE = (400, "permissionDeny", "The user is not in the range the app is authorized for")
    DAILY_CREATION_LIMIT = (400, "flowLimit", "The user has created too many events today")
    # "Query a list of attendees".
    ATTENDEES_INVALID_CALENDAR = (400, "invalidParameter.event.calendarId", "The calendar id is not valid")
    ATTENDEES_INVALID_EVENT = (400, "invalidParameter.event.eventId", "The event id is not valid")
    ATTENDEES_NOT_SUBSCRIBED = (400, "invalidParameter.subscribed.invalid", "The user does not have this event")
    ATTENDEES_INVALID_SIZE = (400, "invalidParameter.maxResults", "")
    # "Add a meeting room".
    MEETING_ROOM_NOT_AVAILABLE = (400, "meetingRoomNotAvailable", "The meeting room is taken at that time")
    # "Query the personal information of a user".
    USER_NOT_FOUND = (404, "invalidParameter.user.notFound", "The user does not exist")
    # "Stream protocol" has no table; this is what others have got for a wrong clientId or clientSecret.
    STREAM_AUTH_FAILED = (401, "authFailed", "鉴权失败")
    # "Query user details", on the older host: see legacy_error_response.
    INVALID_STAFF_ID = (200, "33012", "无效的USERID")
    STAFF_NOT_FOUND = (200, "60121", "找不到该用户")
    STAFF_OUT_OF_RANGE = (200, "50002", "请求的员工userid不在授权范围内")
    LEGACY_INVALID_PARAMETER = (200, "400002", "参数错误")
    # "Query a calendar", "Query free/busy information"; the second is a third party's observation.
    ILLEGAL_PARAMETER = (400, "paramIllegal", "")
    MISSING_MILLISECONDS = (400, "InvalidParameter.ParsedISO8601TimestampError", "")
    # "Create event" documents the code. That an update by somebody else gets it, and with 403, is a guess: see
    # EmulatorSettings.not_organizer.
    FORBIDDEN = (403, "permissionDeny", "")


class ApiError(Exception):
    """A call refused.

    :param refusal: the documented error.
    :param message: the service's own words, where the documentation has only a placeholder for them.
    :param more: further members of the error body.
    """

    def __init__(self, refusal: Refusal, message: str = "", **more: Any) -> None:
        self.refusal = refusal
        self.status, self.code, documented = refusal.value
        self.message = message or documented
        self.more = more
        super().__init__(f"{self.code}: {self.message}")

    def as_response(self, request_id: str) -> HttpResponse:
        """Flat JSON with lower-case keys, as the gateway sends it."""
        return HttpResponse(
            self.status, {"code": self.code, "requestid": request_id, "message": self.message, **self.more}
        )


def invalid_parameter(place: str, message: str) -> ApiError:
    """Return an ``invalidParameter`` that names the member at fault."""
    return ApiError(Refusal.INVALID_PARAMETER, f"{place}: {message}" if place else message)


def missing_member(name: str) -> ApiError:
    """Return the refusal of a token request without a mandatory member, which follows the gateway's Missingbody."""
    error = ApiError(Refusal.MISSING_BODY, f"{name} is mandatory for this action")
    error.code = f"Missing{name}"
    return error


@contextmanager
def report_invalid_as(refusal: Refusal) -> Iterator[None]:
    """Report what is invalid by the code a page has for it, instead of ``invalidParameter``."""
    try:
        yield
    except ApiError as error:
        raise ApiError(refusal, error.message) if error.refusal is Refusal.INVALID_PARAMETER else error from None


# The gateway's answer to any path or method it does not know, for every caller.
UNKNOWN_PATH_RESPONSE = HttpResponse(200, {"errcode": 404, "errmsg": "请求的URI地址不存在"})

_LEGACY_GATEWAY_CODES = {
    Refusal.NO_PERMISSION: 60011,
    Refusal.QPS_LIMIT: 90018,
    Refusal.MONTHLY_QUOTA: 90020,
}
_LEGACY_TOKEN_CODES = {Refusal.MISSING_TOKEN: "40014", Refusal.INVALID_TOKEN: "40014"}


def legacy_error_response(error: ApiError, request_id: str) -> HttpResponse:
    """Return a refusal in the words of the older host, which are always sent with HTTP 200.

    Source: "Server API error codes"; how an error about the token is wrapped is as seen on the live service.
    """
    if code := _LEGACY_TOKEN_CODES.get(error.refusal):
        message = Refusal.INVALID_TOKEN.value[2]
        wrapped = {"sub_code": code, "sub_msg": message}
        body = {"errcode": 88, **wrapped, "errmsg": f"ding talk error[subcode={code},submsg={message}]"}
    else:
        body = {"errcode": _LEGACY_GATEWAY_CODES.get(error.refusal) or int(error.code), "errmsg": error.message}
    return HttpResponse(200, {**body, "request_id": request_id})
