"""Who takes part in an event.

Pages ``add-schedule-participant``, ``delete-schedule-participant`` and ``obtain-event-participants``; SDK
``calendar_1_0``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from airflow_dingtalk_calendar.api.answers import ignore_body, parse_page
from airflow_dingtalk_calendar.api.call import (
    Call,
    check_ids,
    check_range,
    client_token_header,
    event_path,
    query_params,
)
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import Json

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

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param attendees: of each ``{"id": unionId, "isOptional": bool}``; the latter may be absent.
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

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param attendees: their unionIds.
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

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.get_event`.

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

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param union_id: unionId of the **attendee** who answers.
    :param response_status: ``accepted``, ``declined``, ``tentative``, or ``needsAction`` for no answer yet.
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


def _check_attendees(attendees: Sequence[Json]) -> list[Json]:
    if isinstance(attendees, (str, Mapping)) or not all(isinstance(one, Mapping) for one in attendees):
        raise InvalidInputError(("attendees", 'must be a list of {"id": unionId}'))
    if any(one.keys() - {"id", "isOptional"} for one in attendees):
        raise InvalidInputError(("attendees", "can have id and isOptional, nothing else"))
    ids = check_ids("attendees", [one.get("id", "") for one in attendees], MAX_ATTENDEES)
    return [{**one, "id": union_id} for one, union_id in zip(attendees, ids, strict=True)]
