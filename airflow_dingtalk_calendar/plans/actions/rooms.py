"""The actions ``add_rooms`` and ``remove_rooms`` (DingTalk's AddMeetingRooms and RemoveMeetingRooms)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.models.arguments import list_argument
from airflow_dingtalk_calendar.models.json_values import Body, Json, mappings_in
from airflow_dingtalk_calendar.plans.actions.base import Change, Target, hash_members, require_member


@dataclass(frozen=True, slots=True)
class RoomsChange(Change):
    """Rooms to be booked or released."""

    room_ids: Sequence[str]

    sign: ClassVar[str]
    members = ("room_ids",)
    required = ("room_ids",)

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Self:
        """Read a list of rooms."""
        return cls(list_argument("room_ids", require_member(given, "room_ids")))

    def keep_before(self, event: Body) -> Body:
        """Return the rooms of the event."""
        return {"meetingRooms": [{"roomId": room} for room in sorted(booked_rooms(event))]}

    def touched(self, event: Body) -> dict[str, str]:
        """Return a fingerprint of those of the rooms that are booked."""
        return {"meeting_rooms": hash_members(*sorted(booked_rooms(event) & set(self.room_ids)))}

    @property
    def fields(self) -> list[str]:
        """The one member that changes."""
        return ["meetingRooms"]

    def describe(self, event: Body | None) -> list[str] | None:
        """Say which rooms are booked or released."""
        return [f"meeting rooms: {self.sign} {', '.join(self.room_ids)}"]


@dataclass(frozen=True, slots=True)
class AddRoomsChange(RoomsChange):
    """Rooms to be booked."""

    action = "add_rooms"
    sign = "+"

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that books the rooms."""
        union_id, calendar_id, event_id = target
        return [api.add_meeting_rooms(union_id, event_id, self.room_ids, calendar_id=calendar_id)]

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Release the rooms that were not booked before."""
        new = [room for room in self.room_ids if room not in booked_rooms(before)]
        guard = {"meeting_rooms": hash_members(*sorted(new))}
        return [{"action": "remove_rooms", "room_ids": new, "if_fields": guard}] if new else []

    def is_unchanged(self, event: Body) -> bool:
        """Whether all of them are booked."""
        return booked_rooms(event) >= set(self.room_ids)


@dataclass(frozen=True, slots=True)
class RemoveRoomsChange(RoomsChange):
    """Rooms to be released."""

    action = "remove_rooms"
    sign = "-"

    def make_calls(self, target: Target, *, repeat_meeting: bool = False) -> list[api.Call[Any]]:
        """Make the call that releases the rooms."""
        union_id, calendar_id, event_id = target
        return [api.remove_meeting_rooms(union_id, event_id, self.room_ids, calendar_id=calendar_id)]

    def undo_rows(self, before: Body, left: Mapping[str, str]) -> list[Json]:
        """Book the rooms again that were booked before."""
        gone = [room for room in self.room_ids if room in booked_rooms(before)]
        # The fingerprint of none: a room that somebody has booked again since is left alone.
        guard = {"meeting_rooms": hash_members()}
        return [{"action": "add_rooms", "room_ids": gone, "if_fields": guard}] if gone else []

    def lasting_effects(self, event: Body | None) -> list[str]:
        """Name what somebody else may have by then."""
        return ["a room that somebody takes meanwhile"]

    def is_unchanged(self, event: Body) -> bool:
        """Whether none of them is booked."""
        return booked_rooms(event).isdisjoint(self.room_ids)


def booked_rooms(event: Body) -> set[str]:
    """Name the rooms that an event has booked."""
    rooms = (one.get("roomId") for one in mappings_in(event.get("meetingRooms")))
    return {room for room in rooms if isinstance(room, str)}
