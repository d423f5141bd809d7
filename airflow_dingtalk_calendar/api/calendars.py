"""Calendars. Page ``query-a-calendar``; SDK ``calendar_1_0``."""

from __future__ import annotations

from typing import Any

from airflow_dingtalk_calendar.api.answers import Odd, parse_list, parse_object
from airflow_dingtalk_calendar.api.call import Call, user_path
from airflow_dingtalk_calendar.models.json_values import Json


def list_calendars(union_id: str) -> Call[list[Json]]:
    """ListCalendars: a person's calendars. One metered call; ``Calendar.Event.Read``.

    :param union_id: unionId of the person whose calendars they are.
    :return: of each ``{"id", "type", "privilege"}`` and more, as the service sent it.
    """
    return Call("ListCalendars", "GET", f"{user_path(union_id)}/calendars", _parse_calendars)


def _parse_calendars(payload: Any) -> list[Json] | Odd[list[Json]]:
    wrapped = parse_object(payload).get("response")
    return parse_list("calendars", {} if wrapped is None else wrapped)
