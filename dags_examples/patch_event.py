"""The smallest example: change one event.

What: moves a design review to Friday afternoon, with one reminder ten minutes before, and sends no card to the chat.
Everything that the patch does not name (title, description, people, room) stays as it is.

Why: as a task, the change is planned, logged, and retried when the network fails.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permission
``Calendar.Event.Write``, and your own ids below. The ids given are of the emulator's sample calendar, which
``make demo`` uses.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the event's organizer
EVENT = "SEdkbVVvWDdhbjEyRkJUaEpYamxkQT09"  # id of the event

with DAG("dingtalk_patch_event", schedule=None, catchup=False, tags=["dingtalk", "example"]):
    DingTalkCalendarPatchEventOperator(
        task_id="move_review",
        union_id=ORGANIZER,
        event_id=EVENT,
        patch={
            "start": "2038-01-15T14:00",
            "end": "2038-01-15T15:30",
            "reminders": [10],
            "notify_chat": False,
        },
        timezone="Asia/Shanghai",
        # Airflow does not retry by default: a transient error would fail the task. Non-retryable errors
        # (a wrong id, a missing permission) still fail at once.
        retries=3,
        retry_delay=timedelta(minutes=2),
        **RETRY_POLICY,  # from Airflow 3.3 on: where DingTalk asks for a longer wait, wait that long
    )
