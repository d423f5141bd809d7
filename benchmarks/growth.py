"""How time grows with the number of events: ten times as many take ten times as long, and not more."""

from __future__ import annotations

import time

from benchmarks.emulated import LIN, alone, dingtalk
from benchmarks.page import Section, Table, Target

COUNTS = (10, 100, 1000, 10_000)
RUNS = 5
MORE = 1.25
TEXT = """Microseconds of the client's processor per event, the least of {runs} runs. A batch's answers are made up in
the process, a listing is the emulator's, in pages of 100. A few events bear what a task costs once; what grows faster
than the number of events would show between {before:,} and {last:,}."""


def measure() -> Section:
    """Measure a batch, and a listing, of each size."""
    batch = [each / count * 1e6 for each, count in zip(alone("growth:batches", COUNTS), COUNTS, strict=True)]
    pages = [_listed(count) / count * 1e6 for count in COUNTS]
    ways = {"batch operator": batch, "hook.pages": pages}
    rows = [(way, *figures) for way, figures in ways.items()]
    targets = [
        Target(f"{way}: an event of {COUNTS[-1]:,}, of one of {COUNTS[-2]:,}", figures[-1] / figures[-2], MORE)
        for way, figures in ways.items()
    ]
    table = Table(("way", *(f"{count:,} events" for count in COUNTS)), rows)
    text = TEXT.format(runs=RUNS, before=COUNTS[-2], last=COUNTS[-1])
    return Section("Growth", text, [table], targets)


def batches(counts: list[int]) -> list[float]:
    """Return the processor seconds of a batch of each size."""
    from benchmarks.batch import applied, make_up_answers

    make_up_answers()
    applied(10)
    return [min(applied(count) for _ in range(RUNS)) for count in counts]


def _listed(count: int) -> float:
    with dingtalk(count) as service:
        service.connect()
        return float(alone("growth:listed"))


def listed() -> float:
    """Return the processor seconds of listing all there are."""
    return min(_seconds() for _ in range(RUNS + 1))


def _seconds() -> float:
    from airflow_dingtalk_calendar import api
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    with DingTalkCalendarHook() as hook:
        used = time.process_time()
        for page in hook.pages(api.list_events(LIN, max_results=100)):
            page["events"]
        return time.process_time() - used


if __name__ == "__main__":
    print(measure())
