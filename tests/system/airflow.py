"""Airflow as a company runs it: PostgreSQL, Celery and two workers; what ends is started again, as systemd would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.processes import until
from tests.standalone import SERVICES, ApiError, Standalone, variables

T = TypeVar("T")

SLOTS = 3  # tasks at a time of a worker: more would only wait for the processors
READY_LIMIT = 300.0  # seconds; six services on two processors
LIMIT = 600.0
INTERVAL = 2.0  # asking costs those who are asked


def worker(name: str) -> tuple[str, ...]:
    """Return the arguments of the command that starts a worker."""
    options = ("--concurrency", str(SLOTS), "--celery-hostname", name)
    return ("celery", "worker", *options, "--skip-serve-logs", "--without-gossip", "--without-mingle")


WORKERS = {name: worker(name) for name in ("worker-1", "worker-2")}


def settings(database: str, broker: str) -> dict[str, str]:
    """Return the settings beyond those of :class:`Standalone`.

    :param database: address of PostgreSQL, beginning after the driver.
    :param broker: URL of Redis.
    """
    return variables(
        {
            "core.executor": "CeleryExecutor",
            "core.dags_are_paused_at_creation": "False",  # nobody starts the watchers' DAG
            "core.parallelism": "16",
            "database.sql_alchemy_conn": f"postgresql+psycopg2{database}",
            "celery.broker_url": broker,
            "celery.result_backend": f"db+postgresql+psycopg2{database}",
            "celery.pool": "prefork",
            "celery.worker_prefetch_multiplier": "1",
            # What a killed worker ran is noticed so soon; what it had only been given, so soon.
            "scheduler.task_instance_heartbeat_timeout": "20",
            "scheduler.task_queued_timeout": "60",
            "scheduler.task_queued_timeout_check_interval": "5",
            "scheduler.scheduler_health_check_threshold": "15",
            "triggerer.triggerer_health_check_threshold": "10",
        }
    )


class Cluster(Standalone):
    """The services, and what a person in charge of them would see and do.

    :param files: of the DAG folder, by name.
    :param tell: takes a line for the time line.
    """

    start_limit = READY_LIMIT

    def __init__(
        self, home: Path, files: Mapping[str, str], env: Mapping[str, str], tell: Callable[[str], None]
    ) -> None:
        dags = home / "dags"
        dags.mkdir(parents=True)
        for name, text in files.items():
            (dags / name).write_text(text)
        super().__init__(home, dags, env, {**SERVICES, **WORKERS})
        self._tell = tell

    def ready(self) -> None:
        """Wait until the workers take tasks."""
        until(lambda: all(self._takes_tasks(name) for name in WORKERS), READY_LIMIT, self.processes.words)

    def until(self, question: Callable[[], T | None], limit: float = LIMIT) -> T:
        """Wait for something, and meanwhile start again what ends."""

        def asked() -> T | None:
            self._keep()
            with suppress(ApiError, httpx.TransportError):  # the API server may be one of those
                return question()
            return None

        return until(asked, limit, self.processes.words, INTERVAL)

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return a run's task instances."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks: list[dict[str, Any]] = self.api("GET", path, params={"limit": 1000})["task_instances"]
        return tasks

    def state(self, dag_id: str, run_id: str) -> str:
        """Return the state of a run."""
        return str(self.api("GET", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def over(self, dag_id: str, run_id: str) -> str | None:
        """Return the state of a run if it is over."""
        state = self.state(dag_id, run_id)
        return state if state in ("success", "failed") else None

    def pool(self, name: str, slots: int) -> None:
        """Make a pool."""
        self.api("POST", "/api/v2/pools", json={"name": name, "slots": slots})

    def _takes_tasks(self, name: str) -> bool:
        assert not self.processes.ended(), self.processes.words()
        return f"{name} ready" in self.processes.log(name).read_text(errors="replace")

    def _keep(self) -> None:
        for name in self.processes.ended():
            self._tell(f"{name} has ended by itself, and is started again")
            self.kill(name)  # also what it may have left
            self.launch(name)
