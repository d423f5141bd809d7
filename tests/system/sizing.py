"""Two tasks that patch in bulk share one app: what it costs to let both go as fast as the app may, or not."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from tests.system.airflow import Cluster
from tests.system.dags import HALF, SHARED
from tests.system.dingtalk import THROTTLED, DingTalk
from tests.system.timeline import Timeline

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"
BEGIN, END = "<!-- measured by make system-test -->\n", "<!-- end -->\n"
POOL = "dingtalk"
HEAD = f"""| two tasks of {HALF} patches at once | patches applied | throttled answers | seconds | patches per second |
| --- | ---: | ---: | ---: | ---: |
"""
WAYS = {
    "both_full": "`max_qps` 20 each: twice the limit",
    "both_half": "`max_qps` 10 each",
    "pooled": "`max_qps` 20 each, in a pool with one slot",
}


@dataclass(frozen=True)
class Measured:
    """What came of one way."""

    dag_id: str
    applied: int
    throttled: int
    seconds: float

    def __str__(self) -> str:
        rate = self.applied / self.seconds
        return f"| {WAYS[self.dag_id]} | {self.applied} | {self.throttled} | {self.seconds:.0f} | {rate:.1f} |\n"


def measure(airflow: Cluster, dingtalk: DingTalk, timeline: Timeline) -> list[Measured]:
    """Try one way after the other."""
    airflow.pool(POOL, 1)
    found = []
    for dag_id in SHARED:
        found.append(_measure(airflow, dingtalk, dag_id))
        timeline.note(f"{WAYS[dag_id]}: {found[-1].throttled} throttled answers, {found[-1].seconds:.0f} s")
    return found


def write(found: list[Measured]) -> None:
    """Put the table into its page."""
    before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(f"{before}{BEGIN}{HEAD}{''.join(map(str, found))}{END}{after}", encoding="utf-8")


def _measure(airflow: Cluster, dingtalk: DingTalk, dag_id: str) -> Measured:
    """Watch Airflow only: whoever asks the emulator holds up its answers, and then calls come in bursts."""
    writes, throttled = len(dingtalk.writes()), dingtalk.answers()[THROTTLED]
    run = airflow.trigger(dag_id)
    state = airflow.until(lambda: airflow.over(dag_id, run))
    assert state == "success", f"the run of {dag_id} is over: {state}"
    times = [dt.datetime.fromisoformat(write["time"]) for write in dingtalk.writes()[writes:]]
    seconds = (max(times) - min(times)).total_seconds()
    return Measured(dag_id, len(times), dingtalk.answers()[THROTTLED] - throttled, seconds)
