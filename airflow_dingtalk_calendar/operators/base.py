"""What the operators have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Turn errors that no retry can mend into ``AirflowFailException``, so that none is wasted.

    What may pass by itself is raised as it is, and Airflow's retries take over.
    """
    try:
        yield
    except DingTalkError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from error


def flags(**values: Any) -> Mapping[str, bool]:
    """Read booleans that templates may have rendered: ``"False"`` is not true.

    :raises InvalidInputError: naming the ones that are no booleans.
    """
    from airflow_dingtalk_calendar.fields import as_flag  # brings pydantic along

    read: dict[str, bool] = {}
    problems: list[tuple[str, str]] = []
    for name, value in values.items():
        try:
            read[name] = as_flag(value)
        except ValueError as error:
            problems.append((name, str(error)))
    if problems:
        raise InvalidInputError(*problems)
    return read
