"""A patch of an event, and a new event: what may be said, in which types, within which limits.

Absent, a value, and explicitly empty are three different things: the request has exactly the keys given (a patch also
``id``). ``None`` means absent.

PatchEvent's page is ``modify-event``, CreateEvent's is ``create-event`` (help.dingtalk.io).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, field_validator

from airflow_dingtalk_calendar import reading
from airflow_dingtalk_calendar.body import Caution, EventFields
from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.fields import Id, Text
from airflow_dingtalk_calendar.parts import Attendee, EventConfig, EventTime

ENDS_WHERE_IT_STARTS = Caution(
    lambda event: event.start and event.end and event.start.date and event.start.date == event.end.date,
    ".end.date",
    "by CreateEvent's page the end of an all-day event is exclusive, the day after the last",
)


class EventPatch(EventFields):
    """What shall change in an event. Build it with :meth:`parse`, or from keyword arguments.

    :param online_meeting: True asks for a video meeting, False for nothing.
    :param notify_push: False sends no push notification about this change.
    :param notify_chat: False sends no chat card about this change.

    All other fields are the API's, in Python's spelling.
    """

    id: Id | None = None

    _NAME = "patch"
    _CAUTIONS = (
        Caution(
            lambda patch: patch.attendees,
            ".attendees",
            "whether a list replaces the attendees or adds to them is not documented; "
            "adding and removing have calls of their own",
        ),
        Caution(
            lambda patch: patch.end and patch.recurrence and patch.recurrence.range.number_of_occurrences,
            ".end",
            "the page of PatchEvent forbids it beside numberOfOccurrences, DingTalk's own tutorial sends both",
        ),
        ENDS_WHERE_IT_STARTS,
        Caution(
            lambda patch: (patch.start is None) != (patch.end is None),
            "",
            "only one end of the event is given; whether DingTalk then keeps the other end is not documented",
        ),
        Caution(
            lambda patch: patch.is_all_day is not None and not (patch.start and patch.end),
            ".isAllDay",
            "an event that becomes all-day, or stops being so, needs start and end as well",
        ),
    )

    @classmethod
    def parse(
        cls,
        patch: Mapping[str, Any] | str,
        *,
        timezone: str | None = None,
        clear: Collection[str] | None = None,
        unchecked_fields: Mapping[str, Any] | str | None = None,
    ) -> Self:
        """Read a patch and check it, all of it.

        :param patch: mapping (snake_case or camelCase), or the JSON text of one.
        :param timezone: IANA zone for times that have none of their own.
        :param clear: fields to be emptied when the patch has no value for them; every other text that is
            blank, or the word None, is refused. For patches that templates made. None: a blank is meant.
        :param unchecked_fields: passed through as they are, for fields that DingTalk adds after this release.
        :raises InvalidPatchError: with all problems; it shows field paths, never values.
        """
        data = reading.normalize_value(reading.parse_mapping(patch, cls._NAME), (cls._NAME,))
        problems: list[Problem] = []
        if clear is not None:
            data, problems = reading.apply_clear(data, _split_names(clear), cls._NAME)
        model = cls._parse_data(data, problems, timezone, unchecked_fields)
        if model.model_fields_set <= {"id", "online_meeting"} and not (model.online_meeting or model._unchecked):
            raise InvalidPatchError(("patch", "names nothing to change"))
        return model

    def to_body(self, event_id: str) -> dict[str, Any]:
        """Write the request body: exactly the fields given, plus the event's id.

        :param event_id: the ``id`` of the event to change.
        :raises InvalidPatchError: when the patch has an ``id`` of its own that is another event's.
        """
        if self.id not in (None, event_id):
            raise InvalidPatchError(("patch.id", "is another event's id than event_id; leave it out"))
        return {**self._to_json(), "id": event_id}


class NewEvent(EventFields):
    """An event to be created. Build it with :meth:`parse`.

    Its fields are those of :class:`EventPatch` without ``id``, and ``event_config``; ``summary`` and ``start`` are
    required. People are named by unionId: CreateEvent takes no mail addresses.
    """

    summary: Annotated[Text, Field(max_length=2048)]
    start: EventTime
    event_config: EventConfig | None = None

    _NAME = "event"
    _CAUTIONS = (ENDS_WHERE_IT_STARTS,)

    @field_validator("attendees")
    @classmethod
    def _by_union_id(cls, value: list[Attendee] | None) -> list[Attendee] | None:
        if any(one.email for one in value or ()):
            raise ValueError("names somebody by email; creating an event takes unionIds only")
        return value

    @classmethod
    def parse(
        cls,
        event: Mapping[str, Any] | str,
        *,
        timezone: str | None = None,
        unchecked_fields: Mapping[str, Any] | str | None = None,
    ) -> Self:
        """Read a new event and check it, all of it; a text that is blank, or the word None, is refused.

        :param event: mapping (snake_case or camelCase), or the JSON text of one.
        :param timezone: IANA zone for times that have none of their own.
        :param unchecked_fields: passed through as they are, for fields that DingTalk adds after this release.
        :raises InvalidPatchError: with all problems; it shows field paths, never values.
        """
        data = reading.normalize_value(reading.parse_mapping(event, cls._NAME), (cls._NAME,))
        blanks = [Problem(reading.format_path(loc), BLANK_TEXT) for loc in reading.find_blanks(data, (cls._NAME,))]
        return cls._parse_data(data, blanks, timezone, unchecked_fields)

    def to_body(self) -> dict[str, Any]:
        """Write the request body: exactly the fields given."""
        return self._to_json()


class WantedFields(EventFields):
    """Values that somebody waits for an event to have. Build it with :meth:`parse`."""

    _NAME = "fields"
    _CAUTIONS = ()

    @classmethod
    def parse(cls, fields: Mapping[str, Any] | str, *, timezone: str | None = None) -> Self:
        """Read values as those of a patch; a text that is blank, or the word None, is refused.

        :param fields: mapping (snake_case or camelCase), or the JSON text of one.
        :param timezone: IANA zone for times that have none of their own.
        :raises InvalidPatchError: with all problems; it shows field paths, never values.
        """
        data = reading.normalize_value(reading.parse_mapping(fields, cls._NAME), (cls._NAME,))
        blanks = [Problem(reading.format_path(loc), BLANK_TEXT) for loc in reading.find_blanks(data, (cls._NAME,))]
        model = cls._parse_data(data, blanks, timezone, None)
        if not model.to_body():
            raise InvalidPatchError((cls._NAME, "names nothing to wait for"))
        return model

    def to_body(self) -> dict[str, Any]:
        """Write the values as a request would have them."""
        return self._to_json()


BLANK_TEXT = "is blank, or the word None; leave it out, or give it a value"


def _split_names(clear: Collection[str]) -> list[str]:
    given = clear.split(",") if isinstance(clear, str) else clear
    return [name.strip() for name in given if name.strip()]
