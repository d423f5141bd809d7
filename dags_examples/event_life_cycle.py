"""Create an event, invite people, change it, and delete it again.

What: makes a maintenance window, invites a colleague, moves it by an hour, and cancels it without a popup.

Why: each step is a task of its own, so that a failure is retried where it happened; the event's id goes from task to
task by XCom.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permission
``Calendar.Event.Write``, and your own unionIds below; those given are of the emulator's sample calendar.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.event_lifecycle import (
    DingTalkCalendarCreateEventOperator,
    DingTalkCalendarDeleteEventOperator,
)
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"
COLLEAGUE = "iiPChenBo3vWbK9sLxUe7NfgiEiE"
DEFAULTS = {
    "union_id": ORGANIZER,
    # Airflow does not retry by default: a transient error would fail the task.
    "retries": 3,
    "retry_delay": timedelta(minutes=2),
    **RETRY_POLICY,  # from Airflow 3.3 on: where DingTalk asks for a longer wait, wait that long
}

with DAG(
    "dingtalk_event_life_cycle", schedule=None, catchup=False, default_args=DEFAULTS, tags=["dingtalk", "example"]
):
    create = DingTalkCalendarCreateEventOperator(
        task_id="create",
        event={
            "summary": "Maintenance window",
            "start": "2038-03-06T22:00",
            "end": "2038-03-06T23:00",
            "reminders": [30],
        },
        timezone="Asia/Shanghai",
    )
    event_id = "{{ ti.xcom_pull('create', key='event_id') }}"
    invite = DingTalkCalendarAddAttendeesOperator(task_id="invite", event_id=event_id, attendees=[COLLEAGUE])
    move = DingTalkCalendarPatchEventOperator(
        task_id="move",
        event_id=event_id,
        patch={"start": "2038-03-06T23:00", "end": "2038-03-07T00:00"},
        timezone="Asia/Shanghai",
    )
    delete = DingTalkCalendarDeleteEventOperator(task_id="delete", event_id=event_id, push_notification=False)
    create >> invite >> move >> delete
