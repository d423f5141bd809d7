"""Lists of people: how a row writes them, and how additions and removals are found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import MAX_ATTENDEES
from airflow_dingtalk_calendar.api.call import check_ids
from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import flag_arguments, list_argument
from airflow_dingtalk_calendar.models.json_values import Body, Json, get_member, mappings_in, text_or_empty
from airflow_dingtalk_calendar.plans.actions.base import hash_members, people_in

MAX_EVENT_ATTENDEES = 5000  # people that an event may have
MAX_READ_ATTENDEES = 500  # people whom GetEvent returns: of more, it is unknown who is not invited
CUT_TEXT = "people of an event with 500 or more, since GetEvent returns 500 and the others are unknown"
EMAIL_TEXT = "people invited by email address, whom no call can remove by it"
OPTIONAL_NAMES = ("is_optional", "isOptional")


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
        raise InvalidInputError((f"{path}.id", "is an email address; people are given by unionId here"))
    if optional := given.keys() & set(OPTIONAL_NAMES):
        flags = flag_arguments(**{f"{path}.{name}": given[name] for name in sorted(optional)})
        read["isOptional"] = all(flags.values())
    return read


def keep_people(event: Body) -> list[Json]:
    """Return who is invited, without names and answers: what inviting them again takes."""
    return [
        {name: one[name] for name in ("id", "isOptional") if get_member(one, name) is not None}
        for one in people_in(event)
    ]


def is_cut(event: Body) -> bool:
    """Whether an event may have more people than were read."""
    return event.get("attendeesOmitted") is True or len(people_in(event)) >= MAX_READ_ATTENDEES


def invited_before(event: Body) -> set[str]:
    """Name those whom an event invites, the organizer among them."""
    return {text_or_empty(one.get("id")) for one in people_in(event)}


def hash_people(people: Iterable[Body], named: Collection[str]) -> str:
    """Return a fingerprint of some people in a list, and whether their attendance is optional."""
    there = [(text_or_empty(one.get("id")), bool(one.get("isOptional"))) for one in people]
    return hash_members(*sorted(one for one in there if one[0] in named))


def remove_rows(invited: Sequence[Body], before: Collection[str]) -> list[Json]:
    """Make rows that take away those who were not there before, 500 in each, as they were invited."""
    new = [one for one in invited if one.get("id") and one["id"] not in before]
    return [
        {
            "action": "remove_attendees",
            "attendees": [one["id"] for one in part],
            "if_fields": {"attendees": hash_people(part, {one["id"] for one in part})},
        }
        for part in api.split_batches(new, MAX_ATTENDEES)
    ]


def add_rows(removed: Sequence[str], before: Body) -> list[Json]:
    """Make rows that invite again those who were there before, 500 in each, as long as they are not."""
    there = {text_or_empty(one.get("id")): bool(one.get("isOptional")) for one in people_in(before)}
    gone = [{"id": one, "isOptional": there[one]} for one in removed if one in there]
    return [
        # The fingerprint of nobody: if somebody has invited one of them since, the row is skipped.
        {"action": "add_attendees", "attendees": part, "if_fields": {"attendees": hash_people([], ())}}
        for part in api.split_batches(gone, MAX_ATTENDEES)
    ]


def optional_rows(invited: Sequence[Body], before: Body) -> list[Json]:
    """Make rows that make attendance optional again, or required, as it was for those who were there before."""
    there = {text_or_empty(one.get("id")): bool(one.get("isOptional")) for one in people_in(before)}
    turned = [
        one
        for one in invited
        if "isOptional" in one and there.get(one.get("id", ""), one["isOptional"]) != one["isOptional"]
    ]
    return [
        {
            "action": "add_attendees",
            "attendees": [{"id": one["id"], "isOptional": there[one["id"]]} for one in part],
            "if_fields": {"attendees": hash_people(part, {one["id"] for one in part})},
        }
        for part in api.split_batches(turned, MAX_ATTENDEES)
    ]


def restore_added(invited: Sequence[Body], before: Body) -> list[Json]:
    """Make rows that undo an invitation."""
    return [*remove_rows(invited, invited_before(before)), *optional_rows(invited, before)]


def restore_people(wanted: Any, before: Body) -> list[Json]:
    """Make rows that undo what a patch made of an event's list of people."""
    named = mappings_in(wanted)
    stayed, organizer = {one.get("id") for one in named}, text_or_empty((before.get("organizer") or {}).get("id"))
    # Not the organizer, who is in the list without having been invited.
    gone = [name for name in sorted(invited_before(before)) if name and name not in stayed and name != organizer]
    return [] if is_cut(before) else [*restore_added(named, before), *add_rows(gone, before)]
