"""What one patch costs: processor and time, beside the same request made in other ways."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks import peers
from benchmarks.emulated import LIN, alone, dingtalk
from benchmarks.page import Section, Table, Target
from benchmarks.peers import PATCH

ROUNDS, CALLS = 41, 20
FLOOR, HTTPX, OURS = "http.client", "bare httpx", "hook.patch_event"
ASYNC_HTTPX, ASYNC_OURS = "bare httpx, async", "hook.apatch_event"
Turn = dict[str, tuple[float, float]]
TEXT = """The emulator runs in a process of its own, so its processor time is not in it, but it is in the wall
time. Bare httpx and `http.client` send a body that is ready with a token that is there. The hook keeps token
and pace, retries, bounds how long and how big an answer may be, and types the errors; reading and checking a
patch is told apart, for `EventPatch.parse` does it once for many calls. Its rate limit decides about each
call, but lets all go at once. The operators make hook and connection for each patch, as a task does. Medians
of {rounds} rounds of {calls} calls that take turns; ratios within a round."""


def measure() -> Section:
    """Measure all ways in turn, in a process of their own."""
    with dingtalk() as service:
        service.connect()
        turns: list[Turn] = alone("one_patch:rounds", service.connection, ROUNDS)
    ratios = {name: median(turn[name][0] / turn[_base(name)][0] for turn in turns) for name in turns[0]}
    rows = [(name, *_figures(turns, name), _base(name), ratios[name]) for name in turns[0]]
    heads = ("way", "µs of processor", "µs wall", "wall over the floor", "beside", "processor, of that")
    targets = [Target(f"{name}, of {_base(name)}", ratios[name], 1.3) for name in (OURS, ASYNC_OURS)]
    return Section("One patch", TEXT.format(rounds=ROUNDS, calls=CALLS), [Table(heads, rows)], targets)


def _base(name: str) -> str:
    return ASYNC_HTTPX if "async" in name or name.startswith("hook.a") else HTTPX


def _figures(turns: list[Turn], name: str) -> tuple[float, float, float]:
    over = median(turn[name][1] - turn[FLOOR][1] for turn in turns)
    return (*(median(turn[name][i] for turn in turns) * 1e6 for i in range(2)), over * 1e6)  # type: ignore[return-value]


def rounds(connection: dict[str, Any], count: int) -> list[Turn]:
    """Patch in all ways in turn; return processor and wall seconds per patch.

    Our rate limit is switched off here, as nothing else has one: under the highest, 1,000 a second, each call of ours
    would wait for its turn, and sleeping and waking up would be measured.
    """
    from airflow_dingtalk_calendar.client import rate_limiter
    from benchmarks.emulated import Service

    rate_limiter.WINDOW_SECONDS = 0.0
    ways = _ways(Service(connection))
    for way in ways.values():
        _cost(way, 5)
    return [{name: _cost(way, CALLS) for name, way in ways.items()} for _ in range(count)]


def _ways(service: Any) -> dict[str, Callable[[int], object]]:
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.models.event_patch import EventPatch

    hook, ready, sdk = DingTalkCalendarHook(), EventPatch.parse(PATCH), peers.Sdk(service)
    loop = asyncio.new_event_loop()

    def one_by_one(patch: peers.Way) -> Callable[[int], object]:
        return lambda calls: [patch("E0") for _ in range(calls)]

    def in_the_loop(patch: peers.AsyncWay) -> Callable[[int], object]:
        async def patches(calls: int) -> None:
            for _ in range(calls):
                await patch("E0")

        return lambda calls: loop.run_until_complete(patches(calls))

    return {
        FLOOR: one_by_one(peers.floor(service)),
        HTTPX: one_by_one(peers.bare_httpx(service)),
        OURS: one_by_one(lambda event_id: hook.patch_event(LIN, event_id, PATCH)),
        f"{OURS}, patch read before": one_by_one(lambda event_id: hook.patch_event(LIN, event_id, ready)),
        "DingTalk's SDK": one_by_one(sdk.patch),
        "our operator": one_by_one(peers.our_operator(service)),
        "HttpOperator": one_by_one(peers.http_operator(service)),
        ASYNC_HTTPX: in_the_loop(peers.async_httpx(service)),
        ASYNC_OURS: in_the_loop(lambda event_id: hook.apatch_event(LIN, event_id, PATCH)),
        "DingTalk's SDK, async": in_the_loop(sdk.apatch),
    }


def _cost(way: Callable[[int], object], calls: int) -> tuple[float, float]:
    used, start = time.process_time(), time.perf_counter()
    way(calls)
    return (time.process_time() - used) / calls, (time.perf_counter() - start) / calls


if __name__ == "__main__":
    print(measure())
