"""The actions ``create`` and ``delete`` (DingTalk's CreateEvent and DeleteEvent)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.edits.combine import is_quiet
from airflow_dingtalk_calendar.exceptions import read_all
from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.arguments import flag_arguments, given_flag_arguments
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.json_values import Body, Json
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, hash_members, invited_people, require_member
from airflow_dingtalk_calendar.plans.actions.rooms import booked_rooms
from airflow_dingtalk_calendar.plans.diff import diff_lines

# Fields that CreateEvent's and GetEvent's answers are documented to have; others may appear later by themselves.
SURE_FIELDS = ("summary", "description", "start", "end", "isAllDay", "recurrence", "location")


@dataclass(frozen=True, slots=True)
class CreateChange(Change):
    """An event to be created.

    :ivar body: the request's body.
    """

    body: Mapping[str, Any] = field(repr=False)
    cautions: tuple[str, ...] = ()

    action = "create"
    members = ("event", "unchecked_fields", "timezone", "name")
    required = ("event",)
    creates = True
    kind = "created"

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read a new event."""
        event = NewEvent.parse(
            require_member(given, "event"),
            timezone=given.get("timezone"),
            unchecked_fields=given.get("unchecked_fields"),
        )
        return cls(event.to_body(), event.cautions)

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that creates the event.

        When its outcome is unknown it is not sent again at once: a retry of the task checks first.
        """
        call = api.create_event(target.union_id, self.body, calendar_id=target.calendar_id)
        return [replace(call, repeatable=False)]

    @property
    def fields(self) -> list[str]:
        """Names of the fields that the event is given."""
        return list(self.body)

    def describe(self, event: Body | None) -> list[str] | None:
        """Say field by field what the event is given."""
        return ["a new event", *diff_lines(self.body, {})]

    def cautions_about(self, event: Body | None) -> tuple[str, ...]:
        """Name what is allowed although DingTalk's own material leaves its effect open."""
        return self.cautions

    def not_applied(self, event: Body) -> list[str]:
        """Name the fields that the new event does not have."""
        return comparison.not_applied(self.body, event)

    @property
    def needs_before(self) -> bool:
        """Whether undoing it takes what the event was before: there was none."""
        return False

    def left_in(self, event: Body) -> dict[str, str]:
        """Return fingerprints of what a deletion would take away."""
        return DeleteChange().touched(event)

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Delete the event, as quietly as it was created."""
        quiet = {"push_notification": False} if is_quiet(self.body) else {}
        return [{"action": "delete", "if_fields": dict(left), **quiet}]

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name what a deletion does not take back."""
        return ["the link of a video meeting"] if "onlineMeetingInfo" in self.body else []

    def notified_people(self, event: Body | None) -> set[str] | None:
        """Name those who are invited."""
        return set() if is_quiet(self.body) else invited_people(self.body)


@dataclass(frozen=True, slots=True)
class DeleteChange(Change):
    """An event to be cancelled, or left.

    :ivar push_notification: None leaves it to DingTalk.
    :ivar fail_if_missing: whether an event that is not there is an error.
    """

    push_notification: bool | None = None
    fail_if_missing: bool = False

    action = "delete"
    kind = "deleted"
    members = ("push_notification", "fail_if_missing")
    required = ()

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read the switches of a deletion."""
        switches, missing = read_all(
            lambda: given_flag_arguments(push_notification=given.get("push_notification")),
            lambda: flag_arguments(fail_if_missing=given.get("fail_if_missing", False)),
        )
        return cls(**switches, **missing)

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that deletes the event."""
        union_id, calendar_id, event_id = target
        push = self.push_notification
        return [api.delete_event(union_id, event_id, calendar_id=calendar_id, push_notification=push)]

    def describe(self, event: Body | None) -> list[str] | None:
        """Describe what happens to the event."""
        return ["the event is cancelled, or leaves the calendar of an attendee"]

    def is_unchanged(self, event: Body) -> bool:
        """Whether the event is cancelled already."""
        return event.get("status") == "cancelled"

    @property
    def needs_before(self) -> bool:
        """Whether undoing it takes what the event was before: nothing undoes it."""
        return False

    @property
    def needs_attendees(self) -> bool:
        """Whether the event's people matter: who was invited since is somebody's change."""
        return True

    def touched(self, event: Body) -> dict[str, str]:
        """Return fingerprints of what the event is, by the fields that every answer has."""
        fields = {FIELDS.patched[wire].name: FIELDS.patched[wire].fingerprint(event) for wire in SURE_FIELDS}
        people, rooms = sorted(invited_people(event)), sorted(booked_rooms(event))
        return {**fields, "attendees": hash_members(*people), "meeting_rooms": hash_members(*rooms)}

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name the event: it cannot be restored."""
        return ["a deletion: another event could be created, with another id and without answers"]

    def notified_people(self, event: Body | None) -> set[str] | None:
        """Name those whom the event invites: ``push_notification`` holds back what pops up, not the notice."""
        return None if event is None else invited_people(event)
