"""Which events of a list are wanted, and which of their fields: what DingTalk itself does not select."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import Json, get_member, mappings_in, text_or_empty

# What GetEvent and the lists answer with ("Query event details", "Query an event list", "Query the calendar view"),
# and, in the official SDK only, the last two.
ANSWER_FIELDS = (
    "id",
    "status",
    "summary",
    "description",
    "richTextDescription",
    "start",
    "end",
    "originStart",
    "isAllDay",
    "recurrence",
    "seriesMasterId",
    "organizer",
    "attendees",
    "location",
    "meetingRooms",
    "onlineMeetingInfo",
    "reminders",
    "uiConfigs",
    "extendedProperties",
    "createTime",
    "updateTime",
    "cardInstances",
    "categories",
)


def parse_answer_fields(name: str, given: Iterable[Any]) -> list[str]:
    """Read names of an event's fields, in snake_case or camelCase.

    :param name: of the argument.
    :raises InvalidInputError: when one is none.
    """
    from pydantic.alias_generators import to_camel

    found = [to_camel(one) if isinstance(one, str) and "_" in one else one for one in given]
    if not found:
        raise InvalidInputError((name, "must not be empty; leave it out for all fields"))
    if wrong := [f"{name}[{index}]" for index, one in enumerate(found) if one not in ANSWER_FIELDS]:
        known = ", ".join(ANSWER_FIELDS)
        raise InvalidInputError(*((path, f"is no field that DingTalk answers with; known: {known}") for path in wrong))
    return found


def select_fields(event: Json, names: Sequence[str]) -> Json:
    """Return an event with its id and these fields only."""
    return {name: value for name, value in event.items() if name == "id" or name in names}


def has_text(event: Json, part: str) -> bool:
    """Whether a text stands in an event's title, description or place, or in the name of somebody who takes part."""
    return any(part.casefold() in text.casefold() for text in _searched_texts(event))


def _searched_texts(event: Json) -> Iterator[str]:
    yield from (text_or_empty(event.get(name)) for name in ("summary", "description"))
    yield text_or_empty(get_member(event, "location", "displayName"))
    yield text_or_empty(get_member(event, "organizer", "displayName"))
    yield from (text_or_empty(room.get("displayName")) for room in mappings_in(event.get("meetingRooms")))
    yield from (text_or_empty(person.get("displayName")) for person in mappings_in(event.get("attendees")))
