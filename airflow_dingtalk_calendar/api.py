"""DingTalk's endpoints as data: one function each, which makes a :class:`Call` and sends nothing.

Paths, parameters and limits are those of the official pages (help.dingtalk.io / open.dingtalk.com) and of the
official SDK (``alibabacloud_dingtalk`` 2.2, classes ``calendar_1_0`` and ``oauth2_1_0``).

PatchEvent is a *patch* in meaning (fields not passed remain unchanged) and a PUT on the wire.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote

from airflow_dingtalk_calendar.exceptions import InvalidInputError, UnexpectedAnswerError
from airflow_dingtalk_calendar.secret import Secret

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models import EventPatch

T = TypeVar("T")
Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how to read its answer.

    :ivar action: DingTalk's name of the API action (``PatchEvent``).
    :ivar parse: from the answer's JSON to the result.
    :ivar needs_token: whether the access token goes along.
    :ivar writes: whether it changes anything; then the outcome of a failure matters.
    :ivar repeatable: whether sending it again does no harm when it may have taken effect already.
    """

    action: str
    method: str
    path: str
    parse: Callable[[Any], T]
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    needs_token: bool = True
    writes: bool = False
    repeatable: bool = True


def access_token(app_key: str, app_secret: str) -> Call[tuple[str, float]]:
    """GetAccessToken of an internal app; not metered. The result is the token and its seconds to live.

    Within its validity DingTalk answers with the same token, so that several workers do not invalidate each
    other's (page ``obtain-the-access-token-of-an-internal-app``).
    """
    body = {"appKey": app_key, "appSecret": app_secret}
    return Call("GetAccessToken", "POST", "/v1.0/oauth2/accessToken", _token, json=body, needs_token=False)


def get_event(
    union_id: str, event_id: str, *, calendar_id: str = "primary", max_attendees: int | None = None
) -> Call[Event]:
    """GetEvent: one event as any of its participants sees it. One metered call; ``Calendar.Event.Read``.

    :param max_attendees: how many attendees to return, 1-500 (the service's default is 100).
    """
    event_id = identifier("event_id", event_id)
    path = _event_path(union_id, calendar_id, event_id)
    params = _params(maxAttendees=_within("max_attendees", max_attendees, 500))
    return Call("GetEvent", "GET", path, partial(_event, event_id), params=params)


def patch_event(
    union_id: str,
    event_id: str,
    patch: EventPatch,
    *,
    client_token: str,
    calendar_id: str = "primary",
    repeat_meeting: bool = False,
) -> Call[Event]:
    """PatchEvent: change the named fields of an event. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId; nobody else may update an event.
    :param client_token: the request's identity for DingTalk, for one day.
    :param repeat_meeting: whether a patch that asks for a video meeting may be sent again after an unknown
        outcome, although each sending may make another meeting.
    """
    event_id = identifier("event_id", event_id)
    body = patch.to_body(event_id)
    return Call(
        "PatchEvent",
        "PUT",
        _event_path(union_id, calendar_id, event_id),
        partial(_event, event_id),
        json=body,
        headers={"x-client-token": _header("client_token", client_token)},
        writes=True,
        repeatable=repeat_meeting or "onlineMeetingInfo" not in body,
    )


def probe_write(name: str) -> Call[Any]:
    """PatchEvent that names no event and no change: it can only be refused, by the gateway for a missing
    permission or else by the calendar as empty. One metered call.
    """
    return Call("PatchEvent", "PUT", _event_path(name, "primary", name), _object, json={})


