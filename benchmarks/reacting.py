"""How long it takes from a change in a calendar to a queued DAG run, what that costs, and the triggerer's processor."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.emulated import LIN, Service, dingtalk
from benchmarks.page import Section, Table, Target

CHANGES, WINDOW, LIMIT = 20, 30.0, 120.0
MINUTE, HOUR = 60.0, 3600.0
TEXT = """Airflow's own API server, scheduler, DAG processor and triggerer, with SQLite, for each source anew. {changes}
changes of one calendar, some seconds apart; a run counts as queued when Airflow's database says so. What `poll` takes
is computed: a change waits for any part of the interval, and then as long as a push does. The processor is that of the
triggerer with its supervisor, in percent of one core: without a change, and with one every {pause:.0f} seconds or so;
an Airflow without any watcher is beside it. A check of `poll` that finds nothing is a call, too: so its calls are a
month's."""
DAGS = """
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

trigger = DingTalkCalendarChangesTrigger(union_id="{union_id}", source="{source}")
watchers = [AssetWatcher(name="changes", trigger=trigger)]
with DAG("hear", schedule=[Asset("calendar", watchers=watchers if {watches} else [])]):

    @task
    def hear():
        pass

    hear()
"""
PAUSE = 4.0


class Reaction(NamedTuple):
    """What was measured of a source; without one, of an Airflow that watches nothing.

    :ivar seconds: from each change to its queued run.
    :ivar calls: metered calls for a change, those that the change itself took left out.
    :ivar idle: percent of a core without changes; ``busy``: with changes.
    """

    seconds: Sequence[float]
    calls: float
    idle: float
    busy: float


def measure() -> Section:
    """Measure the sources one after the other."""
    nothing, stream, push = (_measure_source(source) for source in ("", "stream", "push"))
    after = statistics.median(push.seconds)
    rows = [
        ("push", *_quantiles(push.seconds), push.calls, push.idle, push.busy),
        ("stream", *_quantiles(stream.seconds), stream.calls, stream.idle, stream.busy),
        ("poll, every minute (computed)", MINUTE / 2 + after, MINUTE * 0.95 + after, "43,200 a month", "", ""),
        ("poll, every hour (computed)", HOUR / 2 + after, HOUR * 0.95 + after, "720 a month", "", ""),
        ("no watcher", "", "", "", nothing.idle, ""),
    ]
    head = ("source", "median, s", "p95, s", "calls per change", "processor idle, %", "busy, %")
    targets = [
        Target("push: from a change to a queued run, median, s", after, 5),
        Target("stream: from a change to a queued run, median, s", statistics.median(stream.seconds), 10),
        Target("push: metered calls per change", push.calls, 0),
        Target("stream: metered calls per change", stream.calls, 1.5),
    ]
    return Section(
        "Reacting: from a change to a run", TEXT.format(changes=CHANGES, pause=PAUSE), [Table(head, rows)], targets
    )


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def _measure_source(source: str) -> Reaction:
    with dingtalk() as service, _airflow(service, source) as airflow:
        service.connect()
        if source:
            _wait_until(lambda: service.get("/_emulator/stream")["connections"], "the triggerer does not connect")
        time.sleep(15)  # until Airflow has settled, and the watcher has its position
        idle = _processor(airflow, lambda: time.sleep(WINDOW))
        if not source:
            return Reaction([], 0.0, idle, 0.0)
        before, seconds = _checks(service), list[float]()
        busy = _processor(airflow, lambda: seconds.extend(_change(airflow, number) for number in range(CHANGES)))
        return Reaction(seconds, (_checks(service) - before) / CHANGES, idle, busy)


@contextmanager
def _airflow(service: Service, source: str) -> Iterator[Any]:
    from tests.standalone import Standalone

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "dags").mkdir()
        text = DAGS.format(union_id=LIN, source=source or "poll", watches=bool(source))
        (home / "dags" / "dags.py").write_text(text, encoding="utf-8")
        env = {
            "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(service.connection),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        }
        with Standalone(home, home / "dags", env) as services:
            yield services


def _change(airflow: Any, number: int) -> float:
    """Change an event; return the seconds until a run is queued, and wait a little, so that no change is in step."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    before = len(_queued(airflow))
    changed = time.time()
    with DingTalkCalendarHook() as hook:
        hook.patch_event(LIN, "E0", {"location": f"Room {number}"})
    _wait_until(lambda: len(_queued(airflow)) > before, "no run")
    seconds = max(_queued(airflow)) - changed
    time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
    return seconds


def _queued(airflow: Any) -> list[float]:
    """Return when each run was queued, in seconds since 1970."""
    sql = "select (julianday(queued_at) - 2440587.5) * 86400.0 from dag_run where dag_id = 'hear'"
    with closing(sqlite3.connect(f"file:{airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
        return [moment for (moment,) in database.execute(sql) if moment is not None]


def _processor(airflow: Any, work: Callable[[], object]) -> float:
    """Return what the triggerer's processes use of a core while something is done, in percent."""
    before, began = _triggerer_seconds(airflow), time.monotonic()
    work()
    return 100 * (_triggerer_seconds(airflow) - before) / (time.monotonic() - began)


def _triggerer_seconds(airflow: Any) -> float:
    import psutil

    owned = (one for one in psutil.process_iter() if airflow.processes.owner(one.pid) == "triggerer")
    return sum(times.user + times.system for times in (one.cpu_times() for one in owned))


def _checks(service: Service) -> int:
    return int(service.get("/_emulator/effects")["calls"].get("ListEvents", 0))


def _wait_until(question: Callable[[], object], otherwise: str) -> None:
    deadline = time.monotonic() + LIMIT
    while not question():
        if time.monotonic() > deadline:
            raise RuntimeError(otherwise)
        time.sleep(0.1)


if __name__ == "__main__":
    print(measure())
