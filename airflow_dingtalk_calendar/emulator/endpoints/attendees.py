"""The calls about who takes part in an event."""

from __future__ import annotations

from ..errors import ApiError, Refusal, report_invalid_as
from ..gateway.call import EndpointCall
from ..schema.event import Event, check_event_consistency
from ..schema.query_params import read_number_param
from ..schema.requests import read_add_attendees_body, read_remove_attendees_body
from ..state.store import EmulatorStore
from .pagination import paginate_items
from .permissions import get_organized_event
from .writes import requested_notifications, write_event


def handle_add_attendees(store: EmulatorStore, call: EndpointCall) -> str:
    """Invite people ("Add event attendees"); who is invited already keeps the answer given."""
    before = get_organized_event(store, call)
    body = read_add_attendees_body(call.body, call.body_place)
    known = {person["id"]: person for person in before.get("attendees", [])}
    new = {person["id"]: person for person in body["attendeesToAdd"]}
    invited = {"responseStatus": "needsAction", "isOptional": False}
    people = {**known, **{i: {**invited, **known.get(i, {}), **person} for i, person in new.items()}}
    after = {**before, "attendees": list(people.values())}
    check_event_consistency(after, store.settings)
    kinds = requested_notifications(store, body, push="pushNotification", chat="chatNotification")
    write_event(store, call, before, after).notify(kinds, new.keys() - known.keys())
    return ""


def handle_remove_attendees(store: EmulatorStore, call: EndpointCall) -> str:
    """Take people off the list ("Remove event attendees"); who is not on it is ignored, and the organizer stays."""
    before = get_organized_event(store, call)
    leaving = read_remove_attendees_body(call.body, call.body_place) - {before["organizer"]["id"]}
    people = before.get("attendees", [])
    after = {**before, "attendees": [person for person in people if person["id"] not in leaving]}
    removed = [person["id"] for person in people if person["id"] in leaving]
    # The body has no member for notifications, so this one is always without.
    write_event(store, call, before, after).notify(requested_notifications(store, {}, push="", chat=""), removed)
    return ""


def handle_list_attendees(store: EmulatorStore, call: EndpointCall) -> Event:
    """List who takes part in an event ("Query a list of attendees")."""
    if call.params["calendarId"] != "primary":
        raise ApiError(Refusal.ATTENDEES_INVALID_CALENDAR)
    event = store.find_event(call.params["eventId"])
    if event is None or event["status"] == "cancelled":
        raise ApiError(Refusal.ATTENDEES_INVALID_EVENT)
    if call.params["userId"] not in store.participants(event):
        raise ApiError(Refusal.ATTENDEES_NOT_SUBSCRIBED)
    with report_invalid_as(Refusal.ATTENDEES_INVALID_SIZE):
        size = read_number_param(call.query, "maxResults", 100, 500)
    page, more = paginate_items(store, call, size, lambda: tuple(event.get("attendees", ())))
    return {"attendees": store.viewer_for(call.params["userId"]).render_attendees(list(page)), **more}
