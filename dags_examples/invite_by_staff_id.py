"""Invite people of whom only the staff id is known.

What: looks up the unionIds of staff ids in a plain task with the hook, and invites these people to an event.

Why: other systems know people by the staff id that DingTalk's admin console shows; the calendar knows unionIds only.
Not every call has an operator: in a plain task, the hook has them all.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions ``qyapi_get_member``
and ``Calendar.Event.Write``, and your own ids below; those given are of the emulator's sample calendar.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the event's organizer
EVENT = "Q291QktEeHFrbFpuVDZNYlJRSTNPZz09"  # id of the event
# Airflow does not retry by default: a transient error would fail the task. From Airflow 3.3 on, RETRY_POLICY waits
# as long as DingTalk asks for, and fails at once on non-retryable errors.
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY}

with DAG(
    "dingtalk_invite_by_staff_id",
    schedule=None,
    catchup=False,
    default_args=RETRIES,
    params={"staff_ids": ["wang-min", "morgan-lee"]},
    tags=["dingtalk", "example"],
):

    @task
    def look_up(**context: object) -> list[str]:
        """Look up each person's unionId; these calls are not metered."""
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

        with DingTalkCalendarHook() as hook:
            return [hook.get_user_by_staff_id(one)["unionid"] for one in context["params"]["staff_ids"]]

    DingTalkCalendarAddAttendeesOperator(
        task_id="invite", union_id=ORGANIZER, event_id=EVENT, attendees=look_up(), chat_notification=False
    )
