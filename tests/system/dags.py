"""The DAGs of the system test, as text: nothing here imports Airflow."""

from __future__ import annotations

import json
from typing import Any

from tests.system.rows import NAMES, ORGANIZER, STRANGER, event, plan_events, plan_rooms, plan_rows

SINGLES, SENSORS, HALF = 100, 20, 300
#: Changed again and again until the watcher says so: from then on it misses nothing.
PROBE = "probe-0"
KINDS = {"single": SINGLES, "sensor": SENSORS, "probe": 1}
#: The two assets of one watcher.
ASSETS = ("calendar", "calendar_again")
#: Every action of the plan changes one of them.
WATCHED = ["summary", "attendees", "responses", "meeting_rooms"]

#: Two tasks at once that share an app: each as fast as the app may be, each half as fast, or one after the other.
SHARED = {
    "both_full": ("dingtalk_default", "default_pool"),
    "both_half": ("dingtalk_half", "default_pool"),
    "pooled": ("dingtalk_default", "dingtalk"),
}

SOURCE = f"""
import json
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Apply
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as Changes

OPTIONS = {{
    "schedule": None,
    "max_active_tasks": 32,
    "default_args": {{"union_id": "{ORGANIZER}", "retries": 5, "retry_delay": timedelta(seconds=2)}},
}}


def ids(name, count):
    return [f"{{name}}-{{n}}" for n in range(count)]


def rename(names, summary):
    return [{{"event_id": name, "patch": {{"summary": f"{{summary}} {{name}}"}}}} for name in names]


with DAG("plan", **OPTIONS):

    @task
    def read():
        return json.loads(Path(__file__).with_name("plan.json").read_text())

    Apply(task_id="apply", plan=read(), keep_before=True, max_calls=5000)

with DAG("undo", **OPTIONS):

    @task
    def fetch(dag_run, ti):
        return ti.xcom_pull(dag_id="plan", run_id=dag_run.conf["run_id"], task_ids="apply", key="undo")

    Apply(task_id="apply", plan=fetch(), max_calls=5000)

with DAG("singles", **OPTIONS):
    Patch.partial(task_id="patch").expand_kwargs(rename(ids("single", {SINGLES}), "Moved"))

with DAG("sensors", **OPTIONS):
    options = {{"fields": {{"summary": "Agreed"}}, "deferrable": True, "poke_interval": 10}}
    Wait.partial(task_id="wait", **options).expand(event_id=ids("sensor", {SENSORS}))

changes = Changes(union_id="{ORGANIZER}", fields={WATCHED!r}, source="stream")
first, second = (Asset(name, watchers=[AssetWatcher(name=name, trigger=changes)]) for name in {ASSETS!r})

with DAG("on_change", schedule=first | second, catchup=False, max_active_runs=1):
    EmptyOperator(task_id="react")

for dag_id, (connection, pool) in {SHARED!r}.items():
    with DAG(dag_id, **OPTIONS):
        for part in range(2):
            half = ids("pair", 2 * {HALF})[part::2]
            plan = rename(half, dag_id)
            Apply(
                task_id=f"part_{{part}}", plan=plan, union_id="{STRANGER}", dingtalk_conn_id=connection, pool=pool
            )
"""


def dag_files(count: int) -> dict[str, str]:
    """Return the files of the DAG folder.

    :param count: rows of the plan.
    """
    return {"dags.py": SOURCE, "plan.json": json.dumps(plan_rows(count))}


def organisation(count: int) -> dict[str, Any]:
    """Describe the people, rooms and events that the DAGs are about.

    What is measured in the end is about the events of somebody whose calendar is not watched.

    :param count: rows of the plan.
    """
    events = [event(f"{kind}-{n}") for kind, number in KINDS.items() for n in range(number)]
    pairs = [event(f"pair-{n}", organizer=STRANGER) for n in range(2 * HALF)]
    users = [{"unionId": union_id, "name": name} for union_id, name in NAMES.items()]
    return {"users": users, "rooms": plan_rooms(count), "events": [*plan_events(count), *events, *pairs]}
