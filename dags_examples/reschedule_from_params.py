"""Move an event to a time that somebody enters when triggering the DAG.

What: the trigger form asks for event, organizer, new start, length, time zone and whether to notify. Templates put the
answers into the patch. Airflow checks them against the JSON schemas here, the operator checks the patch as a whole.

Why: people who may not touch the DAG's code can move a meeting, and each move is on record with who triggered it.

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permission
``Calendar.Event.Write``. The values given are of the emulator's sample calendar.

By API, ``POST /api/v2/dags/dingtalk_reschedule_from_params/dagRuns``, the answers are the members of ``conf``. A run
triggered so has no logical date, and therefore no ``ds`` or ``ts``: templates here use ``params`` only.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, Param

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

PARAMS = {
    "event_id": Param(
        "Q291QktEeHFrbFpuVDZNYlJRSTNPZz09", type="string", minLength=1, title="Event", description="The event's id."
    ),
    "union_id": Param(
        "iiPLinYue8mQzX0vTdRk4YwgiEiE",
        type="string",
        minLength=1,
        title="Organizer",
        description="The organizer's unionId; nobody else may move the event.",
    ),
    "start": Param(
        "2038-01-06T14:00:00+08:00",
        type="string",
        format="date-time",  # this shows a date picker; Airflow checks the text by its pattern only
        pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d",
        title="New start",
        description="The form shows it in the time zone that Airflow's pages are set to.",
    ),
    "minutes": Param(30, type="integer", minimum=1, maximum=24 * 60, title="Length in minutes"),
    "timezone": Param(
        "Asia/Shanghai",
        type="string",
        examples=["Asia/Shanghai", "Asia/Singapore", "Europe/London", "America/New_York"],
        title="Time zone",
        description="IANA name of the zone that the meeting belongs to, where its clock time stays the same.",
    ),
    "notify": Param(True, type="boolean", title="Notify the attendees", description="By push message and chat card."),
}

with DAG("dingtalk_reschedule_from_params", schedule=None, catchup=False, params=PARAMS, tags=["dingtalk", "example"]):
    DingTalkCalendarPatchEventOperator(
        task_id="reschedule",
        union_id="{{ params.union_id }}",
        event_id="{{ params.event_id }}",
        patch={
            "start": "{{ params.start }}",
            "end": "{{ macros.datetime.fromisoformat(params.start) + macros.timedelta(minutes=params.minutes) }}",
            "notify_push": "{{ params.notify }}",
            "notify_chat": "{{ params.notify }}",
        },
        timezone="{{ params.timezone }}",
        # Airflow does not retry by default: a transient error would fail the task.
        retries=3,
        retry_delay=timedelta(minutes=2),
        **RETRY_POLICY,  # from Airflow 3.3 on: where DingTalk asks for a longer wait, wait that long
    )
