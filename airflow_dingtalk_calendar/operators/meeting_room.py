"""Operators for the meeting rooms of an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.operators.base import EventWritingOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.plans.apply import RowRun
    from airflow_dingtalk_calendar.plans.results import RowResult


class MeetingRoomsOperator(EventWritingOperator):
    """The base of the operators that book and release rooms.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.EventWritingOperator`.

    :param union_id: unionId of the event's **organizer**. (templated)
    :param room_ids: 1-5 rooms: a list, an upstream task's output, or the JSON text of a list. (templated)
    """

    template_fields: Sequence[str] = (*EventWritingOperator.template_fields, "room_ids")
    template_fields_renderers = {"room_ids": "json"}  # noqa: RUF012  # as Airflow declares it

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        room_ids: Sequence[str] | str,
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
        self.room_ids = room_ids
        self.calendar_id = calendar_id
        self.client_token = client_token
        self.dry_run = dry_run
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> list[str]:
        from airflow_dingtalk_calendar.models.counts import counted

        (call,) = run.calls
        ((_, rooms),) = (call.json or {}).items()
        self.log.info("Event %s: %s of %s.", self.event_id, call.action, counted(len(rooms), "room"))
        return [room["roomId"] for room in rooms]


class DingTalkCalendarAddMeetingRoomsOperator(MeetingRoomsOperator):
    """Book meeting rooms for one event (DingTalk's AddMeetingRooms).

    It costs one metered call. An automatic retry sends the same request under the same client token. Templates are
    rendered in nested values, too.

    XCom: ``return_value`` is the list of room ids. With ``dry_run`` it is
    ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``.

    .. seealso:: For swapping a meeting room and finding a free one, see the guide :doc:`/howto/rooms`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.meeting_room.MeetingRoomsOperator`.

    :raises AirflowFailException: for non-retryable errors: a wrong id, a room that is taken, a wrong credential or
        permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    action = "add_rooms"


class DingTalkCalendarRemoveMeetingRoomsOperator(MeetingRoomsOperator):
    """Release meeting rooms of one event (DingTalk's RemoveMeetingRooms).

    It costs one metered call. An automatic retry sends the same request under the same client token. Templates are
    rendered in nested values, too.

    XCom: ``return_value`` is the list of room ids. With ``dry_run`` it is
    ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``.

    .. seealso:: For swapping a meeting room for another one, see the guide :doc:`/howto/rooms`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.meeting_room.MeetingRoomsOperator`.

    :raises AirflowFailException: for non-retryable errors: a wrong id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    action = "remove_rooms"
