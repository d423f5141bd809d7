"""Which failures of a sensor ``soft_fail`` and ``never_fail`` mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    AirflowTaskTimeout,
)


class ConditionUnmetError(AirflowFailException):
    """The condition can no longer be met."""


class SoftFailing:
    """Skips a sensor for what its author means, in all versions of Airflow and in all modes."""

    log: Any
    soft_fail: bool
    never_fail: bool

    @contextmanager
    def _skip_as_meant(self, missed: type[Exception]) -> Iterator[None]:
        """Decide again where Airflow skips: it also skips for misconfigurations, and without logging the reason.

        Airflow chains its exception to the failure that it stands for.

        :param missed: failures of which Airflow does not skip all, in all versions and modes.
        """
        try:
            yield
        except (AirflowSkipException, missed) as error:
            failure = (error.__cause__ if isinstance(error, AirflowSkipException) else None) or error
            if not self._may_skip(failure):
                raise failure  # noqa: B904  # instead of Airflow's
            self.log.warning("Skipped instead of failed: %s", failure)
            raise AirflowSkipException(f"Skipped instead of failed: {failure}") from failure

    def _may_skip(self, failure: BaseException) -> bool:
        """Whether who sets ``soft_fail`` or ``never_fail`` means such a failure."""
        if isinstance(failure, (AirflowSkipException, AirflowSensorTimeout, AirflowTaskTimeout, ConditionUnmetError)):
            return bool(self.soft_fail or self.never_fail)
        return bool(self.never_fail) and not isinstance(failure, (AirflowFailException, AirflowNotFoundException))
