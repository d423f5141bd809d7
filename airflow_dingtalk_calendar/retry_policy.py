"""When Airflow tries a task again: a retry policy that knows the errors of this package (Airflow 3.3 and newer).

It works for any task that uses the hook. Spread :data:`RETRY_POLICY` where ``retries`` stands; on older Airflow
versions, which have no retry policies, it is empty::

    DAG("my_dag", default_args={"retries": 3, **RETRY_POLICY})
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

from airflow.providers.common.compat.sdk import AirflowOptionalProviderFeatureException

from airflow_dingtalk_calendar.exceptions import MAX_WAIT_IN_TASK, DingTalkError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, RetryDecision, RetryPolicy

    IS_AVAILABLE = True
else:
    try:
        from airflow.providers.common.compat.sdk import RetryDecision, RetryPolicy

        IS_AVAILABLE = True
    except ImportError:  # before Airflow 3.3
        RetryPolicy, IS_AVAILABLE = object, False

MAX_REASON_LENGTH = 500  # characters that Airflow's database takes


class DingTalkRetryPolicy(RetryPolicy):
    """Fail at once on non-retryable errors, and wait as long as DingTalk asks for.

    ==============================================  =========================================================
    the task raised                                 it is
    ==============================================  =========================================================
    a non-retryable error of this package           failed at once
    one that names a wait (a limit per minute: 60   tried again after that wait and up to a tenth more, so that
    s, a banned address: 5 min)                     tasks that failed together do not come back together
    any other                                       left to the task's own ``retry_delay`` and backoff
    ==============================================  =========================================================

    Waits of a few seconds are in the third row: the hook has waited so several times before it gave up, so the limit
    is one that lasts. How often a task is tried is up to its ``retries``. Only the exception itself counts, not what
    it was raised from: a task that turns an error into one of its own has decided for itself.

    :raises AirflowOptionalProviderFeatureException: before Airflow 3.3.
    """

    def __init__(self) -> None:
        if not IS_AVAILABLE:
            raise AirflowOptionalProviderFeatureException(
                "DingTalkRetryPolicy needs Airflow 3.3. **RETRY_POLICY in its place works on any version."
            )

    def evaluate(
        self, exception: BaseException, try_number: int, max_tries: int, context: Context | None = None
    ) -> RetryDecision:
        """Decide about a failed try."""
        if not isinstance(exception, DingTalkError):
            return RetryDecision.default()
        reason = str(exception)[:MAX_REASON_LENGTH]
        if not exception.retryable:
            return RetryDecision.fail(reason)
        if _waited_already(exception):
            return RetryDecision.default()
        seconds = (exception.retry_after or 0.0) * random.uniform(1.0, 1.1)  # noqa: S311  # no secret
        return RetryDecision.retry(timedelta(seconds=seconds), reason)

    def serialize(self) -> dict[str, Any]:
        """Return what there is to say about a policy without options."""
        return {"__type": type(self).__name__}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Self:
        """Make the policy again."""
        return cls()


def _waited_already(error: DingTalkError) -> bool:
    return (error.retry_after or 0.0) <= MAX_WAIT_IN_TASK


RETRY_POLICY: dict[str, Any] = {"retry_policy": DingTalkRetryPolicy()} if IS_AVAILABLE else {}
"""``retry_policy``, for ``default_args`` or among a task's arguments; empty before Airflow 3.3."""
