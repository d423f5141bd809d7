"""What the calls of a task cost: counted where each request is sent, so retries and failures count, too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.client.fork_safety import clear_after_fork
from airflow_dingtalk_calendar.exceptions import (
    CallLimitError,
    RequestError,
    ThrottledError,
    TokenRejectedError,
    TransportError,
)

# What DingTalk's gateway turns away is not metered ("How to handle API throttling"; "Global error codes").
_GATEWAY_CODES = "Forbidden.AccessDenied."


class CountedRequest(NamedTuple):
    """One request of a metered call, and what came of it.

    :ivar action: DingTalk's name of the API action.
    :ivar seconds: from its first byte to the end of its answer.
    :ivar metered: whether DingTalk has counted it, as far as anybody knows.
    :ivar repeated: whether the same call was sent before.
    :ivar throttled: whether DingTalk refused it because there were too many just now.
    :ivar unknown: whether nobody knows if what it writes took effect.
    """

    action: str
    seconds: float
    metered: bool = True
    repeated: bool = False
    throttled: bool = False
    unknown: bool = False


class CallCounter:
    """Counts metered calls by action; threads may share one.

    :param limit: how many metered calls it lets through; None for any number.
    :param report: called with each request.
    :param earlier: counts to go on from.
    """

    def __init__(
        self,
        limit: int | None = None,
        report: Callable[[CountedRequest], None] | None = None,
        earlier: Mapping[str, int] | None = None,
    ) -> None:
        self.limit = limit
        self.report = report
        self.retries = 0
        self.throttled = 0
        self._counts = Counter(earlier or {})
        self.clear()
        clear_after_fork(self)

    def clear(self) -> None:
        """Make a new lock: after a fork, the old one may be held by a thread of the parent."""
        self._lock = Lock()

    @property
    def by_action(self) -> dict[str, int]:
        """How many metered calls there were, by action."""
        with self._lock:
            return {action: count for action, count in sorted(self._counts.items()) if count}

    @property
    def total(self) -> int:
        """How many metered calls there were."""
        return sum(self.by_action.values())

    @property
    def left(self) -> int | None:
        """How many metered calls it still lets through; None for any number."""
        return None if self.limit is None else max(self.limit - self.total, 0)

    def __str__(self) -> str:
        """Say it in one line."""
        counts = self.by_action
        parts = ", ".join(f"{count} {action}" for action, count in counts.items())
        seen = {"sent again": self.retries, "throttled": self.throttled}
        notes = ", ".join(f"{count} {name}" for name, count in seen.items() if count)
        text = f"Metered calls: {sum(counts.values())}" + (f" ({parts})" if parts else "")
        return f"{text}; {notes}." if notes else f"{text}."

    def count_request(self, call: Call[Any], clock: Clock, *, repeated: bool) -> AbstractContextManager[None]:
        """Count the request that is sent within.

        :raises CallLimitError: when it would be one too many; nothing is sent.
        """
        return _RequestCount(self, call, clock, repeated) if call.metered else nullcontext()

    def reserve_call(self, action: str) -> None:
        """Count a request before it is sent, so that threads together keep to the limit."""
        with self._lock:
            if self.limit is not None and self._counts.total() >= self.limit:
                raise CallLimitError
            self._counts[action] += 1

    def settle_call(self, request: CountedRequest) -> None:
        """Count what came of a request that was reserved."""
        with self._lock:
            # It was counted before it was sent; what the gateway has turned away is taken off again.
            self._counts[request.action] -= not request.metered
            self.retries += request.repeated
            self.throttled += request.throttled
        if self.report:
            self.report(request)


@dataclass(slots=True)
class _RequestCount:
    """Counts the request that is sent within; a class, because a generator would cost each call more."""

    counter: CallCounter
    call: Call[Any]
    clock: Clock
    repeated: bool
    began: float = 0.0

    def __enter__(self) -> None:
        self.counter.reserve_call(self.call.action)
        self.began = self.clock.monotonic()

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        seconds = self.clock.monotonic() - self.began
        self.counter.settle_call(_judge_request(self.call, seconds, self.repeated, error))


def _judge_request(call: Call[Any], seconds: float, repeated: bool, failure: BaseException | None) -> CountedRequest:
    if failure is None:
        return CountedRequest(call.action, seconds, repeated=repeated)
    outcome = failure.write_outcome if isinstance(failure, RequestError) else "unknown"
    return CountedRequest(
        call.action,
        seconds,
        metered=not _was_turned_away(failure),
        repeated=repeated,
        throttled=isinstance(failure, ThrottledError),
        unknown=call.writes and outcome == "unknown",
    )


def _was_turned_away(failure: BaseException) -> bool:
    """Whether a request did not get through to the calendar service: not sent, or refused by the gateway."""
    if isinstance(failure, TransportError):
        return failure.write_outcome == "rejected"
    gateway = isinstance(failure, (ThrottledError, TokenRejectedError))
    return gateway or (isinstance(failure, RequestError) and failure.code.startswith(_GATEWAY_CODES))
