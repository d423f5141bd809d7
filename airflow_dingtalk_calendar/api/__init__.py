"""DingTalk's endpoints as data: one function each, which makes a :class:`Call` and sends nothing.

Paths, parameters and limits are those of the official pages (help.dingtalk.io / open.dingtalk.com) and of the
official SDK (``alibabacloud_dingtalk`` 2.2).
"""

from airflow_dingtalk_calendar.api.attendees import add_attendees, list_attendees, remove_attendees, respond_event
from airflow_dingtalk_calendar.api.calendars import list_calendars
from airflow_dingtalk_calendar.api.call import Call, Event, check_id, next_page, split_batches
from airflow_dingtalk_calendar.api.events import (
    create_event,
    delete_event,
    get_event,
    list_events,
    list_events_view,
    list_instances,
    patch_event,
    patch_event_body,
    probe_write,
)
from airflow_dingtalk_calendar.api.free_times import find_free_times
from airflow_dingtalk_calendar.api.meeting_rooms import add_meeting_rooms, list_meeting_rooms, remove_meeting_rooms
from airflow_dingtalk_calendar.api.oauth import (
    AccessToken,
    get_access_token,
    get_corp_access_token,
    get_unified_token,
    get_user_token,
)
from airflow_dingtalk_calendar.api.schedules import get_meeting_rooms_schedule, get_schedule
from airflow_dingtalk_calendar.api.users import get_me, get_user_by_staff_id, resolve_staff_ids
from airflow_dingtalk_calendar.models.json_values import Json

__all__ = [
    "AccessToken",
    "Call",
    "Event",
    "Json",
    "add_attendees",
    "add_meeting_rooms",
    "check_id",
    "create_event",
    "delete_event",
    "find_free_times",
    "get_access_token",
    "get_corp_access_token",
    "get_event",
    "get_me",
    "get_meeting_rooms_schedule",
    "get_schedule",
    "get_unified_token",
    "get_user_by_staff_id",
    "get_user_token",
    "list_attendees",
    "list_calendars",
    "list_events",
    "list_events_view",
    "list_instances",
    "list_meeting_rooms",
    "next_page",
    "patch_event",
    "patch_event_body",
    "probe_write",
    "remove_attendees",
    "remove_meeting_rooms",
    "resolve_staff_ids",
    "respond_event",
    "split_batches",
]
