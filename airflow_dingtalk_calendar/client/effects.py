"""The steps of a call that need the outside world; the hook performs them."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from airflow_dingtalk_calendar.api import Call

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SendRequest(Generic[T]):
    """Send this request; the step's result is its :class:`~airflow_dingtalk_calendar.client.responses.Response`."""

    call: Call[T]
    headers: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class FetchToken:
    """Perform these steps in a thread that continues when the caller is cancelled; the step's result is theirs.

    A refresh token works once: a fetch that ended between the answer and the Variable would lose a person's grant.
    """

    steps: Generator[Effect, Any, Any]


@dataclass(frozen=True, slots=True)
class AwaitFetch:
    """Wait until another caller's fetch has ended, and share its failure."""

    done: Future[None]


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class MaskSecret:
    """Register this text with Airflow as a secret, which its logs redact."""

    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadVariable:
    """Read an Airflow Variable; the step's result is its text, or None."""

    name: str


@dataclass(frozen=True, slots=True)
class WriteVariable:
    """Write an Airflow Variable; the step's result is the kind of the error that it ended in, or None.

    The error itself may have the value in its text.
    """

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LogError:
    """Say in the log that something needs a person's attention."""

    text: str


Effect = SendRequest[Any] | FetchToken | AwaitFetch | Sleep | MaskSecret | ReadVariable | WriteVariable | LogError
