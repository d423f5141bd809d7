"""Who may do what to which event: the checks that the calendar's calls have in common."""

from __future__ import annotations

from ..errors import Problem, Refusal, invalid
from ..gateway.call import Call
from ..schema.event import Event
from ..state.store import Store

_NOT_ORGANIZER = {
    "invalidParameter": Refusal.INVALID,
    "itemNotFound": Refusal.NOT_FOUND,
    "forbidden": Refusal.FORBIDDEN,
}


def named_user(call: Call) -> None:
    """Refuse a path without a user."""
    if not call.params["userId"].strip():
        raise invalid("userId", "cannot be blank")


def primary(call: Call) -> None:
    """Refuse another calendar than the primary one."""
    named_user(call)
    if not call.params["calendarId"].strip():
        raise Problem(Refusal.CALENDAR_BLANK)
    # "Set this parameter to primary"; which error any other gets is not documented.
    if call.params["calendarId"] != "primary":
        raise Problem(Refusal.NOT_FOUND, "The calendar does not exist")


def stored(store: Store, event_id: str) -> Event:
    """Return an event that has not been cancelled."""
    event = store.find(event_id)
    if event is None or event["status"] == "cancelled":
        raise Problem(Refusal.NOT_FOUND, "The event does not exist")
    return event


def shared(store: Store, call: Call) -> Event:
    """Return the event of the call, in which its user takes part."""
    event = stored(store, call.params["eventId"])
    if call.params["userId"] not in store.participants(event):
        raise Problem(Refusal.NOT_FOUND, "The event does not exist")
    return event


def organized(store: Store, call: Call) -> Event:
    """Return the event of the call, which its user organizes."""
    primary(call)
    event = stored(store, call.params["eventId"])
    organizer_only(store, call, event)
    return event


def organizer_only(store: Store, call: Call, event: Event) -> None:
    """Refuse a change by anybody but the organizer."""
    if call.params["userId"] != event["organizer"]["id"]:
        raise Problem(_NOT_ORGANIZER[store.settings.not_organizer], "Only the organizer can update the event")
