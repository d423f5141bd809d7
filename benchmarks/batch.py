"""Many events in one task: how near to the service's limit, beside one mapped task per event, in how much memory."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

LIN = "iiPLin"
EVENTS, MAPPED, ROWS = 1000, 30, 50_000
SERVICE_TIME, LIMIT = 0.08, 20
ZONE = "Asia/Shanghai"


class Figures(NamedTuple):
    """What was measured; times in seconds, memory in MB."""

    limited: float
    floor: float
    throttled: int
    unlimited: float
    coroutines: float
    mapped: float
    plan: float
    growth: float
    checking: float


def measure() -> Figures:
    """Measure, each part against an emulator in a process of its own."""
    with dingtalk(qps_limit=LIMIT) as (connection, url):
        limited = _applied(connection, max_qps=LIMIT)
        throttled = sum("QpsLimit" in str(request["code"]) for request in _get(f"{url}/_emulator/requests"))
    with dingtalk() as (connection, _):
        unlimited = _applied(connection, max_qps=1000)
        coroutines = asyncio.run(_coroutines())
        mapped = _mapped()
    plan, growth, checking = _alone("from benchmarks.batch import memory; memory()")
    return Figures(limited, EVENTS / LIMIT, throttled, unlimited, coroutines, mapped, plan, growth, checking)


@contextmanager
def dingtalk(**switches: float) -> Iterator[tuple[dict[str, Any], str]]:
    """Run an emulator with many events; yield a connection to it, and its address."""
    data = {
        "apps": [{"appKey": "ding-bench", "appSecret": "a-made-up-app-secret"}],
        "users": [{"unionId": LIN, "name": "Lin"}],
        "events": [_event(f"E{number}") for number in range(EVENTS)],
    }
    settings = [f"--set={name}={value}" for name, value in {"service_time": SERVICE_TIME, **switches}.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        command = [
            sys.executable,
            "-m",
            "airflow_dingtalk_calendar.emulator",
            "--print-connection",
            "--data",
            file.name,
        ]
        with subprocess.Popen([*command, *settings], stdout=subprocess.PIPE, text=True) as process:
            try:
                line = next(line for line in process.stdout or () if "AIRFLOW_CONN_" in line)
                connection = json.loads(re.search(r"\{.*\}", line)[0])  # type: ignore[index]
                yield connection, connection["host"]
            finally:
                process.terminate()


def _event(event_id: str) -> dict[str, Any]:
    times = {end: {"dateTime": f"2027-03-02T{hour}:00:00+08:00", "timeZone": ZONE} for end, hour in ENDS}
    return {"id": event_id, "summary": "Stand-up", "organizer": {"id": LIN}, **times}


ENDS = (("start", 10), ("end", 11))


def _plan(count: int) -> list[dict[str, Any]]:
    patch = {"summary": "Daily", "start": "2027-03-02T11:00", "end": "2027-03-02T12:00", "reminders": [15]}
    return [{"event_id": f"E{number}", "patch": json.loads(json.dumps(patch))} for number in range(count)]


def _applied(connection: dict[str, Any], max_qps: float) -> float:
    from airflow_dingtalk_calendar import auth, pace

    _connect(connection, max_qps)
    _execute(_plan(1))  # what only the first task of a process pays: importing
    auth.TOKENS.clear()
    pace.PACE.clear()
    time.sleep(1.1)  # the service forgets that one
    plan, start = _plan(EVENTS), time.perf_counter()
    assert _execute(plan)["updated"] == EVENTS  # noqa: S101
    return time.perf_counter() - start


def _connect(connection: dict[str, Any], max_qps: float) -> None:
    connection["extra"]["max_qps"] = max_qps
    os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = json.dumps(connection)


def _execute(plan: list[dict[str, Any]]) -> dict[str, int]:
    from airflow_dingtalk_calendar.operators.batch import DingTalkCalendarBatchPatchEventsOperator

    ids = {"dag_id": "d", "task_id": "t", "run_id": str(time.time()), "map_index": -1, "max_tries": 0, "try_number": 1}
    ti = SimpleNamespace(**ids, xcom_push=lambda key, value: None)
    operator = DingTalkCalendarBatchPatchEventsOperator(
        task_id="t", union_id=LIN, patches=plan, timezone=ZONE, max_calls=len(plan)
    )
    counts: dict[str, int] = operator.execute({"ti": ti, "task_state_store": _Kept()})  # type: ignore[typeddict-item, typeddict-unknown-key]
    return counts


class _Kept(dict[str, Any]):
    """A state store in memory."""

    def set(self, key: str, value: Any, retention: Any) -> None:
        self[key] = json.dumps(value)

    def delete(self, key: str) -> None:
        self.pop(key, None)


async def _coroutines() -> float:
    """Patch the same events with coroutines, as many at once as the operator has threads."""
    from airflow_dingtalk_calendar.hooks.bulk import MOST_THREADS
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    start, rows = time.perf_counter(), iter(_plan(EVENTS))
    async with DingTalkCalendarHook() as hook:

        async def work() -> None:
            for row in rows:
                await hook.apatch_event(LIN, row["event_id"], row["patch"], timezone=ZONE)

        await asyncio.gather(*(work() for _ in range(MOST_THREADS)))
    return time.perf_counter() - start


def _mapped() -> float:
    """Run a few mapped tasks with ``dag.test``, which spares them a process each; return the seconds."""
    _alone("from airflow.utils.db import initdb; initdb(); print('[]')")
    folder = Path(os.environ["AIRFLOW_HOME"]) / "dags"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "mapped.py"
    file.write_text(MAPPED_DAG.format(lin=LIN, zone=ZONE, rows=_plan(MAPPED)))
    (seconds,) = _alone(f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')")
    return seconds


MAPPED_DAG = """
import json, time
from airflow.providers.common.compat.sdk import DAG
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch

