"""What befalls Airflow while it patches a thousand events, and what DingTalk has of it in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from tests.system.airflow import SLOTS, Cluster
from tests.system.dags import BULK, SENSORS, SINGLES
from tests.system.dingtalk import DingTalk, event
from tests.system.postgres import Postgres
from tests.system.timeline import Timeline

#: Something to do, as soon as something is so.
Blow = tuple[Callable[[], bool], Callable[[], None]]


class Scenario:
    """Three DAG runs at once, and what befalls them."""

    def __init__(self, airflow: Cluster, database: Postgres, dingtalk: DingTalk, timeline: Timeline) -> None:
        self.airflow = airflow
        self.database = database
        self.dingtalk = dingtalk
        self.timeline = timeline
        #: How many patches in bulk were applied when something befell it.
        self.applied_at: dict[str, int] = {}

    def play(self) -> None:
        """Start everything, deal the blows, and wait until all runs are over."""
        self.runs = {dag_id: self.airflow.trigger(dag_id) for dag_id in ("sensors", "bulk", "singles")}
        self.timeline.note(f"DAG runs start: {BULK} patches in bulk, {SINGLES} mapped patches, {SENSORS} sensors")
        self._deal(
            (lambda: self._bulk() >= BULK * 0.2, self._kill_worker),
            (self._all_wait, self._kill_triggerer),
            (lambda: self._bulk() >= BULK * 0.6, self._restart_database),
            (lambda: self._bulk() == BULK, lambda: self.timeline.note(f"all {BULK} patches in bulk are applied")),
        )
        self.airflow.until(self._all_wait)
        self.dingtalk.put(event(f"sensor-{n}", "Agreed") for n in range(SENSORS))
        self.timeline.note(f"people change the {SENSORS} events that sensors wait for")
        for dag_id, run in self.runs.items():
            state = self.airflow.until(partial(self.airflow.over, dag_id, run))
            self.timeline.note(f"the run of {dag_id} is over: {state}")

    def verdict(self) -> dict[str, bool]:
        """Return what had to be, and whether it is."""
        bulk, singles = self._updates("bulk-"), self._updates("single-")
        names = self.dingtalk.summaries()
        moved = [name for name in names if names[name] == f"Moved {name}"]
        runs = {dag_id: self.airflow.state(dag_id, run) for dag_id, run in self.runs.items()}
        return {
            f"all {BULK} patches in bulk are applied, each once": _once(bulk, BULK),
            f"all {SINGLES} mapped patches are applied, each once": _once(singles, SINGLES),
            "each of these events has its new name": len(moved) == BULK + SINGLES,
            f"all {SENSORS} sensors saw the change they waited for": self._states("sensors") == {"success": SENSORS},
            "all DAG runs are green": set(runs.values()) == {"success"},
            "the worker was killed in the middle of it, which cost the task a try": (
                self._amid("worker") and self._bulk_task()["try_number"] > 1
            ),
            "PostgreSQL ended in the middle of it": self._amid("PostgreSQL"),
        }

    def account(self) -> list[str]:
        """Return what it took, in words."""
        answers = self.dingtalk.answers()
        sent = sum(count for (action, _), count in answers.items() if action == "PatchEvent")
        again = answers["PatchEvent", "ok"] - len(self.dingtalk.updates())
        tries = Counter(task["try_number"] for dag_id in self.runs for task in self._tasks(dag_id))
        took = median(task["duration"] for task in self._tasks("singles"))
        return [
            f"PatchEvent: {sent} requests; {_in_words(answers, 'PatchEvent')}",
            f"  of those answered ok, {again} were repetitions under the same client token, which changed nothing",
            f"GetEvent: {_in_words(answers, 'GetEvent')}",
            f"tries of the task in bulk: {self._bulk_task()['try_number']}",
            "tries of all tasks: " + ", ".join(f"{count} tasks took {n}" for n, count in sorted(tries.items())),
            f"a mapped patch held a worker's slot for {took:.1f} s (median), with two workers of {SLOTS} slots",
        ]

    # -- blows ----------------------------------------------------------------------------------------------

    def _deal(self, *blows: Blow) -> None:
        left = list(blows)
        while left:
            due = self.airflow.until(lambda: next((blow for blow in left if blow[0]()), None))
            left.remove(due)
            due[1]()

    def _kill_worker(self) -> None:
        name = self.airflow.processes.owner(self._bulk_task()["pid"])
        assert name, "the task in bulk runs in no process of ours"
        self.airflow.kill(name)
        done = self.applied_at["worker"] = self._bulk()
        self.timeline.note(f"{name} is killed with all its tasks; of those in bulk, {done} are applied")
        self.airflow.until(lambda: self._bulk() > done)
        self.timeline.note("the task in bulk goes on in the other worker")
        self.airflow.launch(name)
        self.timeline.note(f"{name} is started again")

    def _kill_triggerer(self) -> None:
        self.airflow.kill("triggerer")
        self.airflow.launch("triggerer")
        self.timeline.note(f"{SENSORS} sensors wait in the triggerer, which is killed and started again")

    def _restart_database(self) -> None:
        done = self.applied_at["PostgreSQL"] = self._bulk()
        self.timeline.note(f"PostgreSQL is ended as in a crash; of those in bulk, {done} are applied")
        self.database.restart()
        self.timeline.note("PostgreSQL takes connections again")

    # -- questions ------------------------------------------------------------------------------------------

    def _bulk(self) -> int:
        return len(self._updates("bulk-"))

    def _updates(self, prefix: str) -> Counter[str]:
        """Return how often each event was changed whose id begins so."""
        names = (update["event_id"] for update in self.dingtalk.updates())
        return Counter(name for name in names if name.startswith(prefix))

    def _bulk_task(self) -> dict[str, Any]:
        return self.airflow.task("bulk", self.runs["bulk"], "apply")

    def _amid(self, what: str) -> bool:
        return 0 < self.applied_at[what] < BULK

    def _all_wait(self) -> bool:
        return self._states("sensors") == {"deferred": SENSORS}

    def _states(self, dag_id: str) -> Counter[str]:
        return Counter(str(task["state"]) for task in self._tasks(dag_id))

    def _tasks(self, dag_id: str) -> list[dict[str, Any]]:
        return self.airflow.tasks(dag_id, self.runs[dag_id])


def _once(updates: Counter[str], count: int) -> bool:
    return len(updates) == count == updates.total()


def _in_words(answers: Counter[tuple[str, str]], action: str) -> str:
    return ", ".join(f"{count} answered {how}" for (what, how), count in sorted(answers.items()) if what == action)
