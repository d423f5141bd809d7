"""The action ``patch``: named fields of an event get other values (DingTalk's PatchEvent)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.edits.combine import is_quiet
from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.event_field import EventField
from airflow_dingtalk_calendar.models.event_patch import EventPatch, specify_loss
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.json_values import Body, Json, mappings_in
from airflow_dingtalk_calendar.models.occurrences import count_lost
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, invited_people, people_in
from airflow_dingtalk_calendar.plans.actions.people import CUT_TEXT, EMAIL_TEXT, is_cut, keep_people, restore_people
from airflow_dingtalk_calendar.plans.diff import diff_lines

TIME_FIELDS = {"start", "end", "isAllDay"}
WHEN_FIELDS = TIME_FIELDS | {"recurrence"}
KIND_MEMBERS = {"organizer", "recurrence"}
# By rows of their own (attendees), or not at all: extra is never returned, and a meeting's link cannot be made again.
NOT_RESTORED = {"attendees", "extra", "onlineMeetingInfo"}
LASTING = {
    "onlineMeetingInfo": "the link of a video meeting",
    "attendees": "answers of people who are no longer invited",
}


@dataclass(frozen=True, slots=True)
class PatchChange(Change):
    """Fields to change.

    :ivar body: the request's body without the event's id; empty where nothing is to change.
    :ivar cautions: what DingTalk's own material leaves open, whatever the event is.
    """

    body: Mapping[str, Any] = field(repr=False)
    cautions: tuple[str, ...] = ()

    action = "patch"
    members = ("patch", "clear", "unchecked_fields", "timezone")
    required = ("patch",)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read a patch; of None, which an edit returns that has nothing to do, nothing."""
        if "patch" not in given:
            raise InvalidPatchError(("patch", "is absent: give it in the row; None changes nothing"))
        if given["patch"] is None and not (given.get("clear") or given.get("unchecked_fields")):
            return cls({})
        patch = EventPatch.parse(
            {} if given["patch"] is None else given["patch"],
            timezone=given.get("timezone"),
            clear=given.get("clear", ()),
            unchecked_fields=given.get("unchecked_fields"),
        )
        event_id = given.get("event_id")
        body = patch.to_body(event_id if isinstance(event_id, str) else "")
        return cls({name: value for name, value in body.items() if name != "id"}, patch.cautions)

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that patches the event; none when there is nothing to change."""
        if not self.body:
            return []
        union_id, calendar_id, event_id = target
        body = {**self.body, "id": event_id}
        return [api.patch_event_body(union_id, event_id, body, calendar_id=calendar_id, repeat_meeting=repeat_meeting)]

    @property
    def call_count(self) -> int:
        """One, or none when there is nothing to change."""
        return 1 if self.body else 0

    @property
    def fields(self) -> list[str]:
        """Names that the request sends."""
        return list(self.body)

    @property
    def makes_meeting(self) -> bool:
        """Whether it asks for a video meeting ("each time it is passed", page of PatchEvent)."""
        return "onlineMeetingInfo" in self.body

    @property
    def needs_attendees(self) -> bool:
        """Whether it sends a list of attendees."""
        return "attendees" in self.body

    @property
    def changes_when(self) -> bool:
        """Whether it sends a time, or a rule."""
        return not WHEN_FIELDS.isdisjoint(self.body)

    def moved_event(self, event: Body) -> Body:
        """Return the event with the new times and the people of both; whether a list replaces them is UNVERIFIED."""
        times = {name: value for name, value in self.body.items() if name in WHEN_FIELDS}
        return {**event, **times, "attendees": [*people_in(event), *mappings_in(self.body.get("attendees"))]}

    def describe(self, event: Body | None) -> list[str] | None:
        """Say field by field what changes."""
        return None if event is None else diff_lines(self.body, event)

    def token_parts(self, target: Target, call: api.Call[Any]) -> tuple[Any, ...]:
        """Say what makes the request the same or another one."""
        return (*target, call.json)

    def cautions_about(self, event: Body | None) -> tuple[str, ...]:
        """Name what is open, and the occurrences of this series that the patch takes away."""
        return specify_loss(self.cautions, self.body, event)

    def is_unchanged(self, event: Body) -> bool:
        """Whether the event surely has all of the values."""
        return comparison.is_unchanged(self.body, event)

    def not_applied(self, event: Body) -> list[str]:
        """Name the fields that the event does not have."""
        return comparison.not_applied(self.body, event)

    def not_shown(self, event: Body) -> list[str]:
        """Name the fields whose values the event does not show."""
        return comparison.not_shown(self.body, event)

    def count_lost(self, event: Body | None) -> int:
        """Count the occurrences before a later start."""
        return count_lost(self.body, event) or 0 if event else 0

    def _restored_fields(self) -> list[EventField]:
        """Name the fields that a patch can restore; start, end and isAllDay are restored together."""
        wires = dict.fromkeys(self.body)
        if TIME_FIELDS & wires.keys():
            wires |= dict.fromkeys(TIME_FIELDS)
        return [FIELDS.patched[wire] for wire in FIELDS.patched if wire in wires and wire not in NOT_RESTORED]

    def keep_before(self, event: Body) -> Body:
        """Return the fields that it changes, and what says which kind of event it is."""
        wires = {field.wire for field in self._restored_fields()}
        people = {"attendees": keep_people(event)} if "attendees" in self.body else {}
        return {name: event[name] for name in event if name in wires or name in KIND_MEMBERS} | people

    def touched(self, event: Body) -> dict[str, str]:
        """Return fingerprints of the fields, as far as the event shows them."""
        return {field.name: field.fingerprint(event) for field in self._restored_fields() if field.is_shown_in(event)}

    def left_in(self, event: Body) -> dict[str, str]:
        """Return fingerprints of the fields; of an answer without the event, of what was sent."""
        if event.keys() - {"id"}:
            return self.touched(event)
        return {
            field.name: field.fingerprint(self.body) for field in self._restored_fields() if field.wire in self.body
        }

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Give back the old values; people are added and removed one by one, so that those of others stay."""
        rows = restore_people(self.body["attendees"], before) if "attendees" in self.body else []
        fields = self._restored_fields()
        patch = {field.wire: value for field in fields if (value := field.writable_value(before)) is not None}
        if any(field.wire == "isAllDay" for field in fields):
            # Even where the answer has left it out: the old start and end are in the form that it stands for.
            patch["isAllDay"] = bool(before.get("isAllDay"))
        clear = [field.wire for field in fields if field.wire not in patch and field.cleared is not None]
        if not (patch or clear):
            return rows
        quiet = {"extra": self.body["extra"]} if self.body.get("extra") else {}
        guard = {field.name: left[field.name] for field in fields if field.name in left}
        row: Json = {"action": "patch", "patch": {**patch, **quiet}, "if_fields": guard}
        return [*rows, {**row, "clear": clear} if clear else row]

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name what no patch can restore."""
        effects = [LASTING[wire] for wire in self.body if wire in LASTING]
        effects += [EMAIL_TEXT] if any(one.get("email") for one in mappings_in(self.body.get("attendees"))) else []
        if event is not None:
            effects += [CUT_TEXT] if self.needs_attendees and is_cut(event) else []
            effects += [
                f"{field.wire}: the event had none, and DingTalk cannot empty it"
                for field in self._restored_fields()
                if field.cleared is None and field.wire != "isAllDay" and field.writable_value(event) is None
            ]
        if self.count_lost(event):
            effects.append("past occurrences of a series, which are dropped")
        return effects

    def notified_people(self, event: Body | None) -> set[str] | None:
        """Name those whom the event invites, before and after; the switches of ``extra`` hold back all but mail."""
        invited = invited_people(self.body)
        if is_quiet(self.body):
            return {one["email"] for one in mappings_in(self.body.get("attendees")) if one.get("email")}
        return None if event is None else invited | invited_people(event)
