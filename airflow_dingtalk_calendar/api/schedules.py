"""When people and meeting rooms are busy.

Pages ``query-busy-or-idle-status-of-a-user`` and ``query-the-busy-state-of-the-meeting-room``; SDK ``calendar_1_0``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from airflow_dingtalk_calendar.api.call import (
    Call,
    TimeInput,
    check_ids,
    check_window,
    format_datetime,
    parse_list,
    user_path,
)
from airflow_dingtalk_calendar.api.meeting_rooms import MAX_ROOMS
from airflow_dingtalk_calendar.models.json_values import Json

MAX_SCHEDULE_WINDOW = dt.timedelta(days=90)


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
