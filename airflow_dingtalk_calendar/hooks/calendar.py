"""The hook: from an Airflow connection to DingTalk's calendar.

``run`` and ``arun`` send calls, everything else on the hook is one call each. In a plain ``@task``::

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook, client_token_for

    @task
    def rename(event_id: str, **context):
        with DingTalkCalendarHook() as hook:
            token = client_token_for(context, event_id)
            hook.patch_event("unionId", event_id, {"summary": "Planning"}, client_token=token)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from airflow_dingtalk_calendar import api, idempotency
from airflow_dingtalk_calendar.client import auth
from airflow_dingtalk_calendar.connection import form
from airflow_dingtalk_calendar.connection.settings import without_test_id
from airflow_dingtalk_calendar.exceptions import InvalidRequestError, NotFoundError, PermissionDeniedError
from airflow_dingtalk_calendar.hooks.methods.attendees import AttendeeMethods
from airflow_dingtalk_calendar.hooks.methods.event_lists import EventListMethods
from airflow_dingtalk_calendar.hooks.methods.events import EventMethods
from airflow_dingtalk_calendar.hooks.methods.meeting_rooms import MeetingRoomMethods
from airflow_dingtalk_calendar.hooks.methods.users import UserMethods

__all__ = ["DingTalkCalendarHook", "client_token_for"]

client_token_for = idempotency.client_token_for


class DingTalkCalendarHook(EventMethods, EventListMethods, AttendeeMethods, MeetingRoomMethods, UserMethods):
    """Call DingTalk's calendar API with the app of an Airflow connection.

    The connection is read and the first socket opened at the first call. Use it as a context manager
    (``with``, or ``async with``) to have its sockets closed at the end. Each method has a twin for coroutines,
    with an ``a`` before its name.

    Each raises :class:`~airflow_dingtalk_calendar.exceptions.InvalidInputError` for a wrong argument, before anything
    is sent, and one of the classes of :class:`~airflow_dingtalk_calendar.exceptions.RequestError` when the call fails.

    :param dingtalk_conn_id: id of a connection of type ``dingtalk``.
    :raises InvalidConnectionError: at the first call, naming the field of the connection that is wrong.
    """

    # -- Airflow's pages ------------------------------------------------------------------------------------

    def test_connection(self) -> tuple[bool, str]:
        """Check host, credentials and permissions. Two metered calls; nothing can be changed by them."""
        try:
            self._settings = without_test_id(self.get_conn())
            self._drive(auth.fetch_token(self.get_conn(), self.clock, refused=None))
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
