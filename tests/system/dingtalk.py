"""The emulator in a process of its own, and what it says about the requests it got."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.processes import Processes, free_port, until
from tests.standalone import environment

THROTTLED = ("PatchEvent", "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
START_LIMIT = 60.0  # seconds
ORGANIZER = "iiPorganizer"
APP = {"appKey": "ding-system-test", "appSecret": "a-made-up-app-secret"}
TIMES = {
    name: {"dateTime": f"2027-03-02T{hour}:00:00+08:00", "timeZone": "Asia/Shanghai"}
    for name, hour in (("start", "10"), ("end", "11"))
}


class DingTalk:
    """A DingTalk calendar that holds apps to a number of calls per second."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(base_url=f"{url}/_emulator", trust_env=False, timeout=60)

    def connection(self, **extra: Any) -> str:
        """Return an Airflow connection."""
        connection = {"conn_type": "dingtalk", "login": APP["appKey"], "password": APP["appSecret"], "host": self.url}
        return json.dumps({**connection, "extra": {"timezone": "Asia/Shanghai", **extra}})

    def updates(self) -> list[dict[str, Any]]:
        """Return the changes that were made by PatchEvent."""
        updates: list[dict[str, Any]] = self._get("effects")["updates"]
        return updates

    def summaries(self) -> dict[str, str]:
        """Return what the events are called now."""
        return {event["id"]: event["summary"] for event in self._get("events")}

    def answers(self) -> Counter[tuple[str, str]]:
        """Return how often each operation was answered how: with ``ok``, or a code."""
        requests = [request for request in self._get("requests") if request["action"]]
        return Counter((request["action"], _kind(request)) for request in requests)

    def reset(self) -> None:
        """Go back to the beginning."""
        self._client.post("/reset").raise_for_status()

    def put(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Change events, as people do in their calendars."""
        self._client.post("/events", json=list(events)).raise_for_status()

    def _get(self, what: str) -> Any:
        return self._client.get(f"/{what}").raise_for_status().json()


@contextmanager
def dingtalk(home: Path, events: Iterable[str], **switches: Any) -> Iterator[DingTalk]:
    """Run a calendar with some events.

    :param switches: as the emulator's ``--set`` takes them.
    """
    file, port = home / "calendar.json", free_port()
    users = [{"unionId": ORGANIZER, "name": "Lin"}]
    file.write_text(json.dumps({"apps": [APP], "users": users, "events": [event(name) for name in events]}))
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


def event(event_id: str, summary: str = "Planning") -> dict[str, Any]:
    """Describe an event as the emulator keeps it."""
    return {"id": event_id, "summary": summary, **TIMES, "isAllDay": False, "organizer": {"id": ORGANIZER}}


def _kind(request: Mapping[str, Any]) -> str:
    return "ok" if request["status"] == 200 else str(request["code"] or request["status"])
