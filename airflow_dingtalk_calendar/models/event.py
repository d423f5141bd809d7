"""What the body of a patch and that of a new event have in common: fields, limits, and how they are read.

Field names, types and limits are those of the official page of PatchEvent (help.dingtalk.io, ``modify-event``;
the Chinese page is the same); limits of ``summary`` and ``description`` are from CreateEvent's page, and
``cardInstances``, ``categories`` and ``freeBusyStatus`` from the official SDK (``PatchEventRequest``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar, NamedTuple, Self

from pydantic import (
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.components import (
    NO_ZONE_TEXT,
    Attendee,
    CardInstance,
    Category,
    Component,
    EventTime,
    Extra,
    Location,
    OnlineMeetingInfo,
    Reminder,
    RichTextDescription,
    UiConfig,
)
from airflow_dingtalk_calendar.models.json_values import find_pair
from airflow_dingtalk_calendar.models.normalize import normalize_times
from airflow_dingtalk_calendar.models.recurrence import Recurrence, fits_pattern, may_lack_day
from airflow_dingtalk_calendar.models.rrule import from_rrule
from airflow_dingtalk_calendar.models.types import AsText, Flag, Members, Text, parse_switch, refuse_set
from airflow_dingtalk_calendar.models.unchecked_fields import find_clashes, merge_members, parse_unchecked
from airflow_dingtalk_calendar.models.validation_errors import describe_errors, drop_consequences, limit_problems
from airflow_dingtalk_calendar.models.zones import parse_zone

# Conveniences that say "send it" for switches that say "do not send it".
NOTIFY_SWITCHES = {"notify_push": "no_push_notification", "notify_chat": "no_chat_notification"}


class Caution(NamedTuple):
    """What is allowed although DingTalk's own material leaves its effect open."""

    applies: Callable[[Any], object]
    path: str
    text: str


ENDS_WHERE_IT_STARTS = Caution(
    lambda event: event.start and event.end and event.start.date and event.start.date == event.end.date,
    ".end.date",
    "by CreateEvent's page the end of an all-day event is exclusive, the day after the last",
)
# What DingTalk does not define about a series; the same in every notation of its rule.
SERIES_CAUTIONS = (
    Caution(
        lambda event: event.recurrence and may_lack_day(event._pattern(), event._start_day()),
        ".recurrence.pattern",
        "some months do not have its day; whether DingTalk skips them or takes their last day is not documented",
    ),
    Caution(
        lambda event: event.recurrence and event.start and not fits_pattern(event._pattern(), event._start_day()),
        ".recurrence",
        "the start is not on a day of the rule; whether DingTalk counts it as an occurrence is not documented",
    ),
    Caution(
        lambda event: (
            event.recurrence
            and event.start
            and event.start.date
            and datetimes.is_day_ambiguous(event.recurrence.range.end_date)
        ),
        ".recurrence.range.endDate",
        "is a moment, which is on another day in other zones, and an all-day series ends on a day; "
        "which zone DingTalk reads it in is not documented: write the day alone",
    ),
)


