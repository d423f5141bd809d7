"""A PostgreSQL server of our own, in a directory of its own, on loopback only."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, text

from tests.processes import Processes, free_port, until

USER = "airflow"
START_LIMIT = 60.0  # seconds
# What is lost when the machine goes down nobody needs; a server that is killed loses nothing without fsync.
OPTIONS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off", "max_connections": "200"}


class Postgres:
    """A running server.

    :param data: the cluster, as ``initdb`` has made it.
    """

    def __init__(self, processes: Processes, data: Path, password: str) -> None:
        self._processes = processes
        self._data = data
        self._password = password
        self._port = free_port()

    @property
    def address(self) -> str:
        """Return what follows the driver's name in an URL of SQLAlchemy."""
        return f"://{USER}:{self._password}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        command = [str(program("postgres")), "-D", str(self._data), "-p", str(self._port), *options]
        self._processes.start("postgres", command, cwd=self._data, **somebody())
        until(self._is_ready, START_LIMIT, self._processes.words)

    def restart(self) -> None:
        """End it at once, as if it had crashed, and start it: it recovers from its log."""
        self._processes.stop("postgres", signal.SIGQUIT)
        self.start()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the database answers."""
        engine = create_engine(f"postgresql+psycopg2{self.address}", poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql))]

    def _is_ready(self) -> bool:
        assert not self._processes.ended(), self._processes.words()
        command = [str(program("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(self._port)]
        return subprocess.run(command, check=False).returncode == 0


@contextmanager
def postgres(home: Path) -> Iterator[Postgres]:
    """Make a cluster in a directory, and run it."""
    data, password, file = home / "postgres", secrets.token_hex(16), home / "postgres.password"
    data.mkdir(mode=0o700)
    file.touch(mode=0o600)
    file.write_text(password)
    for path in (data, file):
        shutil.chown(path, somebody().get("user", os.geteuid()))
    with Processes(home) as processes:
        cluster = ["-D", str(data), "-U", USER, "-A", "scram-sha-256", f"--pwfile={file}", "-E", "UTF8", "--locale=C"]
        command = [str(program("initdb")), *cluster, "--no-sync"]
        processes.finish("initdb", command, START_LIMIT, cwd=data, **somebody())
        server = Postgres(processes, data, password)
        try:
            server.start()
            yield server
        finally:  # its processes have sessions of their own, so it has to end them itself
            if "postgres" in processes:
                processes.stop("postgres", signal.SIGQUIT)


def program(name: str) -> Path | None:
    """Find a program of PostgreSQL; Debian has the server's programs on no PATH, for each version elsewhere."""
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    found = shutil.which(name)
    return installed[-1] if installed else Path(found) if found else None


def somebody() -> dict[str, Any]:
    """Return who it shall run as: PostgreSQL refuses to run as root."""
    if os.geteuid():
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