with DAG("mapped", schedule=None) as dag:
    Patch.partial(task_id="patch", union_id="{lin}", timezone="{zone}").expand_kwargs({rows})

if __name__ == "__main__":
    def seconds():
        start = time.perf_counter()
        run = dag.test()
        assert run.state == "success", run.state
        return time.perf_counter() - start

    seconds()  # what only the first run of a process pays
    print(json.dumps([seconds()]))
"""


def memory() -> None:
    """Carry out a large plan with answers made up in this process; print MB of the plan, MB it grew by, and seconds."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    _connect({"conn_type": "dingtalk", "login": "k", "password": "made-up", "extra": {}}, max_qps=1000)
    DingTalkCalendarHook.run = lambda hook, call: {**_event(call.json["id"]), "summary": "Daily"}  # type: ignore[assignment, method-assign]
    _execute(_plan(10))
    before = _peak()
    plan = _plan(ROWS)
    with_plan = _peak()
    from airflow_dingtalk_calendar import plan as plans

    start = time.perf_counter()
    plans.read(plan, union_id=LIN, timezone=ZONE)
    checking = time.perf_counter() - start
    assert _execute(plan)["updated"] == ROWS  # noqa: S101
    print(json.dumps([with_plan - before, _peak() - with_plan, checking]))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _alone(code: str) -> list[float]:
    """Run code in a new process; return the numbers that it prints in its last line."""
    env = {**os.environ, "AIRFLOW__CORE__DAGS_FOLDER": str(Path(os.environ["AIRFLOW_HOME"]) / "dags")}
    env |= {"AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=600, env=env)
    assert done.returncode == 0, done.stderr[-3000:]  # noqa: S101
    numbers: list[float] = json.loads(next(line for line in reversed(done.stdout.splitlines()) if line[:1] == "["))
    return numbers


def _get(url: str) -> Any:
    with urllib.request.urlopen(url) as answer:  # noqa: S310  # our own emulator
        return json.load(answer)
