"""``make system-test``: run it, show the time line, and keep it in ``docs/system-test.txt``."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import httpx

from tests.system import postgres, redis, sizing
from tests.system.airflow import Cluster, settings
from tests.system.dags import dag_files, organisation
from tests.system.dingtalk import dingtalk
from tests.system.scenario import Scenario
from tests.system.timeline import Timeline
from tests.system.verdict import account, verdict

KEPT = Path(__file__).parents[2] / "docs" / "system-test.txt"
ROWS, QPS = 1000, 20
HEAD = """One run of `make system-test` on {date}: {cores} cores, Airflow {airflow}, Celery {celery},
PostgreSQL {postgres}, Redis {redis}. DingTalk is the emulator, with at most {qps} calls per second and API.
Seconds are counted from the beginning of the run.
"""


def main(rows: int = ROWS) -> int:
    """Run it; the exit code says whether all went as it has to.

    :param rows: of the plan; with another number than that of the documentation, nothing is written into it.
    """
    programs = {"postgresql": postgres.program("initdb"), "redis-server": redis.server()}
    if missing := [package for package, program in programs.items() if not program]:
        names = " ".join(missing)
        say(f"make system-test needs PostgreSQL and Redis. Not found; on Debian: apt-get install {names}")
        return 2
    home = Path(tempfile.mkdtemp(prefix="airflow-dingtalk-system-"))
    try:
        run(home, rows)
    except KeyboardInterrupt:
        say("\nInterrupted; nothing is left running.")
        code = 130
    except (AssertionError, OSError, httpx.HTTPError, subprocess.SubprocessError) as error:
        say(f"\nFAILED: {error}\nThe logs are in {home}")
        return 1
    else:
        code = 0
    shutil.rmtree(home)
    return code


def head() -> str:
    """Say what runs."""
    return HEAD.format(
        date=f"{dt.date.today():%Y-%m-%d}",  # noqa: DTZ011  # where the reader is
        cores=os.cpu_count(),
        airflow=version("apache-airflow"),
        celery=version("celery"),
        postgres=number(postgres.program("postgres")),
        redis=number(redis.server()),
        qps=QPS,
    )


def number(program: str | Path | None) -> str:
    """Return the version of a server."""
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"\d+(\.\d+)+", said)[0]  # type: ignore[index]


def run(home: Path, rows: int) -> None:
    """Build everything up in a directory, play, judge, and keep what came of it."""
    timeline = Timeline()
    timeline.say(head())
    with ExitStack() as stack:
        home.chmod(0o711)  # PostgreSQL may run as somebody else
        database = stack.enter_context(postgres.postgres(home))
        broker = stack.enter_context(redis.redis(home))
        switches = {"qps_limit": QPS, "daily_creations": 0, "replay": "stored"}
        calendar = stack.enter_context(dingtalk(home, organisation(rows), **switches))
        timeline.note("PostgreSQL, Redis and DingTalk run")
        connections = {
            "AIRFLOW_CONN_DINGTALK_DEFAULT": calendar.connection(),
            "AIRFLOW_CONN_DINGTALK_HALF": calendar.connection(max_qps=QPS / 2),
        }
        env = {**settings(database.address, broker), **connections}
        airflow = stack.enter_context(Cluster(home / "airflow", dag_files(rows), env, timeline.note))
        airflow.ready()
        timeline.note("Airflow runs: API server, scheduler, DAG processor, triggerer, two Celery workers")
        scenario = Scenario(airflow, database, calendar, timeline, rows)
        scenario.play()
        judge(timeline, scenario)
        if rows == ROWS:
            sizing.write(sizing.measure(airflow, calendar, timeline))
    if rows == ROWS:
        KEPT.write_text(timeline.text(), encoding="utf-8")


def judge(timeline: Timeline, scenario: Scenario) -> None:
    """Say what came of it, and fail if that is not what it has to be."""
    judged = verdict(scenario)
    for line in ("", *account(scenario), "", *(f"{'yes' if so else 'NO '}  {what}" for what, so in judged.items())):
        timeline.say(line)
    timeline.say("")
    assert all(judged.values()), "not so: " + "; ".join(what for what, so in judged.items() if not so)


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
