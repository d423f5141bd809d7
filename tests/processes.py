"""Programs that run for as long as a ``with`` block, each in a session of its own, so that none is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import psutil

T = TypeVar("T")

INTERVAL = 0.2  # seconds
END_LIMIT = 30.0


class Processes:
    """Programs by name. What they say, and what an earlier program of that name has said, is in a log file each.

    :param logs: the directory of the log files.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._programs: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            for ending in (signal.SIGTERM, signal.SIGHUP):  # then, too, nothing may be left running
                if signal.getsignal(ending) is signal.SIG_DFL:
                    stack.callback(signal.signal, ending, signal.signal(ending, signal.default_int_handler))
            stack.callback(self._end)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def __contains__(self, name: str) -> bool:
        return name in self._programs

    def start(self, name: str, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start a program.

        :param options: as :class:`subprocess.Popen` takes them.
        """
        with self.log(name).open("ab") as log:
            self._programs[name] = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **options,
            )
        return self._programs[name]

    def finish(self, name: str, command: Sequence[str], limit: float, **options: Any) -> None:
        """Run a program to its end, and check that it succeeds."""
        assert self.start(name, command, **options).wait(limit) == 0, self.words()
        del self._programs[name]

    def stop(self, name: str, how: signal.Signals) -> None:
        """Ask a program to end, and wait until it has."""
        stopped = self._programs[name]
        stopped.send_signal(how)
        stopped.wait(END_LIMIT)
        self.kill(name)

    def kill(self, name: str) -> None:
        """Kill a program, and all that it has started, without a chance to clean up."""
        killed = self._programs.pop(name)
        _kill({killed.pid})
        killed.wait()

    def ended(self) -> list[str]:
        """Return which programs have ended by themselves."""
        return [name for name, program in self._programs.items() if program.poll() is not None]

    def owner(self, pid: int) -> str | None:
        """Return which program a process belongs to."""
        session = _session(pid)
        return next((name for name, program in self._programs.items() if program.pid == session), None)

    def log(self, name: str) -> Path:
        """Return the log file of a program."""
        return self._logs / f"{name}.log"

    def words(self) -> str:
        """Return the end of each log, to show what went wrong."""
        logs = {name: self.log(name).read_text(errors="replace").splitlines() for name in self._programs}
        return "\n".join(f"\n== {name}\n" + "\n".join(lines[-20:]) for name, lines in logs.items())

    def _end(self) -> None:
        """Kill all; whatever it is in the middle of, nobody needs it."""
        sessions = {program.pid for program in self._programs.values()}
        until(lambda: not _kill(sessions), END_LIMIT, self.words)


def until(
    question: Callable[[], T | None], seconds: float, otherwise: Callable[[], str], interval: float = INTERVAL
) -> T:
    """Ask again and again until the answer is true, and return it; fail with a text when that takes too long."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {seconds} s\n{otherwise()}"
        time.sleep(interval)
    return answer


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _kill(sessions: Container[int]) -> list[psutil.Process]:
    """Kill the processes of sessions (tasks have process groups of their own), and return which these were."""
    running = psutil.process_iter(["status"])
    left = [one for one in running if one.info["status"] != psutil.STATUS_ZOMBIE and _session(one.pid) in sessions]
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return left


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:  # it has just ended, or is not ours
        return None
