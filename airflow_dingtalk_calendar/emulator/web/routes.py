"""The endpoints: one function and one row of the table for each; none of them keeps state."""

from __future__ import annotations

from ..accounts import legacy, oauth, users
from ..endpoints import attendees, events, expanded_view, meeting_rooms, schedules
from ..gateway.call import Endpoint

READ, WRITE, SCHEDULE = "Calendar.Event.Read", "Calendar.Event.Write", "Calendar.EventSchedule.Read"
_OAUTH = "/v1.0/oauth2"
_USER = "/v1.0/calendar/users/{userId}"
_EVENTS = _USER + "/calendars/{calendarId}/events"
_EVENT = _EVENTS + "/{eventId}"
_EVENTS_VIEW = _USER + "/calendars/{calendarId}/eventsview"


ENDPOINTS = (
    Endpoint("GetAccessToken", "POST", _OAUTH + "/accessToken", oauth.get_access_token),
    Endpoint("GetCorpAccessToken", "POST", _OAUTH + "/corpAccessToken", oauth.get_corp_access_token),
    Endpoint("GetUserToken", "POST", _OAUTH + "/userAccessToken", oauth.get_user_token),
    Endpoint("GetToken", "POST", _OAUTH + "/{corpId}/token", oauth.get_token),
    Endpoint("Authorize", "GET", "/oauth2/auth", oauth.authorize),
    Endpoint("ListEvents", "GET", _EVENTS, events.list_events, READ),
    Endpoint("GetEvent", "GET", _EVENT, events.get_event, READ),
    Endpoint("CreateEvent", "POST", _EVENTS, events.create_event, WRITE, idempotent=True),
    Endpoint("PatchEvent", "PUT", _EVENT, events.patch_event, WRITE, idempotent=True),
    Endpoint("DeleteEvent", "DELETE", _EVENT, events.delete_event, WRITE, idempotent=True),
    Endpoint("RespondEvent", "POST", _EVENT + "/respond", events.respond_event, WRITE, idempotent=True),
    Endpoint(
        "ListEventsView", "GET", _USER + "/calendars/{calendarId}/eventsview", expanded_view.list_events_view, READ
    ),
    Endpoint("ListInstances", "GET", _EVENT + "/instances", expanded_view.list_instances, READ),
    Endpoint("ListAttendees", "GET", _EVENT + "/attendees", attendees.list_attendees, READ),
    Endpoint("AddAttendee", "POST", _EVENT + "/attendees", attendees.add_attendees, WRITE, idempotent=True),
    Endpoint(
        "RemoveAttendee", "POST", _EVENT + "/attendees/batchRemove", attendees.remove_attendees, WRITE, idempotent=True
    ),
    Endpoint(
        "AddMeetingRooms", "POST", _EVENT + "/meetingRooms", meeting_rooms.add_meeting_rooms, WRITE, True, caller="app"
    ),
    Endpoint(
        "RemoveMeetingRooms",
        "POST",
        _EVENT + "/meetingRooms/batchRemove",
        meeting_rooms.remove_meeting_rooms,
        WRITE,
        idempotent=True,
        caller="app",
    ),
    Endpoint("ListCalendars", "GET", _USER + "/calendars", users.list_calendars, READ),
    Endpoint("GetSchedule", "POST", _USER + "/querySchedule", schedules.get_schedule, SCHEDULE),
    Endpoint(
        "GetMeetingRoomsSchedule",
        "POST",
        _USER + "/meetingRooms/schedules/query",
        schedules.get_meeting_rooms_schedule,
        READ,
    ),
    Endpoint(
        "GetUser",
        "GET",
        "/v1.0/contact/users/{unionId}",
        users.get_user,
        "Contact.User.Read",
        caller="user",
        metered=False,
    ),
    # The path is its name: the older host is not in the SDK.
    Endpoint(
        "topapi/v2/user/get",
        "POST",
        "/topapi/v2/user/get",
        legacy.get_staff,
        "qyapi_get_member",
        caller="app",
        metered=False,
        legacy=True,
    ),
)
ACTIONS = {endpoint.action: endpoint for endpoint in ENDPOINTS}
