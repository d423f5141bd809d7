"""When a connection is reopened, and what is logged about it: as data, so that no clock is needed to test it."""

from __future__ import annotations

import logging
import random
from dataclasses import dataclass

from airflow_dingtalk_calendar.exceptions import DingTalkError

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # seconds, of the backoff
STABLE_SECONDS = 30.0  # a connection that has lasted so long was a good one
# After an error that a person has to correct. Asking for a ticket costs no calls, as far as is known.
ERROR_RETRY = 600.0


@dataclass
class ReconnectPolicy:
    """How a client of Stream mode continues after a connection, or an attempt to open one, has ended.

    :ivar attempt: how many in a row have come to nothing.
    :ivar said: the failure that was logged last; it is logged once, however often it is repeated.
    """

    attempt: int = 0
    said: str = ""

    def next_wait(self, lasted: float) -> float:
        """Return the seconds to wait after a connection that has lasted so long."""
        self.attempt = 0 if lasted >= STABLE_SECONDS else self.attempt + 1
        return draw_backoff(self.attempt)

    def wait_after(self, error: Exception) -> float:
        """Return the seconds to wait after a failure."""
        self.attempt += 1
        if isinstance(error, DingTalkError) and error.retryable:
            return max(draw_backoff(self.attempt), error.retry_after or 0.0)
        return ERROR_RETRY * random.uniform(1.0, 1.2)  # noqa: S311  # no secret

    def level(self, error: Exception) -> int:
        """Return the level of the log for a failure, and remember that it was logged."""
        kind = _name_failure(error)
        if kind == self.said:
            return logging.DEBUG
        self.said = kind
        return logging.WARNING if isinstance(error, DingTalkError) and error.retryable else logging.ERROR

    def recover(self) -> bool:
        """Record that a connection is open; return whether a failure was logged before."""
        failed, self.said = bool(self.said), ""
        return failed


def _name_failure(error: Exception) -> str:
    """Name what has failed, without what differs each time, like a request id."""
    parts = (getattr(error, name, None) for name in ("action", "status_code", "code", "message"))
    return " ".join([type(error).__name__, *map(str, parts)])


def draw_backoff(attempt: int) -> float:
    """Draw the seconds to wait from a range that doubles with each attempt, so that clients do not come together."""
    longest = min(FIRST_WAIT * 2.0 ** min(attempt, 10), LONGEST_WAIT)
    return random.uniform(longest / 2 if attempt else 0.0, longest)  # noqa: S311  # no secret
