"""The calls about one event, and ListEvents."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from ..errors import Problem, Refusal, invalid
from ..gateway.call import Call
from ..schema.event import Event, patch_body
from ..schema.query_params import flag, number
from ..schema.requests import create_body, respond_body
from ..schema.responses import got, patched
from ..schema.validators import read_date
from ..state.store import Store
from . import patch as patching
from .listing import listed
from .permissions import organizer_only, primary, shared, stored
from .writes import asked_for, others, write

# Nothing says how long an event without an end lasts.
_USUAL_LENGTH = timedelta(hours=1)


def create_event(store: Store, call: Call) -> Event:
    """Create an event ("Create event")."""
    primary(call)
    organizer = call.params["userId"]
    given = create_body(call.body, call.place)
    if not store.in_range(call.app, organizer):
        raise Problem(Refusal.OUT_OF_RANGE)
    event = patching.apply(patching.Context(_blank(store, organizer, given), store.settings, store.emails), given)
    store.count_creation(organizer)
    written = write(store, call, None, event, list(given))
    written.tell_others(given.get("extra", {}))
    return patched(written.event, store.viewer(organizer))


def _blank(store: Store, organizer: str, given: Event) -> Event:
    start = given["start"]
    if "end" not in given and store.settings.omitted_end == "refused":
        raise invalid("end", "must be set")
    invited = [{"id": organizer, "responseStatus": "accepted"}]
    named = any(person["id"] == organizer for person in given.get("attendees", ()))
    return {
        "id": _new_id(),
        "isAllDay": False,
        "start": start,
        "end": _usual_end(start),
        "status": "confirmed",
        "organizer": {"id": organizer, "responseStatus": "accepted"},
        **({"attendees": invited} if named else {}),
        **({} if "reminders" in given else {"reminders": [patching.default_reminder(given)]}),
        "createTime": store.stamp(),
    }


def _usual_end(start: Event) -> Event:
    if "date" in start:
        return {"date": str(read_date(start["date"]) + timedelta(days=1))}
    end = datetime.fromisoformat(start["dateTime"]) + _USUAL_LENGTH
    return {**start, "dateTime": end.isoformat(timespec="seconds")}


def _new_id() -> str:
    # DingTalk's shape: base64 of the base64 of 16 bytes, which has letters and digits only.
    return b64encode(b64encode(uuid4().bytes)).decode()


def patch_event(store: Store, call: Call) -> Event:
    """Update an event ("Update event")."""
    primary(call)
    patch = patch_body(call.body, call.params["eventId"], call.place)
    named = stored(store, call.params["eventId"])
    organizer_only(store, call, named)
    before = patching.target(named, store.events, store.settings)
    after = patching.apply(patching.Context(before, store.settings, store.emails), patch)
    if any(before.get(name) != after.get(name) for name in ("start", "end", "recurrence")) and store.room_taken(after):
        raise Problem(Refusal.ROOM_TAKEN)
    written = write(store, call, before, after, [name for name in patch if name != "id"])
    if written.changed:
        written.tell_others(patch.get("extra", {}))
    return patched(written.event, store.viewer(call.params["userId"]))


def get_event(store: Store, call: Call) -> Event:
    """Show an event to somebody who takes part in it ("Query event details")."""
    primary(call)
    limit = number(call.query, "maxAttendees", 100, 500)
    event = store.find(call.params["eventId"])
    if event is None or call.params["userId"] not in store.participants(event):
        raise Problem(Refusal.NOT_FOUND, "The event does not exist")
    if event["status"] == "cancelled" and event.get("seriesMasterId"):
        raise Problem(Refusal.INSTANCE_GONE)
    return got(event, store.viewer(call.params["userId"], limit))


def list_events(store: Store, call: Call) -> Event:
    """List somebody's events ("Query an event list")."""
    primary(call)
    return listed(store, call.params["userId"], call.query)


def delete_event(store: Store, call: Call) -> str:
    """Cancel an event for all, or for an attendee leave it ("Delete event")."""
    primary(call)
    push = flag(call.query, "pushNotification")
    event = shared(store, call)
    me = call.params["userId"]
    by_organizer = me == event["organizer"]["id"]
    changed = _cancelled if by_organizer else partial(_left_by, me)
    for instance in store.instances(event["id"]):
        store.put({**changed(instance), "updateTime": store.stamp(after=instance["updateTime"])})
    written = write(store, call, event, changed(event))
    if by_organizer:
        # "A notice" goes to all attendees in any case; the parameter is about the pop-up.
        popup = asked_for(store, {"pushNotification": push}, push="pushNotification")
        written.tell([*popup, "chat"], others(event))
    return ""


def _cancelled(event: Event) -> Event:
    return {**event, "status": "cancelled"}


def _left_by(union_id: str, event: Event) -> Event:
    return {**event, "attendees": [person for person in event.get("attendees", ()) if person["id"] != union_id]}


def respond_event(store: Store, call: Call) -> str:
    """Take an attendee's answer ("Respond to an event")."""
    primary(call)
    answer = respond_body(call.body, call.place)
    event = shared(store, call)
    me = call.params["userId"]
    if me not in (person["id"] for person in event.get("attendees", ())):
        raise invalid("userId", "is not an attendee")
    answered = [{**p, "responseStatus": answer} if p["id"] == me else p for p in event["attendees"]]
    write(store, call, event, {**event, "attendees": answered})
    return ""
