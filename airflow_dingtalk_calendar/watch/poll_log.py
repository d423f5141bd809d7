"""What a watcher logs of its polls."""

from __future__ import annotations

import logging

from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.watch.changes import Position

log = logging.getLogger(__name__)
MONTH_SECONDS = 30 * 24 * 3600.0
MONTHLY_QUOTA = 5000  # calls a month of an organisation, in DingTalk's standard edition (since November 2025)


def log_costs(interval: float) -> None:
    """Say what polls cost, when they begin."""
    level = logging.INFO if MONTH_SECONDS / interval < MONTHLY_QUOTA else logging.WARNING
    log.log(level, "A poll every %.0f s: about %.0f metered calls a month.", interval, MONTH_SECONDS / interval)


def log_loaded(position: Position) -> None:
    """Log the position from which a watcher resumes."""
    log.info("Resuming after poll %d: %s.", position.number, counted(len(position.fingerprints), "event"))


def log_poll(reached: Position, changes: int, calls: int) -> None:
    """Say what a poll has led to."""
    if reached.number:
        found = counted(changes, "change")
        log.info("Poll %d: %s to report, in %s.", reached.number, found, counted(calls, "call"))
    else:
        events = counted(len(reached.fingerprints), "event")
        log.info("Initial snapshot: %s, listed in %s; later changes are reported.", events, counted(calls, "call"))
