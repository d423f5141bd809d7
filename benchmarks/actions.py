"""Plans of all actions: how near to the service's limit, and how much memory a large one takes."""

from __future__ import annotations

import gc
import os
import time
from typing import Any

from benchmarks.batch import execute, made_up_connection
from benchmarks.emulated import LIN, ZONE, alone, dingtalk, event, peak
from benchmarks.page import Section, Table, Target

EACH, LIMIT = 500, 20  # rows of each action; the service's limit is of each API
SERVICE_TIMES = (0.08, 0.3)  # seconds in which the service answers
ACTIONS = 8
SIZES = (25_000, 50_000)
GUEST = "iiPGuestOfTheBenchmarks"
TEXT = """{rows:,} rows, {each} of each of the eight actions, in turns. The service's limit of {limit} calls per second
is of each API by itself, so {floor:g} s is the least that such a plan can take, however slowly calls are answered."""
MEMORY = """Of a plan of {size:,} rows of all actions, the process grows by {plan:.0f} MB for the rows and {growth:.0f}
MB while it is applied (the answers are made up in the process): {each:.1f} kB a row."""


def measure() -> Section:
    """Measure a plan of all actions against the limit, and the memory of two large ones."""
    every = plan_of_all(EACH + 1)
    rows, first = every[: EACH * ACTIONS], every[EACH * ACTIONS :]
    floor = EACH / LIMIT
    took = {seconds: _apply(rows, first, seconds) for seconds in SERVICE_TIMES}
    sizes = [alone("actions:memory", size) for size in SIZES]
    per_row = [(plan + growth) * 1000 / size for size, (plan, growth) in zip(SIZES, sizes, strict=True)]
    targets = [
        Target("a plan of all actions, of the least that the limit allows", took[SERVICE_TIMES[0]][0] / floor, 1.05),
        Target(f"memory of a row of {SIZES[1]:,}, of one of {SIZES[0]:,}", per_row[1] / per_row[0], 1.1),
    ]
    lines = [(service, total, len(rows) / total, throttled) for service, (total, throttled) in took.items()]
    table = Table(("answer after s", "s", "rows/s", "throttled"), lines)
    memory = MEMORY.format(size=SIZES[1], plan=sizes[1][0], growth=sizes[1][1], each=per_row[1])
    text = TEXT.format(rows=len(rows), each=EACH, limit=LIMIT, floor=floor)
    return Section("Plans of all actions", f"{text}\n\n{memory}", [table], targets)


def plan_of_all(each: int) -> list[dict[str, Any]]:
    """Make a plan with so many rows of each action, one after the other; each is about an event of its own."""
    new = {"summary": "Kick-off", "start": "2027-06-01T10:00", "end": "2027-06-01T11:00"}
    rows: list[dict[str, Any]] = []
    for number in range(each):
        rows += [
            {"event_id": f"P{number}", "patch": {"summary": "Daily", "reminders": [15]}},
            {"action": "create", "event": {**new, "summary": f"Kick-off {number}"}},
            {"action": "delete", "event_id": f"D{number}"},
            {"action": "add_attendees", "event_id": f"A{number}", "attendees": [GUEST]},
            {"action": "remove_attendees", "event_id": f"G{number}", "attendees": [GUEST]},
            {"action": "add_rooms", "event_id": f"B{number}", "room_ids": [f"R{number}"]},
            {"action": "remove_rooms", "event_id": f"F{number}", "room_ids": [f"S{number}"]},
            {"action": "respond", "event_id": f"I{number}", "union_id": GUEST, "response_status": "accepted"},
        ]
    return rows


def _apply(rows: list[dict[str, Any]], first: list[dict[str, Any]], service_time: float) -> tuple[float, int]:
    """Apply a plan under the limit, after a first one of all actions; return seconds and throttled answers."""
    from airflow_dingtalk_calendar.client import token_cache
    from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER

    with dingtalk(data=_calendar(EACH + 1), service_time=service_time, qps_limit=LIMIT, daily_creations=0) as service:
        service.connect(LIMIT)
        execute(first)  # what only the first task of a process pays
        token_cache.TOKEN_CACHE.clear()
        RATE_LIMITER.clear()
        time.sleep(1.1)  # the service forgets that one
        gc.freeze()  # as Airflow's LocalExecutor does before it forks a task's process
        start = time.perf_counter()
        counts = execute(rows)
        if counts["applied"] != len(rows):
            raise RuntimeError(f"not all rows were applied: {counts}")
        return time.perf_counter() - start, service.throttled()


def _calendar(each: int) -> dict[str, Any]:
    """Make the events that the plan is about; rooms are taken by one event each."""
    guest = {"attendees": [{"id": GUEST, "displayName": "Guest"}]}
    events = []
    for number in range(each):
        events += [event(f"{kind}{number}") for kind in "PDAB"]
        events += [{**event(f"{kind}{number}"), **guest} for kind in "GI"]
        events.append({**event(f"F{number}"), "meetingRooms": [{"roomId": f"S{number}", "displayName": "Plum"}]})
    rooms = [{"roomId": f"R{number}", "displayName": f"Room {number}"} for number in range(each)]
    users = [{"unionId": LIN, "name": "Lin"}, {"unionId": GUEST, "name": "Guest"}]
    return {"users": users, "rooms": rooms, "events": events}


def memory(size: int) -> tuple[float, float]:
    """Apply a plan with made-up answers; return MB of its rows, and MB that the process grows by meanwhile."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"] = made_up_connection()
    answer = {**event("E"), "timeZone": ZONE}
    DingTalkCalendarHook.run = lambda hook, call: answer  # type: ignore[assignment, method-assign]
    execute(plan_of_all(2))
    before = peak()
    rows = plan_of_all(size // ACTIONS)
    with_rows = peak()
    execute(rows)
    return with_rows - before, peak() - with_rows
