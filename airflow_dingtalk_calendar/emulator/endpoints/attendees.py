"""The calls about who takes part in an event."""

from __future__ import annotations

from ..errors import Problem, Refusal, invalid_is
from ..gateway.call import Call
from ..schema.event import Event, whole_event
from ..schema.query_params import number
from ..schema.requests import add_attendees_body, remove_attendees_body
from ..state.store import Store
from .pagination import paged
from .permissions import organized
from .writes import asked_for, write


def add_attendees(store: Store, call: Call) -> str:
    """Invite people ("Add event attendees"); who is invited already keeps the answer given."""
    before = organized(store, call)
    body = add_attendees_body(call.body, call.place)
    known = {person["id"]: person for person in before.get("attendees", [])}
    new = {person["id"]: person for person in body["attendeesToAdd"]}
    invited = {"responseStatus": "needsAction", "isOptional": False}
    people = {**known, **{i: {**invited, **known.get(i, {}), **person} for i, person in new.items()}}
    after = {**before, "attendees": list(people.values())}
    whole_event(after, store.settings)
    kinds = asked_for(store, body, push="pushNotification", chat="chatNotification")
    write(store, call, before, after).tell(kinds, new.keys() - known.keys())
    return ""


def remove_attendees(store: Store, call: Call) -> str:
    """Take people off the list ("Remove event attendees"); who is not on it is ignored, and the organizer stays."""
    before = organized(store, call)
    leaving = remove_attendees_body(call.body, call.place) - {before["organizer"]["id"]}
    people = before.get("attendees", [])
    after = {**before, "attendees": [person for person in people if person["id"] not in leaving]}
    told = [person["id"] for person in people if person["id"] in leaving]
    # The body has no member for notifications, so this one is always without.
    write(store, call, before, after).tell(asked_for(store, {}, push="", chat=""), told)
    return ""


def list_attendees(store: Store, call: Call) -> Event:
    """List who takes part in an event ("Query a list of attendees")."""
    if call.params["calendarId"] != "primary":
        raise Problem(Refusal.ATTENDEES_CALENDAR)
    event = store.find(call.params["eventId"])
    if event is None or event["status"] == "cancelled":
        raise Problem(Refusal.ATTENDEES_EVENT)
    if call.params["userId"] not in store.participants(event):
        raise Problem(Refusal.ATTENDEES_CALLER)
    with invalid_is(Refusal.ATTENDEES_SIZE):
        size = number(call.query, "maxResults", 100, 500)
    page, more = paged(store, call, size, lambda: tuple(event.get("attendees", ())))
    return {"attendees": store.viewer(call.params["userId"]).attendees(list(page)), **more}
