"""What every action has: what it is asked for, checked, and the calls that apply it.

A :class:`Change` says what is to happen, a :class:`Target` to which event. They are apart because the event of a row
may not exist before another row has created it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.field_fingerprints import hash_value, whole_value
from airflow_dingtalk_calendar.models.json_values import Body, Json, mappings_in, text_or_empty

COMMON_MEMBERS = ("action", "union_id", "calendar_id", "group", "notes")
EVENT_MEMBERS = ("event_id", "event", "if_updated_at", "if_fields")  # of actions on an event that exists


class Target(NamedTuple):
    """The event that a change is for; of an event that is to be created, no id."""

    union_id: str
    calendar_id: str
    event_id: str = ""


class Change:
    """What an action is asked to do. Each subclass is one action.

    :cvar action: its name in a row.
    :cvar members: the members of a row that say what is to happen.
    :cvar required: those of them that a row cannot leave out.
    :cvar creates: whether it makes an event, so that its rows have no ``event_id``.
    :cvar kind: what a watcher of the calendar calls it.
    """

    __slots__ = ()
    action: ClassVar[str]
    members: ClassVar[tuple[str, ...]]
    required: ClassVar[tuple[str, ...]]
    creates: ClassVar[bool] = False
    kind: ClassVar[Literal["created", "updated", "deleted"]] = "updated"

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read the members of a row, or the arguments of an operator, which have the same names.

        :param given: beside the members, ``event_id`` and ``timezone``.
        :raises InvalidInputError: with all problems.
        """
        raise NotImplementedError

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the calls that apply it, in their order.

        :param repeat_meeting: whether one that makes a video meeting may be sent twice.
        """
        raise NotImplementedError

    @property
    def call_count(self) -> int:
        """How many metered calls it takes."""
        return 1

    @property
    def fields(self) -> list[str]:
        """Names of what it sends, for the report."""
        return []

    @property
    def makes_meeting(self) -> bool:
        """Whether each sending may make another video meeting."""
        return False

    @property
    def needs_attendees(self) -> bool:
        """Whether its event has to be read with as many attendees as DingTalk returns."""
        return False

    @property
    def changes_when(self) -> bool:
        """Whether it changes when an event takes place."""
        return False

    def moved_event(self, event: Body) -> Body:
        """Return an event as far as it then takes place, and whom it invites."""
        return event

    def describe(self, event: Body | None) -> list[str] | None:
        """Say in lines for a person what changes; None when that takes an event that nobody has read."""
        raise NotImplementedError

    def describe_progress(self, done: int) -> str:
        """Say how far it has come.

        :param done: how many of its calls have succeeded.
        """
        return f"{done} of {self.call_count} calls were completed."

    def token_parts(self, target: Target, call: api.Call[Any]) -> tuple[Any, ...]:
        """Say what makes one of its calls the same request or another one."""
        return (call.action, call.path, dict(call.params), call.json)

    def cautions_about(self, event: Body | None) -> tuple[str, ...]:
        """Name what is allowed although its effect is open, or takes something away from this event."""
        return ()

    def is_unchanged(self, event: Body) -> bool:
        """Whether the event surely is already as the change wants it."""
        return False

    def not_applied(self, event: Body) -> list[str]:
        """Name the fields that an event does not have although they were sent."""
        return []

    def not_shown(self, event: Body) -> list[str]:
        """Name the fields whose values an event does not show."""
        return []

    def count_lost(self, event: Body | None) -> int:
        """Count the occurrences of a series that it takes away."""
        return 0

    @property
    def needs_before(self) -> bool:
        """Whether undoing it takes what the event was before."""
        return True

    def keep_before(self, event: Body) -> Body:
        """Return the part of an event that undoing this takes."""
        return {}

    def touched(self, event: Body) -> dict[str, str]:
        """Return fingerprints of what it changes, as an event has it: if they differ later, somebody changed it."""
        return {}

    def left_in(self, event: Body) -> dict[str, str]:
        """Return fingerprints of what it has left in an event.

        :param event: as DingTalk answered; of an answer that does not have the event, nothing but its id.
        """
        return {}

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Make the rows that undo it, without the event's ids, in the order in which they are to be applied.

        :param before: the event as it was, or the part of it that :meth:`keep_before` returned.
        :param left: what :meth:`left_in` returned; none when nobody knows what DingTalk made of it.
        """
        return []

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name what undoing it cannot take back."""
        return []

    def notified_people(self, event: Body | None) -> set[str] | None:
        """Name whom DingTalk notifies, by unionId or email address; None when that is unknown without the event."""
        return set()


def require_member(given: Mapping[str, Any], name: str) -> Any:
    """Return a member that a row has to have.

    :raises InvalidInputError: when it is not there.
    """
    if name not in given:
        raise InvalidInputError((name, "is absent: give it in the row"))
    return given[name]


def invited_people(event: Body) -> set[str]:
    """Name the people whom an event, as it was read, invites; not the organizer, whose change it is."""
    named = {text_or_empty(one.get("id")) or text_or_empty(one.get("email")) for one in people_in(event)}
    return named - {"", text_or_empty((event.get("organizer") or {}).get("id"))}


def people_in(event: Body) -> list[Body]:
    """Return the attendees of an event that was read."""
    return mappings_in(event.get("attendees"))


def hash_members(*members: Any) -> str:
    """Return a fingerprint of what is not a whole field: some of the people, some of the rooms."""
    return hash_value(whole_value, list(members))
