"""Extend every series that ends soon, each quarter.

What: on the 15th of a quarter's last month, each series of one person that ends in that quarter is extended to the end
of the next one. Its whole rule is sent again, because DingTalk replaces it whole; that is what ``extend_until`` does.

Why: a weekly meeting that silently runs out is missed only when nobody comes.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions
``Calendar.Event.Read`` and ``Calendar.Event.Write``, and your own unionId below; the one given is of the emulator's
sample calendar. It is about today's quarter, or that of the day in the param ``today``.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person whose series they are
ZONE = "Asia/Shanghai"

with DAG(
    "dingtalk_extend_ending_series",
    schedule="10 7 15 3,6,9,12 *",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,
    params={"today": Param(None, type=["null", "string"], format="date", title="As if today were")},
    # Airflow does not retry by default. RETRY_POLICY: docs/semantics.md, Retry policy.
    default_args={"union_id": ORGANIZER, "retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY},
    tags=["dingtalk", "example"],
):
    # Without a time: a series counts by its first day, which may be long ago.
    found = DingTalkCalendarListEventsOperator(task_id="find", organizer_id=ORGANIZER)

    @task
    def plan(events: list[dict], params: dict) -> list[dict]:
        """Write a row for each series that ends in this quarter."""
        from airflow_dingtalk_calendar.edits import extend_until
        from airflow_dingtalk_calendar.plans import rows_for

        today = pendulum.parse(params["today"], tz=ZONE) if params["today"] else pendulum.today(ZONE)
        end, next_end = today.last_of("quarter").date(), today.add(months=3).last_of("quarter").date()

        def extend(event: dict) -> dict | None:
            last = ((event.get("recurrence") or {}).get("range") or {}).get("endDate")
            ends = last and today.date() <= pendulum.parse(last).in_timezone(ZONE).date() <= end
            return extend_until(event, next_end) if ends else None

        return rows_for(events, extend, now=today)

    DingTalkCalendarApplyPlanOperator(task_id="extend", plan=plan(found.output))
