"""Meeting rooms: book and release.

Pages ``add-a-meeting-room-to-an-event`` and ``remove-a-meeting-room-from-a-schedule``; SDK ``calendar_1_0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from airflow_dingtalk_calendar.api.answers import check_result
from airflow_dingtalk_calendar.api.call import Call, check_ids, client_token_header, event_path

MAX_ROOMS = 5


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
    booking = ("AddMeetingRooms", "", "meetingRoomsToAdd", "no room was booked: one of them may be taken at that time")
    return _change_rooms(*booking, union_id, event_id, room_ids, client_token, calendar_id)


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
    removal = ("RemoveMeetingRooms", "/batchRemove", "meetingRoomsToRemove", "no room was released")
    return _change_rooms(*removal, union_id, event_id, room_ids, client_token, calendar_id)


def _change_rooms(
    action: str,
    suffix: str,
    member: str,
    undone: str,
    union_id: str,
    event_id: str,
    room_ids: Sequence[str],
    client_token: str | None,
    calendar_id: str,
) -> Call[None]:
    rooms = [{"roomId": room} for room in check_ids("room_ids", room_ids, MAX_ROOMS)]
    path = f"{event_path(union_id, calendar_id, event_id)}/meetingRooms{suffix}"
    headers = client_token_header(client_token)
    parse = partial(check_result, undone)
    return Call(action, "POST", path, parse, json={member: rooms}, headers=headers, writes=True)
