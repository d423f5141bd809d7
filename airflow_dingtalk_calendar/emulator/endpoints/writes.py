"""Putting a changed event in its place, with everything the ledger has to know about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..gateway.call import Call
from ..schema.event import Event
from ..state.ledger import difference
from ..state.store import Store

# The member of "extra" that holds a notification back ("Update event": the string "true" means do not send).
_SUPPRESSED_BY = {"push": "noPushNotification", "chat": "noChatNotification"}


@dataclass(frozen=True)
class Written:
    """An event just written.

    :param event: as stored.
    :param changed: before and after of each member that GetEvent shows differently.
    """

    store: Store
    call: Call
    event: Event
    changed: Mapping[str, Any]

    @property
    def request(self) -> Event:
        """What the ledger's rows about it start with."""
        return _request(self.call, self.event)

    def tell_others(self, extra: Mapping[str, str]) -> None:
        """Notify everybody but the organizer, unless ``extra`` holds it back."""
        kinds = [kind for kind, switch in _SUPPRESSED_BY.items() if extra.get(switch) != "true"]
        self.tell(kinds, others(self.event))

    def tell(self, kinds: Sequence[str], recipients: Iterable[str]) -> None:
        """Notify some people."""
        self.store.ledger.notify(self.request, kinds, len(list(recipients)))


def write(store: Store, call: Call, before: Event | None, after: Event, sent: Sequence[str] = ()) -> Written:
    """Store an event that a call has changed or, without a ``before``, created."""
    time = store.stamp(after=before["updateTime"] if before else "")
    shown = store.shown(before) if before else {}
    event = store.put({**after, "updateTime": time})
    changed = difference(shown, store.shown(event))
    store.ledger.record(_request(call, event), call.endpoint.action, sent, changed, time)
    if "onlineMeetingInfo" in sent:
        store.ledger.meet(_request(call, event), event["onlineMeetingInfo"]["conferenceId"])
    return Written(store, call, event, changed)


def others(event: Event) -> list[str]:
    """Return the unionIds of those invited but for the organizer."""
    return [person["id"] for person in event.get("attendees", ()) if person["id"] != event["organizer"]["id"]]


def asked_for(store: Store, given: Mapping[str, Any], **kinds: str) -> list[str]:
    """Return the kinds of notification that a call wants; each has a member that says so.

    What is sent if that member is absent: UNVERIFIED, switch ``unasked_notifications``.
    """
    unasked = store.settings.unasked_notifications == "sent"
    wanted = {kind: given.get(member) for kind, member in kinds.items()}
    return [kind for kind, answer in wanted.items() if (unasked if answer is None else answer)]


def _request(call: Call, event: Event) -> Event:
    return {"event_id": event["id"], "client_token": call.client_token, "request_id": call.request_id}
