"""The actions on an event's people: ``add_attendees``, ``remove_attendees`` and ``respond``.

DingTalk's AddAttendee, RemoveAttendee and RespondEvent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import MAX_ATTENDEES
from airflow_dingtalk_calendar.api.call import check_ids
from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import flag_arguments, given_flag_arguments, list_argument
from airflow_dingtalk_calendar.models.json_values import Body, Json, get_member, text_or_empty
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, people_in, require_member

MAX_EVENT_ATTENDEES = 5000  # people that an event may have
MAX_READ_ATTENDEES = 500  # people whom GetEvent returns: of more, nobody can tell who is not invited
OPTIONAL_NAMES = ("is_optional", "isOptional")


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

    def is_unchanged(self, event: Body) -> bool:
        """Whether none of them is invited, as far as DingTalk returned all of them."""
        people = people_in(event)
        there = {one.get("id") for one in people if isinstance(one.get("id"), str)}
        return len(people) < MAX_READ_ATTENDEES and there.isdisjoint(one["id"] for one in self.people)


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
        own = [one for one in people_in(event) if one.get("self") is True]
        return [get_member(one, "responseStatus") for one in own] == [self.response_status]


def parse_people(attendees: Any) -> list[Json]:
    """Read a list of people, nobody twice.

    :raises InvalidInputError: with all problems.
    """
    given = list_argument("attendees", attendees)
    people = read_all(*(partial(_parse_person, f"attendees[{index}]", one) for index, one in enumerate(given)))
    check_ids("attendees", [one["id"] for one in people], MAX_EVENT_ATTENDEES)
    return people


def _parse_person(path: str, value: Any) -> Json:
    """Read a unionId, or an object with one."""
    person = value if isinstance(value, Mapping) else {"id": value}
    given = {name: member for name, member in person.items() if member is not None}
    if not given.keys() <= {"id", *OPTIONAL_NAMES}:
        raise InvalidInputError((path, "can have id (a unionId) and is_optional, nothing else"))
    read: Json = {"id": api.check_id(f"{path}.id", given.get("id"))}
    if "@" in read["id"]:
        raise InvalidInputError((f"{path}.id", "is a mail address; here people are named by unionId"))
    if optional := given.keys() & set(OPTIONAL_NAMES):
        flags = flag_arguments(**{f"{path}.{name}": given[name] for name in sorted(optional)})
        read["isOptional"] = all(flags.values())
    return read
