"""The service that everything is measured against: the emulator, in a process of its own; and other processes."""

from __future__ import annotations

import datetime as dt
import gc
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import benchmarks.environment  # noqa: F401  # each part imports this module first

LIN, ZONE = "iiPLinYue8mQzX0vTdRk4YwgiEiE", "Asia/Shanghai"
KEY, SECRET = "ding-bench", "a-made-up-app-secret"
ROOT = Path(__file__).parent.parent


class Service(NamedTuple):
    """An emulator that runs, and an Airflow connection to it."""

    connection: dict[str, Any]

    @property
    def url(self) -> str:
        """Its address."""
        return str(self.connection["host"])

    @property
    def netloc(self) -> str:
        """Its host and port."""
        return urlsplit(self.url).netloc

    def connect(self, max_qps: float = 1000) -> None:
        """Make it the default connection of this process and those that it starts."""
        extra = {**self.connection["extra"], "max_qps": max_qps}
        os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = json.dumps({**self.connection, "extra": extra})

    def token(self) -> str:
        """Return an access token, for the ways that do not fetch one themselves."""
        client = http.client.HTTPConnection(self.netloc)
        body = json.dumps({"appKey": KEY, "appSecret": SECRET})
        client.request("POST", "/v1.0/oauth2/accessToken", body, {"content-type": "application/json"})
        token = json.load(client.getresponse())["accessToken"]
        client.close()
        return str(token)

    def get(self, path: str) -> Any:
        """Ask the emulator about itself."""
        with urllib.request.urlopen(self.url + path) as answer:  # noqa: S310  # our own emulator
            return json.load(answer)

    def throttled(self) -> int:
        """Return how many calls were turned away because there were too many in a second."""
        return sum("QpsLimit" in str(request["code"]) for request in self.get("/_emulator/requests"))


@contextmanager
def dingtalk(events: int = 10, data: Mapping[str, Any] | None = None, **switches: float) -> Iterator[Service]:
    """Run an emulator with so many events of one person, which are called E0, E1 and so on, or with other data."""
    made = {"users": [{"unionId": LIN, "name": "Lin"}], "events": [event(f"E{number}") for number in range(events)]}
    data = {"apps": [{"appKey": KEY, "appSecret": SECRET}], **(made if data is None else data)}
    settings = [f"--set={name}={value}" for name, value in switches.items()]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        module = ["-m", "airflow_dingtalk_calendar.emulator", "--print-connection", "--data", file.name]
        command = [sys.executable, *module, *settings]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            try:
                line = next((line for line in process.stdout or () if "AIRFLOW_CONN_" in line), "")
                found = re.search(r"\{.*\}", line)
                if not found:
                    raise RuntimeError("the emulator did not start; see above")
                yield Service(json.loads(found[0]))
            finally:
                process.terminate()


@contextmanager
def unpaced() -> Iterator[None]:
    """Switch the rate limit of this process off, as nothing that it is compared with has one.

    Under the highest that a connection may have, 1,000 a second, a call waits for its turn of a millisecond, and
    sleeping and waking up would be measured.
    """
    from airflow_dingtalk_calendar.client import rate_limiter

    windows = rate_limiter.STEADY_WINDOW, rate_limiter.VARYING_WINDOW
    rate_limiter.STEADY_WINDOW = rate_limiter.VARYING_WINDOW = 0.0
    try:
        yield
    finally:
        rate_limiter.STEADY_WINDOW, rate_limiter.VARYING_WINDOW = windows


def event(event_id: str, start: float = 1_803_952_800.0) -> dict[str, Any]:
    """Return an event of an hour."""
    ends = {"start": start, "end": start + 3600}
    times = {
        name: {"dateTime": dt.datetime.fromtimestamp(end, dt.UTC).isoformat(), "timeZone": ZONE}
        for name, end in ends.items()
    }
    return {"id": event_id, "summary": "Stand-up", "organizer": {"id": LIN}, **times}


def alone(function: str, *arguments: Any) -> Any:
    """Call ``module:function`` of these benchmarks in a process of its own; return what it returns, by way of JSON."""
    module, _, name = function.partition(":")
    code = f"import json; from benchmarks.{module} import {name} as f; print(json.dumps(f(*json.loads({ARGV}))))"
    return python(code, json.dumps(arguments))


ARGV = "__import__('sys').argv[1]"


def python(code: str, *arguments: str) -> Any:
    """Run code in a new process; return the JSON in the last line that it prints."""
    command: Sequence[str] = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT, check=False)
    if done.returncode:
        raise RuntimeError(f"a process failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def forked(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process forked from this one, as Airflow's DAG processor parses files; return its result."""
    gc.freeze()  # as it does: collecting garbage then takes no time for what was there before
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            os.write(writing, json.dumps(function(*arguments)).encode())
        except BaseException as error:
            sys.stderr.write(f"{error!r}\n")
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    if not text:
        raise RuntimeError(f"{function.__name__}{arguments} failed; see above")
    return json.loads(text)


def rss() -> float:
    """Return how much memory this process has in use, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    """Return how much memory this process had in use at most, MB; not what it inherited from one before."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]


def timed(function: Any, *arguments: Any) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start
