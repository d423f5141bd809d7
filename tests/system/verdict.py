"""What had to come of the scenario, and what it took: from DingTalk's ledger, Airflow's API and its database."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

from airflow_dingtalk_calendar.plans.undo import UNKNOWN_BEFORE, UNKNOWN_CREATE
from tests.system.airflow import SLOTS
from tests.system.dags import SENSORS, SINGLES
from tests.system.rows import OPERATIONS, action_of, name_of, numbers_of
from tests.system.scenario import Scenario
from tests.system.watching import count_started, count_unconsumed, read_reports

WRITES = sorted({operation for operations in OPERATIONS.values() for operation in operations})
READS = ("GetEvent", "ListEvents")


def verdict(scenario: Scenario) -> dict[str, bool]:
    """Return what had to be, and whether it is."""
    numbers = {name_of(number): OPERATIONS[action_of(number)] for number in range(scenario.rows)}
    singles = {f"single-{n}": ["PatchEvent"] for n in range(SINGLES)}
    runs = {dag_id: scenario.airflow.state(dag_id, run) for dag_id, run in scenario.runs.items()}
    return {
        f"all {scenario.rows} rows of the plan are applied, each once": (
            scenario.applied == {name: operations[:1] for name, operations in numbers.items()}
            and scenario.airflow.xcom("plan", scenario.runs["plan"], "apply")["applied"] == scenario.rows
        ),
        f"all {scenario.undoable} that have an undo are undone, each once": (
            scenario.dingtalk.history("plan-") == numbers
        ),
        "after that each event is what it was, and those that were created are cancelled": _is_restored(scenario),
        "the plan's task names what has no undo, its deletions, and knows of all others what was there before": (
            _names_lasting(scenario)
        ),
        f"all {SINGLES} mapped patches are applied, each once": scenario.dingtalk.history("single-") == singles,
        f"all {SENSORS} sensors saw the change they waited for": scenario.states("sensors") == {"success": SENSORS},
        "the watcher reported each change to both assets, under one id": (
            read_reports(scenario.database).match(scenario.changes())
        ),
        "each reported change is in a run of the DAG scheduled on the assets": count_unconsumed(scenario.database) == 0,
        "all DAG runs are green": set(runs.values()) == {"success"},
        "worker and PostgreSQL ended in the middle of the plan, which cost its task a try": (
            all(0 < scenario.amid[what] < scenario.rows for what in ("worker", "PostgreSQL"))
            and _tries(scenario, "plan") > 1
        ),
        "gateway and triggerer ended in the middle of the undo": (
            all(0 < scenario.amid[what] < scenario.undoable for what in ("gateway", "triggerer"))
        ),
    }


def account(scenario: Scenario) -> list[str]:
    """Return what it took, in words."""
    answers = scenario.dingtalk.answers()
    answered = sum(answers[operation, "ok"] for operation in WRITES)
    reports = read_reports(scenario.database)
    started = count_started(scenario.database)
    tries = Counter(task["try_number"] for dag_id in scenario.runs for task in scenario.tasks(dag_id))
    took = median(task["duration"] for task in scenario.tasks("singles"))
    return [
        *(f"{operation}: {_in_words(answers, operation)}" for operation in (*WRITES, *READS, "OpenConnection")),
        f"of the changes answered ok, {answered - len(scenario.dingtalk.writes())} were repetitions under the same "
        "client token, which changed nothing",
        f"reported changes: {reports.total.total()}, of which {reports.repeated} repeat an earlier one; "
        f"DAG runs that they started: {started}; in no run before one more change: {scenario.unconsumed}",
        f"tries of the task that applies the plan: {_tries(scenario, 'plan')}, of its undo: {_tries(scenario, 'undo')}",
        "tries of all tasks: " + ", ".join(f"{count} tasks took {n}" for n, count in sorted(tries.items())),
        f"a mapped patch held a worker's slot for {took:.1f} s (median), with two workers of {SLOTS} slots",
    ]


def _is_restored(scenario: Scenario) -> bool:
    now, deleted = scenario.dingtalk.events(), {name_of(number) for number in numbers_of(scenario.rows, "delete")}
    before = {name: event for name, event in scenario.found.items() if name.startswith("plan-")}
    restored = all(_content(event) == _content(now[name]) for name, event in before.items() if name not in deleted)
    created = now.keys() - scenario.found.keys()
    return restored and all(now[event_id]["status"] == "cancelled" for event_id in created)


def _content(event: dict[str, Any]) -> dict[str, Any]:
    """Leave out when the event was changed, and lists that have become empty."""
    location = {name: value for name, value in event.get("location", {}).items() if value != []}
    members = {**event, "location": location, "updateTime": None}
    return {name: value for name, value in members.items() if value not in (None, [], {})}


def _names_lasting(scenario: Scenario) -> bool:
    lasting = scenario.airflow.xcom("plan", scenario.runs["plan"], "apply", "cannot_undo")
    rows = {one["effect"]: one["count"] for one in lasting}
    deletions = sum(count for effect, count in rows.items() if effect.startswith("a deletion"))
    return deletions == scenario.rows - scenario.undoable and not rows.keys() & {UNKNOWN_BEFORE, UNKNOWN_CREATE}


def _tries(scenario: Scenario, dag_id: str) -> int:
    return int(scenario.airflow.task(dag_id, scenario.runs[dag_id], "apply")["try_number"])


def _in_words(answers: Counter[tuple[str, str]], action: str) -> str:
    return ", ".join(f"{count} answered {how}" for (what, how), count in sorted(answers.items()) if what == action)
