"""What importing the operator adds to a process that has parsed a DAG."""

from __future__ import annotations

from statistics import median

from benchmarks.emulated import python
from benchmarks.page import Section, Table, Target

PARSED = """
import sys, time, json
from benchmarks.emulated import rss
from airflow.providers.common.compat.sdk import DAG, BaseOperator, BaseHook, task
with DAG("parsed", schedule=None):
    BaseOperator(task_id="something")
rss()
modules, memory, start = len(sys.modules), rss(), time.perf_counter()
{statement}
print(json.dumps([(time.perf_counter() - start) * 1000, len(sys.modules) - modules, rss() - memory]))
"""
OURS, HTTP, SDK, BASH = "our operator", "HttpOperator", "DingTalk's SDK, its calendar only", "BashOperator"
STATEMENTS = {
    OURS: "from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator",
    BASH: "from airflow.providers.standard.operators.bash import BashOperator",
    HTTP: "from airflow.providers.http.operators.http import HttpOperator",
    SDK: "from alibabacloud_dingtalk.calendar_1_0.client import Client",
    "our hook and models (when a task runs)": "import airflow_dingtalk_calendar.hooks.calendar as h, "
    "airflow_dingtalk_calendar.models, airflow_dingtalk_calendar.hooks.transport",
}
RUNS = 5
TEXT = """Added to a process that has parsed a DAG with Airflow alone: milliseconds, modules, and memory in use. Each
in a new process, medians of {runs} that take turns; what compiling to bytecode takes at the very first import is not
in it."""
NOTES = """Our modules are the package `operators`, `operators.event`, `operators.base` (what all our operators share)
and `exceptions` (which `operators.base` translates into Airflow's); hook, models and HTTP library are imported when a
task runs."""


def measure() -> Section:
    """Measure each import in new processes, in turn."""
    for statement in STATEMENTS.values():
        python(PARSED.format(statement=statement))  # compiles
    runs = [{name: python(PARSED.format(statement=code)) for name, code in STATEMENTS.items()} for _ in range(RUNS)]
    middle = {name: [float(median(run[name][i] for run in runs)) for i in range(3)] for name in STATEMENTS}
    rows = [(name, ms, int(modules), mb) for name, (ms, modules, mb) in middle.items()]
    targets = [
        Target("our operator, ms", middle[OURS][0], 15),
        Target("our operator, of HttpOperator", middle[OURS][0] / middle[HTTP][0], 1 / 25),
    ]
    table = Table(("import", "ms", "modules", "MB"), rows)
    return Section("Importing: what a DAG file pays", TEXT.format(runs=RUNS), [table], targets, NOTES)


if __name__ == "__main__":
    print(measure())
