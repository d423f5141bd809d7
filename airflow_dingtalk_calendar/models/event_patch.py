"""A patch of an event: what may be said, in which types, within which limits.

Absent, a value, and explicitly empty are three different things: the request has exactly the keys given (a patch also
``id``). ``None`` means absent.

The page of PatchEvent is ``modify-event`` (help.dingtalk.io).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Self

from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.clearing import apply_clear, refuse_blanks
from airflow_dingtalk_calendar.models.event import ENDS_WHERE_IT_STARTS, SERIES_CAUTIONS, Caution, EventFields
from airflow_dingtalk_calendar.models.normalize import normalize_mapping
from airflow_dingtalk_calendar.models.occurrences import SPLIT_REMEDY, warn_of_loss
from airflow_dingtalk_calendar.models.types import Id

LOSES_OCCURRENCES = Caution(
    lambda patch: patch.start and patch.recurrence,
    ".start",
    f"if it is later than that of a series, all occurrences before it are taken away, past ones too; {SPLIT_REMEDY}",
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
            lambda patch: patch.start and patch.start.all_day and patch.is_all_day is None,
            ".start.date",
            "an event that is not all-day yet may need isAllDay as well",
        ),
        *SERIES_CAUTIONS,
        Caution(
            lambda patch: patch.is_all_day is not None and not (patch.start and patch.end),
            ".isAllDay",
            "an event that becomes all-day, or stops being so, needs start and end as well",
        ),
        LOSES_OCCURRENCES,
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
        data, problems = normalize_mapping(patch, cls._NAME)
        if clear is not None:
            data, refused = apply_clear(data, clear, cls._NAME)
            problems += refused
        model = cls._parse_data(data, problems, timezone, unchecked_fields)
        # online_meeting=False asks for nothing, because no request removes a meeting, and an id is no change.
        if model.model_fields_set <= {"id", "online_meeting"} and not (model.online_meeting or model._unchecked):
            raise InvalidPatchError(("patch", "names nothing to change"))
        return model

    def cautions_about(self, event: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Name what is allowed here although its effect is open, or takes something away from this event.

        :param event: as it was read; None when nobody has read it.
        """
        return specify_loss(self.cautions, self._to_json(), event)

    def to_body(self, event_id: str) -> dict[str, Any]:
        """Write the request body: exactly the fields given, plus the event's id.

        :param event_id: the ``id`` of the event to change.
        :raises InvalidPatchError: when the patch has an ``id`` of its own that is another event's.
        """
        if self.id not in (None, event_id):
            raise InvalidPatchError(("patch.id", "is another event's id than event_id; leave it out"))
        return {**self._to_json(), "id": event_id}


def specify_loss(
    cautions: tuple[str, ...], body: Mapping[str, Any], event: Mapping[str, Any] | None
) -> tuple[str, ...]:
    """Say of a certain event which occurrences a patch takes away, instead of that it may take some.

    :param cautions: of the patch, whatever the event is.
    :param body: of its request.
    :param event: as it was read; None when nobody has read it.
    """
    loss = None if event is None else warn_of_loss(body, event)
    if loss is None:
        return cautions
    others = [one for one in cautions if not one.endswith(LOSES_OCCURRENCES.text)]
    return (*others, *([f"patch.start: {loss}"] if loss else []))


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
        data, problems = normalize_mapping(fields, cls._NAME)
        data, blanks = refuse_blanks(data, cls._NAME)
        model = cls._parse_data(data, [*problems, *blanks], timezone, None)
        if not model.to_body():
            raise InvalidPatchError((cls._NAME, "names nothing to wait for"))
        return model

    def to_body(self) -> dict[str, Any]:
        """Write the values as a request would have them."""
        return self._to_json()
