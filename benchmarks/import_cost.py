"""What importing the operator adds to a process that has parsed a DAG."""

from __future__ import annotations

import json
import subprocess
import sys
from statistics import median

PARSED = """
import sys, time, json
from airflow.providers.common.compat.sdk import DAG, BaseOperator, BaseHook, task
with DAG("parsed", schedule=None):
    BaseOperator(task_id="something")
modules, start = len(sys.modules), time.perf_counter()
{statement}
print(json.dumps([(time.perf_counter() - start) * 1000, len(sys.modules) - modules]))
"""
STATEMENTS = {
    "our operator": "from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator",
    "our hook": "from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook, client_token_for",
    "BashOperator": "from airflow.providers.standard.operators.bash import BashOperator",
    "our models (loaded when a task runs)": "import airflow_dingtalk_calendar.models",
}
RUNS = 7


def measure() -> list[tuple[str, float, float, int]]:
    """Return rows of: what, median ms, ratio to BashOperator, modules; each run in a new process, in turn."""
    runs = [{name: _once(statement) for name, statement in STATEMENTS.items()} for _ in range(RUNS)]
    return [
        (
            name,
            median(run[name][0] for run in runs),
            median(run[name][0] / run["BashOperator"][0] for run in runs),
            int(runs[0][name][1]),
        )
        for name in STATEMENTS
    ]


def _once(statement: str) -> tuple[float, int]:
    code = PARSED.format(statement=statement)
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    milliseconds, modules = json.loads(done.stdout.splitlines()[-1])
    return milliseconds, modules
