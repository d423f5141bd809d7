"""Every effect that requests had, per client token: what a test of "exactly once" counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from ..schema.event import Event


@dataclass
class EffectsLedger:
    """The effects, in the order they happened.

    :param writes: one row per executed call that changes an event: its ``action``, the members sent (of CreateEvent
        and PatchEvent), and before and after of those a GetEvent shows differently, which are ``None`` before a
        creation.
    :param updates: of those the rows of PatchEvent.
    :param meetings: one row per video meeting created.
    :param notifications: one row per notification that went out.
    :param calls: metered calls per action; what the gateway turned away is not metered, nor are the calls documented
        as free: tokens and the directory.
    :param tokens_issued: successful answers of the token endpoints, also those that handed out the same token again.
    """

    writes: list[Event] = field(default_factory=list)
    updates: list[Event] = field(default_factory=list)
    meetings: list[Event] = field(default_factory=list)
    notifications: list[Event] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    tokens_issued: int = 0

    def record_write(self, request: Event, action: str, sent: Sequence[str], changed: Event, time: str) -> None:
        """Note an executed write.

        :param request: ``event_id``, ``client_token`` and ``request_id``: what every row starts with.
        :param action: the name of the operation.
        :param sent: the members sent.
        :param changed: before and after of each member that differs.
        :param time: when it happened.
        """
        row = {**request, "fields": list(sent), "changed": changed, "time": time}
        self.writes.append({"action": action, **row})
        if action == "PatchEvent":
            self.updates.append(row)

    def record_meeting(self, request: Event, conference_id: str) -> None:
        """Note a video meeting created."""
        self.meetings.append({**request, "conference_id": conference_id})

    def record_notifications(self, request: Event, kinds: Sequence[str], recipients: int) -> None:
        """Note notifications, if there is anybody to get them."""
        self.notifications += [{**request, "kind": kind, "recipients": recipients} for kind in kinds if recipients]

    def as_dict(self) -> dict[str, Any]:
        """Return a copy of all of it, ready for JSON."""
        rows = {name: deepcopy(getattr(self, name)) for name in ("updates", "writes", "meetings", "notifications")}
        return {**rows, "calls": dict(self.calls), "tokens_issued": self.tokens_issued}


def member_differences(before: Event, after: Event) -> dict[str, list[Any]]:
    """Return before and after of each member that differs, but for the update time, which always does."""
    names = [name for name in {**before, **after} if name != "updateTime"]
    pairs = {name: [before.get(name), after.get(name)] for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
