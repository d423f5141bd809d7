"""The action ``respond``: an invitation is answered (DingTalk's RespondEvent)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import RESPONSE_STATUSES
from airflow_dingtalk_calendar.models.json_values import Body, Json, get_member
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, hash_members, people_in, require_member


@dataclass(frozen=True, slots=True)
class RespondChange(Change):
    """An answer to an invitation, of the person in the target."""

    response_status: str

    action = "respond"
    members = ("response_status",)
    required = ("response_status",)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read an answer."""
        status = require_member(given, "response_status")
        return cls(status.strip() if isinstance(status, str) else status)

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that answers."""
        union_id, calendar_id, event_id = target
        status: Any = self.response_status
        return [api.respond_event(union_id, event_id, status, calendar_id=calendar_id)]

    @property
    def fields(self) -> list[str]:
        """The one member that changes."""
        return ["responseStatus"]

    @property
    def needs_attendees(self) -> bool:
        """Whether the event's people matter: the person who answers is one of them."""
        return True

    def describe(self, event: Body | None) -> list[str] | None:
        """Say what is answered."""
        return [f"response: -> {self.response_status}"]

    def is_unchanged(self, event: Body) -> bool:
        """Whether this is the person's answer already; the one whose calendar was read is marked as ``self``."""
        return _own_answers(event) == [self.response_status]

    def keep_before(self, event: Body) -> Body:
        """Return the person in the event."""
        return {"attendees": [one for one in people_in(event) if one.get("self") is True]}

    def touched(self, event: Body) -> dict[str, str]:
        """Return a fingerprint of the person's answer."""
        return {"responses": hash_members(*_own_answers(event))}

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Give the answer that the person had given before."""
        guard = {"responses": hash_members(self.response_status)}
        return [
            {"action": self.action, "response_status": answer, "if_fields": guard}
            for answer in _own_answers(before)
            if answer in RESPONSE_STATUSES
        ]


def _own_answers(event: Body) -> list[Any]:
    own = [one for one in people_in(event) if one.get("self") is True]
    return [get_member(one, "responseStatus") for one in own]
