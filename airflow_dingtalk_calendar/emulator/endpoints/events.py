"""The calls about one event, and ListEvents."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from ..errors import ApiError, Refusal, invalid_parameter
from ..gateway.call import EndpointCall
from ..schema.event import Event, read_patch_body
from ..schema.query_params import read_boolean_param, read_number_param
from ..schema.requests import read_create_body, read_respond_body
from ..schema.responses import render_event, render_patched_event
from ..schema.validators import read_iso_date
from ..state.store import EmulatorStore
from .listing import list_event_page
from .patch import PatchContext, apply_event_patch, default_reminder, find_patch_target
from .permissions import get_active_event, get_joined_event, require_organizer, require_primary_calendar
from .writes import invited_others, requested_notifications, write_event

# Nothing says how long an event without an end lasts.
_DEFAULT_DURATION = timedelta(hours=1)


def handle_create_event(store: EmulatorStore, call: EndpointCall) -> Event:
    """Create an event ("Create event")."""
    require_primary_calendar(call)
    organizer = call.params["userId"]
    given = read_create_body(call.body, call.body_place)
    if not store.in_app_range(call.app, organizer):
        raise ApiError(Refusal.USER_OUT_OF_RANGE)
    event = apply_event_patch(PatchContext(_new_event(store, organizer, given), store.settings, store.emails), given)
    store.count_creation(organizer)
    written = write_event(store, call, None, event, list(given))
    written.notify_others(given.get("extra", {}))
    return render_patched_event(written.event, store.viewer_for(organizer))


def _new_event(store: EmulatorStore, organizer: str, given: Event) -> Event:
    start = given["start"]
    if "end" not in given and store.settings.omitted_end == "refused":
        raise invalid_parameter("end", "must be set")
    invited = [{"id": organizer, "responseStatus": "accepted"}]
    named = any(person["id"] == organizer for person in given.get("attendees", ()))
    return {
        "id": _new_event_id(),
        "isAllDay": False,
        "start": start,
        "end": _default_end(start),
        "status": "confirmed",
        "organizer": {"id": organizer, "responseStatus": "accepted"},
        **({"attendees": invited} if named else {}),
        **({} if "reminders" in given else {"reminders": [default_reminder(given)]}),
        "createTime": store.timestamp(),
    }


def _default_end(start: Event) -> Event:
    if "date" in start:
        return {"date": str(read_iso_date(start["date"]) + timedelta(days=1))}
    end = datetime.fromisoformat(start["dateTime"]) + _DEFAULT_DURATION
    return {**start, "dateTime": end.isoformat(timespec="seconds")}


def _new_event_id() -> str:
    # DingTalk's shape: base64 of the base64 of 16 bytes, which has letters and digits only.
    return b64encode(b64encode(uuid4().bytes)).decode()


def handle_patch_event(store: EmulatorStore, call: EndpointCall) -> Event:
    """Update an event ("Update event")."""
    require_primary_calendar(call)
    patch = read_patch_body(call.body, call.params["eventId"], call.body_place)
    named = get_active_event(store, call.params["eventId"])
    require_organizer(store, call, named)
    before = find_patch_target(named, store.events, store.settings)
    after = apply_event_patch(PatchContext(before, store.settings, store.emails), patch)
    if any(before.get(name) != after.get(name) for name in ("start", "end", "recurrence")) and store.has_room_conflict(
        after
    ):
        raise ApiError(Refusal.MEETING_ROOM_INVALID)
    written = write_event(store, call, before, after, [name for name in patch if name != "id"])
    if written.changed:
        written.notify_others(patch.get("extra", {}))
    return render_patched_event(written.event, store.viewer_for(call.params["userId"]))


def handle_get_event(store: EmulatorStore, call: EndpointCall) -> Event:
    """Show an event to somebody who takes part in it ("Query event details")."""
    require_primary_calendar(call)
    limit = read_number_param(call.query, "maxAttendees", 100, 500)
    event = store.find_event(call.params["eventId"])
    if event is None or call.params["userId"] not in store.participants(event):
        raise ApiError(Refusal.NOT_FOUND, "The event does not exist")
    if event["status"] == "cancelled" and event.get("seriesMasterId"):
        raise ApiError(Refusal.INSTANCE_NOT_FOUND)
    return render_event(event, store.viewer_for(call.params["userId"], limit))


def handle_list_events(store: EmulatorStore, call: EndpointCall) -> Event:
    """List somebody's events ("Query an event list")."""
    require_primary_calendar(call)
    return list_event_page(store, call.params["userId"], call.query)


def handle_delete_event(store: EmulatorStore, call: EndpointCall) -> str:
    """Cancel an event for all, or for an attendee leave it ("Delete event")."""
    require_primary_calendar(call)
    push = read_boolean_param(call.query, "pushNotification")
    event = get_joined_event(store, call)
    me = call.params["userId"]
    by_organizer = me == event["organizer"]["id"]
    changed = _cancel_event if by_organizer else partial(_remove_participant, me)
    for instance in store.events.instances_of(event["id"]):
        store.put_event({**changed(instance), "updateTime": store.timestamp(after=instance["updateTime"])})
    written = write_event(store, call, event, changed(event))
    if by_organizer:
        # "A notice" goes to all attendees in any case; the parameter is about the pop-up.
        popup = requested_notifications(store, {"pushNotification": push}, push="pushNotification")
        written.notify([*popup, "chat"], invited_others(event))
    return ""


def _cancel_event(event: Event) -> Event:
    return {**event, "status": "cancelled"}


def _remove_participant(union_id: str, event: Event) -> Event:
    return {**event, "attendees": [person for person in event.get("attendees", ()) if person["id"] != union_id]}


def handle_respond_event(store: EmulatorStore, call: EndpointCall) -> str:
    """Take an attendee's answer ("Respond to an event")."""
    require_primary_calendar(call)
    answer = read_respond_body(call.body, call.body_place)
    event = get_joined_event(store, call)
    me = call.params["userId"]
    if me not in (person["id"] for person in event.get("attendees", ())):
        raise invalid_parameter("userId", "is not an attendee")
    answered = [{**p, "responseStatus": answer} if p["id"] == me else p for p in event["attendees"]]
    write_event(store, call, event, {**event, "attendees": answered})
    return ""
