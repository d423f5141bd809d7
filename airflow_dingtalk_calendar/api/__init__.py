"""DingTalk's endpoints as data: one function each, which makes a :class:`Call` and sends nothing.

Paths, parameters and limits are those of the official pages (help.dingtalk.io / open.dingtalk.com) and of the
official SDK (``alibabacloud_dingtalk`` 2.2).
"""

from airflow_dingtalk_calendar.api.call import Call, Json, check_id, next_page, split_batches
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
from airflow_dingtalk_calendar.api.people import (
    add_attendees,
    get_me,
    get_schedule,
    get_user_by_staff_id,
    list_attendees,
    remove_attendees,
    respond_event,
)
from airflow_dingtalk_calendar.api.rooms import (
    add_meeting_rooms,
    get_meeting_rooms_schedule,
    list_calendars,
    remove_meeting_rooms,
)
from airflow_dingtalk_calendar.api.tokens import (
    AccessToken,
    get_access_token,
    get_corp_access_token,
    get_unified_token,
    get_user_token,
)

Event = Json

__all__ = [
    "AccessToken",
    "Call",
    "Event",
    "Json",
    "get_access_token",
    "add_attendees",
    "add_meeting_rooms",
    "split_batches",
    "get_corp_access_token",
    "create_event",
    "delete_event",
    "next_page",
    "get_event",
    "get_me",
    "get_meeting_rooms_schedule",
    "get_schedule",
    "get_user_by_staff_id",
    "check_id",
    "list_attendees",
    "list_calendars",
    "list_events",
    "list_events_view",
    "list_instances",
    "patch_event",
    "patch_event_body",
    "probe_write",
    "remove_attendees",
    "remove_meeting_rooms",
    "respond_event",
    "get_unified_token",
    "get_user_token",
]
