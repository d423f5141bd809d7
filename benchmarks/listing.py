"""Listing many events: how fast, and whether the memory stays the same."""

from __future__ import annotations

import gc
import time
from typing import Any

from benchmarks import peers
from benchmarks.emulated import LIN, Service, alone, dingtalk, peak, rss, unpaced
from benchmarks.page import Section, Table, Target

FEW, MANY, PAGE = 5_000, 50_000, 100
OURS, COLLECTED, SDK = "hook.pages, one page at a time", "hook.pages, collected", "the SDK in a loop, collected"
TEXT = """Pages of {page} events from the emulator, which is a process of its own and about as slow as the client is
fast; so the processor time of the client stands beside the rate. Each way in a new process; memory is what the process
grew by at most. Flat means: listing {many:,} events takes no more than {flat} MB above {few:,}."""
FLAT = 2.0


def measure() -> Section:
    """Measure few events and many, each way in a process of its own."""
    figures = {count: _listed(count) for count in (FEW, MANY)}
    rows = [(way, count, *figures[count][way]) for count in figures for way in figures[count]]
    heads = ("way", "events", "events/s", "ms of processor per page", "peak, MB")
    grown = figures[MANY][OURS][2] - figures[FEW][OURS][2]
    targets = [Target(f"{OURS}: MB more for {MANY:,} than for {FEW:,}", grown, FLAT)]
    text = TEXT.format(page=PAGE, many=MANY, few=FEW, flat=FLAT)
    return Section(f"Listing: {MANY:,} events", text, [Table(heads, rows)], targets)


def _listed(count: int) -> dict[str, tuple[float, float, float]]:
    with dingtalk(count) as service:
        service.connect()
        return {way: alone("listing:listed", service.connection, way, count) for way in WAYS}


def listed(connection: dict[str, Any], way: str, count: int) -> tuple[float, float, float]:
    """List all events; return events per second, milliseconds of processor per page, and MB."""
    with unpaced():
        run = WAYS[way](Service(connection))
        gc.collect()
        before, used, start = rss(), time.process_time(), time.perf_counter()
        found = run()
    took, cpu = time.perf_counter() - start, time.process_time() - used
    if found != count:
        raise RuntimeError(f"{found} events of {count}")
    return count / took, cpu / (count / PAGE) * 1000, peak() - before


def _pages(service: Service) -> Any:
    from airflow_dingtalk_calendar import api
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    hook = DingTalkCalendarHook()
    hook.list_events(LIN, max_results=1)  # the token, the libraries
    return hook.pages(api.list_events(LIN, max_results=PAGE))


def _ours(service: Service) -> Any:
    pages = _pages(service)
    return lambda: sum(len(page["events"]) for page in pages)


def _collected(service: Service) -> Any:
    pages = _pages(service)
    return lambda: len([event for page in pages for event in page["events"]])


def _sdk(service: Service) -> Any:
    sdk = peers.Sdk(service)
    sdk.patch("E0")  # the libraries
    return lambda: len(sdk.list())


WAYS = {OURS: _ours, COLLECTED: _collected, SDK: _sdk}

if __name__ == "__main__":
    print(measure())
