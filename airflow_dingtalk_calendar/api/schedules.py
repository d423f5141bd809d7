"""When people and meeting rooms are busy.

Pages ``query-busy-or-idle-status-of-a-user`` and ``query-the-busy-state-of-the-meeting-room``; SDK ``calendar_1_0``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial

from airflow_dingtalk_calendar.api.answers import parse_schedules
from airflow_dingtalk_calendar.api.call import Call, TimeInput, check_ids, check_window, format_datetime, user_path
from airflow_dingtalk_calendar.api.meeting_rooms import MAX_ROOMS
from airflow_dingtalk_calendar.models.json_values import Json

MAX_PEOPLE = 20
MAX_SCHEDULE_WINDOW = dt.timedelta(days=90)


def get_schedule(
    union_id: str, user_ids: Sequence[str], *, start_time: TimeInput, end_time: TimeInput
) -> Call[list[Json]]:
    """GetSchedule: when people are busy. One metered call; ``Calendar.EventSchedule.Read``.

    :param union_id: unionId of the person who asks.
    :param user_ids: 1-20 unionIds of the people asked about.
    :param start_time: begin of the time asked about: a datetime, or ISO 8601 text, with an offset.
    :param end_time: its end, likewise.
    :return: of each person, in the order asked, ``{"userId", "availability": "known", "scheduleItems": [{"status",
        "start", "end"}]}``. Who could not be read, although the call as a whole succeeded, is not free but
        ``{"userId", "availability": "unknown", "scheduleItems": None, "error"}``.
    """
    check_window(("start_time", start_time), ("end_time", end_time))
    people = check_ids("user_ids", user_ids, MAX_PEOPLE)
    body = {
        "userIds": people,
        "startTime": format_datetime("start_time", start_time),
        "endTime": format_datetime("end_time", end_time),
    }
    # The page's sample request has getSchedule; its table and the SDK have this.
    path = f"{user_path(union_id)}/querySchedule"
    return Call("GetSchedule", "POST", path, partial(parse_schedules, "userId", people), json=body)


def get_meeting_rooms_schedule(
    union_id: str, room_ids: Sequence[str], *, start_time: TimeInput, end_time: TimeInput
) -> Call[list[Json]]:
    """GetMeetingRoomsSchedule: when rooms are taken, and by which event. One metered call; ``Calendar.Event.Read``.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.get_schedule`.

    :param room_ids: 1-5 rooms.
    :param end_time: its end, likewise; at most 90 days later.
    :return: of each room, in the order asked, ``{"roomId", "availability": "known", "scheduleItems": […]}``. A room
        that could not be read is not free but ``{"roomId", "availability": "unknown", "scheduleItems": None,
        "error"}``.
    """
    check_window(("start_time", start_time), ("end_time", end_time), MAX_SCHEDULE_WINDOW)
    rooms = check_ids("room_ids", room_ids, MAX_ROOMS)
    body = {
        "roomIds": rooms,
        "startTime": format_datetime("start_time", start_time),
        "endTime": format_datetime("end_time", end_time),
    }
    path = f"{user_path(union_id)}/meetingRooms/schedules/query"
    return Call("GetMeetingRoomsSchedule", "POST", path, partial(parse_schedules, "roomId", rooms), json=body)
