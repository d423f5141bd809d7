"""Airflow's services on this machine for as long as a ``with`` block, and what tests ask them by REST API."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.processes import Processes, free_port, until

# The API server reads the log files themselves: no further server has to listen.
SERVICES: Mapping[str, Sequence[str]] = {
    "api-server": ("api-server", "--host", "127.0.0.1"),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
}
# Airflow makes the API of its workers at the first request to it. That takes seconds, so no task shall be the first.
WORKERS_API = "/execution/health"
HEALTH = "/api/v2/monitor/health"
START_LIMIT = 120.0  # seconds
RUN_LIMIT = 60.0


class ApiError(AssertionError):
    """The API server did not do what it was asked for."""


class Standalone:
    """Airflow's services, without others API server, scheduler with local workers, DAG processor and triggerer.

    The database is SQLite, unless ``env`` says otherwise.

    :param home: a directory of its own, which becomes AIRFLOW_HOME; the services' logs are there too.
    :param dags_folder: the DAG files, all written before the start.
    :param env: further environment of the services: connections, settings.
    :param services: arguments of the ``airflow`` command by name of the service.
    :cvar start_limit: seconds until all of them have to be healthy.
    """

    start_limit = START_LIMIT

    def __init__(
        self,
        home: Path,
        dags_folder: Path,
        env: Mapping[str, str],
        services: Mapping[str, Sequence[str]] = SERVICES,
    ) -> None:
        self.home = home
        self.url = f"http://127.0.0.1:{free_port()}"
        self.processes = Processes(home)
        self._env = {**environment(home), **settings(dags_folder, self.url), **env}
        self._services = services
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._client)
            stack.enter_context(self.processes)
            self._start()
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # -- the REST API ---------------------------------------------------------------------------------------

    def api(self, method: str, path: str, **options: Any) -> Any:
        """Make a request, and return the JSON of its answer."""
        answer = self._client.request(method, path, **options)
        if not answer.is_success:
            raise ApiError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def trigger(self, dag_id: str, conf: Mapping[str, Any] | None = None, logical_date: datetime | None = None) -> str:
        """Start a DAG run as soon as the DAG is there; return the run's id."""
        dag = f"/api/v2/dags/{dag_id}"
        until(lambda: self._client.patch(dag, json={"is_paused": False}).is_success, RUN_LIMIT, self.processes.words)
        date = logical_date and logical_date.isoformat()
        run = self.api("POST", f"{dag}/dagRuns", json={"logical_date": date, "conf": conf or {}})
        return str(run["dag_run_id"])

    def wait(self, dag_id: str, run_id: str, limit: float = RUN_LIMIT) -> str:
        """Wait until a run is over, so many seconds at most; return its state."""

        def over() -> str | None:
            state = self.api("GET", _run(dag_id, run_id))["state"]
            return str(state) if state in ("success", "failed") else None

        return until(over, limit, self.processes.words)

    def task(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> dict[str, Any]:
        """Return a task instance: ``state``, ``try_number``, ``max_tries``, ``rendered_fields``, ``pid`` ..."""
        instance: dict[str, Any] = self.api("GET", f"{_run(dag_id, run_id)}/taskInstances/{task_id}/{map_index}")
        return instance

    def tries(self, dag_id: str, run_id: str, task_id: str) -> list[dict[str, Any]]:
        """Return the tries of a task, the first one first."""
        answer = self.api("GET", f"{_run(dag_id, run_id)}/taskInstances/{task_id}/tries")
        return sorted(answer["task_instances"], key=lambda one: int(one["try_number"]))

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear a task, so that Airflow does it again."""
        body = {"dag_run_id": run_id, "task_ids": [task_id], "only_failed": False, "dry_run": False}
        self.api("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", json=body)

    def xcom(self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1) -> Any:
        """Return what a task pushed."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/xcomEntries/{key}"
        return self.api("GET", path, params={"map_index": map_index})["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return the log of a try, as the JSON that Airflow's pages show it from."""
        path = f"{_run(dag_id, run_id)}/taskInstances/{task_id}/logs/{try_number}"
        return self._client.get(path, params={"map_index": map_index, "full_content": True}).text

    # -- processes ------------------------------------------------------------------------------------------

    def kill(self, service: str) -> None:
        """Kill a service, and all that it has started, without a chance to clean up."""
        self.processes.kill(service)

    def launch(self, service: str) -> None:
        """Start a service that was killed; it is there some seconds later."""
        self.processes.start(service, airflow(*self._services[service]), env=self._env, cwd=self.home)

    def _start(self) -> None:
        self.processes.finish("db", airflow("db", "migrate"), START_LIMIT, env=self._env, cwd=self.home)
        for service in self._services:
            self.launch(service)
        until(self._is_healthy, self.start_limit, self.processes.words)
        self._client.headers["authorization"] = f"Bearer {self.api('GET', '/auth/token')['access_token']}"

    def _is_healthy(self) -> bool:
        assert not self.processes.ended(), self.processes.words()
        try:
            self._client.get(WORKERS_API)
            health = self._client.get(HEALTH).json()
        except httpx.TransportError:
            return False
        return all(service["status"] == "healthy" for service in health.values())


def standalone(
    home: Path,
    files: Mapping[str, str],
    connection: Mapping[str, Any],
    options: Mapping[str, str] | None = None,
    services: Mapping[str, Sequence[str]] = SERVICES,
) -> Standalone:
    """Return an Airflow, not yet started, that has these DAG files by name and DingTalk as its default connection.

    ``options`` are further settings of Airflow, named ``section.option``.
    """
    dags = home / "dags"
    dags.mkdir(exist_ok=True)
    for name, text in files.items():
        (dags / name).write_text(text, encoding="utf-8")
    env = {"AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(connection), **variables(options or {})}
    return Standalone(home, dags, env, services)


def airflow(*arguments: str) -> list[str]:
    """Return the command line of an ``airflow`` command."""
    return [sys.executable, "-m", "airflow", *arguments]


def environment(home: Path) -> dict[str, str]:
    """Return the environment for an Airflow of our own: no settings of the user's, and no proxy before loopback."""
    strange = ("AIRFLOW", "_AIRFLOW")
    ours = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    direct = {name: value for name, value in ours.items() if not name.lower().endswith("_proxy")}
    return {**direct, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False", "NO_COLOR": "1"}


def settings(dags_folder: Path, url: str) -> dict[str, str]:
    """Return Airflow's settings: all on loopback, secrets of this run only, and as little waiting as possible."""
    return variables(
        {
            "api.base_url": url,
            "api.port": url.rpartition(":")[2],
            "api.secret_key": secrets.token_hex(32),
            "api_auth.jwt_secret": secrets.token_hex(32),
            "core.dags_folder": str(dags_folder),
            "core.execution_api_server_url": f"{url}/execution/",
            "core.parallelism": "4",
            "core.simple_auth_manager_all_admins": "True",
            "scheduler.job_heartbeat_sec": "1",
            "scheduler.scheduler_idle_sleep_time": "0.1",
            "scheduler.task_instance_heartbeat_timeout": "10",
            "scheduler.task_instance_heartbeat_timeout_detection_interval": "0.5",
            "triggerer.job_heartbeat_sec": "1",
            "workers.execution_api_timeout": "30",  # a machine with much to do is slow, not broken
            "workers.min_heartbeat_interval": "1",  # so long may it take until a worker notices that its task has ended
        }
    )


def variables(options: Mapping[str, str]) -> dict[str, str]:
    """Return environment variables for options that are named ``section.option``."""
    return {f"AIRFLOW__{option.replace('.', '__').upper()}": value for option, value in options.items()}


def _run(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
