"""Every effect that requests had, per client token: what a test of "exactly once" counts."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from .checks import Event

# The member of "extra" that holds a notification back ("Update event": the string "true" means do not send).
_SUPPRESSED_BY = {"push": "noPushNotification", "chat": "noChatNotification"}


@dataclass
class Ledger:
    """The effects, in the order they happened.

    :param updates: one row per executed update: members sent, and before and after of those a GetEvent shows
        differently.
    :param meetings: one row per video meeting created.
    :param notifications: one row per notification that went out.
    :param calls: metered calls per action; what the gateway turned away is not metered, nor is the token endpoint.
    :param tokens_issued: successful answers of the token endpoint, also those that handed out the same token again.
    """

    updates: list[Event] = field(default_factory=list)
    meetings: list[Event] = field(default_factory=list)
    notifications: list[Event] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    tokens_issued: int = 0

    def record(self, request: Event, patch: Event, before: Event, after: Event, time: str) -> None:
        """Note an executed update.

        :param request: ``event_id``, ``client_token`` and ``request_id``: what every row starts with.
        :param patch: the members sent.
        :param before: the event as GetEvent showed it.
        :param after: the event as GetEvent shows it.
        :param time: when it happened.
        """
        changed = difference(before, after)
        sent = [name for name in patch if name != "id"]
        self.updates.append({**request, "fields": sent, "changed": changed, "time": time})
        if "onlineMeetingInfo" in patch:
            self.meetings.append({**request, "conference_id": after["onlineMeetingInfo"]["conferenceId"]})
        if changed:
            self._notify(request, patch.get("extra", {}), after)

    def _notify(self, request: Event, extra: Event, event: Event) -> None:
        recipients = sum(person["id"] != event["organizer"]["id"] for person in event.get("attendees", ()))
        for kind, switch in _SUPPRESSED_BY.items():
            if recipients and extra.get(switch) != "true":
                self.notifications.append({**request, "kind": kind, "recipients": recipients})

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of all of it, ready for JSON."""
        rows = {name: deepcopy(getattr(self, name)) for name in ("updates", "meetings", "notifications")}
        return {**rows, "calls": dict(self.calls), "tokens_issued": self.tokens_issued}


def difference(before: Event, after: Event) -> dict[str, list[Any]]:
    """Return before and after of each member that differs, but for the update time, which always does."""
    names = [name for name in {**before, **after} if name != "updateTime"]
    pairs = {name: [before.get(name), after.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
