"""Putting a changed event in its place, with everything the ledger has to know about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..state.ledger import member_differences
from ..state.store import EmulatorStore

# The member of "extra" that holds a notification back ("Update event": the string "true" means do not send).
_SUPPRESSING_MEMBERS = {"push": "noPushNotification", "chat": "noChatNotification"}


@dataclass(frozen=True)
class EventWrite:
    """An event just written.

    :param event: as stored.
    :param changed: before and after of each member that GetEvent shows differently.
    """

    store: EmulatorStore
    call: EndpointCall
    event: Event
    changed: Mapping[str, Any]

    @property
    def request_ids(self) -> Event:
        """What the ledger's rows about it start with."""
        return _request_ids(self.call, self.event)

    def notify_others(self, extra: Mapping[str, str]) -> None:
        """Notify everybody but the organizer, unless ``extra`` holds it back."""
        kinds = [kind for kind, switch in _SUPPRESSING_MEMBERS.items() if extra.get(switch) != "true"]
        self.notify(kinds, invited_others(self.event))

    def notify(self, kinds: Sequence[str], recipients: Iterable[str]) -> None:
        """Notify some people."""
        self.store.ledger.record_notifications(self.request_ids, kinds, len(list(recipients)))


def write_event(
    store: EmulatorStore, call: EndpointCall, before: Event | None, after: Event, sent: Sequence[str] = ()
) -> EventWrite:
    """Store an event that a call has changed or, without a ``before``, created."""
    time = _update_time(store, call, before)
    rendered = store.render_for_organizer(before) if before else {}
    event = store.put_event({**after, "updateTime": time})
    changed = member_differences(rendered, store.render_for_organizer(event))
    store.ledger.record_write(_request_ids(call, event), call.endpoint.action, sent, changed, time)
    if "onlineMeetingInfo" in sent:
        store.ledger.record_meeting(_request_ids(call, event), event["onlineMeetingInfo"]["conferenceId"])
    return EventWrite(store, call, event, changed)


def _update_time(store: EmulatorStore, call: EndpointCall, before: Event | None) -> str:
    if before and call.endpoint.action == "RespondEvent" and store.settings.response_updates == "no":
        return str(before["updateTime"])
    time = datetime.fromisoformat(store.timestamp(after=before["updateTime"] if before else ""))
    return time.isoformat(timespec="minutes" if store.settings.update_time == "minute" else "seconds")


def invited_others(event: Event) -> list[str]:
    """Return the unionIds of those invited but for the organizer."""
    return [person["id"] for person in event.get("attendees", ()) if person["id"] != event["organizer"]["id"]]


def requested_notifications(store: EmulatorStore, given: Mapping[str, Any], **kinds: str) -> list[str]:
    """Return the kinds of notification that a call wants; each has a member that says so.

    What is sent if that member is absent: UNVERIFIED, switch ``unasked_notifications``.
    """
    unasked = store.settings.unasked_notifications == "sent"
    wanted = {kind: given.get(member) for kind, member in kinds.items()}
    return [kind for kind, answer in wanted.items() if (unasked if answer is None else answer)]


def _request_ids(call: EndpointCall, event: Event) -> Event:
    return {"event_id": event["id"], "client_token": call.client_token, "request_id": call.request_id}
