"""What a task has cost: counted while it runs, and reported at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.models.arguments import positive_argument

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.client.call_counter import CallCounter


class CallCounting:
    """Counts the metered calls of a task.

    A base to be named last: Airflow wraps a constructor once more where another class than an operator comes first.

    ``max_calls``: a try that would make more metered calls than this fails instead of making them.
    """

    log: Any
    max_calls: int | str | None
    _call_counter: CallCounter | None = None

    @contextmanager
    def _count_calls(self, context: Context, earlier: Mapping[str, int] | None = None) -> Iterator[CallCounter]:
        """Count the calls that are made within, and report them in the end; within another count, it counts them.

        :param earlier: the calls that this try has made before.
        """
        if self._call_counter is not None:
            yield self._call_counter
            return
        from airflow_dingtalk_calendar.hooks.metrics import make_counter

        counter = vars(self)["_call_counter"] = make_counter(earlier=earlier)
        try:
            yield counter
        finally:
            vars(self).pop("_call_counter", None)
            self._report_calls(context, counter)

    def _report_calls(self, context: Context, counter: CallCounter) -> None:
        """Push and log how many metered calls this try has made."""
        if "ti" in context:  # which a test of a DAG may leave out
            context["ti"].xcom_push(key="metered_calls", value=counter.by_action)
        self.log.info("%s", counter)

    def _limit_calls(self) -> None:
        """Read ``max_calls``, and hold the calls of this task to it."""
        if self._call_counter is not None and self.max_calls is not None:
            self._call_counter.limit = positive_argument("max_calls", self.max_calls)


class RescheduledCallCounting(CallCounting):
    """Counts the metered calls of a sensor, including its earlier polls in mode ``reschedule``."""

    @property
    def reschedule(self) -> bool:
        """Whether each poll is a process of its own."""
        raise NotImplementedError  # the sensor's own comes first

    def _earlier_calls(self, context: Context) -> Mapping[str, int] | None:
        """Return the calls of this try's earlier polls in mode ``reschedule``, as stored by Airflow 3.3 and later."""
        store: Any = context.get("task_state_store") if self.reschedule else None
        found: Mapping[str, int] | None = None if store is None else store.get(_calls_key(context))
        return found

    def _report_calls(self, context: Context, counter: CallCounter) -> None:
        super()._report_calls(context, counter)
        store: Any = context.get("task_state_store") if self.reschedule else None
        if store is not None:
            store.set(_calls_key(context), counter.by_action)


def _calls_key(context: Context) -> str:
    """Name where a try keeps its count between two polls of mode ``reschedule``."""
    ti = context["ti"]
    return f"dingtalk-calls-{ti.max_tries}-{ti.try_number}"
