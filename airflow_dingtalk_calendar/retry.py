"""Which failures are tried again within a task, how often, and how long to wait before.

Short waits happen here. Longer ones (a minute for a per-minute limit, five for a banned address) would keep a
worker slot busy with sleeping, so they are left to Airflow's retries.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import RequestError

if TYPE_CHECKING:
    from tenacity import RetryCallState

    from airflow_dingtalk_calendar.api import Call

LONGEST_WAIT = 10.0  # seconds
FIRST_WAIT = 0.5

log = logging.getLogger(__name__)


def may_repeat(error: BaseException, call: Call[Any]) -> bool:
    """Whether this call is worth another try now, and safe to be tried again."""
    if not isinstance(error, RequestError) or not error.retryable:
        return False
    safe = call.repeatable or error.outcome != "unknown"
    return safe and (error.retry_after or 0.0) <= LONGEST_WAIT


def arguments(call: Call[Any], attempts: int, sleep: Callable[[float], Any]) -> dict[str, Any]:
    """Make the arguments for tenacity's ``Retrying`` and ``AsyncRetrying``.

    The wait doubles from half a second, with as much again by chance, so that tasks that failed together do
    not come back together; it is never shorter than what the service asked for.
    """
    from tenacity import retry_if_exception, stop_after_attempt, wait_random_exponential

    backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT, min=FIRST_WAIT)

    def wait(state: RetryCallState) -> float:
        asked = getattr(_error(state), "retry_after", None) or 0.0
        return max(backoff(state), asked + FIRST_WAIT if asked else 0.0)

    return {
        "sleep": sleep,
        "stop": stop_after_attempt(attempts),
        "retry": retry_if_exception(lambda error: may_repeat(error, call)),
        "wait": wait,
        "before_sleep": _tell,
        "reraise": True,
    }


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _tell(state: RetryCallState) -> None:
    log.warning("Attempt %d failed, next in %.1f s: %s", state.attempt_number, state.upcoming_sleep, _error(state))
