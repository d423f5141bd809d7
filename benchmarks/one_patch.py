"""What one patch costs: processor and time, beside the same request made in other ways."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from benchmarks import peers
from benchmarks.emulated import LIN, Service, alone, dingtalk, unpaced
from benchmarks.page import Section, Table, Target, number
from benchmarks.peers import PATCH

ROUNDS, CALLS = 101, 20
FLOOR, HTTPX, OURS, SDK = "http.client", "bare httpx", "hook.patch_event", "DingTalk's SDK"
READY = f"{OURS}, patch read before"
ASYNC_HTTPX, ASYNC_OURS = "bare httpx, async", "hook.apatch_event"
Turn = dict[str, tuple[float, float]]
TEXT = """The emulator runs in a process of its own, so its processor time is not in it, but it is in the wall
time. Bare httpx and `http.client` send a body that is ready with a token that is there. The hook keeps token
and pace, retries, bounds how long and how big an answer may be, and types the errors; reading and checking a
patch is listed by itself, for `EventPatch.parse` does it once for many calls. Its rate limit decides about each
call, but lets all go at once. The operators make hook and connection for each patch, as a task does. Medians
of {rounds} rounds of {calls} calls that take turns, each after a garbage collection, so that it collects its
own garbage only; ratios within a round."""
NOTES = """From coroutines, DingTalk's SDK sends with aiohttp, whose parser is compiled: that takes less than any way
with httpx. The hook hands its requests to httpx's transport and not to the client's own `send`, which follows
redirects, keeps cookies and logs every URL; and it reads the URL of the service once, not that of each request."""


def measure() -> Section:
    """Measure all ways in turn, in a process of their own."""
    with dingtalk() as service:
        service.connect()
        turns: list[Turn] = alone("one_patch:rounds", service.connection, ROUNDS)
    ratios = {name: _ratios(turns, name, _base(name)) for name in turns[0]}
    rows = [(name, *_figures(turns, name), _base(name), median(ratios[name]), _spread(ratios[name])) for name in ratios]
    heads = ("way", "µs of processor", "µs wall", "wall over the floor", "beside", "processor, of that", "quartiles")
    limits = {OURS: 1.15, READY: 1.03, ASYNC_OURS: 1.08}
    targets = [Target(f"{name}, of {_base(name)}", median(ratios[name]), limit) for name, limit in limits.items()]
    targets.append(Target(f"{READY}, of {SDK}", median(_ratios(turns, READY, SDK)), 1.0))
    return Section("One patch", TEXT.format(rounds=ROUNDS, calls=CALLS), [Table(heads, rows)], targets, NOTES)


def _ratios(turns: list[Turn], name: str, base: str) -> list[float]:
    """Return the processor time of one way, of another one's, in each turn."""
    return [turn[name][0] / turn[base][0] for turn in turns]


def _spread(ratios: list[float]) -> str:
    lower, _, upper = quantiles(ratios, n=4)
    return f"{number(lower)} to {number(upper)}"


def _base(name: str) -> str:
    return ASYNC_HTTPX if "async" in name or name.startswith("hook.a") else HTTPX


def _figures(turns: list[Turn], name: str) -> tuple[float, float, float]:
    over = median(turn[name][1] - turn[FLOOR][1] for turn in turns)
    return (*(median(turn[name][i] for turn in turns) * 1e6 for i in range(2)), over * 1e6)  # type: ignore[return-value]


def rounds(connection: dict[str, Any], count: int) -> list[Turn]:
    """Patch in all ways in turn; return processor and wall seconds per patch."""
    with unpaced():
        ways = _ways(Service(connection))
        for way in ways.values():
            _cost(way, 5)
        gc.freeze()  # what has been imported is no way's garbage
        return [{name: _cost(way, CALLS) for name, way in ways.items()} for _ in range(count)]


def _ways(service: Service) -> dict[str, Callable[[int], object]]:
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
        READY: one_by_one(lambda event_id: hook.patch_event(LIN, event_id, ready)),
        SDK: one_by_one(sdk.patch),
        "our operator": one_by_one(peers.our_operator(service)),
        "HttpOperator": one_by_one(peers.http_operator(service)),
        ASYNC_HTTPX: in_the_loop(peers.async_httpx(service)),
        ASYNC_OURS: in_the_loop(lambda event_id: hook.apatch_event(LIN, event_id, PATCH)),
        "DingTalk's SDK, async": in_the_loop(sdk.apatch),
    }


def _cost(way: Callable[[int], object], calls: int) -> tuple[float, float]:
    gc.collect()  # no way pays for what another one has left
    used, start = time.process_time(), time.perf_counter()
    way(calls)
    return (time.process_time() - used) / calls, (time.perf_counter() - start) / calls


if __name__ == "__main__":
    print(measure())
