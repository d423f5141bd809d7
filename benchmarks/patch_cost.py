"""What one patch costs in CPU, beside the same request written with bare httpx."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

PATCH = {
    "summary": "Planning",
    "start": {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-02T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "reminders": [{"method": "dingtalk", "minutes": 15}],
}
ROUNDS, CALLS = 31, 40
Patcher = Callable[[], Any]


@contextmanager
def dingtalk() -> Iterator[dict[str, Any]]:
    """Run the emulator in a process of its own, so that only the client's CPU is measured; yield the connection."""
    command = [sys.executable, "-m", "airflow_dingtalk_calendar.emulator", "--print-connection"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = next(line for line in process.stdout or () if "AIRFLOW_CONN_" in line)
            yield json.loads(re.search(r"\{.*\}", line)[0])  # type: ignore[index]
        finally:
            process.terminate()


def measure() -> list[tuple[str, float, float]]:
    """Return rows of: way, CPU microseconds per patch, ratio to bare httpx; medians of rounds run in turn."""
    with dingtalk() as connection:
        ways = _ways(connection)
        for patch in ways.values():
            _cpu(patch, 10)
        rounds = [{name: _cpu(patch, CALLS) for name, patch in ways.items()} for _ in range(ROUNDS)]
    base = "bare httpx"
    return [
        (name, median(one[name] for one in rounds) * 1e6, median(one[name] / one[base] for one in rounds))
        for name in ways
    ]


def _ways(connection: dict[str, Any]) -> dict[str, Patcher]:
    import httpx

    connection["extra"]["max_qps"] = 1000
    os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = json.dumps(connection)
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.models import EventPatch

    hook = DingTalkCalendarHook()
    event = hook.list_events("iiPLinYue8mQzX0vTdRk4YwgiEiE")["events"][0]
    union_id, event_id = event["organizer"]["id"], event["id"]
    client = httpx.Client(base_url=connection["host"], trust_env=False)
    token = client.post(
        "/v1.0/oauth2/accessToken", json={"appKey": connection["login"], "appSecret": connection["password"]}
    ).json()["accessToken"]
    url = f"/v1.0/calendar/users/{union_id}/calendars/primary/events/{event_id}"
    body, headers = {**PATCH, "id": event_id}, {"x-acs-dingtalk-access-token": token}
    ready = EventPatch.parse(PATCH)
    return {
        "bare httpx": lambda: client.put(url, json=body, headers=headers).raise_for_status().json(),
        "hook.patch_event": lambda: hook.patch_event(union_id, event_id, PATCH),
        "hook.patch_event, patch read before": lambda: hook.patch_event(union_id, event_id, ready),
    }


def _cpu(patch: Patcher, calls: int) -> float:
    before = time.process_time()
    for _ in range(calls):
        patch()
    return (time.process_time() - before) / calls
