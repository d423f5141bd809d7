"""What it costs to wait for many events: calls, and the CPU of a triggerer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from benchmarks.emulated import LIN, Service, dingtalk, event
from benchmarks.page import Section, Table, Target

SENSORS, DAY, SPEED = 500, 86_400, 1440
POLLS = 4  # one in the worker; then one for each 6 hours of half a day on average, and one at the moment itself
TEXT = """{sensors} deferred sensors, whose events start at any time of the following day. The triggers are made from
what the sensors would have stored in Airflow's database, and run in one event loop of one process, as in a triggerer,
with its time running {speed:,} times as fast; Airflow's own work around them is not in it. A sensor looks once before
it defers, once per recheck (6 hours) and at the moment itself: 3.5 times on average, less here, where answers take
long in fast time."""
Arguments = list[dict[str, Any]]


def measure() -> Section:
    """Measure a day: calls in the workers and in the triggerer, and the triggerer's processor seconds."""
    import httpx

    with dingtalk() as service, httpx.Client(base_url=service.url, trust_env=False, timeout=60) as control:
        service.connect(max_qps=1000)  # this day lasts a minute
        now = time.time()
        starts = [now + 60 + (DAY - 60) * number / SENSORS for number in range(SENSORS)]
        events = [event(f"event{number}", start) for number, start in enumerate(starts)]
        control.post("/_emulator/events", json=events).raise_for_status()
        stored = [_deferred(f"event{number}") for number in range(SENSORS)]
        first = _polls(service)
        cpu = asyncio.run(_a_day(stored, now))
        return _section(first, _polls(service) - first, sum(int((start - now) / 60) + 1 for start in starts), cpu)


def _section(first: int, later: int, poking: int, cpu: float) -> Section:
    rows = [
        ("calls in the workers, before deferring", first),
        ("calls in the triggerer", later),
        ("the same at Airflow's default interval of a minute (computed)", poking),
        ("processor of the triggerer, s", cpu),
    ]
    targets = [
        Target("calls per sensor, the first one included", (first + later) / SENSORS, POLLS),
        Target("processor of the triggerer, s", cpu, 60),
    ]
    text = TEXT.format(sensors=SENSORS, speed=SPEED)
    return Section("Waiting: a day of a triggerer", text, [Table(("", "a day"), rows)], targets)


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


def _polls(service: Service) -> int:
    return int(service.get("/_emulator/effects")["calls"]["GetEvent"])


if __name__ == "__main__":
    print(measure())
