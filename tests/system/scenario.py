"""What befalls Airflow while it applies a plan of a thousand changes, and while it undoes it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.system.airflow import Cluster
from tests.system.dags import KINDS, PROBE, SENSORS, SINGLES
from tests.system.dingtalk import DROPPED_CALLS, REFUSED_TICKETS, DingTalk
from tests.system.postgres import Postgres
from tests.system.rows import OPERATIONS, action_of, event
from tests.system.timeline import Timeline
from tests.system.watching import count_unconsumed, is_watching, read_reports

#: Something to do, as soon as something is so.
Blow = tuple[Callable[[], bool], Callable[[], None]]


class Scenario:
    """A plan, mapped patches, sensors and a watcher at once, then the plan's undo; and what befalls them.

    :ivar rows: how many rows the plan has.
    :ivar runs: id of the run of each DAG.
    :ivar amid: how many rows were applied, or undone, when something befell them.
    :ivar found: the events before all of it, by id.
    :ivar applied: what had changed the plan's events when its run was over.
    :ivar unconsumed: how many reports were in no run when all was over, until one more change started a run.
    """

    def __init__(self, airflow: Cluster, database: Postgres, dingtalk: DingTalk, timeline: Timeline, rows: int) -> None:
        self.airflow = airflow
        self.database = database
        self.dingtalk = dingtalk
        self.timeline = timeline
        self.rows = rows
        self.undoable = sum(len(OPERATIONS[action_of(number)]) > 1 for number in range(rows))
        self.runs: dict[str, str] = {}
        self.amid: dict[str, int] = {}

    def play(self) -> None:
        """Have the plan applied and undone, deal the blows, and wait until all is over."""
        self.airflow.until(self._is_watched)
        self.timeline.note("the watcher reports changes to both of its assets")
        self.found = self.dingtalk.events()
        self._apply()
        self.applied = self.dingtalk.history("plan-")
        self._undo()
        self._wait_for_runs()

    def changes(self) -> Counter[str]:
        """Return how often each event was changed, by calls or by people."""
        agreed = [f"sensor-{n}" for n in range(SENSORS)]
        return Counter([*(write["event_id"] for write in self.dingtalk.writes()), *agreed])

    def tasks(self, dag_id: str) -> list[dict[str, Any]]:
        """Return the task instances of a DAG's run."""
        return self.airflow.tasks(dag_id, self.runs[dag_id])

    def states(self, dag_id: str) -> Counter[str]:
        """Count the task instances of a DAG's run by their states."""
        return Counter(str(task["state"]) for task in self.tasks(dag_id))

    # -- acts -----------------------------------------------------------------------------------------------

    def _apply(self) -> None:
        for dag_id in ("sensors", "plan", "singles"):
            self._start(dag_id)
        patches = f"{SINGLES} mapped patches, {SENSORS} sensors"
        self.timeline.note(f"DAG runs start: a plan of {self.rows} rows of {len(OPERATIONS)} actions, {patches}")
        self._deal(
            (lambda: self._done() >= self.rows * 0.2, self._kill_worker),
            (self._all_wait, self._kill_sensors),
            (lambda: self._done() >= self.rows * 0.6, self._restart_database),
            (lambda: self._done() >= self.rows, lambda: self.timeline.note(f"all {self.rows} rows are applied")),
        )
        self.airflow.until(self._all_wait)
        self.dingtalk.put(event(f"sensor-{n}", "Agreed") for n in range(KINDS["sensor"]))
        self.timeline.note(f"people change the {SENSORS} events that sensors wait for")
        self._finish(*self.runs)

    def _undo(self) -> None:
        self._start("undo", run_id=self.runs["plan"])
        self.timeline.note(f"a DAG run starts: the undo of the plan, of {self.undoable} rows")
        self._deal(
            (lambda: self._undone() >= self.undoable * 0.3, self._restart_gateway),
            (self._is_connected_again, lambda: self.timeline.note("the watcher is connected again")),
            (lambda: self._undone() >= self.undoable * 0.6, self._kill_watcher),
            (lambda: self._undone() >= self.undoable, lambda: self.timeline.note(f"{self.undoable} rows are undone")),
        )
        self._finish("undo")

    def _wait_for_runs(self) -> None:
        """Wait until runs have all asset events: the last of a burst, Airflow may leave for the run of the next one."""
        self.unconsumed = count_unconsumed(self.database)
        self.airflow.until(lambda: self._is_watched() and count_unconsumed(self.database) == 0)
        self.timeline.note("each asset event is in a run of the DAG that is scheduled on them")

    def _start(self, dag_id: str, **conf: str) -> None:
        self.runs[dag_id] = self.airflow.trigger(dag_id, conf)

    def _finish(self, *dag_ids: str) -> None:
        for dag_id in dag_ids:
            state = self.airflow.until(partial(self.airflow.over, dag_id, self.runs[dag_id]))
            self.timeline.note(f"the run of {dag_id} is over: {state}")
        changes = self.changes()
        self.airflow.until(lambda: read_reports(self.database).cover(changes))
        self.timeline.note(f"both assets have all changes so far: {changes.total()} changes of {len(changes)} events")

    # -- blows ----------------------------------------------------------------------------------------------

    def _deal(self, *blows: Blow) -> None:
        left = list(blows)
        while left:
            due = self.airflow.until(lambda: next((blow for blow in left if blow[0]()), None))
            left.remove(due)
            due[1]()

    def _kill_worker(self) -> None:
        name = self.airflow.processes.owner(self.airflow.task("plan", self.runs["plan"], "apply")["pid"])
        assert name, "the task that applies the plan runs in no process of ours"
        self.airflow.kill(name)
        done = self.amid["worker"] = self._done()
        self.timeline.note(f"{name} is killed with all its tasks; {done} rows are applied")
        self.airflow.until(lambda: self._done() > done)
        self.timeline.note("the plan goes on in the other worker")
        self.airflow.launch(name)
        self.timeline.note(f"{name} is started again")

    def _kill_sensors(self) -> None:
        self._restart_triggerer()
        self.timeline.note(f"{SENSORS} sensors wait in the triggerer, which is killed and started again")

    def _restart_database(self) -> None:
        done = self.amid["PostgreSQL"] = self._done()
        self.timeline.note(f"PostgreSQL is ended as in a crash; {done} rows are applied")
        self.database.restart()
        self.timeline.note("PostgreSQL takes connections again")

    def _restart_gateway(self) -> None:
        done = self.amid["gateway"] = self._undone()
        self.dingtalk.restart_gateway()
        self.timeline.note(
            f"DingTalk's gateway breaks the watcher's connection and {DROPPED_CALLS} calls, and refuses "
            f"{REFUSED_TICKETS} new connections; {done} rows are undone"
        )
        self.airflow.until(lambda: not self.dingtalk.is_connected())

    def _kill_watcher(self) -> None:
        done = self.amid["triggerer"] = self._undone()
        self._restart_triggerer()
        self.timeline.note(f"the triggerer with the watcher is killed and started again; {done} rows are undone")

    def _restart_triggerer(self) -> None:
        self.airflow.kill("triggerer")
        self.airflow.launch("triggerer")

    # -- questions ------------------------------------------------------------------------------------------

    def _is_watched(self) -> bool:
        self.dingtalk.put([event(PROBE, f"Probe {time.monotonic()}")])
        return is_watching(self.database)

    def _is_connected_again(self) -> bool:
        return "gateway" in self.amid and self.dingtalk.is_connected()

    def _done(self) -> int:
        return len(self.dingtalk.history("plan-"))

    def _undone(self) -> int:
        return sum(len(operations) > 1 for operations in self.dingtalk.history("plan-").values())

    def _all_wait(self) -> bool:
        return self.states("sensors") == {"deferred": SENSORS}
