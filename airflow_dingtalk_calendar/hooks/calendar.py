"""The hook: from an Airflow connection to DingTalk's calendar.

``run`` and ``arun`` carry out calls, everything else on the hook is one call each. In a plain ``@task``::

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook, client_token_for

    @task
    def rename(event_id: str, **context):
        with DingTalkCalendarHook() as hook:
            token = client_token_for(context, event_id)
            hook.patch_event("unionId", event_id, {"summary": "Planning"}, client_token=token)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from airflow_dingtalk_calendar import api, idempotency
from airflow_dingtalk_calendar.client import auth
from airflow_dingtalk_calendar.connection import form
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings, without_test_id
from airflow_dingtalk_calendar.exceptions import (
    InvalidInputError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
)
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.endpoints import configured_methods, endpoint_methods

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models.event_patch import EventPatch
    from airflow_dingtalk_calendar.models.new_event import NewEvent

EventInput = TypeVar("EventInput", "EventPatch", "NewEvent")

__all__ = ["DingTalkCalendarHook", "client_token_for"]

client_token_for = idempotency.client_token_for


def patch_event(
    conn: ConnectionSettings,
    union_id: str,
    event_id: str,
    patch: EventPatch | Mapping[str, Any] | str,
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
    :param calendar_id: the documentation knows ``primary`` only.
    :param timezone: IANA zone for times that have none of their own; default: the connection's.
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release.
    :param repeat_meeting: whether a patch that asks for a video meeting may be sent again after an unknown
        outcome, although each sending may make another meeting.
    :return: the updated event, as the service sent it.
    :raises InvalidPatchError: before anything is sent.
    :raises RequestError: one of its classes; ``outcome`` says whether the update may have taken effect.
    """
    from airflow_dingtalk_calendar.models.event_patch import EventPatch  # pydantic models take a while to define

    return api.patch_event(
        union_id,
        event_id,
        _parse_event_input(EventPatch, patch, conn, timezone, unchecked_fields),
        client_token=client_token,
        calendar_id=calendar_id,
        repeat_meeting=repeat_meeting,
    )


def create_event(
    conn: ConnectionSettings,
    union_id: str,
    event: NewEvent | Mapping[str, Any] | str,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    timezone: str | None = None,
    unchecked_fields: Mapping[str, Any] | str | None = None,
) -> api.Call[api.Event]:
    """CreateEvent: make an event whose organizer is ``union_id``. One metered call; ``Calendar.Event.Write``.

    A user may create 100 events a day.

    :param union_id: unionId of the person who will be the organizer.
    :param event: a :class:`~airflow_dingtalk_calendar.models.NewEvent`, or what its ``parse`` takes.
    :param client_token: the request's identity for DingTalk, for one day; without it, a new one that retries keep.
    :param calendar_id: the documentation knows ``primary`` only.
    :param timezone: IANA zone for times that have none of their own; default: the connection's.
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release.
    :return: the new event, as the service sent it.
    :raises InvalidPatchError: before anything is sent.
    :raises RequestError: one of its classes; ``outcome`` says whether the event may have been made.
    """
    from airflow_dingtalk_calendar.models.new_event import NewEvent  # pydantic models take a while to define

    body = _parse_event_input(NewEvent, event, conn, timezone, unchecked_fields).to_body()
    return api.create_event(union_id, body, client_token=client_token, calendar_id=calendar_id)


def _parse_event_input(
    kind: type[EventInput],
    given: EventInput | Mapping[str, Any] | str,
    conn: ConnectionSettings,
    timezone: str | None,
    unchecked_fields: Mapping[str, Any] | str | None,
) -> EventInput:
    from pydantic import BaseModel  # takes a while, too

    if not isinstance(given, BaseModel):
        return kind.parse(given, timezone=conn.zone_for(timezone), unchecked_fields=unchecked_fields)
    if timezone is not None or unchecked_fields is not None:
        problem = f"is parsed already: give timezone and unchecked_fields to {kind.__name__}.parse"
        raise InvalidInputError((kind._NAME, problem))
    return given


