"""What DingTalk answers when it refuses a call: one table and one exception.

Sources: the error tables of the pages named in the comments; the messages of the gateway as seen on the live service.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A response before it meets a socket; a text is sent as it is, any other body as JSON."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        """The error code a client would read in it."""
        return self.body.get("code") if self.status >= 400 and isinstance(self.body, dict) else None


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
    NOT_JSON = (400, "Missingbody", "body is mandatory for this action")
    # "Get the access token of an internal app"; Missing<name> follows the gateway's Missingbody.
    BAD_CREDENTIALS = (400, "invalidClientIdOrSecret", "无效的clientId或者clientSecret")
    MISSING_APP_KEY = (400, "MissingappKey", "appKey is mandatory for this action")
    MISSING_APP_SECRET = (400, "MissingappSecret", "appSecret is mandatory for this action")
    # "Update event", error codes, in the order of the page ("invalidParameter / forwardErrorMessage" first).
    INVALID = (400, "invalidParameter", "")
    CALENDAR_BLANK = (400, "invalidParameter", "CalendarId cannot be blank")
    EVENT_MISSING = (400, "invalidParameter", "Event must be provided.")
    EVENT_ID_BLANK = (400, "invalidParameter", "Event id summary cannot be blank")
    OCCURRENCES = (400, "invalidParameter", "Recurrence range numberOfOccurrences must between [1, 99]")
    INTERVAL = (400, "invalidParameter", "Recurrence interval must between [1, 365]")
    ROOM_TAKEN = (400, "invalidParameter", "Meeting room invalid")
    PROCESSING = (400, "idempotencyProcessing", "Idempotency processing")
    NOT_FOUND = (404, "itemNotFound", "")
    # "Query event details": the instance of a series is gone.
    INSTANCE_GONE = (404, "instanceNotExist", "The instance of the recurring event does not exist")
    # "Create event" documents the code. That an update by somebody else gets it, and with 403, is a guess: see
    # Settings.not_organizer.
    FORBIDDEN = (403, "permissionDeny", "")


class Problem(Exception):  # noqa: N818 - what the client gets is an answer like any other
    """A call refused.

    :param refusal: the documented error.
    :param message: the service's own words, where the documentation has only a placeholder for them.
    :param more: further members of the error body.
    """

    def __init__(self, refusal: Refusal, message: str = "", **more: Any) -> None:
        self.status, self.code, documented = refusal.value
        self.message = message or documented
        self.more = more
        super().__init__(f"{self.code}: {self.message}")

    def answer(self, request_id: str) -> Answer:
        """Flat JSON with lower-case keys, as the gateway sends it."""
        return Answer(self.status, {"code": self.code, "requestid": request_id, "message": self.message, **self.more})


def invalid(place: str, message: str) -> Problem:
    """Return an ``invalidParameter`` that names the member at fault."""
    return Problem(Refusal.INVALID, f"{place}: {message}" if place else message)


# The gateway's answer to any path or method it does not know, whoever asks.
UNKNOWN_PATH = Answer(200, {"errcode": 404, "errmsg": "请求的URI地址不存在"})
