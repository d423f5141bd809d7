"""How time grows with the number of events: ten times as many take ten times as long, and not more."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.emulated import LIN, alone, dingtalk
from benchmarks.page import Section, Table, Target

COUNTS = (10, 100, 1000, 10_000)
TURNS = 6
MOST = 10  # times that a small number is measured within a turn
MORE = 1.25
TEXT = """Microseconds of the client's processor per event. A plan's answers are made up in the process, a listing is
the emulator's, in pages of 100. The numbers take turns, and smaller ones are measured several times in a turn, so that
what else the machine does disturbs all of them alike; the least of {turns} turns. A few events bear what a task costs
once; what grows faster than the number of events would show between {before:,} and {last:,}."""


def measure() -> Section:
    """Measure a plan, and a listing, of each size."""
    ways: dict[str, list[float]] = {"a plan": alone("growth:batches"), "hook.pages": _listings()}
    rows = [(way, *(seconds * 1e6 for seconds in figures)) for way, figures in ways.items()]
    targets = [
        Target(f"{way}: an event of {COUNTS[-1]:,}, of one of {COUNTS[-2]:,}", figures[-1] / figures[-2], MORE)
        for way, figures in ways.items()
    ]
    table = Table(("way", *(f"{count:,} events" for count in COUNTS)), rows)
    text = TEXT.format(turns=TURNS, before=COUNTS[-2], last=COUNTS[-1])
    return Section("Growth", text, [table], targets)


def batches() -> list[float]:
    """Return the processor seconds per event of a plan of each size."""
    from benchmarks.batch import applied, make_up_answers

    make_up_answers()
    return _least(applied)


def _listings() -> list[float]:
    with ExitStack() as stack:
        services = [stack.enter_context(dingtalk(count)) for count in COUNTS]
        figures: list[float] = alone("growth:listings", [service.connection for service in services])
        return figures


def listings(connections: list[dict[str, object]]) -> list[float]:
    """Return the processor seconds per event of listing calendars of each size."""
    for count, connection in zip(COUNTS, connections, strict=True):
        os.environ[f"AIRFLOW_CONN_{count}"] = json.dumps(connection)
    return _least(_listed)


def _listed(count: int) -> float:
    from airflow_dingtalk_calendar import api
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    with DingTalkCalendarHook(str(count)) as hook:
        used = time.process_time()
        found = sum(len(page["events"]) for page in hook.pages(api.list_events(LIN, max_results=100)))
        used = time.process_time() - used
    if found != count:
        raise RuntimeError(f"{found} of {count} events")
    return used


def _least(seconds: Callable[[int], float]) -> list[float]:
    """Measure all sizes in turn, and keep the least disturbed time of each."""
    seconds(COUNTS[0])
    turns = [[_mean(seconds, count) for count in COUNTS] for _ in range(TURNS)]
    return [min(figures) for figures in zip(*turns, strict=True)]


def _mean(seconds: Callable[[int], float], count: int) -> float:
    times = min(COUNTS[-1] // count, MOST)
    return sum(seconds(count) for _ in range(times)) / times / count


if __name__ == "__main__":
    print(measure())
