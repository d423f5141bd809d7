"""The emulator in a process of its own, and what it says about the requests it got."""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.processes import Processes, free_port, until
from tests.standalone import environment

THROTTLED = ("PatchEvent", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
START_LIMIT = 60.0  # seconds
APP = {"appKey": "ding-system-test", "appSecret": "a-made-up-app-secret"}
REFUSED_TICKETS, DROPPED_CALLS = 5, 10
#: What a client notices of a gateway that is restarted; what the calendar remembers is not in the gateway.
RESTART = (
    {"action": "StreamPush", "kind": "reset"},
    {"action": "OpenConnection", "kind": "error", "status": 503, "times": REFUSED_TICKETS},
    {"kind": "reset", "times": DROPPED_CALLS},
)


class DingTalk:
    """A DingTalk calendar that holds apps to a number of calls per second."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/_emulator", trust_env=False, timeout=60)

    def connection(self, **extra: Any) -> str:
        """Return an Airflow connection."""
        connection = {"conn_type": "dingtalk", "login": APP["appKey"], "password": APP["appSecret"], "host": self.url}
        return json.dumps({**connection, "extra": {"timezone": "Asia/Shanghai", **extra}})

    def writes(self) -> list[dict[str, Any]]:
        """Return the changes that calls have made, oldest first."""
        writes: list[dict[str, Any]] = self._get("effects")["writes"]
        return writes

    def history(self, prefix: str) -> dict[str, list[str]]:
        """Return which operations have changed each event, oldest first.

        :param prefix: what the event's id begins with, or the title of one that a call has created.
        """
        writes = self.writes()
        created = {write["event_id"]: write["changed"]["summary"][1] for write in writes if not _was_there(write)}
        found: defaultdict[str, list[str]] = defaultdict(list)
        for write in writes:
            found[created.get(write["event_id"], write["event_id"])].append(write["action"])
        return {name: operations for name, operations in found.items() if name.startswith(prefix)}

    def events(self) -> dict[str, dict[str, Any]]:
        """Return the events as they are now, by id."""
        return {event["id"]: event for event in self._get("events")}

    def is_connected(self) -> bool:
        """Whether somebody receives pushes."""
        return bool(self._get("stream")["connections"])

    def answers(self) -> Counter[tuple[str, str]]:
        """Return how often each operation was answered how: with ``ok``, or a code."""
        requests = [request for request in self._get("requests") if request["action"]]
        return Counter((request["action"], _kind(request)) for request in requests)

    def put(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Change events, as people do in their calendars."""
        self._client.post("/events", json=list(events)).raise_for_status()

    def restart_gateway(self) -> None:
        """Break all connections that come by, and refuse new ones for a while."""
        self._client.post("/faults", json=list(RESTART)).raise_for_status()

    def _get(self, what: str) -> Any:
        return self._client.get(f"/{what}").raise_for_status().json()


@contextmanager
def dingtalk(home: Path, data: Mapping[str, Any], **switches: Any) -> Iterator[DingTalk]:
    """Run a calendar.

    :param data: its ``users``, ``rooms`` and ``events``.
    :param switches: as the emulator's ``--set`` takes them.
    """
    file, port = home / "calendar.json", free_port()
    file.write_text(json.dumps({"apps": [APP], **data}))
    settings = [word for name, value in switches.items() for word in ("--set", f"{name}={value}")]
    command = [sys.executable, "-m", "airflow_dingtalk_calendar.emulator", "--port", str(port), "--data", str(file)]
    with Processes(home) as processes:
        program = processes.start("dingtalk", [*command, *settings], env=environment(home), cwd=home)
        url = f"http://127.0.0.1:{port}"
        until(
            lambda: program.poll() is not None or url in processes.log("dingtalk").read_text(),
            START_LIMIT,
            processes.words,
        )
        assert program.poll() is None, processes.words()
        yield DingTalk(url)


def _was_there(write: Mapping[str, Any]) -> bool:
    return bool(write["action"] != "CreateEvent")


def _kind(request: Mapping[str, Any]) -> str:
    return "ok" if request["status"] == 200 else str(request["code"] or request["status"] or "nothing")