def list_events(
    union_id: str,
    *,
    calendar_id: str = "primary",
    time_min: dt.datetime | str | None = None,
    time_max: dt.datetime | str | None = None,
    show_deleted: bool | None = None,
    max_results: int | None = None,
    max_attendees: int | None = None,
    next_token: str | None = None,
    sync_token: str | None = None,
    series_master_id: str | None = None,
) -> Call[dict[str, Any]]:
    """ListEvents, one page: ``{"events": […], "nextToken": …, "syncToken": …}``. One metered call.

    Returns stored events: of a series the master and past instances, not the future ones.

    :param time_min: earliest start; ``time_max``: latest start, at most a year later.
    :param max_results: events per page, 1-100 (default 100); ``max_attendees`` likewise.
    :param next_token: ``nextToken`` of the page before.
    :param sync_token: ``syncToken`` of an earlier last page: only what changed since.
    """
    params = _params(
        timeMin=_instant("time_min", time_min),
        timeMax=_instant("time_max", time_max),
        showDeleted=show_deleted,
        maxResults=_within("max_results", max_results, 100),
        maxAttendees=_within("max_attendees", max_attendees, 100),
        nextToken=next_token,
        syncToken=sync_token,
        seriesMasterId=series_master_id,
    )
    return Call("ListEvents", "GET", _calendar_path(union_id, calendar_id) + "/events", _page, params=params)


def identifier(name: str, value: object) -> str:
    """Check an id that a template may have rendered; it becomes one segment of a path, whatever is in it."""
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    if text in ("", "None"):
        raise InvalidInputError((name, "is blank"))
    if text in (".", ".."):  # the only segments that percent-encoding does not keep in their place
        raise InvalidInputError((name, "is not an id"))
    return text


def _calendar_path(union_id: str, calendar_id: str) -> str:
    return f"/v1.0/calendar/users/{_segment('union_id', union_id)}/calendars/{_segment('calendar_id', calendar_id)}"


def _event_path(union_id: str, calendar_id: str, event_id: str) -> str:
    return f"{_calendar_path(union_id, calendar_id)}/events/{_segment('event_id', event_id)}"


def _segment(name: str, value: str) -> str:
    try:
        return quote(identifier(name, value), safe="")
    except UnicodeEncodeError:
        pass
    raise InvalidInputError((name, "is not valid Unicode"))


def _header(name: str, value: str) -> str:
    text = identifier(name, value)
    if not (text.isascii() and text.isprintable()) or len(text) > 256:
        raise InvalidInputError((name, "must be 1 to 256 printable ASCII characters"))
    return text


def _params(**params: str | int | bool | None) -> dict[str, str]:
    """Write query parameters as the service reads them, without those that are None."""
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }


def _within(name: str, value: int | None, most: int) -> int | None:
    if value is not None and not 1 <= value <= most:
        raise InvalidInputError((name, f"must be from 1 to {most}"))
    return value


def _instant(name: str, value: dt.datetime | str | None) -> str | None:
    if not isinstance(value, dt.datetime):
        return value
    if value.tzinfo is None:
        raise InvalidInputError((name, "needs a time zone"))
    return value.isoformat(timespec="seconds")


def _object(payload: Any) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise UnexpectedAnswerError("answered with JSON that is not an object.", retryable=True)
    return payload


def _event(event_id: str, payload: Any) -> Event:
    event = _object(payload)
    if event.get("id") != event_id:
        raise UnexpectedAnswerError("answered with something that is not this event.", retryable=True)
    return event


def _page(payload: Any) -> dict[str, Any]:
    page = {"events": [], "nextToken": None, "syncToken": None, **_object(payload)}
    if not isinstance(page["events"], list) or not all(isinstance(event, dict) for event in page["events"]):
        raise UnexpectedAnswerError("answered with events that are not a list of objects.", retryable=True)
    return page


def _token(payload: Any) -> tuple[str, float]:
    answer = _object(payload)
    token, lifetime = answer.get("accessToken"), answer.get("expireIn")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
        raise UnexpectedAnswerError("answered without a usable access token.", retryable=True)
    if not isinstance(lifetime, (int, float)) or not 0 < lifetime < float("inf"):
        raise UnexpectedAnswerError("answered without a lifetime of the access token.", retryable=True)
    return Secret(token), float(lifetime)
