"""Real task runs: write a DAG file, let Airflow run it, and read what Airflow stored."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from textwrap import dedent
from typing import Any

_NUMBERS = count(1)

HEADER = """
from airflow.providers.common.compat.sdk import DAG, task
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
"""


@dataclass(frozen=True)
class Run:
    """A finished DAG run, as Airflow's metadata database tells of it.

    Read with SQL rather than with Airflow's models, whose API differs between the versions we support.
    """

    run_id: str
    database: Path

    def state(self, task_id: str, map_index: int = -1) -> str:
        """Return the state of a task."""
        return str(self._one("state", "task_instance", task_id, map_index))

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return what a task pushed."""
        value = self._one("value", "xcom", task_id, map_index, f"and key = '{key}'")
        return None if value is None else json.loads(value)

    def rendered(self, task_id: str) -> str:
        """Return a task's rendered fields, as stored."""
        return str(self._one("rendered_fields", "rendered_task_instance_fields", task_id, -1))

    def _one(self, column: str, table: str, task_id: str, map_index: int, more: str = "") -> Any:
        query = f"select {column} from {table} where run_id = ? and task_id = ? and map_index = ? {more}"  # noqa: S608
        with sqlite3.connect(self.database) as database:
            row = database.execute(query, (self.run_id, task_id, map_index)).fetchone()
        return row[0] if row else None


def run_dag(home: Path, source: str, *, native: bool = False, conf: dict[str, Any] | None = None) -> Run:
    """Run the tasks that ``source`` defines, in a DAG of their own.

    :param source: the body of ``with DAG(...)``; ``Patch`` is the operator.
    """
    name = f"dag_{next(_NUMBERS)}"
    options = f"'{name}', schedule=None, render_template_as_native_obj={native}, params={{'none': None}}"
    body = "\n".join(f"    {line}" for line in dedent(source).strip().splitlines())
    file = home / "dags" / f"{name}.py"
    file.write_text(f"{HEADER}\nwith DAG({options}) as dag:\n{body}\n")
    try:
        return Run(run_file(file, conf).run_id, home / "airflow.db")
    finally:
        file.unlink()


def run_file(file: Path, conf: dict[str, Any] | None = None) -> Any:
    """Run the DAG that a file in the DAG folder defines as ``dag``."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.dag.test(run_conf=conf)
