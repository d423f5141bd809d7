"""Wait until an event is near, find who has not answered, and remind them.

What: a day before a review starts, a plain task lists who has not answered, and a patch adds the names to the
description. Its chat card is the reminder. With nobody missing, nothing is sent.

Why: the sensor waits for the event, not for a date, so when somebody moves the review, the reminder moves along.
Deferred, it needs a triggerer and no worker slot; it polls the event four times a day at most, and so can wait for
months.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions
``Calendar.Event.Read`` and ``Calendar.Event.Write``, and your own ids below; those given are of the emulator's sample
calendar.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, AirflowSkipException, task

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor

REVIEW = {
    "union_id": "iiPLinYue8mQzX0vTdRk4YwgiEiE",  # unionId of the event's organizer
    "event_id": "SEdkbVVvWDdhbjEyRkJUaEpYamxkQT09",
}
# Airflow does not retry by default. RETRY_POLICY: docs/semantics.md, Retry policy.
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY}

with DAG("dingtalk_wait_for_event", schedule=None, catchup=False, default_args=RETRIES, tags=["dingtalk", "example"]):
    near = DingTalkCalendarEventSensor(
        task_id="wait",
        **REVIEW,
        starts_within=timedelta(days=1),
        timeout=timedelta(days=90),
        deferrable=True,
    )

    @task
    def remind(event: dict) -> dict:
        """Write the patch that names those who have not answered."""
        missing = [one["displayName"] for one in event["attendees"] if one["responseStatus"] == "needsAction"]
        if not missing:
            raise AirflowSkipException("Everybody has answered.")
        return {"description": f"{event.get('description', '')}\nPlease answer: {', '.join(missing)}"}

    DingTalkCalendarPatchEventOperator(task_id="send", **REVIEW, patch=remind(near.output))
