"""Run all benchmarks and write ``benchmarks/README.md``, or run those named and print: ``make bench ARGS=batch``."""

from __future__ import annotations

import datetime as dt
import os
import platform
import sys
import time
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from benchmarks.page import Section, filled, summary

PARTS = (
    *("importing", "dag_bag", "one_patch", "first_patch", "batch", "actions", "listing", "validation"),
    *("growth", "waiting", "reacting"),
)
README = Path(__file__).parent / "README.md"
PAGE = """# Benchmarks

{head}

## Targets

{summary}

{sections}
"""
HEAD = """Ratios measured side by side in one run on loopback, medians of several rounds that take turns. `make bench`
writes this page, verdicts included, in {minutes:.0f} minutes; `make bench ARGS=batch` runs one part and prints it.
Everything runs in one environment, `.bench`, with the versions pinned in [constraints.txt](constraints.txt).

Measured on {day} on {machine}; load before it began {load:.1f}. {versions}."""
VERSIONS = {
    "Airflow": "apache-airflow",
    "its HTTP provider": "apache-airflow-providers-http",
    "DingTalk's SDK": "alibabacloud-dingtalk",
    "httpx": "httpx",
    "pydantic": "pydantic",
}


def main(names: list[str]) -> int:
    """Measure, print, and write the page if it is whole."""
    if wrong := set(names) - set(PARTS):
        return _complain(f"no such part: {', '.join(sorted(wrong))}; there are {', '.join(PARTS)}")
    if not find_spec("alibabacloud_dingtalk"):
        return _complain("what is compared with is not installed here: run make bench, which installs it in .bench")
    start, load = time.monotonic(), os.getloadavg()[0]
    sections = [_measured(name) for name in names or PARTS]
    if not names:
        README.write_text(_page(sections, load, (time.monotonic() - start) / 60), encoding="utf-8")
        print(f"\n{summary(sections)}\n\nwritten to {README}")
    return 0


def _measured(name: str) -> Section:
    start = time.monotonic()
    section: Section = import_module(f"benchmarks.{name}").measure()
    print(f"{section}\n\n({name} took {time.monotonic() - start:.0f} s)\n", flush=True)
    return section


def _page(sections: list[Section], load: float, minutes: float) -> str:
    versions = [f"Python {platform.python_version()}", *(f"{name} {version(of)}" for name, of in VERSIONS.items())]
    head = HEAD.format(
        minutes=minutes,
        day=dt.datetime.now(dt.UTC).date(),
        machine=f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        load=load,
        versions=", ".join(versions),
    )
    return PAGE.format(head=filled(head), summary=summary(sections), sections="\n\n".join(map(str, sections)))


def _complain(text: str) -> int:
    sys.stderr.write(f"{text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
