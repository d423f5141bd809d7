"""Meeting rooms: list, book and release.

Pages ``check-the-meeting-room-list`` (SDK ``rooms_1_0``), ``add-a-meeting-room-to-an-event`` and
``remove-a-meeting-room-from-a-schedule`` (SDK ``calendar_1_0``).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from airflow_dingtalk_calendar.api.answers import check_result, parse_numbered_page
from airflow_dingtalk_calendar.api.call import (
    Call,
    check_id,
    check_ids,
    check_range,
    client_token_header,
    event_path,
    query_params,
)
from airflow_dingtalk_calendar.models.json_values import Json

MAX_ROOMS = 5
LARGEST_NUMBER = 2**31 - 1  # how large a page may be is not documented: UNVERIFIED


def list_meeting_rooms(union_id: str, *, max_results: int | None = None, next_token: str | None = None) -> Call[Json]:
    """QueryMeetingRoomList, one page: the meeting rooms there are. One metered call.

    It needs ``VideoConference.Conference.Read``. A ``roomId`` is what the other calls about rooms take.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.list_events`.

    :param union_id: unionId of the person who asks; whether other people see other rooms is not documented.
    :param max_results: rooms per page; the service has a default and a limit of its own.
    :return: ``{"result": [{"roomId", "roomName", "roomCapacity", "roomLocation", …}], "nextToken": …}``, without
        ``nextToken`` on the last page. A token is a number for DingTalk, and text here as everywhere.
    """
    size = check_range("max_results", max_results, LARGEST_NUMBER)
    params = query_params(unionId=check_id("union_id", union_id), maxResults=size, nextToken=next_token)
    parse = partial(parse_numbered_page, "result")
    return Call("QueryMeetingRoomList", "GET", "/v1.0/rooms/meetingRoomLists", parse, params=params)


def add_meeting_rooms(
    union_id: str,
    event_id: str,
    room_ids: Sequence[str],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
) -> Call[None]:
    """AddMeetingRooms: book 1-5 rooms. One metered call; ``Calendar.Event.Write``.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param room_ids: ids of the rooms.
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

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.add_meeting_rooms`.
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
