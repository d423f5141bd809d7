"""Real task runs: write a DAG file, let Airflow run it, and read what Airflow stored."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
from contextlib import suppress
from functools import cache
from itertools import chain, count
from pathlib import Path
from textwrap import dedent
from typing import Any

_NUMBERS = count(1)
# Where the Airflow lines keep what they mask.
MASKERS = (
    "airflow._shared.secrets_masker.secrets_masker",
    "airflow.sdk._shared.secrets_masker.secrets_masker",
    "airflow.sdk.execution_time.secrets_masker",
    "airflow.utils.log.secrets_masker",
)

HEADER = """
from airflow.providers.common.compat.sdk import DAG, task
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
"""


class Run:
    """A finished DAG run, as Airflow's metadata database records it."""

    def __init__(self, dag_run: Any) -> None:
        self._tasks = {(ti.task_id, _index(ti)): ti for ti in dag_run.get_task_instances()}

    def state(self, task_id: str, map_index: int = -1) -> str:
        """Return the state of a task."""
        return str(self._tasks[task_id, map_index].state)

    def xcom(self, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return what a task pushed."""
        mapped = {} if map_index < 0 else {"map_indexes": map_index}
        return self._tasks[task_id, map_index].xcom_pull(task_id, key=key, **mapped)


class Ti:
    """The part of a task instance that the operators use; what every task pushes, it keeps apart from the rest."""

    dag_id, task_id, run_id, map_index, max_tries, try_number = "d", "t", "r", -1, 2, 1

    def __init__(self, **values: Any) -> None:
        self.pushed: dict[str, Any] = {}
        self.about: dict[str, Any] = {}
        vars(self).update(values)

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep what the task pushed."""
        every = key in ("metered_calls", "event_page", "event_link")
        (self.about if every else self.pushed)[key] = value

    @property
    def metered_calls(self) -> Any:
        """What the task has cost; None if it did not say."""
        return self.about.get("metered_calls")


class StateStore:
    """Airflow's state store in memory, which says no to what Airflow's would warn of."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.writes = 0
        self.broken = False

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value."""
        assert not self.broken
        return json.loads(self.values[key]) if key in self.values else default

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value."""
        assert not self.broken
        assert threading.current_thread() is threading.main_thread()
        assert len(key) <= 512
        self.values[key] = json.dumps(value)
        self.writes += 1
        assert len(self.values[key]) <= 65_535

    def delete(self, key: str) -> None:
        """Forget a value."""
        assert not self.broken
        self.values.pop(key, None)


def _index(ti: Any) -> int:
    index = getattr(ti, "map_index", None)
    return int(ti.region_index if index is None else index)  # Airflow 3.4 keeps it under another name


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
        return Run(run_file(file, conf))
    finally:
        file.unlink()


def forget_secrets() -> None:
    """Have Airflow mask no secret of an earlier test: for each new one it compiles a pattern of all that it knows."""
    for name in MASKERS:
        masker = vars(sys.modules[name]).get("_secrets_masker") if name in sys.modules else None
        if masker is not None:
            masker().patterns.clear()
            masker().replacer = None


def keep_api_server() -> None:
    """Have all tasks here use one API in this process, as Airflow does from 3.3 on; 3.0 to 3.2 build it for each task.

    Building it takes seconds, for it writes down the routes of all its versions.
    """
    with suppress(ImportError):  # Airflow 2.11 has none
        from airflow.sdk.execution_time import supervisor

        supervisor.in_process_api_server = cache(supervisor.in_process_api_server)


def run_file(file: Path, conf: dict[str, Any] | None = None) -> Any:
    """Run the DAG that a file in the DAG folder defines as ``dag``."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    register_outlets(module.dag)
    return module.dag.test(run_conf=conf)


def register_outlets(dag: Any) -> None:
    """Have Airflow's database know the outlets of a DAG; the DAG processor does so, ``dag.test`` of old lines not."""
    outlets = [outlet for task in dag.tasks for outlet in getattr(task, "outlets", None) or ()]
    if not outlets:
        return
    from airflow.utils.session import create_session

    with create_session() as session:
        for row in chain.from_iterable(_rows_of(outlet, session) for outlet in outlets):
            session.add(row)


def _rows_of(outlet: Any, session: Any) -> list[Any]:
    """Make the rows that stand for an outlet, unless they are there."""
    try:
        from airflow.models.asset import AssetActive, AssetModel
    except ImportError:  # Airflow 2.11
        from airflow.models.dataset import DatasetModel

        found = session.query(DatasetModel).filter_by(uri=outlet.uri).first()
        return [] if found else [DatasetModel(uri=outlet.uri)]
    if session.query(AssetModel).filter_by(uri=outlet.uri).first():
        return []
    return [AssetModel(name=outlet.name, uri=outlet.uri, group="asset"), AssetActive(name=outlet.name, uri=outlet.uri)]
