"""Rename all events of a sprint, in one task, without notifying anybody.

What: every event of one person whose title has the old name gets the new one; without a push message and without a
chat card, because a new title is not worth one. Events that have the new name already are left out.

Why: one task with a plan of many patches needs one worker, one access token and one pool of connections; it stays
under DingTalk's rate limit by itself, and a retry sends only what is not done yet.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions
``Calendar.Event.Read`` and ``Calendar.Event.Write``, and your own values for the params. Those given are of the
emulator's sample calendar.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

PARAMS = {
    "union_id": Param("iiPWangMin5tHqM2yCzPa8GgiEiE", type="string", minLength=1, title="Organizer"),
    "old": Param("Sprint 41", type="string", minLength=1, title="Old name"),
    "new": Param("Sprint 42", type="string", minLength=1, title="New name"),
}

with DAG(
    "dingtalk_rename_sprint",
    schedule=None,
    catchup=False,
    params=PARAMS,
    # Airflow does not retry by default. RETRY_POLICY: docs/semantics.md, Retry policy.
    default_args={
        "union_id": "{{ params.union_id }}",
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        **RETRY_POLICY,
    },
    tags=["dingtalk", "example"],
):
    found = DingTalkCalendarListEventsOperator(
        task_id="find", summary_contains="{{ params.old }}", organizer_id="{{ params.union_id }}"
    )

    @task
    def plan(events: list[dict], params: dict) -> list[dict]:
        """Write a row for each event that has the old name; a series once, not each of its times."""
        from airflow_dingtalk_calendar.edits import quiet, retitle
        from airflow_dingtalk_calendar.plans import rows_for

        return rows_for(events, lambda event: quiet(retitle(event, params["old"], params["new"])))

    DingTalkCalendarApplyPlanOperator(task_id="rename", plan=plan(found.output))
