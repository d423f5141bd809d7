"""Airflow's services on this machine, for as long as a ``with`` block: what ``make test-airflow`` runs against."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
import psutil

T = TypeVar("T")

SERVICES = {
    "api-server": ("--host", "127.0.0.1"),
    "scheduler": ("--skip-serve-logs",),  # the API server reads the log files; nothing else has to listen
    "dag-processor": (),
    "triggerer": ("--skip-serve-logs",),
}
START_LIMIT = 120.0  # seconds
RUN_LIMIT = 60.0


class Standalone:
    """API server, scheduler, DAG processor and triggerer, with what tests ask of them through the REST API.

    :param home: a directory that becomes AIRFLOW_HOME.
    :param dags_folder: the DAGs, all there before the start.
    :param env: further environment of the services: connections, settings.
    """

    def __init__(self, home: Path, dags_folder: Path, env: Mapping[str, str]) -> None:
        self.home = home
        self.port = free_port()
        self.env = {**environment(home), **settings(dags_folder, self.port), **env}
        self._services: dict[str, subprocess.Popen[bytes]] = {}
        self._client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.callback(self.stop)
            self._start()
            stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        log = self.home / "migrate.log"
        migrate = self._launch("migrate", "db", "migrate")
        migrate.wait(START_LIMIT)
        for name, arguments in SERVICES.items():
            self._launch(name, name, *arguments)
        until(self._is_healthy, START_LIMIT, self._last_words)
        self._client.headers["authorization"] = f"Bearer {self._client.get('/auth/token').json()['access_token']}"

    def _launch(self, name, *arguments):
        with (self.home / f"{name}.log").open("wb") as log:
            self._services[name] = subprocess.Popen(
                [sys.executable, "-m", "airflow", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.home,
                start_new_session=True,
            )
        return self._services[name]

    def _is_healthy(self):
        try:
            h = self._client.get("/api/v2/monitor/health").json()
        except httpx.TransportError:
            return False
        return all(part["status"] == "healthy" for part in h.values())

    def _last_words(self):
        return "\n".join((self.home / f"{n}.log").read_text()[-3000:] for n in self._services)

    def processes(self):
        sessions = {s.pid for s in self._services.values()}
        for p in psutil.process_iter():
            try:
                if os.getsid(p.pid) in sessions and p.status() != psutil.STATUS_ZOMBIE:
                    yield p
            except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
                pass

    def stop(self):
        while remaining := list(self.processes()):
            for p in remaining:
                try:
                    p.kill()
                except psutil.NoSuchProcess:
                    pass
        for s in self._services.values():
            s.wait()
        self._client.close()

    def api(self, method, path, **options):
        a = self._client.request(method, f"/api/v2/{path}", **options)
        if a.is_error:
            raise AssertionError(f"{a.status_code} {a.text}")
        return a.json() if a.content else None


def until(q, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while not (r := q()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.2)
    return r


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def environment(home):
    env = {n: v for n, v in os.environ.items() if not n.startswith("AIRFLOW") and not n.lower().endswith("_proxy")}
    return {**env, "AIRFLOW_HOME": str(home), "NO_COLOR": "1"}


def settings(dags, port):
    url = f"http://127.0.0.1:{port}"
    return {
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
    }
