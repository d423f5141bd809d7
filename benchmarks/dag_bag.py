"""How long Airflow takes to parse many DAG files, by what is in them."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.emulated import alone, forked
from benchmarks.page import Section, Table, Target

FILES, TASKS, RUNS = 200, 5, 9
DAG_FILE = """from airflow.providers.common.compat.sdk import DAG
{imports}

with DAG("{kind}_{number}", schedule=None) as dag:
    for number in range({tasks}):
        {task}
"""
OURS, BASH = "our operator", "BashOperator"
KINDS = {
    BASH: (
        "from airflow.providers.standard.operators.bash import BashOperator",
        'BashOperator(task_id=f"t{number}", bash_command="echo {{ ds }}", env={"A": "B"})',
    ),
    OURS: (
        "from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch",
        'Patch(task_id=f"t{number}", union_id="u", event_id="e", patch={"summary": "{{ ds }}"})',
    ),
    "HttpOperator": (
        "from airflow.providers.http.operators.http import HttpOperator",
        'HttpOperator(task_id=f"t{number}", method="PUT", endpoint="v1.0/e", data="{{ ds }}", headers={"A": "B"})',
    ),
    "DingTalk's SDK in a PythonOperator": (
        "from airflow.providers.standard.operators.python import PythonOperator\n"
        "from alibabacloud_dingtalk.calendar_1_0 import models\n"
        "from alibabacloud_dingtalk.calendar_1_0.client import Client\n\n\n"
        "def patch(**context):\n    Client(...).patch_event(models.PatchEventRequest())",
        'PythonOperator(task_id=f"t{number}", python_callable=patch, op_kwargs={"summary": "{{ ds }}"})',
    ),
}
TEXT = """`DagBag` over {files} files with {tasks} tasks each, so what importing takes is paid once. Each run in a
process of its own that is forked from one with Airflow in it, as Airflow's DAG processor does; medians of {runs} runs
that take turns, and of the ratios within a turn."""
NOTES = """Airflow wraps the constructor of every class between an operator and `BaseOperator`, to fill in
`default_args`, and that costs some 25 µs a class and task. Our patch operator has three such classes more than
`BashOperator` (what all operators take, what the writing ones take, and an event's id), which is the whole
difference; fewer classes would mend it, and have not been tried yet. On a busy machine the difference drowns."""


def measure() -> Section:
    """Measure each kind of file in turn."""
    runs: list[dict[str, float]] = alone("dag_bag:rounds", RUNS)
    rows = [(kind, median(run[kind] for run in runs), median(run[kind] / run[BASH] for run in runs)) for kind in KINDS]
    ours = next(ratio for kind, _, ratio in rows if kind == OURS)
    table = Table(("tasks", "s", "of BashOperator"), rows)
    targets = [Target("our operator, of BashOperator", ours, 1.1)]
    text = TEXT.format(files=FILES, tasks=TASKS, runs=RUNS)
    return Section(f"Parsing: {FILES} DAG files", text, [table], targets, NOTES)


def rounds(runs: int) -> list[dict[str, float]]:
    """Parse all kinds, in turn; the first turn only compiles."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.providers.common.compat.sdk import DAG, BaseOperator

    with DAG("parsed", schedule=None):
        BaseOperator(task_id="something")
    with tempfile.TemporaryDirectory() as folder:
        folders = {kind: _written(Path(folder), kind, *lines) for kind, lines in KINDS.items()}
        turns = [
            {kind: forked(_parsed, DagBag, str(where)) for kind, where in folders.items()} for _ in range(runs + 1)
        ]
    return turns[1:]


def _written(folder: Path, kind: str, imports: str, task: str) -> Path:
    name = "".join(filter(str.isalpha, kind))
    (folder / name).mkdir()
    for number in range(FILES):
        text = DAG_FILE.format(imports=imports, kind=name, number=number, tasks=TASKS, task=task)
        (folder / name / f"dag{number}.py").write_text(text, encoding="utf-8")
    return folder / name


def _parsed(dag_bag: Any, folder: str) -> float:
    start = time.perf_counter()
    bag = dag_bag(dag_folder=folder)
    seconds = time.perf_counter() - start
    if bag.import_errors or len(bag.dags) != FILES:
        raise RuntimeError(f"{len(bag.dags)} DAGs; {next(iter(bag.import_errors.values()), '')}")
    return seconds


if __name__ == "__main__":
    print(measure())
