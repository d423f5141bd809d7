"""Airflow's metrics of calls: counters and a timer, tagged with the action, and with the DAG and the task if any."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from airflow_dingtalk_calendar.client.call_counter import CallCounter, CountedRequest
from airflow_dingtalk_calendar.hooks.airflow_compat import Stats

# By the member of a request that says whether it counts.
COUNTERS = {
    "metered": "dingtalk.calls",
    "throttled": "dingtalk.throttled",
    "repeated": "dingtalk.retries",
    "unknown": "dingtalk.unknown",
}


def make_counter(task_instance: Any = None, **options: Any) -> CallCounter:
    """Make a counter of calls that reports each of them to Airflow's metrics.

    :param task_instance: the task on whose behalf a trigger calls; without it, the task that this process runs.
    :param options: of the counter.
    """
    return CallCounter(report=partial(emit_metrics, task_tags(task_instance)), **options)


def emit_metrics(task: Mapping[str, str], request: CountedRequest) -> None:
    """Report a request to Airflow's metrics; a failure there fails no call.

    :param task: the tags of the task on whose behalf it was sent.
    """
    tags = {**task, "action": request.action}
    with suppress(Exception):  # whatever the metrics' backend, or what it is made of, raises
        for member, name in COUNTERS.items():
            if getattr(request, member):
                Stats.incr(name, tags=tags)
        Stats.timing("dingtalk.duration", dt.timedelta(seconds=request.seconds), tags=tags)


def task_tags(task_instance: Any = None) -> dict[str, str]:
    """Name a task as Airflow's own metrics do; a watcher, and a program of one's own, is no task."""
    names = ("dag_id", "task_id")
    if task_instance is not None:
        return {name: str(getattr(task_instance, name)) for name in names if hasattr(task_instance, name)}
    # Airflow sets these variables in the process of a task.
    found = {name: os.environ.get(f"AIRFLOW_CTX_{name.upper()}") for name in names}
    return {name: value for name, value in found.items() if value}