class EventFields(Component):
    """What a patch and a new event have in common."""

    _NAME: ClassVar[str]  # of the input, with which the paths of its problems begin
    _CAUTIONS: ClassVar[tuple[Caution, ...]]

    # The order is that of validation: each field is checked against those above it.
    summary: Annotated[str, Field(max_length=2048), AsText] | None = None
    description: Annotated[str, Field(max_length=5000), AsText] | None = None
    is_all_day: Flag | None = None
    start: EventTime | None = None
    end: EventTime | None = None
    recurrence: Recurrence | None = None
    attendees: Annotated[list[Attendee], Field(min_length=1, max_length=500), BeforeValidator(refuse_set)] | None = None
    location: Location | None = None
    extra: Extra | None = None
    reminders: Members[Reminder] | None = None
    online_meeting_info: OnlineMeetingInfo | None = None
    rich_text_description: RichTextDescription | None = None
    ui_configs: Members[UiConfig] | None = None
    card_instances: Members[CardInstance] | None = None
    categories: Members[Category] | None = None
    free_busy_status: Text | None = None
    online_meeting: Annotated[Flag | None, Field(exclude=True)] = None
    notify_push: Annotated[Flag | None, Field(exclude=True)] = None
    notify_chat: Annotated[Flag | None, Field(exclude=True)] = None

    @model_validator(mode="before")
    @classmethod
    def _in_one_zone(cls, data: Any, info: ValidationInfo) -> Any:
        return normalize_times(data, (info.context or {}).get("timezone"))

    @field_validator("start", "end")
    @classmethod
    def _fits_the_event(cls, value: EventTime | None, info: ValidationInfo) -> EventTime | None:
        all_day, start = info.data.get("is_all_day"), info.data.get("start")
        if value and all_day is not None and value.all_day != all_day:
            raise ValueError(f"needs {'date' if all_day else 'dateTime'}, because isAllDay is {str(all_day).lower()}")
        if value and start:  # which is there when the end is validated
            _check_span(start, value)
        return value

    @field_validator("recurrence", mode="before")
    @classmethod
    def _from_rrule(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, (str, list)):
            return value
        if "start" not in info.data:
            return None  # what is wrong with the start is said there
        start, zone = info.data["start"], (info.context or {}).get("timezone")
        return from_rrule(value, start.model_dump(by_alias=True, exclude_none=True) if start else None, zone)

    @field_validator("recurrence")
    @classmethod
    def _ends_after_it_begins(cls, value: Recurrence | None, info: ValidationInfo) -> Recurrence | None:
        start, last = info.data.get("start"), value.range.end_date if value else None
        if start and last and start.is_after(last):
            raise ValueError("range.endDate is before the start, so that the series would have no occurrence")
        return value

    @field_validator("attendees")
    @classmethod
    def _each_once(cls, value: list[Attendee] | None) -> list[Attendee] | None:
        people = [
            (index, name.lower()) for index, one in enumerate(value or ()) for name in (one.id, one.email) if name
        ]
        if pair := find_pair(name for _, name in people):
            first, second = (people[place][0] for place in pair)
            raise ValueError(f"names somebody twice: [{first}] and [{second}]")
        return value

    @field_validator("online_meeting")
    @classmethod
    def _one_way_to_ask(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        if value is not None and info.data.get("online_meeting_info"):
            raise ValueError("is another way to write onlineMeetingInfo: give one of them")
        return value

    @field_validator("notify_push", "notify_chat")
    @classmethod
    def _one_way_to_keep_quiet(cls, value: bool | None, info: ValidationInfo) -> bool | None:
        extra = info.data.get("extra")
        if value is not None and extra and getattr(extra, NOTIFY_SWITCHES[str(info.field_name)]) is not None:
            raise ValueError("is another way to write extra: give one of them")
        return value

    @classmethod
    def _parse_data(
        cls,
        data: dict[str, Any],
        problems: Iterable[Problem],
        timezone: str | None,
        unchecked_fields: Mapping[str, Any] | str | None,
    ) -> Self:
        """Check data that has been tidied, all of it.

        :param problems: what was wrong already.
        """
        timezone, zone_problems = _read_timezone(timezone)
        unchecked, refused = parse_unchecked(unchecked_fields)
        known = [*zone_problems, *problems]
        model, wrong = cls._validated(data, timezone)
        if unchecked:
            refused += find_clashes(model._to_json() if model else data, unchecked, "unchecked_fields")
        if model is None or known or refused:
            found = [*known, *cls._drop_consequences(wrong, known), *refused]
            raise InvalidPatchError(*limit_problems(list(dict.fromkeys(found)), cls._NAME))
        if unchecked:
            model.__pydantic_private__ = {"unchecked": unchecked}
        return model

    @classmethod
    def _drop_consequences(cls, wrong: list[Problem], known: list[Problem]) -> list[Problem]:
        wrong = drop_consequences(wrong, known, cls._NAME)
        if any(_is_about_zone(problem, cls._NAME) for problem in (*known, *wrong)):
            wrong = [one for one in wrong if one.text not in (NO_ZONE_TEXT, datetimes.NO_OFFSET_TEXT)]
        return wrong

    @classmethod
    def _validated(cls, data: dict[str, Any], timezone: str | None) -> tuple[Self | None, list[Problem]]:
        try:
            return cls.model_validate(data, context={"timezone": timezone}), []
        except ValidationError as error:
            return None, describe_errors(error, cls, cls._NAME)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Name what is allowed here although DingTalk's own material leaves its effect open."""
        return tuple(f"{self._NAME}{one.path}: {one.text}" for one in self._CAUTIONS if one.applies(self))

    def _pattern(self) -> dict[str, Any]:
        return self.recurrence.pattern.model_dump(by_alias=True, exclude_none=True) if self.recurrence else {}

    def _start_day(self) -> Any:
        return datetimes.start_day(self.start.model_dump(by_alias=True, exclude_none=True)) if self.start else None

    def _to_json(self) -> dict[str, Any]:
        fields = self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        fields.pop("id", None)
        if self.online_meeting:
            fields["onlineMeetingInfo"] = {"type": "dingtalk"}
        for name, switch in NOTIFY_SWITCHES.items():
            if (send := getattr(self, name)) is not None:
                fields.setdefault("extra", {})[to_camel(switch)] = parse_switch(not send)
        unchecked = self._unchecked
        return merge_members(fields, unchecked) if unchecked else fields

    @property
    def _unchecked(self) -> Mapping[str, Any]:
        """What is passed through as it is, which few patches have.

        In the place of pydantic's private attributes, so that copies have it; but none is declared, because setting it
        up in each instance takes a tenth of what reading a patch does.
        """
        private: Mapping[str, Mapping[str, Any]] = self.__pydantic_private__ or {}
        return private.get("unchecked", {})


def _check_span(start: EventTime, end: EventTime) -> None:
    if start.all_day != end.all_day:
        raise ValueError("must be of start's kind: both date, or both dateTime")
    if start.time_zone != end.time_zone:
        raise ValueError("must have start's timeZone")
    if start.date and end.date and end.date < start.date:
        raise ValueError("is before the start")
    if start.date_time and datetimes.parse_wire_datetime(end.date_time) <= datetimes.parse_wire_datetime(
        start.date_time
    ):
        raise ValueError("must be after the start")


def _is_about_zone(problem: Problem, root: str) -> bool:
    """Return whether a problem is of a zone, or of an end of the event, from which the other end may have its zone."""
    unread = problem.path in (f"{root}.start", f"{root}.end") and problem.text != NO_ZONE_TEXT
    return unread or problem.path in ("timezone", f"{root}.start.timeZone", f"{root}.end.timeZone")


def _read_timezone(timezone: Any) -> tuple[str | None, list[Problem]]:
    try:
        return None if timezone is None else parse_zone(timezone), []
    except ValueError as error:
        return None, [Problem("timezone", str(error))]
