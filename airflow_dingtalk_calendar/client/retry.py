"""Which failures are tried again within a task, how often, and how long to wait before.

Short waits happen here. Longer ones (a minute for a per-minute limit, five for a banned address) would keep a
worker slot busy with sleeping, so they are left to Airflow's retries.
"""

from __future__ import annotations

import random
from typing import Any

from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.exceptions import MAX_WAIT_IN_TASK, RequestError

# Seconds. Twice that is the window of DingTalk's limits per second, so a second attempt mostly falls into the next one.
FIRST_BACKOFF = 0.5


def backoff_seconds(error: RequestError, call: Call[Any], attempt: int, attempts: int) -> float | None:
    """Return the seconds to wait before the next attempt; None when there shall be none.

    The wait is drawn from a range that doubles with each attempt, so that tasks that failed together do not come
    back together; it is never shorter than what the service asked for.

    :param attempt: number of the attempt that failed, from 1 on; ``attempts``: how many there may be.
    """
    if attempt >= attempts or not _may_retry(error, call):
        return None
    backoff = random.uniform(FIRST_BACKOFF, min(FIRST_BACKOFF * 2**attempt, MAX_WAIT_IN_TASK))  # noqa: S311  # no secret
    return (error.retry_after or 0.0) + backoff


def _may_retry(error: RequestError, call: Call[Any]) -> bool:
    """Whether this call is worth another try now, and safe to be tried again."""
    safe = call.repeatable or error.outcome != "unknown"
    return error.retryable and safe and (error.retry_after or 0.0) <= MAX_WAIT_IN_TASK
