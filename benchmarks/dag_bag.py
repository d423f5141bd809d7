"""How long Airflow takes to parse many DAG files, by what is in them."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.emulated import alone, forked
from benchmarks.page import Section, Table, Target

FILES, TASKS, RUNS = 200, 5, 9
DAG_FILE = """from airflow.providers.common.compat.sdk import DAG
{imports}

with DAG("{kind}_{number}", schedule=None) as dag:
    {tasks}
"""
BASH, OURS, ALL_OURS = "BashOperator", "our patch operator", "five of our operators"
KINDS: dict[str, tuple[str, *tuple[str, ...]]] = {
    BASH: (
        "from airflow.providers.standard.operators import bash",
        'bash.BashOperator(bash_command="echo {{ ds }}", env={"A": "B"}, ',
    ),
    OURS: (
        "from airflow_dingtalk_calendar.operators import event",
        'event.DingTalkCalendarPatchEventOperator(event_id="e", patch={"summary": "{{ ds }}"}, union_id="u", ',
    ),
    ALL_OURS: (
        "from airflow_dingtalk_calendar.operators import event, event_lifecycle, event_list",
        'event_list.DingTalkCalendarListEventsOperator(time_min="{{ ds }}", union_id="u", ',
        'event.DingTalkCalendarGetEventOperator(event_id="e", union_id="u", ',
        'event.DingTalkCalendarPatchEventOperator(event_id="e", patch={"summary": "{{ ds }}"}, union_id="u", ',
        'event_lifecycle.DingTalkCalendarCreateEventOperator(event={"summary": "{{ ds }}"}, union_id="u", ',
        'event_lifecycle.DingTalkCalendarDeleteEventOperator(event_id="e", union_id="u", ',
    ),
    "HttpOperator": (
        "from airflow.providers.http.operators import http",
        'http.HttpOperator(method="PUT", endpoint="v1.0/e", data="{{ ds }}", headers={"A": "B"}, ',
    ),
    "DingTalk's SDK in a PythonOperator": (
        "from airflow.providers.standard.operators import python\n"
        "from alibabacloud_dingtalk.calendar_1_0 import models\n"
        "from alibabacloud_dingtalk.calendar_1_0.client import Client\n\n\n"
        "def patch(**context):\n    Client(...).patch_event(models.PatchEventRequest())",
        'python.PythonOperator(python_callable=patch, op_kwargs={"summary": "{{ ds }}"}, ',
    ),
}
TEXT = """How long a `DagBag` takes for {files} files with {tasks} tasks each, so what importing takes is paid once.
Each run in a process of its own that is forked from one with Airflow in it, as Airflow's DAG processor does. Within a
run there is a `DagBag` for each kind, and they take turns file by file, so that what else the machine does disturbs all
of them alike. Medians of {runs} runs, and of the ratios within a run."""
NOTES = """Airflow wraps each constructor between an operator and `BaseOperator`, to fill in `default_args`, and that
costs some 25 µs a constructor and task. So an operator of ours has one, as `BashOperator` has. What is left comes with
the number of arguments, of which the patch operator has 16, 15 of them templated: Airflow looks at each when it is set
(`BaseOperator.__setattr__`), and at each templated one again for files and for other tasks' outputs. A third of it are
the classes between the operator and `BaseOperator`, each of which is searched for a converter of every attribute.
Writing the arguments past Airflow, into the instance's `__dict__`, would avoid a part of it, and is not worth it."""


def measure() -> Section:
    """Measure each kind of file in turn."""
    runs: list[dict[str, float]] = alone("dag_bag:rounds", RUNS)
    rows = [(kind, median(run[kind] for run in runs), median(run[kind] / run[BASH] for run in runs)) for kind in KINDS]
    table = Table(("tasks", "s", "of BashOperator"), rows)
    targets = [Target(f"{kind}, of BashOperator", ratio, 1.1) for kind, _, ratio in rows if kind in (OURS, ALL_OURS)]
    text = TEXT.format(files=FILES, tasks=TASKS, runs=RUNS)
    return Section(f"Parsing: {FILES} DAG files", text, [table], targets, NOTES)


def rounds(runs: int) -> list[dict[str, float]]:
    """Parse all kinds so many times; the first time only compiles."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.common.compat.sdk import DAG, BaseOperator

    with DAG("parsed", schedule=None):
        BaseOperator(task_id="something")
    with tempfile.TemporaryDirectory() as folder:
        files = [(kind, _written(Path(folder), kind, *lines)) for kind, lines in KINDS.items()]
        return [forked(_run, DagBag, files, run) for run in range(runs + 1)][1:]


def _written(folder: Path, kind: str, imports: str, *operators: str) -> list[str]:
    name = "".join(filter(str.isalpha, kind))
    tasks = [
        f'{operator}task_id="t{number}")' for number, operator in zip(range(TASKS), cycle(operators), strict=False)
    ]
    files = [folder / f"{name}{number}.py" for number in range(FILES)]
    for number, file in enumerate(files):
        text = DAG_FILE.format(imports=imports, kind=name, number=number, tasks="\n    ".join(tasks))
        file.write_text(text, encoding="utf-8")
    return [str(file) for file in files]


def _run(dag_bag: Any, files: Sequence[tuple[str, Sequence[str]]], run: int) -> dict[str, float]:
    bags = {kind: dag_bag(os.devnull, collect_dags=False) for kind, _ in files}
    seconds = dict.fromkeys(bags, 0.0)
    for number in range(FILES):
        first = (run + number) % len(files)
        for kind, names in (*files[first:], *files[:first]):
            start = time.perf_counter()
            bags[kind].process_file(names[number])
            seconds[kind] += time.perf_counter() - start
    for bag in bags.values():
        if bag.import_errors or len(bag.dags) != FILES:
            raise RuntimeError(f"{len(bag.dags)} DAGs; {next(iter(bag.import_errors.values()), '')}")
    return seconds


if __name__ == "__main__":
    print(measure())
