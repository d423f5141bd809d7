"""Run all benchmarks and write the table: ``make bench``."""

from __future__ import annotations

import os
import platform
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-bench-"))

from benchmarks import batch, import_cost, patch_cost, waiting

README = Path(__file__).parent / "README.md"
PAGE = """# Benchmarks

Ratios measured side by side in one run on loopback, medians of several rounds that take turns. Made by `make bench`
on {machine}; Python {python}, Airflow {airflow}, httpx {httpx}, pydantic {pydantic}.

## Importing: what a DAG file pays

Added to a process that has parsed a DAG; each in a new process, medians of {runs}. Target: at most 15 ms.

| import | ms | of BashOperator | modules |
| --- | ---: | ---: | ---: |
{imports}

## One patch: CPU of the client

The emulator runs in a process of its own. Target: `hook.patch_event` at most 1.3 times bare `httpx.Client.put`.
The hook keeps token and pace, retries, and types the errors; bare httpx does none of that. Reading and checking a patch
adds about as much as the hook itself; `EventPatch.parse` does it once for many calls.

| way | µs CPU per patch | of bare httpx |
| --- | ---: | ---: |
{patches}

## A batch: {events:,} events in one task

The emulator, in a process of its own, takes {service_time:g} s for each call. With its limit of {limit} calls per
second, a batch cannot take less than {floor:g} s; target: within 5 % of that, with a handful of throttled answers at
most.
Without a limit, target: ten times the events per second of one mapped task per event. Those are {mapped} real task runs
by `dag.test`, one after the other, which spares each the process that a scheduler would start for it.

| way | s | events/s | |
| --- | ---: | ---: | --- |
{batch}

A plan of {rows:,} rows is {plan:.0f} MB, and is checked in {checking:.1f} s. Carrying it out, the process grows by
{growth:.0f} MB more until the results are handed to XCom (the answers are made up in the process).

## Waiting: a day of a triggerer

{sensors} deferred sensors, whose events start at any time of the following day. The triggers are made from what the
sensors would have stored in Airflow's database, and run in one event loop of one process, as in a triggerer, with its
time running {speed:,} times as fast; Airflow's own work around them is not in it. Target: a sensor looks once per
recheck (6 hours) and at the moment itself, which is 2.5 times on average (less here, where answers take long in fast
time), and a day costs less than a minute of CPU.

| | |
| --- | ---: |
| calls in the workers, before deferring | {first:,} |
| calls in the triggerer | {later:,} |
| the same at Airflow's default interval of a minute (computed) | {poking:,} |
| CPU of the triggerer, seconds | {cpu:.1f} |
"""


def main() -> None:
    """Measure, print, and write the page."""
    page = PAGE.format(
        machine=f"{os.cpu_count()} cores, {platform.machine()}",
        python=platform.python_version(),
        runs=import_cost.RUNS,
        imports="\n".join(f"| {n} | {ms:.1f} | {ratio:.2f} | {mods} |" for n, ms, ratio, mods in import_cost.measure()),
        patches="\n".join(f"| {name} | {cpu:.0f} | {ratio:.2f} |" for name, cpu, ratio in patch_cost.measure()),
        **_batch(),
        **waiting.measure(),
        **{name: version(package) for name, package in _VERSIONS.items()},
    )
    README.write_text(page)
    print(page)


def _batch() -> dict[str, Any]:
    figures = batch.measure()
    mapped = batch.MAPPED / figures.mapped
    times = batch.EVENTS / figures.unlimited / mapped
    limited = f"{figures.limited / figures.floor:.3f} of the floor, {figures.throttled} throttled"
    rows = [
        ("batch operator, limited", figures.limited, batch.EVENTS, limited),
        ("batch operator, no limit", figures.unlimited, batch.EVENTS, f"{times:.0f} times the mapped tasks"),
        ("coroutines of the hook, no limit", figures.coroutines, batch.EVENTS, "as many at once as threads"),
        ("mapped tasks, no limit", figures.mapped, batch.MAPPED, f"{batch.MAPPED} events"),
    ]
    table = "\n".join(f"| {way} | {took:.1f} | {count / took:.1f} | {note} |" for way, took, count, note in rows)
    numbers = {"events": batch.EVENTS, "mapped": batch.MAPPED, "rows": batch.ROWS, "limit": batch.LIMIT}
    measured = {"floor": figures.floor, "plan": figures.plan, "checking": figures.checking, "growth": figures.growth}
    return {**numbers, **measured, "service_time": batch.SERVICE_TIME, "batch": table}


_VERSIONS = {"airflow": "apache-airflow", "httpx": "httpx", "pydantic": "pydantic"}

if __name__ == "__main__":
    main()
