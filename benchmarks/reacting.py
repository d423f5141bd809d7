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

CHANGES, PAUSE, WINDOW, LIMIT = 20, 6.0, 60.0, 180.0
MINUTE, HOUR = 60.0, 3600.0
TEXT = """Airflow's own API server, scheduler, DAG processor and triggerer, with SQLite, for each source anew. {changes}
changes of one calendar, each of another event, one every {pause:.0f} seconds or so, over two intervals of `poll`; a run
counts as queued when Airflow's database says so. The processor is that of the triggerer with its supervisor, in percent
of one core: without a change, and while there are changes; an Airflow without any watcher is beside it. A poll that
finds nothing is a call, too: so its calls are a month's. What `poll` takes every hour is computed: a change waits for
any part of the interval, and then as long as it does every minute."""
DAGS = """
from airflow.sdk import DAG, Asset, AssetWatcher, task
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

trigger = DingTalkCalendarChangesTrigger(union_id="{union_id}", source="{source}", interval={interval})
watchers = [AssetWatcher(name="changes", trigger=trigger)]
with DAG("react", schedule=[Asset("calendar", watchers=watchers if {watches} else [])]):

    @task
    def react():
        pass

    react()
"""
QUEUED = """select json_extract(c.value, '$.event_id'), min((julianday(r.queued_at) - 2440587.5) * 86400.0)
from asset_event e join dagrun_asset_event d on d.event_id = e.id join dag_run r on r.id = d.dag_run_id,
json_each(e.extra, '$.payload.changes') c where r.dag_id = 'react' and r.queued_at is not null group by 1"""


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
    nothing, push, stream = (_measure_source(source) for source in ("", "push", "stream"))
    poll = _measure_source("poll", MINUTE)
    rows = [
        ("push", *_quantiles(push.seconds), push.calls, push.idle, push.busy),
        ("stream", *_quantiles(stream.seconds), stream.calls, stream.idle, stream.busy),
        ("poll, every minute", *_quantiles(poll.seconds), "43,200 a month", poll.idle, poll.busy),
        ("poll, every hour (computed)", *_hourly(poll.seconds), "720 a month", "", ""),
        ("no watcher", "", "", "", nothing.idle, ""),
    ]
    head = ("source", "median, s", "p95, s", "calls per change", "processor idle, %", "busy, %")
    targets = [
        Target("push: from a change to a queued run, median, s", statistics.median(push.seconds), 5),
        Target("stream: from a change to a queued run, median, s", statistics.median(stream.seconds), 10),
        Target("push: metered calls per change", push.calls, 0),
        Target("stream: metered calls per change", stream.calls, 1.5),
    ]
    return Section(
        "Reacting: from a change to a run", TEXT.format(changes=CHANGES, pause=PAUSE), [Table(head, rows)], targets
    )


def _hourly(seconds: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile of polls once an hour, from what was measured of polls once a minute."""
    after = max(statistics.median(seconds) - MINUTE / 2, 0.0)
    return HOUR / 2 + after, HOUR * 0.95 + after


def _quantiles(seconds: Sequence[float]) -> tuple[float, float]:
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[-1]


def _measure_source(source: str, interval: float | None = None) -> Reaction:
    with dingtalk(CHANGES) as service, _airflow(service, source, interval) as airflow:
        service.connect()
        if source:
            _wait_until(lambda: _is_watching(service, source), "the watcher does not begin")
        time.sleep(15)  # until Airflow has settled, and the watcher has its position
        idle = _processor(airflow, lambda: time.sleep(WINDOW))
        if not source:
            return Reaction([], 0.0, idle, 0.0)
        before, changed = _checks(service), dict[str, float]()
        busy = _processor(airflow, lambda: changed.update(_make_changes()))
        _wait_until(lambda: _queued(airflow).keys() >= changed.keys(), "a change has no run")
        calls = (_checks(service) - before) / CHANGES
        return Reaction([moment - changed[name] for name, moment in _queued(airflow).items()], calls, idle, busy)


def _is_watching(service: Service, source: str) -> bool:
    """Tell whether the watcher is connected, and whether it has listed the calendar, if its source does that."""
    connected = source == "poll" or service.get("/_emulator/stream")["connections"]
    return bool(connected and (source == "push" or _checks(service)))


@contextmanager
def _airflow(service: Service, source: str, interval: float | None) -> Iterator[Any]:
    from tests.standalone import Standalone

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "dags").mkdir()
        text = DAGS.format(union_id=LIN, source=source or "poll", interval=interval, watches=bool(source))
        (home / "dags" / "dags.py").write_text(text, encoding="utf-8")
        env = {
            "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(service.connection),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        }
        with Standalone(home, home / "dags", env) as services:
            yield services


def _make_changes() -> Iterator[tuple[str, float]]:
    """Change one event after the other, and wait a little after each, so that none is in step; yield when."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    for number in range(CHANGES):
        yield f"E{number}", time.time()
        with DingTalkCalendarHook() as hook:
            hook.patch_event(LIN, f"E{number}", {"location": f"Room {number}"})
        time.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311  # no secret


def _queued(airflow: Any) -> dict[str, float]:
    """Return when the run for each event was queued, in seconds since 1970."""
    with closing(sqlite3.connect(f"file:{airflow.home / 'airflow.db'}?mode=ro", uri=True, timeout=30)) as database:
        return dict(database.execute(QUEUED))


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
