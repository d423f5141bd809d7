"""The nested objects of a patch, each with its own rules.

Names, types and limits are those of the official page of PatchEvent; ``Category`` and ``CardInstance`` are the
official SDK's (``PatchEventRequest``). Each takes the short form that people write: text for a location,
a unionId for an attendee, minutes for a reminder.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.types import MAX_INTEGER, AsInteger, Choice, Flag, Id, Switch, Text


class Component(BaseModel):
    """Base of all parts: the API's camelCase names, snake_case in Python, and no unknown field."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", hide_input_in_errors=True
    )


NO_ZONE_TEXT = "needs a time zone: give timeZone, or the timezone argument"


class EventTime(Component):
    """One end of an event: ``date`` alone for all-day, else ``dateTime`` with ``timeZone``."""

    date: datetimes.Day | None = None
    time_zone: datetimes.Zone | None = None
    # After time_zone, which its validator needs: pydantic checks fields in the order of the class.
    date_time: Any = None

    @field_validator("date_time")
    @classmethod
    def _in_its_zone(cls, value: Any, info: ValidationInfo) -> Any:
        zone = info.data.get("time_zone")
        return datetimes.format_event_time(value, zone) if zone else datetimes.parse_datetime(value)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if self.date and (self.date_time or self.time_zone):
            raise ValueError("an all-day event has date only, any other has dateTime and timeZone only")
        if not self.date and not self.date_time:
            raise ValueError("needs date (all-day), or dateTime with timeZone")
        if not self.date and not self.time_zone:
            raise ValueError(NO_ZONE_TEXT)
        return self

    @property
    def all_day(self) -> bool:
        """Whether this is a day rather than a point in time."""
        return self.date is not None

    def is_after(self, text: str) -> bool:
        """Whether this is after a moment; a day, whether it is after the day as which the moment is written."""
        if self.date is not None:
            return self.date > text[:10]
        return datetimes.parse_wire_datetime(self.date_time) > datetimes.parse_wire_datetime(text)


class Attendee(Component):
    """A person to be invited, by unionId or by email address."""

    id: Id | None = None
    email: Id | None = None
    is_optional: Flag | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        is_mail = isinstance(value, str) and "@" in value  # no unionId has one
        return {"email" if is_mail else "id": value} if isinstance(value, (str, int)) else value

    @model_validator(mode="after")
    def _someone(self) -> Self:
        if not self.id and not self.email:
            raise ValueError("needs id (a unionId) or email")
        return self


class Location(Component):
    """Free text; it books no meeting room."""

    display_name: Text

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"displayName": value} if isinstance(value, (str, int)) else value


class Extra(Component):
    """Switches of the update itself; ``"true"`` keeps quiet."""

    no_push_notification: Switch | None = None
    no_chat_notification: Switch | None = None


class Reminder(Component):
    """A reminder, some minutes before the start."""

    method: Annotated[Literal["dingtalk"], Choice] | None = None
    minutes: Annotated[int, Field(ge=0, le=MAX_INTEGER), AsInteger]

    @model_validator(mode="before")
    @classmethod
    def _from_minutes(cls, value: Any) -> Any:
        return {"method": "dingtalk", "minutes": value} if isinstance(value, (str, int, float)) else value


class OnlineMeetingInfo(Component):
    """A video meeting: passing it makes a new one each time (official page)."""

    type: Annotated[Literal["dingtalk"], Choice]


class RichTextDescription(Component):
    """The description as HTML."""

    text: Text

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"text": value} if isinstance(value, (str, int)) else value


class UiConfig(Component):
    """Whether a component of the event's page shows; DingTalk adds names, so they are not listed here."""

    ui_name: Id
    ui_status: Annotated[Literal["hide", "disable", "enable"], Choice]


class EventConfig(Component):
    """What attendees may do with a new event (official SDK, ``CreateEventRequest``)."""

    allow_attendee_add_conference: Flag | None = None
    allow_attendee_add_participants: Flag | None = None
    allow_attendee_create_comment: Flag | None = None


class Category(Component):
    """A label (official SDK)."""

    category_id: Id
    display_name: Text | None = None


class CardInstance(Component):
    """An interactive card (official SDK)."""

    out_track_id: Id
    scenario: Text | None = None
