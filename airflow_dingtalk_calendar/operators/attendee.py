"""Operators for the people invited to an event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import DingTalkError, RequestError
from airflow_dingtalk_calendar.operators.base import EventWritingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call
    from airflow_dingtalk_calendar.plans.apply import RowRun
    from airflow_dingtalk_calendar.plans.results import RowResult

AttendeesInput = Sequence[str | Mapping[str, Any]] | str


class AttendeesOperator(EventWritingOperator):
    """The base of the operators that invite and uninvite people.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.EventWritingOperator`.

    :param union_id: unionId of the event's **organizer**. (templated)
    :param attendees: unionIds, or objects ``{"id": unionId}`` (of those to invite, with ``is_optional`` if you like); a
        list, an upstream task's output, or the JSON text of a list. At most 5,000, without duplicates. (templated)
    """

    template_fields: Sequence[str] = (*EventWritingOperator.template_fields, "attendees")
    template_fields_renderers = {"attendees": "json"}  # noqa: RUF012  # as Airflow declares it

    attendees: AttendeesInput

    def _show_dry_run(self, calls: Sequence[Call[Any]]) -> dict[str, Any]:
        from airflow_dingtalk_calendar.api.call import describe_request

        self.log.info("Dry run: %s of %s is not sent.", calls[0].action, self._subject())
        return {"dry_run": True, "requests": [describe_request(call) for call in calls], "event": None}

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> list[str]:
        from airflow_dingtalk_calendar.models.counts import counted

        calls = run.calls
        ids = list(chain.from_iterable(map(_ids_in, calls)))
        people, times = counted(len(ids), "person", "people"), counted(len(calls), "call")
        self.log.info("Event %s: %s of %s in %s.", self.event_id, calls[0].action, people, times)
        return ids

    def _report_stop(self, context: Context, run: RowRun, error: BaseException) -> str:
        """Say where a task stopped, and push who is done and who is not."""
        people, number = [_ids_in(call) for call in run.calls], run.done
        status = _split_people(people, number, error, retried=run.options.retried)
        for key, ids in status.items():
            context["ti"].xcom_push(key=key, value=ids)
        counts = ", ".join(f"{len(ids)} {key.replace('_', ' ')}" for key, ids in status.items())
        total = sum(map(len, people))
        text = f"Stopped at call {number + 1} of {len(people)}; of {total} people: {counts}."
        self.log.error("Event %s: %s", self.event_id, text)
        return text


class DingTalkCalendarAddAttendeesOperator(AttendeesOperator):
    """Invite people to one event (DingTalk's AddAttendee).

    Each 500 people cost one metered call. An automatic retry sends the same calls under the same client tokens,
    including those that already took effect. Templates are rendered in nested values, too.

    XCom: ``return_value`` is the list of unionIds. With ``dry_run`` it is
    ``{"dry_run": true, "requests": [{"method", "path", "body"}, …], "event": null}``. When a call fails, the ones after
    it are not sent, and XCom ``done``, ``not_done`` and ``unknown`` (maybe done) have the unionIds. After an automatic
    retry, people whose outcome is not known are ``unknown``, because an earlier try may have sent more calls.

    .. seealso:: For inviting people to many events in one task, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.attendee.AttendeesOperator`.

    :param push_notification: whether those invited get a push message; by default, DingTalk decides. (templated)
    :param chat_notification: whether they get a chat card; by default, DingTalk decides. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong list, id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*AttendeesOperator.template_fields, "push_notification", "chat_notification")
    action = "add_attendees"

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        attendees: AttendeesInput,
        calendar_id: str = "primary",
        push_notification: bool | str | None = None,
        chat_notification: bool | str | None = None,
        client_token: str | None = None,
        dry_run: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.attendees = attendees
        self.calendar_id = calendar_id
        self.push_notification = push_notification
        self.chat_notification = chat_notification
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id


class DingTalkCalendarRemoveAttendeesOperator(AttendeesOperator):
    """Take people off the list of one event (DingTalk's RemoveAttendee).

    Each 500 people cost one metered call. An automatic retry sends the same calls under the same client tokens,
    including those that already took effect. Templates are rendered in nested values, too.

    XCom: ``return_value`` is the list of unionIds. With ``dry_run`` it is
    ``{"dry_run": true, "requests": [{"method", "path", "body"}, …], "event": null}``. When a call fails, the ones after
    it are not sent, and XCom ``done``, ``not_done`` and ``unknown`` (maybe done) have the unionIds. After an automatic
    retry, people whose outcome is not known are ``unknown``, because an earlier try may have sent more calls.

    .. seealso:: For changing the people of many events in one task, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.attendee.AttendeesOperator`.

    :raises AirflowFailException: for non-retryable errors: a wrong list, id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    action = "remove_attendees"

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        attendees: AttendeesInput,
        calendar_id: str = "primary",
        client_token: str | None = None,
        dry_run: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.attendees = attendees
        self.calendar_id = calendar_id
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id


class DingTalkCalendarRespondEventOperator(EventWritingOperator):
    """Answer an invitation: accept or decline it, or take the answer back (DingTalk's RespondEvent).

    It costs one metered call. An automatic retry sends the same request under the same client token.

    XCom: ``return_value`` is the answer. With ``dry_run`` it is
    ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``.

    .. seealso:: For answering many invitations in one task, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.EventWritingOperator`.

    :param union_id: unionId of the **attendee** who answers. (templated)
    :param response_status: ``accepted``, ``declined``, ``tentative``, or ``needsAction`` for no answer yet. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong answer, id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*EventWritingOperator.template_fields, "response_status")
    action = "respond"

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        response_status: str,
        calendar_id: str = "primary",
        client_token: str | None = None,
        dry_run: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.response_status = response_status
        self.calendar_id = calendar_id
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> str:
        (call,) = run.calls
        answer = str((call.json or {})["responseStatus"])
        self.log.info("Event %s: answered with %s.", self.event_id, answer)
        return answer


def _ids_in(call: Call[Any]) -> list[str]:
    """Name the people whom a call is about."""
    return [one["id"] for value in (call.json or {}).values() if isinstance(value, list) for one in value]


def _split_people(people: list[list[str]], number: int, error: BaseException, *, retried: bool) -> dict[str, list[str]]:
    """Sort people by their outcome when one call failed; calls run in order.

    :param retried: whether an earlier try may have sent more calls than this one.
    """
    refused = isinstance(error, DingTalkError) and not (isinstance(error, RequestError) and error.outcome == "unknown")
    known = len(people) if retried else number if refused else number + 1  # from here on, nobody is done
    parts = {"done": people[:number], "not_done": people[known:], "unknown": people[number:known]}
    return {key: list(chain.from_iterable(part)) for key, part in parts.items()}
