"""The endpoints: one function and one row of the table for each; none of them keeps state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..accounts import legacy, oauth, users
from ..endpoints import attendees, events, expanded_view, meeting_rooms, schedules
from ..errors import Answer, Problem
from ..gateway.admission import Call
from ..state.store import Store

READ, WRITE, SCHEDULE = "Calendar.Event.Read", "Calendar.Event.Write", "Calendar.EventSchedule.Read"
_OAUTH = "/v1.0/oauth2"
_USER = "/v1.0/calendar/users/{userId}"
_EVENTS = _USER + "/calendars/{calendarId}/events"
_EVENT = _EVENTS + "/{eventId}"
_EVENTS_VIEW = _USER + "/calendars/{calendarId}/eventsview"


@dataclass(frozen=True)
class Endpoint:
    """A method and path, and what answers it.

    :param action: the name of the operation in the SDK.
    :param handle: returns the body of a 200 answer or another Answer, or raises a Problem.
    :param scope: the permission needed; empty where no access token is.
    :param idempotent: whether ``x-client-token`` means something to it.
    :param caller: whose token it takes: an app's, a user's, or any.
    :param metered: whether it counts against the monthly quota.
    :param legacy: whether it is one of the older host, with its own ways to carry a token and to tell an error.
    """

    action: str
    method: str
    path: str
    handle: Callable[[Store, Call], Any]
    scope: str = ""
    idempotent: bool = False
    caller: Literal["any", "app", "user"] = "any"
    metered: bool = True
    legacy: bool = False

    def match(self, method: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters if a request is for this endpoint."""
        parts = self.path.split("/")
        if method != self.method or len(parts) != len(segments):
            return None
        pairs = list(zip(parts, segments, strict=True))
        fits = all(part == segment or part.startswith("{") for part, segment in pairs)
        return {part[1:-1]: segment for part, segment in pairs if part.startswith("{")} if fits else None

    def refused(self, problem: Problem, request_id: str) -> Answer:
        """Return the answer to a call refused."""
        return legacy.told(problem, request_id) if self.legacy else problem.answer(request_id)


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
