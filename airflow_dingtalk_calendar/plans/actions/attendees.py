"""The actions on an event's people: ``add_attendees``, ``remove_attendees`` and ``respond``.

DingTalk's AddAttendee, RemoveAttendee and RespondEvent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import MAX_ATTENDEES
from airflow_dingtalk_calendar.exceptions import read_all
from airflow_dingtalk_calendar.models.arguments import given_flag_arguments
from airflow_dingtalk_calendar.models.json_values import Body, Json, text_or_empty
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, people_in, require_member
from airflow_dingtalk_calendar.plans.actions.people import (
    CUT_TEXT,
    MAX_READ_ATTENDEES,
    add_rows,
    hash_people,
    is_cut,
    keep_people,
    parse_people,
    restore_added,
)


@dataclass(frozen=True, slots=True)
class AttendeesChange(Change):
    """People to be invited or uninvited.

    :ivar people: of each ``{"id": unionId}``, maybe with ``isOptional``.
    :ivar switches: whether a push message or a chat card is sent, as far as it was given.
    """

    people: Sequence[Json] = field(repr=False)
    switches: Mapping[str, Any] = field(default_factory=dict)

    sign: ClassVar[str]
    switch_names: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read a list of people."""
        people, switches = read_all(
            lambda: parse_people(require_member(given, "attendees")),
            lambda: given_flag_arguments(**{name: given.get(name) for name in cls.switch_names}),
        )
        return cls(people, switches)

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make one call for each 500 people."""
        return [self._call_for(target, part) for part in api.split_batches(self.people, MAX_ATTENDEES)]

    def _call_for(self, target: Target, part: Sequence[Json]) -> api.Call[Any]:
        raise NotImplementedError

    @property
    def call_count(self) -> int:
        """One for each 500 people."""
        return -(-len(self.people) // MAX_ATTENDEES)

    @property
    def fields(self) -> list[str]:
        """The one field that changes."""
        return ["attendees"]

    @property
    def needs_attendees(self) -> bool:
        """Whether the event's people matter: they do."""
        return True

    def describe(self, event: Body | None) -> list[str] | None:
        """Say who is invited or uninvited."""
        return [f"attendees: {self.sign} {', '.join(one['id'] for one in self.people)}"]

    def describe_progress(self, done: int) -> str:
        """Say how many of the people are done."""
        return f"{min(done * MAX_ATTENDEES, len(self.people)):,} of {len(self.people):,} people are done."

    def keep_before(self, event: Body) -> Body:
        """Return those of the people who are invited, and whether there are more than GetEvent returns."""
        named = {one["id"] for one in self.people}
        people = [one for one in keep_people(event) if one.get("id") in named]
        return {"attendees": people, "attendeesOmitted": is_cut(event)}

    def touched(self, event: Body) -> dict[str, str]:
        """Return a fingerprint of those of the people who are invited."""
        return {"attendees": hash_people(people_in(event), {one["id"] for one in self.people})}

    def notified_people(self, event: Body | None) -> set[str] | None:
        """Name the people, unless both switches hold back what they would get."""
        quiet = bool(self.switch_names) and all(self.switches.get(name) is False for name in self.switch_names)
        return set() if quiet else {one["id"] for one in self.people}


@dataclass(frozen=True, slots=True)
class AddAttendeesChange(AttendeesChange):
    """People to be invited."""

    action = "add_attendees"
    sign = "+"
    members = ("attendees", "push_notification", "chat_notification")
    required = ("attendees",)
    switch_names = ("push_notification", "chat_notification")

    def _call_for(self, target: Target, part: Sequence[Json]) -> api.Call[Any]:
        union_id, calendar_id, event_id = target
        return api.add_attendees(union_id, event_id, part, calendar_id=calendar_id, **self.switches)

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Take away those who were not invited before; for the others, attendance is optional again, or required."""
        return [] if is_cut(before) else restore_added(self.people, before)

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name the people who cannot be distinguished from those invited before."""
        return [CUT_TEXT] if event is not None and is_cut(event) else []

    def is_unchanged(self, event: Body) -> bool:
        """Whether all of them are invited, as optional or not as they shall be."""
        there = {text_or_empty(one.get("id")): bool(one.get("isOptional")) for one in people_in(event)}
        return all(there.get(one["id"]) is one.get("isOptional", there.get(one["id"])) for one in self.people) and all(
            one["id"] in there for one in self.people
        )


@dataclass(frozen=True, slots=True)
class RemoveAttendeesChange(AttendeesChange):
    """People to be uninvited."""

    action = "remove_attendees"
    sign = "-"
    members = ("attendees",)
    required = ("attendees",)

    def _call_for(self, target: Target, part: Sequence[Json]) -> api.Call[Any]:
        union_id, calendar_id, event_id = target
        return api.remove_attendees(union_id, event_id, [one["id"] for one in part], calendar_id=calendar_id)

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Invite again those who were invited before, as optional or not as they were."""
        return [] if is_cut(before) else add_rows([one["id"] for one in self.people], before)

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name what those lose who are invited again."""
        return ["answers of people who are no longer invited", *([CUT_TEXT] if event and is_cut(event) else [])]

    def is_unchanged(self, event: Body) -> bool:
        """Whether none of them is invited, as far as DingTalk returned all of them."""
        # A full list may be cut: who is not on it may be invited all the same.
        people = people_in(event)
        there = {one.get("id") for one in people if isinstance(one.get("id"), str)}
        return len(people) < MAX_READ_ATTENDEES and there.isdisjoint(one["id"] for one in self.people)
