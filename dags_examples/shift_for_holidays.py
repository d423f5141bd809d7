"""Move what falls on a public holiday to the next working day.

What: each Thursday at 16:10, the single events of the coming week that one person organizes and that fall on a holiday
move to the next working day, at the same time of day. A series is left alone: moving it would move all of its times,
and what patching one of them does is not documented.

Why: the calendar of holidays is the company's, and nobody likes to ask eight people on the evening before.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permissions
``Calendar.Event.Read`` and ``Calendar.Event.Write``, your own unionId below, and your holidays in the params. Those
given are made up, for the emulator's sample calendar. With ``country`` CN, China's days count, too, working weekends
among them; that needs the extra ``workdays``, which knows the years that have been announced. The coming week is
today's, or that of the day in ``today``.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG, Param, task

from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person whose events they are
ZONE = "Asia/Shanghai"
PARAMS = {
    "holidays": Param(
        ["2038-01-05", "2038-01-06"],
        type="array",
        items={"type": "string", "format": "date"},
        title="Holidays",
        description="Days off that are no weekend.",
    ),
    "working_weekends": Param(
        [], type="array", items={"type": "string", "format": "date"}, title="Working days on a weekend"
    ),
    "country": Param(None, type=["null", "string"], enum=[None, "CN"], title="Country whose days count, too"),
    "today": Param(None, type=["null", "string"], format="date", title="As if today were"),
}

with DAG(
    "dingtalk_shift_for_holidays",
    schedule="10 16 * * 4",
    start_date=pendulum.datetime(2026, 1, 1, tz=ZONE),
    catchup=False,
    params=PARAMS,
    # Airflow does not retry by default. RETRY_POLICY: docs/semantics.md, Retry policy.
    default_args={"union_id": ORGANIZER, "retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY},
    tags=["dingtalk", "example"],
):

    @task
    def coming_week(params: dict) -> dict:
        """Return the Mondays between which to search."""
        today = pendulum.parse(params["today"], tz=ZONE) if params["today"] else pendulum.today(ZONE)
        monday = today.next(pendulum.MONDAY)
        return {"begin": monday.isoformat(), "end": monday.add(weeks=1).isoformat()}

    week = coming_week()
    found = DingTalkCalendarListEventsOperator(
        task_id="find", time_min=week["begin"], time_max=week["end"], organizer_id=ORGANIZER
    )

    @task
    def plan(events: list[dict], params: dict) -> list[dict]:
        """Write a row for each event that falls on a holiday."""
        from airflow_dingtalk_calendar.edits import is_series, shift
        from airflow_dingtalk_calendar.plans import rows_for
        from airflow_dingtalk_calendar.workdays import is_workday, next_workday

        off = {
            "holidays": params["holidays"],
            "extra_workdays": params["working_weekends"],
            "country": params["country"],
        }

        def to_working_day(event: dict) -> dict | None:
            start = event["start"]
            if "dateTime" not in start or is_series(event):
                return None
            day = pendulum.parse(start["dateTime"]).in_timezone(start["timeZone"]).date()
            if not is_workday(day) or is_workday(day, **off):  # on a weekend anyway, or on no holiday
                return None
            return shift(event, by=timedelta(days=(next_workday(day, **off) - day).days))

        today = pendulum.parse(params["today"], tz=ZONE) if params["today"] else pendulum.now(ZONE)
        return rows_for(events, to_working_day, now=today)

    DingTalkCalendarApplyPlanOperator(task_id="shift", plan=plan(found.output))