class DingTalkCalendarHook(DingTalkBaseHook):
    """Call DingTalk's calendar API with the app of an Airflow connection.

    The connection is read and the first socket opened at the first call. Use it as a context manager
    (``with``, or ``async with``) to have its sockets closed at the end. Each method has a twin for coroutines,
    with an ``a`` before its name.

    Each raises :class:`~airflow_dingtalk_calendar.exceptions.InvalidInputError` for a wrong argument, before anything
    is sent, and one of the classes of :class:`~airflow_dingtalk_calendar.exceptions.RequestError` when the call fails.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    :raises InvalidConnectionError: at the first call, naming the field of the connection that is wrong.
    """

    # -- endpoints: what they take, return and cost stands in airflow_dingtalk_calendar.api ------------------

    patch_event, apatch_event = configured_methods(patch_event)
    get_event, aget_event = endpoint_methods(api.get_event)
    list_events, alist_events = endpoint_methods(api.list_events)
    list_events_view, alist_events_view = endpoint_methods(api.list_events_view)
    list_instances, alist_instances = endpoint_methods(api.list_instances)
    create_event, acreate_event = configured_methods(create_event)
    delete_event, adelete_event = endpoint_methods(api.delete_event)
    add_attendees, aadd_attendees = endpoint_methods(api.add_attendees)
    remove_attendees, aremove_attendees = endpoint_methods(api.remove_attendees)
    list_attendees, alist_attendees = endpoint_methods(api.list_attendees)
    respond_event, arespond_event = endpoint_methods(api.respond_event)
    list_calendars, alist_calendars = endpoint_methods(api.list_calendars)
    add_meeting_rooms, aadd_meeting_rooms = endpoint_methods(api.add_meeting_rooms)
    remove_meeting_rooms, aremove_meeting_rooms = endpoint_methods(api.remove_meeting_rooms)
    get_schedule, aget_schedule = endpoint_methods(api.get_schedule)
    get_meeting_rooms_schedule, aget_meeting_rooms_schedule = endpoint_methods(api.get_meeting_rooms_schedule)
    get_user_by_staff_id, aget_user_by_staff_id = endpoint_methods(api.get_user_by_staff_id)
    get_me, aget_me = endpoint_methods(api.get_me)

    # -- Airflow's pages ------------------------------------------------------------------------------------

    def test_connection(self) -> tuple[bool, str]:
        """Check host, credentials and permissions. Two metered calls; nothing can be changed by them."""
        try:
            self._settings = without_test_id(self.get_conn())
            self._drive(auth.fetch_token(self.get_conn(), self._wall_clock, refused=None))
            missing = [scope for call in self._permission_probes() for scope in self._missing_scopes(call)]
        except Exception as error:  # Airflow shows the text of whatever is wrong
            return False, str(error)
        if missing:
            return False, f"The credentials are right, but the app lacks the permission {', '.join(missing)}."
        return True, f"Connected to {self.get_conn().base_url}; the app may read and write events."

    def _permission_probes(self) -> Iterator[api.Call[Any]]:
        """Make calls that need one permission each and cannot change anything: there is no such event."""
        # A person's token is good for that person's calendar only.
        who = str(self.run(api.get_me()).get("unionId")) if self.get_conn().auth_type == "user" else PROBE_ID
        yield api.get_event(who, PROBE_ID)
        yield api.probe_write(who, PROBE_ID)

    def _missing_scopes(self, probe: api.Call[Any]) -> tuple[str, ...]:
        try:
            self.run(probe)
        except PermissionDeniedError as error:
            if not error.required_scopes:
                raise
            return error.required_scopes
        except (NotFoundError, InvalidRequestError):
            pass  # past the gateway, which checks permissions, and then there is no such event
        return ()

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return our fields of the connection form, for Airflow 2.11."""
        return form.form_widgets()

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return how the form shows Airflow's own fields, for Airflow 2.11."""
        return form.field_behaviour()


PROBE_ID = "airflow-connection-test"
