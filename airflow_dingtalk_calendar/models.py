"""The patch of an event: what may be said, in which types, within which limits.

Field names, types and limits are those of the official page of PatchEvent (help.dingtalk.io, ``modify-event``;
the Chinese page is the same); limits of ``summary`` and ``description`` are from CreateEvent's page, and
``cardInstances``, ``categories`` and ``freeBusyStatus`` from the official SDK (``PatchEventRequest``).

Absent, a value, and explicitly empty are three different things: the request has exactly the keys given,
plus ``id``. ``None`` means absent.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from airflow_dingtalk_calendar import moments, reading
from airflow_dingtalk_calendar.exceptions import InvalidPatchError, Problem
from airflow_dingtalk_calendar.fields import Flag, Id, Text, as_switch
from airflow_dingtalk_calendar.parts import (
    Attendee,
    CardInstance,
    Category,
    EventTime,
    Extra,
    Location,
    OnlineMeetingInfo,
    Part,
    Recurrence,
    Reminder,
    RichTextDescription,
    UiConfig,
)

Fields = TypeVar("Fields", bound="EventFields")


class EventFields(Part):
    """What a patch and a new event have in common."""

    # The order is that of validation: each field is checked against those above it.
    summary: Annotated[Text, Field(max_length=2048)] | None = None
    description: Annotated[Text, Field(max_length=5000)] | None = None
    is_all_day: Flag | None = None
    start: EventTime | None = None
    end: EventTime | None = None
    recurrence: Recurrence | None = None
    attendees: Annotated[list[Attendee], Field(min_length=1, max_length=500)] | None = None
    location: Location | None = None
    extra: Extra | None = None
    reminders: list[Reminder] | None = None
    online_meeting_info: OnlineMeetingInfo | None = None
    rich_text_description: RichTextDescription | None = None
    ui_configs: list[UiConfig] | None = None
    card_instances: list[CardInstance] | None = None
    categories: list[Category] | None = None
    free_busy_status: Text | None = None
    online_meeting: Annotated[Flag | None, Field(exclude=True)] = None
    notify_push: Annotated[Flag | None, Field(exclude=True)] = None
    notify_chat: Annotated[Flag | None, Field(exclude=True)] = None

    _unchecked: dict[str, Any] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _in_one_zone(cls, data: Any, info: ValidationInfo) -> Any:
        return reading.in_place(data, (info.context or {}).get("timezone"))

    @field_validator("start", "end")
    @classmethod
    def _as_all_day_says(cls, value: EventTime | None, info: ValidationInfo) -> EventTime | None:
        all_day = info.data.get("is_all_day")
        if value and all_day is not None and value.all_day != all_day:
            raise ValueError(f"needs {'date' if all_day else 'dateTime'}, because isAllDay is {str(all_day).lower()}")
        return value

    @field_validator("end")
    @classmethod
    def _after_the_start(cls, end: EventTime | None, info: ValidationInfo) -> EventTime | None:
        start = info.data.get("start")
        if start and end:
            _check_span(start, end)
        return end

    @field_validator("recurrence")
    @classmethod
    def _ends_after_it_begins(cls, value: Recurrence | None, info: ValidationInfo) -> Recurrence | None:
        start, last = info.data.get("start"), value.range.end_date if value else None
        if start and last and last[:10] < (start.date or start.date_time)[:10]:
            raise ValueError("range.endDate is before the start")
        return value

    @field_validator("attendees")
    @classmethod
    def _each_once(cls, value: list[Attendee] | None) -> list[Attendee] | None:
        names = [name.lower() for one in value or () for name in (one.id, one.email) if name]
        if len(set(names)) < len(names):
            raise ValueError("names somebody twice")
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
        if value is not None and extra and getattr(extra, SWITCHES[str(info.field_name)]) is not None:
            raise ValueError("is another way to write extra: give one of them")
        return value

    @classmethod
    def _parsed(
        cls,
        data: dict[str, Any],
        timezone: str | None,
        clear: Collection[str] | None,
        unchecked_fields: Mapping[str, Any] | str | None,
    ) -> Self:
        """Check data that has been tidied, all of it; the problems' paths begin with ``patch``."""
        problems = _zone_problems(timezone)
        if clear is not None:
            data, blanks = reading.clear_fields(data, _names(clear))
            problems += blanks
        model, wrong = _validated(cls, data, None if problems else timezone)
        unchecked, refused = _unchecked(unchecked_fields, data)
        if model is None or problems or refused:
            raise InvalidPatchError(*problems, *wrong, *refused)
        model._unchecked = unchecked
        return model

    def _fields(self) -> dict[str, Any]:
        fields = self.model_dump(by_alias=True, exclude_unset=True, exclude_none=True)
        fields.pop("id", None)
        if self.online_meeting:
            fields["onlineMeetingInfo"] = {"type": "dingtalk"}
        for name, switch in SWITCHES.items():
            if (send := getattr(self, name)) is not None:
                fields.setdefault("extra", {})[to_camel(switch)] = as_switch(not send)
        return {**fields, **copy.deepcopy(self._unchecked)} if self._unchecked else fields


