"""Calendars and meeting rooms.

Pages ``query-a-calendar``, ``add-a-meeting-room-to-an-event``, ``remove-a-meeting-room-from-a-schedule`` and
``query-the-busy-state-of-the-meeting-room``; SDK ``calendar_1_0``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from airflow_dingtalk_calendar.api.call import (
    Call,
    Json,
    TimeInput,
    check_ids,
    check_window,
    client_token_header,
    event_path,
    format_datetime,
    ignore_body,
    parse_list,
    parse_object,
    user_path,
)

MAX_ROOMS = 5
MAX_SCHEDULE_WINDOW = dt.timedelta(days=90)


def list_calendars(union_id: str) -> Call[list[Json]]:
    """ListCalendars: a person's calendars. One metered call; ``Calendar.Event.Read``.

    :param union_id: unionId of the person whose calendars they are.
    :return: of each ``{"id", "type", "privilege"}`` and more, as the service sent it.
    """
    return Call("ListCalendars", "GET", f"{user_path(union_id)}/calendars", _parse_calendars)


def add_meeting_rooms(
    union_id: str,
    event_id: str,
    room_ids: Sequence[str],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
) -> Call[None]:
    """AddMeetingRooms: book 1-5 rooms. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId.
    :param event_id: the event's ``id``.
    :param room_ids: ids of the rooms.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    """
    return _change_rooms(
        "AddMeetingRooms", "", "meetingRoomsToAdd", union_id, event_id, room_ids, client_token, calendar_id
    )


def remove_meeting_rooms(
    union_id: str,
    event_id: str,
    room_ids: Sequence[str],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
) -> Call[None]:
    """RemoveMeetingRooms: release 1-5 rooms. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId.
    :param event_id: the event's ``id``.
    :param room_ids: ids of the rooms.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    """
    removal = ("RemoveMeetingRooms", "/batchRemove", "meetingRoomsToRemove")
    return _change_rooms(*removal, union_id, event_id, room_ids, client_token, calendar_id)


def get_meeting_rooms_schedule(
    union_id: str, room_ids: Sequence[str], *, start_time: TimeInput, end_time: TimeInput
) -> Call[list[Json]]:
    """GetMeetingRoomsSchedule: when rooms are taken, and by which event. One metered call; ``Calendar.Event.Read``.

    :param union_id: unionId of the person who asks.
    :param room_ids: 1-5 rooms.
    :param start_time: begin of the time asked about: a datetime, or ISO 8601 text, with an offset.
    :param end_time: its end, likewise; at most 90 days later.
    :return: of each ``{"roomId", "scheduleItems": […]}``, or with an ``error``.
    """
    check_window(("start_time", start_time), ("end_time", end_time), MAX_SCHEDULE_WINDOW)
    body = {
        "roomIds": check_ids("room_ids", room_ids, MAX_ROOMS),
        "startTime": format_datetime("start_time", start_time),
        "endTime": format_datetime("end_time", end_time),
    }
    path = f"{user_path(union_id)}/meetingRooms/schedules/query"
    return Call("GetMeetingRoomsSchedule", "POST", path, partial(parse_list, name="scheduleInformation"), json=body)


def _change_rooms(
    action: str,
    suffix: str,
    member: str,
    union_id: str,
    event_id: str,
    room_ids: Sequence[str],
    client_token: str | None,
    calendar_id: str,
) -> Call[None]:
    rooms = [{"roomId": room} for room in check_ids("room_ids", room_ids, MAX_ROOMS)]
    path = f"{event_path(union_id, calendar_id, event_id)}/meetingRooms{suffix}"
    headers = client_token_header(client_token)
    return Call(action, "POST", path, ignore_body, json={member: rooms}, headers=headers, writes=True)


def _parse_calendars(payload: Any) -> list[Json]:
    return parse_list(parse_object(payload).get("response"), "calendars")
