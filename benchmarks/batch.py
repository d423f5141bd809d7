"""Many events in one task: how near to the service's limit, beside mapped tasks and a loop with DingTalk's SDK."""

from __future__ import annotations

import asyncio
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from benchmarks import peers
from benchmarks.emulated import LIN, ZONE, Service, alone, dingtalk, event, peak, python, unpaced
from benchmarks.page import Section, Table, Target

EVENTS, MAPPED, LOOPED, ROWS = 1000, 30, 100, 50_000
SERVICE_TIME, LIMIT, THREADS = 0.08, 20, 16
TEXT = """The emulator, in a process of its own, takes {service_time:g} s for each call. With its limit of {limit}
calls per second, {events:,} events cannot take less than {floor:g} s. Mapped tasks are real task runs by
`dag.test`, one after the other, which spares each the process that a scheduler would start for it. The SDK paces
nothing and tries nothing again: a loop is as slow as the service, and with threads most of it is turned away and
lost, unless somebody writes the rest. Mapped tasks and loops have fewer events; what counts is their rate."""
MEMORY = """A plan of {rows:,} rows is {plan:.0f} MB, and is checked in {checking:.1f} s. While it is applied, the
process grows by {growth:.0f} MB more until the results are handed to XCom (the answers are made up in the process)."""
NOTES = """With a limit, the pace plans 1.03 s for what may go in one, because calls do not arrive as evenly as they
leave: that is 3 % of the time. A throttled answer costs everybody a second, since DingTalk counts by the second; on
a very busy machine there are some, because client and emulator both wake up late, which can miss the target. An
answer that took longer than usual shows that its call has arrived late, and those a second later wait for it.

Coroutines are slower than threads here: for each request, the HTTP library's pool looks at every connection it has,
and what it has to ask of each costs more in its version for coroutines."""
Row = tuple[str, int, float, int, int]  # the way, events, seconds, throttled answers, events that are not done


def measure() -> Section:
    """Measure each way, those with a limit against an emulator of their own."""
    floor = EVENTS / LIMIT
    ours, free = _limited_row(), _unlimited()
    loops = [_looped(LOOPED, 1, LIMIT), _looped(EVENTS, THREADS, LIMIT)]
    rows = [ours, *loops, *free]
    mapped, bulk = free[-1], free[0]
    targets = [
        Target("a plan, of the least that the limit allows", ours[2] / floor, 1.05),
        Target("a plan, throttled answers", ours[3], 5),
        Target("a plan, no limit: events/s, of mapped tasks", _rate(bulk) / _rate(mapped), 10, at_least=True),
    ]
    table = Table(
        ("way", "events", "s", "events/s done", "throttled", "events lost"),
        [(*row[:3], _rate(row), *row[3:]) for row in rows],
    )
    plan, growth, checking = alone("batch:memory")
    text = TEXT.format(service_time=SERVICE_TIME, limit=LIMIT, events=EVENTS, floor=floor)
    memory = MEMORY.format(rows=ROWS, plan=plan, checking=checking, growth=growth)
    return Section(f"A plan: {EVENTS:,} events in one task", f"{text}\n\n{memory}", [table], targets, NOTES)


def _rate(row: Row) -> float:
    _, count, took, _, lost = row
    return (count - lost) / took


def _limited_row() -> Row:
    with dingtalk(EVENTS, service_time=SERVICE_TIME, qps_limit=LIMIT) as service:
        took = _applied(service, max_qps=LIMIT)
        return f"a plan, limit of {LIMIT}", EVENTS, took, service.throttled(), 0


def _unlimited() -> list[Row]:
    with dingtalk(EVENTS, service_time=SERVICE_TIME) as service, unpaced():
        return [
            ("a plan, no limit", EVENTS, _applied(service, max_qps=1000), 0, 0),
            ("coroutines of the hook, no limit", EVENTS, asyncio.run(_coroutines()), 0, 0),
            _looped_at(service, LOOPED, 1, "no limit"),
            _looped_at(service, EVENTS, THREADS, "no limit"),
            ("mapped tasks, no limit", MAPPED, _mapped(), 0, 0),
        ]


def _looped(events: int, threads: int, limit: int) -> Row:
    with dingtalk(events, service_time=SERVICE_TIME, qps_limit=limit) as service:
        return _looped_at(service, events, threads, f"limit of {limit}")


