"""The endpoints: one function and one row of the table for each; none of them keeps state."""

from __future__ import annotations

from ..accounts import legacy, oauth, stream_tickets, users
from ..endpoints import attendees, events, expanded_view, meeting_rooms, schedules
from ..gateway.call import Endpoint

READ_SCOPE, WRITE_SCOPE, SCHEDULE_SCOPE = "Calendar.Event.Read", "Calendar.Event.Write", "Calendar.EventSchedule.Read"
ROOM_SCOPE = "VideoConference.Conference.Read"
_OAUTH_PATH = "/v1.0/oauth2"
_USER_PATH = "/v1.0/calendar/users/{userId}"
_EVENTS_PATH = _USER_PATH + "/calendars/{calendarId}/events"
_EVENT_PATH = _EVENTS_PATH + "/{eventId}"
_EVENTS_VIEW_PATH = _USER_PATH + "/calendars/{calendarId}/eventsview"

ENDPOINTS = (
    Endpoint("GetAccessToken", "POST", _OAUTH_PATH + "/accessToken", oauth.handle_get_access_token),
    Endpoint("GetCorpAccessToken", "POST", _OAUTH_PATH + "/corpAccessToken", oauth.handle_get_corp_access_token),
    Endpoint("GetUserToken", "POST", _OAUTH_PATH + "/userAccessToken", oauth.handle_get_user_token),
    Endpoint("GetToken", "POST", _OAUTH_PATH + "/{corpId}/token", oauth.handle_get_token),
    Endpoint("Authorize", "GET", "/oauth2/auth", oauth.handle_authorize),
    Endpoint("OpenConnection", "POST", "/v1.0/gateway/connections/open", stream_tickets.handle_open_connection),
    Endpoint("ListEvents", "GET", _EVENTS_PATH, events.handle_list_events, READ_SCOPE),
    Endpoint("GetEvent", "GET", _EVENT_PATH, events.handle_get_event, READ_SCOPE),
    Endpoint("CreateEvent", "POST", _EVENTS_PATH, events.handle_create_event, WRITE_SCOPE, idempotent=True),
    Endpoint("PatchEvent", "PUT", _EVENT_PATH, events.handle_patch_event, WRITE_SCOPE, idempotent=True),
    Endpoint("DeleteEvent", "DELETE", _EVENT_PATH, events.handle_delete_event, WRITE_SCOPE, idempotent=True),
    Endpoint(
        "RespondEvent", "POST", _EVENT_PATH + "/respond", events.handle_respond_event, WRITE_SCOPE, idempotent=True
    ),
    Endpoint("ListEventsView", "GET", _EVENTS_VIEW_PATH, expanded_view.handle_list_events_view, READ_SCOPE),
    Endpoint("ListInstances", "GET", _EVENT_PATH + "/instances", expanded_view.handle_list_instances, READ_SCOPE),
    Endpoint("ListAttendees", "GET", _EVENT_PATH + "/attendees", attendees.handle_list_attendees, READ_SCOPE),
    Endpoint(
        "AddAttendee", "POST", _EVENT_PATH + "/attendees", attendees.handle_add_attendees, WRITE_SCOPE, idempotent=True
    ),
    Endpoint(
        "RemoveAttendee",
        "POST",
        _EVENT_PATH + "/attendees/batchRemove",
        attendees.handle_remove_attendees,
        WRITE_SCOPE,
        idempotent=True,
    ),
    Endpoint(
        "QueryMeetingRoomList",
        "GET",
        "/v1.0/rooms/meetingRoomLists",
        meeting_rooms.handle_query_meeting_room_list,
        ROOM_SCOPE,
    ),
    Endpoint(
        "AddMeetingRooms",
        "POST",
        _EVENT_PATH + "/meetingRooms",
        meeting_rooms.handle_add_meeting_rooms,
        WRITE_SCOPE,
        idempotent=True,
        caller="app",
    ),
    Endpoint(
        "RemoveMeetingRooms",
        "POST",
        _EVENT_PATH + "/meetingRooms/batchRemove",
        meeting_rooms.handle_remove_meeting_rooms,
        WRITE_SCOPE,
        idempotent=True,
        caller="app",
    ),
    Endpoint("ListCalendars", "GET", _USER_PATH + "/calendars", users.handle_list_calendars, READ_SCOPE),
    Endpoint("GetSchedule", "POST", _USER_PATH + "/querySchedule", schedules.handle_get_schedule, SCHEDULE_SCOPE),
    Endpoint(
        "GetMeetingRoomsSchedule",
        "POST",
        _USER_PATH + "/meetingRooms/schedules/query",
        schedules.handle_get_meeting_rooms_schedule,
        READ_SCOPE,
    ),
    Endpoint(
        "GetUser",
        "GET",
        "/v1.0/contact/users/{unionId}",
        users.handle_get_user,
        "Contact.User.Read",
        caller="user",
        metered=False,
    ),
    # The path is its name: the older host is not in the SDK.
    Endpoint(
        "topapi/v2/user/get",
        "POST",
        "/topapi/v2/user/get",
        legacy.handle_get_staff_user,
        "qyapi_get_member",
        caller="app",
        metered=False,
        legacy=True,
    ),
)
ENDPOINTS_BY_ACTION = {endpoint.action: endpoint for endpoint in ENDPOINTS}
