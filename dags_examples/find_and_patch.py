"""Find events and change each of them: one task lists, one task per event patches.

What: in January's one-to-ones of one person, each title gets the quarter in front, and nobody is notified. An event
that has it already is left out of the plan.

Why: one mapped task per event shows each change, and retries it, by itself. It suits some dozens of events: Airflow
maps over at most 1,024 (``[core] max_map_length``), and each mapped task costs a worker's start.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions
``Calendar.Event.Read`` and ``Calendar.Event.Write``, and your own unionId below; the one given is of the emulator's
sample calendar.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person whose calendar it is
# Airflow does not retry by default: a transient error would fail the task. From Airflow 3.3 on, RETRY_POLICY waits
# as long as DingTalk asks for, and fails at once on non-retryable errors.
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY}

with DAG("dingtalk_find_and_patch", schedule=None, catchup=False, default_args=RETRIES, tags=["dingtalk", "example"]):
    found = DingTalkCalendarListEventsOperator(
        task_id="find",
        union_id=ORGANIZER,
        time_min="2038-01-01T00:00",
        time_max="2038-02-01T00:00",
        timezone="Asia/Shanghai",
        summary_contains="one-to-one",
        organizer_id=ORGANIZER,  # only one's own events can be changed
    )

    @task
    def plan(events: list[dict]) -> list[dict]:
        """Write the patch of each event that needs one."""
        todo = [event for event in events if not event["summary"].startswith("Q1 ")]
        return [
            {
                "event_id": event["id"],
                "patch": {"summary": f"Q1 {event['summary']}", "notify_push": False, "notify_chat": False},
            }
            for event in todo
        ]

    DingTalkCalendarPatchEventOperator.partial(
        task_id="rename", union_id=ORGANIZER, map_index_template="{{ task.patch['summary'] }}"
    ).expand_kwargs(plan(found.output))
