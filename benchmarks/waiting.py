"""What it costs to wait for many events: calls, and the CPU of a triggerer."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import time
from typing import Any

from benchmarks.patch_cost import dingtalk

SENSORS, DAY, SPEED = 500, 86_400, 1440
LIN = "iiPLinYue8mQzX0vTdRk4YwgiEiE"
Arguments = list[dict[str, Any]]


def measure() -> dict[str, Any]:
    """Return the figures of a day: calls in the workers and in the triggerer, and the triggerer's CPU seconds."""
    import httpx

    with dingtalk() as connection, httpx.Client(base_url=connection["host"], trust_env=False, timeout=60) as control:
        connection["extra"]["max_qps"] = 1000  # this day lasts a minute
        os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = json.dumps(connection)
        now = time.time()
        starts = [now + 60 + (DAY - 60) * number / SENSORS for number in range(SENSORS)]
        control.post("/_emulator/events", json=[_event(*one) for one in enumerate(starts)]).raise_for_status()
        stored = [_deferred(f"event{number}") for number in range(SENSORS)]
        first = _looks(control)
        cpu = asyncio.run(_a_day(stored, now))
        return {
            "sensors": SENSORS,
            "speed": SPEED,
            "first": first,
            "later": _looks(control) - first,
            "poking": sum(int((start - now) / 60) + 1 for start in starts),
            "cpu": cpu,
        }


def _event(number: int, start: float) -> dict[str, Any]:
    ends = {"start": start, "end": start + 3600}
    return {
        "id": f"event{number}",
        "summary": "Review",
        "organizer": {"id": LIN},
        **{
            name: {"dateTime": dt.datetime.fromtimestamp(end, dt.UTC).isoformat(), "timeZone": "Asia/Shanghai"}
            for name, end in ends.items()
        },
    }


def _deferred(event_id: str) -> dict[str, Any]:
    """Return what a sensor stores for its trigger."""
    from airflow.providers.common.compat.sdk import TaskDeferred

    from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor

    sensor = DingTalkCalendarEventSensor(
        task_id="wait", union_id=LIN, event_id=event_id, starts_within=0, deferrable=True
    )
    try:
        sensor.execute({})
    except TaskDeferred as deferred:
        arguments: dict[str, Any] = deferred.trigger.serialize()[1]
        return arguments
    raise AssertionError("the event has started already")


async def _a_day(stored: Arguments, begin: float) -> float:
    """Run all triggers to their end, in time that runs fast; return the CPU seconds."""
    from airflow_dingtalk_calendar.triggers.event import DingTalkCalendarEventTrigger

    class Fast(DingTalkCalendarEventTrigger):
        """Its time is the real one, but fast."""

        _real = time.time()
        _clock = staticmethod(lambda: begin + (time.time() - Fast._real) * SPEED)
        _asleep = staticmethod(lambda seconds: asyncio.sleep(seconds / SPEED))

    async def fire(arguments: dict[str, Any]) -> None:
        outcome = await anext(Fast(**arguments).run())
        if outcome.payload["status"] != "met":
            raise RuntimeError(outcome.payload["message"])

    before = time.process_time()
    await asyncio.gather(*map(fire, stored))
    return time.process_time() - before


def _looks(control: Any) -> int:
    return int(control.get("/_emulator/effects").json()["calls"]["GetEvent"])


if __name__ == "__main__":
    print(measure())
