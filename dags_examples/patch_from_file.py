"""Change an event every week, with a patch from a JSON file.

What: each Monday at 07:10 the stand-up gets a link to the week's board, and its room from the DAG's params. The patch
is ``patches/stand_up.json`` beside this file; ``include`` renders the Jinja in it. There, ``| tojson`` writes a value
as JSON, quotes and all; without it, a quotation mark in the value would break the file.

Why: whoever maintains the text does not have to edit Python. (Not at the full hour, when DingTalk is busiest.)

Before you run it: a connection ``dingtalk_default`` of type DingTalk whose app has the permission
``Calendar.Event.Write``, and your own ids below; those given are of the emulator's sample calendar. Jinja looks for the
file in this DAG's folder; for one elsewhere, give the DAG ``template_searchpath``.
"""

from __future__ import annotations

from datetime import timedelta

import pendulum
from airflow.providers.common.compat.sdk import DAG

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the event's organizer
STAND_UP = "eXBUS0VrcEpFRHQ5bENNdFJveExDQT09"  # id of the series

with DAG(
    "dingtalk_patch_from_file",
    schedule="10 7 * * 1",
    start_date=pendulum.datetime(2026, 1, 5, tz="Asia/Shanghai"),
    catchup=False,
    params={"room": "3F open space"},
    tags=["dingtalk", "example"],
):
    DingTalkCalendarPatchEventOperator(
        task_id="link_board",
        union_id=ORGANIZER,
        event_id=STAND_UP,
        patch="{% include 'patches/stand_up.json' %}",
        # Airflow does not retry by default: a transient error would fail the task.
        retries=3,
        retry_delay=timedelta(minutes=2),
        **RETRY_POLICY,  # from Airflow 3.3 on: where DingTalk asks for a longer wait, wait that long
    )
