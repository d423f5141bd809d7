"""Rows that give an event another meeting room, so that no failure leaves it without one."""

from __future__ import annotations

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.meeting_rooms import MAX_ROOMS
from airflow_dingtalk_calendar.edits.base import refuse_instance
from airflow_dingtalk_calendar.edits.combine import quiet as quieten
from airflow_dingtalk_calendar.edits.text import relocate
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import Body, Json, get_member, mappings_in, text_or_empty
from airflow_dingtalk_calendar.plans.actions.rooms import booked_rooms
from airflow_dingtalk_calendar.plans.event_rows import join_rows, write_event_row


def swap_room(
    event: Body,
    new_room_id: str,
    *,
    old_room_id: str | None = None,
    location: str | None = None,
    quiet: bool = False,
    guard: bool = True,
    allow_instance: bool = False,
) -> list[Json]:
    """Write the rows that book another room for an event, release the old one, and then change the place's text.

    They are one group, which stops at the first row that is not done: while the new room is not booked, the old one
    stays. If DingTalk lets somebody approve bookings of the new room, it is not surely the event's when the old one is
    released; DingTalk's documentation does not say how such a booking is answered (UNVERIFIED).

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param new_room_id: a ``roomId`` of ``hook.list_meeting_rooms``; the service refuses a room that is taken.
    :param old_room_id: the room to release. None: the one that the event has; none is released where it has none.
    :param location: text of the place from then on; a room's booking does not change it. None: it stays.
    :param quiet: let the change of the text send no push message and no chat card. The calls about rooms know no
        such switch.
    :param guard: as of :func:`~airflow_dingtalk_calendar.plans.rows_for`, for the first row.
    :return: rows of a plan; none when the event has the room and the text already.
    :raises InvalidInputError: when it is not clear which room to release, or the event has as many as it can have.
    """
    refuse_instance(event, allow_instance)
    new, booked = api.check_id("new_room_id", new_room_id), booked_rooms(event)
    old = _room_to_release(old_room_id, booked - {new})
    if new not in booked and len(booked) >= MAX_ROOMS:
        text = f"cannot be booked before another room is released: the event has {MAX_ROOMS}, the most DingTalk allows"
        raise InvalidInputError(("new_room_id", text))
    changes: list[Json] = [{"action": "add_rooms", "room_ids": [new]}] if new not in booked else []
    changes += [{"action": "remove_rooms", "room_ids": [old]}] if old else []
    patch = None if location is None else relocate(event, location, allow_instance=allow_instance)
    changes += [{"action": "patch", "patch": quieten(patch) if quiet else patch}] if patch else []
    if changes and location is None and (name := _named_room(event, old)):
        changes[0]["notes"] = [f"location still names the old room, {name}: give location"]
    # Only the first row is guarded: each row changes the event's updateTime for the next one.
    rows = [write_event_row(event, guard and not number, **one) for number, one in enumerate(changes)]
    return join_rows(f"swap-room {event['id']}", rows)


def _room_to_release(given: str | None, others: set[str]) -> str | None:
    if given is not None:
        old = api.check_id("old_room_id", given)
        if old not in others:
            raise InvalidInputError(("old_room_id", "is not one of the event's other rooms"))
        return old
    if len(others) > 1:
        raise InvalidInputError(("old_room_id", "is needed, because the event has several rooms"))
    return next(iter(others), None)


def _named_room(event: Body, room_id: str | None) -> str:
    """Return the name of a room where the text of the place has it."""
    names = (one.get("displayName") for one in mappings_in(event.get("meetingRooms")) if one.get("roomId") == room_id)
    place = text_or_empty(get_member(event, "location", "displayName"))
    return next((name for name in names if isinstance(name, str) and name and name in place), "")
