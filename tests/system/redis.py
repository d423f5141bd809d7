"""A Redis server of our own, on loopback only: what Celery's messages go through."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, RedisError

from tests.processes import Processes, free_port, until

START_LIMIT = 30.0  # seconds


@contextmanager
def redis(home: Path) -> Iterator[str]:
    """Run it, and say its URL. The password stands in a file, for command lines are public."""
    port, password, file = free_port(), secrets.token_hex(16), home / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir "{home}"\n')
    with Processes(home) as processes, Redis(port=port, password=password) as client:
        processes.start("redis", [str(server()), str(file)], cwd=home)

        def is_ready() -> bool:
            assert not processes.ended(), processes.words()
            try:
                return bool(client.ping())
            except RedisError:
                return False

        until(is_ready, START_LIMIT, processes.words)
        yield f"redis://:{password}@127.0.0.1:{port}/0"


def server() -> str | None:
    """Find the server's program."""
    return shutil.which("redis-server")
