"""A new event: what CreateEvent takes (page ``create-event``, help.dingtalk.io)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from airflow_dingtalk_calendar.models.clearing import refuse_blanks
from airflow_dingtalk_calendar.models.components import Attendee, EventConfig, EventTime
from airflow_dingtalk_calendar.models.event import ENDS_WHERE_IT_STARTS, SERIES_CAUTIONS, EventFields
from airflow_dingtalk_calendar.models.normalize import normalize_mapping
from airflow_dingtalk_calendar.models.types import AsText


class NewEvent(EventFields):
    """An event to be created. Build it with :meth:`parse`.

    Its fields are those of :class:`~airflow_dingtalk_calendar.models.EventPatch` without ``id``, and
    ``event_config``; ``summary`` and ``start`` are required. People are named by unionId: CreateEvent takes no mail
    addresses.
    """

    summary: Annotated[str, Field(max_length=2048), AsText]
    start: EventTime
    event_config: EventConfig | None = None

    _NAME = "event"
    _CAUTIONS = (ENDS_WHERE_IT_STARTS, *SERIES_CAUTIONS)

    @field_validator("attendees")
    @classmethod
    def _by_union_id(cls, value: list[Attendee] | None) -> list[Attendee] | None:
        if any(one.email for one in value or ()):
            raise ValueError("contains an email address; creating an event accepts unionIds only")
        return value

    @model_validator(mode="after")
    def _all_day_by_its_start(self) -> Self:
        if self.is_all_day is None and self.start.all_day:
            self.is_all_day = True
        return self

    @classmethod
    def parse(
        cls,
        event: Mapping[str, Any] | str,
        *,
        timezone: str | None = None,
        unchecked_fields: Mapping[str, Any] | str | None = None,
    ) -> Self:
        """Read a new event and check it, all of it; a text that is blank, or the word None, is refused.

        Shared parameters: see :meth:`~airflow_dingtalk_calendar.models.EventPatch.parse`.

        :param event: mapping (snake_case or camelCase), or the JSON text of one.
        :raises InvalidPatchError: with all problems; it shows field paths, never values.
        """
        data, problems = normalize_mapping(event, cls._NAME)
        data, blanks = refuse_blanks(data, cls._NAME, required=("summary", "start"))
        return cls._parse_data(data, [*problems, *blanks], timezone, unchecked_fields)

    def to_body(self) -> dict[str, Any]:
        """Write the request body: exactly the fields given."""
        return self._to_json()
