"""The endpoints: one function and one row of the table for each; none of them keeps state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from . import gateway, patching
from .checks import Event, patch_body
from .errors import Problem, Refusal, invalid
from .gateway import Call
from .listing import listed, number
from .shapes import read_json
from .store import Store
from .views import got, patched

READ, WRITE = "Calendar.Event.Read", "Calendar.Event.Write"
_EVENTS = "/v1.0/calendar/users/{userId}/calendars/{calendarId}/events"


@dataclass(frozen=True)
class Endpoint:
    """A method and path, and what answers it.

    :param action: the name of the operation in the SDK.
    :param handle: returns the body of a 200 answer or raises a Problem.
    :param scope: the permission needed; empty where no access token is.
    :param idempotent: whether ``x-client-token`` means something to it.
    """

    action: str
    method: str
    path: str
    handle: Callable[[Store, Call], Any]
    scope: str = ""
    idempotent: bool = False

    def match(self, method: str, segments: Sequence[str]) -> dict[str, str] | None:
        """Return the path parameters if a request is for this endpoint."""
        parts = self.path.split("/")
        if method != self.method or len(parts) != len(segments):
            return None
        pairs = list(zip(parts, segments, strict=True))
        fits = all(part == segment or part.startswith("{") for part, segment in pairs)
        return {part[1:-1]: segment for part, segment in pairs if part.startswith("{")} if fits else None


def get_access_token(store: Store, call: Call) -> Event:
    """Issue the access token of an internal app ("Get the access token of an internal app")."""
    try:
        body = read_json(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Problem(Refusal.NOT_JSON)
    for name, missing in (("appKey", Refusal.MISSING_APP_KEY), ("appSecret", Refusal.MISSING_APP_SECRET)):
        if not body.get(name):
            raise Problem(missing)
    app = store.apps.get(str(body["appKey"]))
    if app is None or app.secret != body["appSecret"]:
        raise Problem(Refusal.BAD_CREDENTIALS)
    gateway.throttle(store, app, call)
    return {"accessToken": store.issue_token(app).value, "expireIn": -int(-store.settings.token_lifetime // 1)}


def patch_event(store: Store, call: Call) -> Event:
    """Update an event ("Update event")."""
    _primary(call)
    patch = patch_body(call.body, call.params["eventId"], call.place)
    named = _stored(store, call.params["eventId"])
    _organizer_only(store, call, named)
    before = patching.target(named, store.events, store.settings)
    after = patching.apply(patching.Context(before, store.settings, store.emails), patch)
    if any(before.get(name) != after.get(name) for name in ("start", "end", "recurrence")) and store.room_taken(after):
        raise Problem(Refusal.ROOM_TAKEN)
    time = store.stamp(after=before["updateTime"])
    shown, event = store.shown(before), store.put({**after, "updateTime": time})
    request = {"event_id": event["id"], "client_token": call.client_token, "request_id": call.request_id}
    store.ledger.record(request, patch, shown, store.shown(event), time)
    return patched(event, store.viewer(call.params["userId"]))


def get_event(store: Store, call: Call) -> Event:
    """Show an event to somebody who takes part in it ("Query event details")."""
    _primary(call)
    limit = number(call.query, "maxAttendees", 100, 500)
    event = store.events.get(call.params["eventId"])
    if event is None or call.params["userId"] not in store.participants(event):
        raise Problem(Refusal.NOT_FOUND, "The event does not exist")
    if event["status"] == "cancelled" and event.get("seriesMasterId"):
        raise Problem(Refusal.INSTANCE_GONE)
    return got(event, store.viewer(call.params["userId"], limit))


def list_events(store: Store, call: Call) -> Event:
    """List somebody's events ("Query an event list")."""
    _primary(call)
    return listed(store, call.params["userId"], call.query)


def _primary(call: Call) -> None:
    if not call.params["userId"].strip():
        raise invalid("userId", "cannot be blank")
    if not call.params["calendarId"].strip():
        raise Problem(Refusal.CALENDAR_BLANK)
    # "Set this parameter to primary"; which error any other gets is not documented.
    if call.params["calendarId"] != "primary":
        raise Problem(Refusal.NOT_FOUND, "The calendar does not exist")


def _stored(store: Store, event_id: str) -> Event:
    event = store.events.get(event_id)
    if event is None or event["status"] == "cancelled":
        raise Problem(Refusal.NOT_FOUND, "The event does not exist")
    return event


_NOT_ORGANIZER = {
    "invalidParameter": Refusal.INVALID,
    "itemNotFound": Refusal.NOT_FOUND,
    "forbidden": Refusal.FORBIDDEN,
}


def _organizer_only(store: Store, call: Call, event: Event) -> None:
    if call.params["userId"] != event["organizer"]["id"]:
        raise Problem(_NOT_ORGANIZER[store.settings.not_organizer], "Only the organizer can update the event")


ENDPOINTS = (
    Endpoint("GetAccessToken", "POST", "/v1.0/oauth2/accessToken", get_access_token),
    Endpoint("ListEvents", "GET", _EVENTS, list_events, READ),
    Endpoint("GetEvent", "GET", _EVENTS + "/{eventId}", get_event, READ),
    Endpoint("PatchEvent", "PUT", _EVENTS + "/{eventId}", patch_event, WRITE, idempotent=True),
)
ACTIONS = {endpoint.action: endpoint for endpoint in ENDPOINTS}
