"""Operators that create and cancel events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.operators.base import EventWritingOperator, WritingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.plans.apply import RowRun
    from airflow_dingtalk_calendar.plans.results import RowResult


class DingTalkCalendarCreateEventOperator(WritingOperator):
    """Create one event, whose organizer is ``union_id`` (DingTalk's CreateEvent).

    The event is checked before anything is sent. It costs one metered call; a user may create 100 events a day. A
    request whose outcome is unknown is not sent again in the same try. An automatic retry first checks whether an
    earlier try has created the event (one more call): an event as the request makes it, created since the first try, so
    no other task of the DAG run may create the very same event. If there is none, it sends the same request under the
    same client token. Clearing the task makes another event.

    Templates are rendered in nested values, too. A text that comes out blank, or as the word ``None``, is refused.

    XCom: ``return_value`` is the new event, as DingTalk sent it; ``event_id`` is its id, or None where the answer does
    not have it (a warning says so, and nothing is sent again). With ``dry_run`` the return value is ``{"dry_run": true,
    "request": {"method", "path", "body"}, "event": null}``.

    .. seealso:: For creating many events in one task, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.WritingOperator`.

    :param union_id: unionId of the person who will be the event's organizer. (templated)
    :param event: the event: a mapping in the API's names, in snake_case or camelCase, or the JSON text of one;
        ``summary`` and ``start`` are required. See :class:`~airflow_dingtalk_calendar.models.NewEvent`. (templated)
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release. (templated)
    :param timezone: IANA zone for times that have none of their own; default: the connection's. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong event, credential or permission, the day's
        or the month's quota.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*WritingOperator.template_fields, "event", "unchecked_fields", "timezone")
    template_fields_renderers = {"event": "json", "unchecked_fields": "json"}  # noqa: RUF012  # as Airflow declares it
    action = "create"

    def __init__(
        self,
        *,
        union_id: str,
        event: Mapping[str, Any] | str,
        calendar_id: str = "primary",
        unchecked_fields: Mapping[str, Any] | str | None = None,
        timezone: str | None = None,
        client_token: str | None = None,
        dry_run: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event = event
        self.calendar_id = calendar_id
        self.unchecked_fields = unchecked_fields
        self.timezone = timezone
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> Mapping[str, Any]:
        event_id = result.event_id or None  # an answer without it is no reason to create another event
        context["ti"].xcom_push(key="event_id", value=event_id)
        self.log.info("Event %s: created.", event_id or "of unknown id")
        return result.event or {}


class DingTalkCalendarDeleteEventOperator(EventWritingOperator):
    """Cancel one event, or leave it (DingTalk's DeleteEvent).

    With the organizer's unionId the event is cancelled for everybody; with an attendee's, it only leaves that
    person's calendar. It costs one metered call. An automatic retry sends the same request under the same client
    token.

    An event that is not there counts as deleted, unless ``fail_if_missing`` is set. DingTalk answers the same for an
    event of somebody else, so a wrong ``union_id`` looks like an event that is gone; a warning says so.

    XCom: ``return_value`` is true, or false when the event was gone already, which may be the doing of an earlier try.
    With ``dry_run`` it is ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``; the request
    has ``params`` too if ``push_notification`` is given.

    .. seealso:: For cancelling many events in one task, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.EventWritingOperator`.

    :param union_id: unionId of the event's organizer, or of the attendee who leaves it. (templated)
    :param push_notification: whether a notification pops up; by default, DingTalk decides. (templated)
    :param fail_if_missing: fail when there is no such event. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*EventWritingOperator.template_fields, "push_notification", "fail_if_missing")
    action = "delete"

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        calendar_id: str = "primary",
        push_notification: bool | str | None = None,
        fail_if_missing: bool | str = False,
        client_token: str | None = None,
        dry_run: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.calendar_id = calendar_id
        self.push_notification = push_notification
        self.fail_if_missing = fail_if_missing
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> bool:
        if result.status == "unchanged":
            self.log.warning("Event %s: not there; gone already, or not in this person's calendar.", self.event_id)
            return False
        self.log.info("Event %s: deleted.", self.event_id)
        return True
