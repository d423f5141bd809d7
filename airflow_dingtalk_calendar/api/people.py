"""Who takes part, who is free, and who is who.

Pages ``add-schedule-participant``, ``delete-schedule-participant``, ``obtain-event-participants``,
``query-busy-or-idle-status-of-a-user``, ``query-user-details`` (legacy host) and
``dingtalk-retrieve-user-information``; SDK ``calendar_1_0`` and ``contact_1_0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Literal

from airflow_dingtalk_calendar.api.call import (
    Call,
    Json,
    TimeInput,
    check_id,
    check_ids,
    check_range,
    check_window,
    client_token_header,
    event_path,
    format_datetime,
    ignore_body,
    parse_list,
    parse_object,
    parse_page,
    query_params,
    user_path,
)
from airflow_dingtalk_calendar.exceptions import InvalidInputError, UnexpectedAnswerError

MAX_ATTENDEES = 500  # per call; an event may have 5,000
RESPONSE_STATUSES = ("needsAction", "accepted", "declined", "tentative")
ResponseStatus = Literal["needsAction", "accepted", "declined", "tentative"]


def add_attendees(
    union_id: str,
    event_id: str,
    attendees: Sequence[Json],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    push_notification: bool | None = None,
    chat_notification: bool | None = None,
) -> Call[None]:
    """AddAttendee: invite people, at most 500. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId.
    :param event_id: the event's ``id``.
    :param attendees: of each ``{"id": unionId, "isOptional": bool}``; the latter may be absent.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    :param push_notification: whether those invited get a push message; without it, DingTalk decides.
    :param chat_notification: whether they get a chat card; without it, DingTalk decides.
    """
    invited = _check_attendees(attendees)
    switches = {"pushNotification": push_notification, "chatNotification": chat_notification}
    return Call(
        "AddAttendee",
        "POST",
        f"{event_path(union_id, calendar_id, event_id)}/attendees",
        ignore_body,
        json={"attendeesToAdd": invited, **{k: v for k, v in switches.items() if v is not None}},
        headers=client_token_header(client_token),
        writes=True,
    )


def remove_attendees(
    union_id: str,
    event_id: str,
    attendees: Sequence[str],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
) -> Call[None]:
    """RemoveAttendee: uninvite people, at most 500. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId.
    :param event_id: the event's ``id``.
    :param attendees: their unionIds.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    """
    ids = check_ids("attendees", attendees, MAX_ATTENDEES)
    return Call(
        "RemoveAttendee",
        "POST",
        f"{event_path(union_id, calendar_id, event_id)}/attendees/batchRemove",
        ignore_body,
        json={"attendeesToRemove": [{"id": one} for one in ids]},
        headers=client_token_header(client_token),
        writes=True,
    )


def list_attendees(
    union_id: str,
    event_id: str,
    *,
    calendar_id: str = "primary",
    max_results: int | None = None,
    next_token: str | None = None,
) -> Call[Json]:
    """ListAttendees, one page. One metered call; ``Calendar.Event.Read``.

    :param union_id: unionId of somebody who takes part in the event.
    :param event_id: the event's ``id``.
    :param calendar_id: the documentation knows ``primary`` only.
    :param max_results: people per page, 1-500 (the service's default is 100).
    :param next_token: ``nextToken`` of the page before.
    :return: ``{"attendees": […], "nextToken": …}``, without ``nextToken`` on the last page.
    """
    path = f"{event_path(union_id, calendar_id, event_id)}/attendees"
    params = query_params(maxResults=check_range("max_results", max_results, 500), nextToken=next_token)
    return Call("ListAttendees", "GET", path, partial(parse_page, "attendees"), params=params)


def respond_event(
    union_id: str,
    event_id: str,
    response_status: ResponseStatus,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
) -> Call[None]:
    """RespondEvent: answer an invitation. One metered call; ``Calendar.Event.Write``.

    :param union_id: unionId of the **attendee** who answers.
    :param event_id: the event's ``id``.
    :param response_status: ``accepted``, ``declined``, ``tentative``, or ``needsAction`` for no answer yet.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    """
    if response_status not in RESPONSE_STATUSES:
        raise InvalidInputError(("response_status", f"must be one of {', '.join(RESPONSE_STATUSES)}"))
    return Call(
        "RespondEvent",
        "POST",
        f"{event_path(union_id, calendar_id, event_id)}/respond",
        ignore_body,
        json={"responseStatus": response_status},
        headers=client_token_header(client_token),
        writes=True,
    )


def get_schedule(
    union_id: str, user_ids: Sequence[str], *, start_time: TimeInput, end_time: TimeInput
) -> Call[list[Json]]:
    """GetSchedule: when people are busy. One metered call; ``Calendar.EventSchedule.Read``.

    :param union_id: unionId of the person who asks.
    :param user_ids: 1-20 unionIds of the people asked about.
    :param start_time: begin of the time asked about: a datetime, or ISO 8601 text, with an offset.
    :param end_time: its end, likewise.
    :return: of each ``{"userId", "scheduleItems": [{"status", "start", "end"}]}``; with an ``error`` for a person whose
        times could not be read, although the call as a whole succeeded.
    """
    check_window(("start_time", start_time), ("end_time", end_time))
    body = {
        "userIds": check_ids("user_ids", user_ids, 20),
        "startTime": format_datetime("start_time", start_time),
        "endTime": format_datetime("end_time", end_time),
    }
    path = f"{user_path(union_id)}/querySchedule"
    return Call("GetSchedule", "POST", path, partial(parse_list, name="scheduleInformation"), json=body)


def get_user_by_staff_id(user_id: str) -> Call[Json]:
    """``topapi/v2/user/get``: a person by staff id, with ``unionid``. Not metered; ``qyapi_get_member``.

    A legacy API: at another host, with the token in the form, and with errors in a 200.

    :param user_id: the id that DingTalk's admin console shows (userId, staffId).
    :return: the person, as the service sent it, with ``unionid``.
    """
    form = {"userid": check_id("user_id", user_id)}
    return Call(
        "topapi/v2/user/get", "POST", "/topapi/v2/user/get", _parse_user, form=form, credential="form", host="legacy"
    )


def get_me() -> Call[Json]:
    """``contact/users/me``: the person whose authorization is used. Not metered; ``Contact.User.Read``.

    Only for a connection of ``auth_type`` ``user``.

    :return: the person, with ``unionId`` and ``nick``.
    """
    return Call("GetUser", "GET", "/v1.0/contact/users/me", parse_object)


def _check_attendees(attendees: Sequence[Json]) -> list[Json]:
    if isinstance(attendees, (str, Mapping)) or not all(isinstance(one, Mapping) for one in attendees):
        raise InvalidInputError(("attendees", 'must be a list of {"id": unionId}'))
    if any(one.keys() - {"id", "isOptional"} for one in attendees):
        raise InvalidInputError(("attendees", "can have id and isOptional, nothing else"))
    ids = check_ids("attendees", [one.get("id", "") for one in attendees], MAX_ATTENDEES)
    return [{**one, "id": union_id} for one, union_id in zip(attendees, ids, strict=True)]


def _parse_user(payload: Any) -> Json:
    person = parse_object(payload).get("result")
    if not isinstance(person, dict) or not isinstance(person.get("unionid"), str):
        raise UnexpectedAnswerError("answered without a unionid.")
    return person