class EventPatch(EventFields):
    """What shall change in an event. Build it with :meth:`parse`, or from keyword arguments.

    :param online_meeting: True asks for a video meeting, False for nothing.
    :param notify_push: False sends no push notification about this change.
    :param notify_chat: False sends no chat card about this change.

    All other fields are the API's, in Python's spelling.
    """

    id: Id | None = None

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
        data = reading.tidy(reading.as_mapping(patch, "patch"))
        model = cls._parsed(data, timezone, clear, unchecked_fields)
        if model.model_fields_set <= {"id", "online_meeting"} and not (model.online_meeting or model._unchecked):
            raise InvalidPatchError(("patch", "names nothing to change"))
        return model

    def to_body(self, event_id: str) -> dict[str, Any]:
        """Write the request body: exactly the fields given, plus the event's id.

        :raises InvalidPatchError: when the patch has an ``id`` of its own that is another event's.
        """
        if self.id not in (None, event_id):
            raise InvalidPatchError(("patch.id", "is another event's id than event_id; leave it out"))
        return {**self._fields(), "id": event_id}

    @property
    def cautions(self) -> tuple[str, ...]:
        """Name what is allowed here although DingTalk's own material leaves its effect open."""
        return tuple(text for applies, text in CAUTIONS if applies(self))


class EventConfig(Part):
    """What attendees may do with an event (official SDK)."""

    allow_attendee_add_conference: Flag | None = None
    allow_attendee_add_participants: Flag | None = None
    allow_attendee_create_comment: Flag | None = None


class NewEvent(EventFields):
    """An event to be created. Build it with :meth:`parse`.

    Its fields are those of :class:`EventPatch` without ``id``, and ``event_config``; ``summary`` and ``start`` are
    required. People are named by unionId: CreateEvent takes no mail addresses.
    """

    summary: Annotated[Text, Field(max_length=2048)]
    start: EventTime
    event_config: EventConfig | None = None

    @field_validator("summary")
    @classmethod
    def _has_a_title(cls, value: str) -> str:
        if value.strip() in ("", "None"):
            raise ValueError(BLANK)
        return value

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
        given = reading.as_mapping(event, "event")
        try:
            return cls._parsed(reading.tidy(given), timezone, (), unchecked_fields)
        except InvalidPatchError as error:
            problems = dict.fromkeys(map(_of_event, error.problems))
        raise InvalidPatchError(*problems)

    def to_body(self) -> dict[str, Any]:
        """Write the request body: exactly the fields given."""
        return self._fields()


BLANK = "is blank, or the word None; leave it out, or give it a value"


def _of_event(problem: Problem) -> Problem:
    """Say of a new event what is said of a patch: there is no ``clear`` for it."""
    path = problem.path.removeprefix("patch")
    placed = f"event{path}" if path != problem.path else path
    text = BLANK if "came out blank" in problem.text else problem.text.replace("the whole patch", "the whole event")
    return Problem(placed, text)


# Conveniences that say "send it" for switches that say "do not send it".
SWITCHES = {"notify_push": "no_push_notification", "notify_chat": "no_chat_notification"}

CAUTIONS: tuple[tuple[Callable[[EventPatch], object], str], ...] = (
    (
        lambda patch: patch.attendees,
        "patch.attendees: whether a list replaces the attendees or adds to them is not documented; "
        "adding and removing have calls of their own",
    ),
    (
        lambda patch: patch.end and patch.recurrence and patch.recurrence.range.number_of_occurrences,
        "patch.end: the page of PatchEvent forbids it beside numberOfOccurrences, DingTalk's own tutorial sends both",
    ),
    (
        lambda patch: patch.start and patch.end and patch.start.date and patch.start.date == patch.end.date,
        "patch.end.date: by CreateEvent's page the end of an all-day event is exclusive, the day after the last",
    ),
    (
        lambda patch: (patch.start is None) != (patch.end is None),
        "patch: only one end of the event is given; whether DingTalk then keeps the other end is not documented",
    ),
    (
        lambda patch: patch.is_all_day is not None and not (patch.start and patch.end),
        "patch.isAllDay: an event that becomes all-day, or stops being so, needs start and end as well",
    ),
)


def _check_span(start: EventTime, end: EventTime) -> None:
    if start.all_day != end.all_day:
        raise ValueError("must be of start's kind: both date, or both dateTime")
    if start.time_zone != end.time_zone:
        raise ValueError("must have start's timeZone")
    if start.date and end.date and end.date < start.date:
        raise ValueError("is before the start")
    if start.date_time and moments.instant(end.date_time) <= moments.instant(start.date_time):
        raise ValueError("must be after the start")


def _validated(model: type[Fields], data: dict[str, Any], timezone: str | None) -> tuple[Fields | None, list[Problem]]:
    try:
        return model.model_validate(data, context={"timezone": timezone}), []
    except ValidationError as error:
        return None, reading.problems_of(error, model)


def _zone_problems(timezone: str | None) -> list[Problem]:
    try:
        if timezone is not None:
            moments.as_zone(timezone)
    except ValueError as error:
        return [Problem("timezone", str(error))]
    return []


def _names(clear: Collection[str]) -> list[str]:
    given = clear.split(",") if isinstance(clear, str) else clear
    return [name.strip() for name in given if name.strip()]


def _unchecked(
    fields: Mapping[str, Any] | str | None, patch: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    given = dict(reading.as_mapping(fields, "unchecked_fields")) if fields is not None else {}
    problems = [
        Problem(f"unchecked_fields.{reading.shown(name)}", "is in the patch as well, or is the event's id")
        for name in given
        if name in patch or name == "id"
    ]
    if not _is_json(given):
        problems.append(Problem("unchecked_fields", "holds something that is not JSON"))
    return given, problems


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        return False
    return True
