"""Who may do what to which event: the checks that the calendar's calls have in common."""

from __future__ import annotations

from ..errors import ApiError, Refusal, invalid_parameter
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..state.store import EmulatorStore

_NOT_ORGANIZER_REFUSALS = {
    "invalidParameter": Refusal.INVALID_PARAMETER,
    "itemNotFound": Refusal.NOT_FOUND,
    "forbidden": Refusal.FORBIDDEN,
}


def require_user_id(call: EndpointCall) -> None:
    """Refuse a path without a user."""
    if not call.params["userId"].strip():
        raise invalid_parameter("userId", "cannot be blank")


def require_primary_calendar(call: EndpointCall) -> None:
    """Refuse another calendar than the primary one."""
    require_user_id(call)
    if not call.params["calendarId"].strip():
        raise ApiError(Refusal.BLANK_CALENDAR_ID)
    # "Set this parameter to primary"; which error any other gets is not documented.
    if call.params["calendarId"] != "primary":
        raise ApiError(Refusal.NOT_FOUND, "The calendar does not exist")


def get_active_event(store: EmulatorStore, event_id: str) -> Event:
    """Return an event that has not been cancelled."""
    event = store.find_event(event_id)
    if event is None or event["status"] == "cancelled":
        raise ApiError(Refusal.NOT_FOUND, "The event does not exist")
    return event


def get_joined_event(store: EmulatorStore, call: EndpointCall) -> Event:
    """Return the event of the call, in which its user takes part."""
    event = get_active_event(store, call.params["eventId"])
    if call.params["userId"] not in store.participants(event):
        raise ApiError(Refusal.NOT_FOUND, "The event does not exist")
    return event


def get_organized_event(store: EmulatorStore, call: EndpointCall) -> Event:
    """Return the event of the call, which its user organizes."""
    require_primary_calendar(call)
    event = get_active_event(store, call.params["eventId"])
    require_organizer(store, call, event)
    return event


def require_organizer(store: EmulatorStore, call: EndpointCall, event: Event) -> None:
    """Refuse a change by anybody but the organizer."""
    if call.params["userId"] != event["organizer"]["id"]:
        raise ApiError(_NOT_ORGANIZER_REFUSALS[store.settings.not_organizer], "Only the organizer can update the event")
