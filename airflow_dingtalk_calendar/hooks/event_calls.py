"""The calls whose request depends on the connection, too: its time zone is that of times without one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import InvalidInputError

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models.event_patch import EventPatch
    from airflow_dingtalk_calendar.models.new_event import NewEvent

EventModel = TypeVar("EventModel", "EventPatch", "NewEvent")


class CheckedEvent(Protocol):
    """An ``EventPatch`` or a ``NewEvent``: what was parsed, and so checked, before."""

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is allowed although DingTalk's own material leaves its effect open."""


def patch_event_call(
    settings: ConnectionSettings,
    union_id: str,
    event_id: str,
    patch: CheckedEvent | Mapping[str, Any] | str,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    timezone: str | None = None,
    unchecked_fields: Mapping[str, Any] | str | None = None,
    repeat_meeting: bool = False,
) -> api.Call[api.Event]:
    """PatchEvent: change the named fields of an event. One metered call; ``Calendar.Event.Write``.

    :param union_id: the organizer's unionId; nobody else may update an event.
    :param event_id: the event's ``id``.
    :param patch: an :class:`~airflow_dingtalk_calendar.models.EventPatch`, or what its ``parse`` takes.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: DingTalk documents only ``primary``.
    :param timezone: IANA zone for times that have none of their own; default: the connection's.
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release.
    :param repeat_meeting: whether a patch that asks for a video meeting may be sent again after an unknown
        outcome, although each sending may make another meeting.
    :return: the updated event, as the service sent it; read back with one more call if the answer does not have it.
    :raises InvalidPatchError: before anything is sent.
    :raises RequestError: one of its classes; ``outcome`` says whether the update may have taken effect.
    """
    from airflow_dingtalk_calendar.models.event_patch import EventPatch  # pydantic models take a while to define

    return api.patch_event(
        union_id,
        event_id,
        _parse_event_input(EventPatch, patch, settings, timezone, unchecked_fields),
        client_token=client_token,
        calendar_id=calendar_id,
        repeat_meeting=repeat_meeting,
    )


def create_event_call(
    settings: ConnectionSettings,
    union_id: str,
    event: CheckedEvent | Mapping[str, Any] | str,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    timezone: str | None = None,
    unchecked_fields: Mapping[str, Any] | str | None = None,
) -> api.Call[api.Event]:
    """CreateEvent: make an event whose organizer is ``union_id``. One metered call; ``Calendar.Event.Write``.

    A user may create 100 events a day.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param union_id: unionId of the person who will be the organizer.
    :param event: a :class:`~airflow_dingtalk_calendar.models.NewEvent`, or what its ``parse`` takes.
    :return: the new event, as the service sent it. An answer without its ``id`` is a success, too: nothing is sent
        again, and a warning is logged.
    :raises InvalidPatchError: before anything is sent.
    :raises RequestError: one of its classes; ``outcome`` says whether the event may have been made.
    """
    from airflow_dingtalk_calendar.models.new_event import NewEvent  # pydantic models take a while to define

    body = _parse_event_input(NewEvent, event, settings, timezone, unchecked_fields).to_body()
    return api.create_event(union_id, body, client_token=client_token, calendar_id=calendar_id)


def _parse_event_input(
    kind: type[EventModel],
    given: CheckedEvent | Mapping[str, Any] | str,
    settings: ConnectionSettings,
    timezone: str | None,
    unchecked_fields: Mapping[str, Any] | str | None,
) -> EventModel:
    if not isinstance(given, kind):
        text_or_mapping = cast("Mapping[str, Any] | str", given)
        return kind.parse(text_or_mapping, timezone=settings.zone_for(timezone), unchecked_fields=unchecked_fields)
    if timezone is not None or unchecked_fields is not None:
        problem = f"is parsed already: give timezone and unchecked_fields to {kind.__name__}.parse"
        raise InvalidInputError((kind._NAME, problem))
    return given
