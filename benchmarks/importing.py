"""What importing the operator adds to a process that has parsed a DAG."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from statistics import median

from benchmarks.emulated import alone, forked, rss
from benchmarks.page import Section, Table, Target

OURS, HTTP, SDK, BASH = "our operator", "HttpOperator", "DingTalk's SDK, its calendar only", "BashOperator"
STATEMENTS = {
    OURS: "from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator",
    BASH: "from airflow.providers.standard.operators.bash import BashOperator",
    HTTP: "from airflow.providers.http.operators.http import HttpOperator",
    SDK: "from alibabacloud_dingtalk.calendar_1_0.client import Client",
    "our hook and models (when a task runs)": "import airflow_dingtalk_calendar.hooks.calendar as h, "
    "airflow_dingtalk_calendar.models, airflow_dingtalk_calendar.client.transport",
}
RUNS = 9
TEXT = """Added to a process that has parsed a DAG with Airflow alone: milliseconds, modules, and memory in use. Each
in a process of its own that is forked from there, as Airflow's DAG processor does; medians of {runs} that take turns.
What compiling to bytecode takes at the very first import is not in it."""
NOTES = """Our modules are the package `operators`, `operators.event`, `operators.base` (what all our operators share)
and `exceptions` (which `operators.base` translates into Airflow's); hook, models and HTTP library are imported when a
task runs."""


def measure() -> Section:
    """Measure each import in new processes, in turn."""
    runs: list[dict[str, list[float]]] = alone("importing:rounds", RUNS)
    middle = {name: [float(median(run[name][i] for run in runs)) for i in range(3)] for name in STATEMENTS}
    rows = [(name, ms, int(modules), mb) for name, (ms, modules, mb) in middle.items()]
    targets = [
        Target("our operator, ms", middle[OURS][0], 15),
        Target("our operator, of HttpOperator", middle[OURS][0] / middle[HTTP][0], 1 / 25),
    ]
    table = Table(("import", "ms", "modules", "MB"), rows)
    return Section("Importing: what a DAG file pays", TEXT.format(runs=RUNS), [table], targets, NOTES)


def rounds(count: int, statements: Mapping[str, str] = STATEMENTS) -> list[dict[str, tuple[float, int, float]]]:
    """Parse a DAG, then import each in processes forked from there, in turn; the first turn only compiles."""
    from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator, task  # noqa: F401  # as DAG files do

    with DAG("parsed", schedule=None):
        BaseOperator(task_id="something")
    turns = [{name: forked(_added, code) for name, code in statements.items()} for _ in range(count + 1)]
    return turns[1:]


def _added(statement: str) -> tuple[float, int, float]:
    """Return what a statement adds: milliseconds, modules, MB."""
    code, memory, modules, start = compile(statement, "<import>", "exec"), rss(), len(sys.modules), time.perf_counter()
    exec(code, {})  # noqa: S102
    return (time.perf_counter() - start) * 1000, len(sys.modules) - modules, rss() - memory


if __name__ == "__main__":
    print(measure())
