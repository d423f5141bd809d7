"""The DAGs of the system test, as text: nothing here imports Airflow."""

from __future__ import annotations

from tests.system.dingtalk import ORGANIZER

BULK, SINGLES, SENSORS, HALF = 1000, 100, 20, 300

#: Two tasks at once that share an app: each as fast as the app may be, each half as fast, or one after the other.
SHARED = {
    "both_full": ("dingtalk_default", "default_pool"),
    "both_half": ("dingtalk_half", "default_pool"),
    "pooled": ("dingtalk_default", "dingtalk"),
}

SOURCE = f"""
from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, task
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Batch
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait

OPTIONS = {{
    "schedule": None,
    "max_active_tasks": 32,
    "default_args": {{"union_id": "{ORGANIZER}", "retries": 5, "retry_delay": timedelta(seconds=2)}},
}}


def ids(name, count):
    return [f"{{name}}-{{n}}" for n in range(count)]


def rename(names, summary):
    return [{{"event_id": name, "patch": {{"summary": f"{{summary}} {{name}}"}}}} for name in names]


with DAG("bulk", **OPTIONS):

    @task
    def plan():
        return rename(ids("bulk", {BULK}), "Moved")

    Batch(task_id="apply", plan=plan())

with DAG("singles", **OPTIONS):
    Patch.partial(task_id="patch").expand_kwargs(rename(ids("single", {SINGLES}), "Moved"))

with DAG("sensors", **OPTIONS):
    options = {{"fields": {{"summary": "Agreed"}}, "deferrable": True, "poke_interval": 10}}
    Wait.partial(task_id="wait", **options).expand(event_id=ids("sensor", {SENSORS}))

for dag_id, (connection, pool) in {SHARED!r}.items():
    with DAG(dag_id, **OPTIONS):
        for part in range(2):
            half = ids("pair", 2 * {HALF})[part::2]
            Batch(task_id=f"part_{{part}}", plan=rename(half, dag_id), dingtalk_conn_id=connection, pool=pool)
"""


def events() -> list[str]:
    """Return the ids of the events that the DAGs are about."""
    kinds = {"bulk": BULK, "single": SINGLES, "sensor": SENSORS, "pair": 2 * HALF}
    return [f"{kind}-{n}" for kind, count in kinds.items() for n in range(count)]