def _looped_at(service: Service, events: int, threads: int, limit: str) -> Row:
    """Patch events with the SDK in a loop, or in a loop over a pool of threads."""
    sdk = peers.Sdk(service)

    def done(number: int) -> bool:
        try:
            sdk.patch(f"E{number}")
        except Exception:  # the SDK has one class for all that the service may answer
            return False
        return True

    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        lost = list(pool.map(done, range(events))).count(False)
    took = time.perf_counter() - start
    name = "the SDK in a loop" if threads == 1 else f"the SDK in {threads} threads"
    return f"{name}, {limit}", events, took, service.throttled(), lost


def _plan(count: int) -> list[dict[str, Any]]:
    patch = {"summary": "Daily", "start": "2027-03-02T11:00", "end": "2027-03-02T12:00", "reminders": [15]}
    return [{"event_id": f"E{number}", "patch": json.loads(json.dumps(patch))} for number in range(count)]


def _applied(service: Service, max_qps: float) -> float:
    from airflow_dingtalk_calendar.client import token_cache
    from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER

    service.connect(max_qps)
    execute(_plan(1))  # what only the first task of a process pays: importing
    token_cache.TOKEN_CACHE.clear()
    RATE_LIMITER.clear()
    time.sleep(1.1)  # the service forgets that one
    plan, start = _plan(EVENTS), time.perf_counter()
    updated = execute(plan)["applied"]
    if updated != EVENTS:
        raise RuntimeError(f"{updated} events of {EVENTS} were updated")
    return time.perf_counter() - start


def execute(plan: list[dict[str, Any]]) -> dict[str, int]:
    """Apply a plan as a task does."""
    from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator

    ids = {"dag_id": "d", "task_id": "t", "run_id": str(time.time()), "map_index": -1, "max_tries": 0, "try_number": 1}
    ti = SimpleNamespace(**ids, xcom_push=lambda key, value: None)
    operator = DingTalkCalendarApplyPlanOperator(
        task_id="t", union_id=LIN, plan=plan, timezone=ZONE, max_calls=len(plan)
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
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.worker_pool import API_THREADS

    start, rows = time.perf_counter(), iter(_plan(EVENTS))
    async with DingTalkCalendarHook() as hook:

        async def work() -> None:
            for row in rows:
                await hook.apatch_event(LIN, row["event_id"], row["patch"], timezone=ZONE)

        await asyncio.gather(*(work() for _ in range(API_THREADS)))
    return time.perf_counter() - start


def _mapped() -> float:
    """Run a few mapped tasks with ``dag.test``, which spares them a process each; return the seconds."""
    python("from airflow.utils.db import initdb; initdb(); print('[]')")
    file = Path(os.environ["BENCH_HOME"]) / "dags" / "mapped.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(MAPPED_DAG.format(lin=LIN, zone=ZONE, rows=_plan(MAPPED)), encoding="utf-8")
    return float(python(f"import runpy; runpy.run_path({str(file)!r}, run_name='__main__')"))


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
    print(json.dumps(seconds()))
"""


def memory() -> tuple[float, float, float]:
    """Apply a large plan with made-up answers; return MB of the plan, MB it grew by, and seconds of checking."""
    make_up_answers()
    execute(_plan(10))
    before = peak()
    plan = _plan(ROWS)
    with_plan = peak()
    from airflow_dingtalk_calendar.plans import plan as plans

    start = time.perf_counter()
    plans.parse_plan(plan, union_id=LIN, timezone=ZONE)
    checking = time.perf_counter() - start
    execute(plan)
    return with_plan - before, peak() - with_plan, checking


def made_up_connection() -> str:
    """Write a connection that nobody uses."""
    made_up = {"conn_type": "dingtalk", "login": "k", "password": "made-up", "extra": {"max_qps": 1000}}
    return json.dumps(made_up)


def make_up_answers() -> None:
    """Let the hook of this process answer without asking anybody."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = made_up_connection()
    DingTalkCalendarHook.run = lambda hook, call: {**event(call.json["id"]), "summary": "Daily"}  # type: ignore[assignment, method-assign]


def applied(count: int) -> float:
    """Apply a plan with made-up answers; return the seconds of processor."""
    plan, used = _plan(count), time.process_time()
    execute(plan)
    return time.process_time() - used


if __name__ == "__main__":
    print(measure())
