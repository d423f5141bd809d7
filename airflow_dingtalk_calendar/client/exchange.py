"""One exchange: a request, its answer, and one line of the log at DEBUG, without content."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any, TypeVar

from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.client.effects import Effect, SendRequest
from airflow_dingtalk_calendar.client.responses import Response, interpret_answer, request_id
from airflow_dingtalk_calendar.exceptions import RequestError

T = TypeVar("T")
log = logging.getLogger(__name__)


def run_exchange(
    request: SendRequest[T], clock: Clock, *secrets: str, attempt: int = 1
) -> Generator[Effect, Any, T | Odd[T]]:
    """Send a request, and read its answer as the call's result.

    :param secrets: blotted out of an error's texts, in case the answer echoes the request.
    :param attempt: number of the attempt, for the log.
    :raises RequestError: with the name of the action.
    """
    began = clock.monotonic()
    try:
        answer: Response = yield request
    except BaseException as error:
        _log_exchange(request, attempt, error, clock.monotonic() - began)
        if isinstance(error, RequestError):
            raise error.with_details(action=request.call.action) from error.__cause__
        raise
    _log_exchange(request, attempt, answer, clock.monotonic() - began)
    return interpret_answer(request.call, answer, *secrets)


def _log_exchange(request: SendRequest[Any], attempt: int, end: Response | BaseException, seconds: float) -> None:
    if log.isEnabledFor(logging.DEBUG):
        log.debug("%s, attempt %d: %s, %.0f ms", request.call.action, attempt, _describe_end(end), seconds * 1000)


def _describe_end(end: Response | BaseException) -> str:
    """Say what an exchange ended with: a status, or the kind of failure."""
    if isinstance(end, Response):
        return f"status {end.status}, request id {request_id(end) or 'unknown'}"
    return (isinstance(end, RequestError) and end.code) or type(end).__name__
