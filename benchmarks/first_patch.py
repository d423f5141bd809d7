"""What the first patch costs in a process that has just begun: a task beside an empty one, and where its time goes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.emulated import LIN, Service, alone, dingtalk, forked, python
from benchmarks.page import Section, Table
from benchmarks.peers import PATCH

RUNS = 9
EMPTY, OURS, HTTP, SDK = "empty task", "our operator", "HttpOperator", "DingTalk's SDK in a PythonOperator"
TASKS = {
    EMPTY: "from airflow.providers.standard.operators.empty import EmptyOperator as Empty\nEmpty(task_id='t')",
    OURS: "from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch\n"
    "Patch(task_id='t', union_id=LIN, event_id='E0', patch=PATCH)",
    HTTP: "from airflow.providers.http.operators.http import HttpOperator\n"
    "HttpOperator(task_id='t', method='PUT', endpoint=path('E0'), data=json.dumps({**PATCH, 'id': 'E0'}), "
    "headers={'x-acs-dingtalk-access-token': TOKEN, 'content-type': 'application/json'}, "
    "response_filter=lambda response: response.json())",
    SDK: "from airflow.providers.standard.operators.python import PythonOperator\n"
    "def patch():\n    from benchmarks.peers import Sdk\n    return Sdk(SERVICE).patch('E0').to_map()\n"
    "PythonOperator(task_id='t', python_callable=patch)",
}
TEXT = """A process runs an empty DAG, so that what Airflow itself loads is there; then it reads the file of another DAG
and runs its one task (`dag.test`), which patches an event. Milliseconds of wall time from before the file is read to
the end of the run, each in a new process; medians of {runs} rounds in which the ways take turns. HttpOperator is given
a token for nothing; our operator and the SDK fetch theirs.

Each XCom is a request to Airflow's API server: HttpOperator has one, our operator also `patched_fields`,
`not_applied`, `metered_calls` and the event's page, for the operator and for its link.

The second table has the steps of our operator one by one, in processes forked from one that has parsed a DAG."""


def measure() -> Section:
    """Measure whole runs in turn, then the steps."""
    python("from airflow.utils.db import initdb; initdb(); print('[]')")
    with dingtalk() as service:
        service.connect()
        runs = [{name: _run_task(name, service) for name in TASKS} for _ in range(RUNS)]
        steps: list[dict[str, float]] = alone("first_patch:steps", RUNS)
    added = {name: median(run[name] - run[EMPTY] for run in runs) for name in TASKS}
    rows = [(name, median(run[name] for run in runs), added[name]) for name in TASKS]
    parts = [(name, median(run[name] for run in steps)) for name in steps[0]]
    tables = [Table(("task", "ms", "more than an empty task"), rows), Table(("step of our operator", "ms"), parts)]
    return Section("The first patch of a task", TEXT.format(runs=RUNS), tables)


RUN = """
import json, runpy, time

def run(file):
    run = runpy.run_path(file)["dag"].test()
    assert run.state == "success", run.state

run({warm!r})
start = time.perf_counter()
run({file!r})
print(json.dumps((time.perf_counter() - start) * 1000))
"""


def _run_task(name: str, service: Service) -> float:
    """Run a DAG of one task in a process of its own, after an empty one; return milliseconds."""
    os.environ["AIRFLOW_CONN_HTTP_DEFAULT"] = f'{{"conn_type": "http", "host": "{service.url}"}}'
    warm, file = (_write_dag(dag, task, service) for dag, task in (("warm", EMPTY), (f"first_{_number(name)}", name)))
    return float(python(RUN.format(warm=warm, file=file)))


def _number(name: str) -> int:
    return list(TASKS).index(name)


def _write_dag(dag_id: str, name: str, service: Service) -> str:
    file = Path(os.environ["BENCH_HOME"]) / "dags" / f"{dag_id}.py"
    file.parent.mkdir(exist_ok=True)
    values = f"SERVICE, TOKEN = Service({service.connection!r}), {service.token()!r}"
    task = "\n".join(f"    {line}" for line in TASKS[name].splitlines())
    file.write_text(f"{IMPORTS}{values}\nwith DAG({dag_id!r}, schedule=None) as dag:\n{task}\n", encoding="utf-8")
    return str(file)


IMPORTS = """
import json
from airflow.providers.common.compat.sdk import DAG
from benchmarks.emulated import LIN, Service
from benchmarks.peers import PATCH, path
"""


def steps(count: int) -> list[dict[str, float]]:
    """Measure the steps of a first patch, each time in a process forked from here, after one that only compiles."""
    from airflow.providers.common.compat.sdk import DAG, BaseHook, BaseOperator  # noqa: F401  # as DAG files do

    with DAG("parsed", schedule=None):
        BaseOperator(task_id="something")
    return [forked(_steps) for _ in range(count + 1)][1:]


def _steps() -> dict[str, float]:
    found: dict[str, Any] = {}
    took: dict[str, float] = {}

    def step(name: str, do: Callable[[], Any]) -> None:
        start = time.perf_counter()
        found[name] = do()
        took[name] = (time.perf_counter() - start) * 1000

    step("import of the operator, when the file is read", _import_operator)
    step("import of hook, models and HTTP library", _import_hook)
    hook = found["import of hook, models and HTTP library"]()
    step("connection read and checked", hook.get_conn)
    step("HTTP client made", hook.prepare)
    step("connection opened, token fetched, patch checked and sent", lambda: hook.patch_event(LIN, "E0", PATCH))
    step("for comparison: the same patch again", lambda: hook.patch_event(LIN, "E0", PATCH))
    return took


def _import_operator() -> Any:
    from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator

    return DingTalkCalendarPatchEventOperator


def _import_hook() -> Any:
    from airflow_dingtalk_calendar.client import transport  # noqa: F401
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.models.event_patch import EventPatch  # noqa: F401

    return DingTalkCalendarHook


if __name__ == "__main__":
    print(measure())
