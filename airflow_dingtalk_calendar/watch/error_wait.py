"""How long a watcher waits after an error, and what it logs: it never ends, whatever happens.

Airflow starts a watcher's trigger again within seconds when it has ended or raised an error (it stays assigned to the
triggerer, which finds it not running). Each start would cost calls, so errors are logged here and waited out.
"""

from __future__ import annotations

import logging

from airflow_dingtalk_calendar.exceptions import DingTalkError

log = logging.getLogger(__name__)
# After an error that a person has to fix: this long, or the interval if that is longer.
ERROR_WAIT = 3600.0


def wait_after_error(error: Exception, interval: float, *, is_repeated: bool = False) -> float:
    """Log an error, and return in how many seconds to try again.

    :param is_repeated: whether the same error has been logged before; then it is logged at INFO instead of ERROR.
    """
    if not isinstance(error, DingTalkError):
        log.error("Changes are not reported while this error persists; retrying in %.0f s:", interval, exc_info=error)
        return interval
    if error.retryable:
        wait = max(interval, error.retry_after or 0.0)
        log.warning("Poll failed, retrying in %.0f s: %s", wait, error)
        return wait
    wait = max(interval, ERROR_WAIT)
    level = logging.INFO if is_repeated else logging.ERROR
    log.log(level, "Changes are not reported until this is fixed; retrying in %.0f s: %s", wait, error)
    return wait
