"""The retry policy, decision by decision; services/test_scheduler.py shows Airflow obeying it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowOptionalProviderFeatureException, BaseOperator

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidPatchError, ServiceError, ThrottledError
from airflow_dingtalk_calendar.retry_policy import IS_AVAILABLE, MAX_REASON_LENGTH, RETRY_POLICY, DingTalkRetryPolicy
from tests.airflow_runs import Run
from tests.conftest import EVENT, ORGANIZER

with_policies = pytest.mark.skipif(not IS_AVAILABLE, reason="retry policies are there from Airflow 3.3 on")
KINDS = [kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, DingTalkError)]


def decide(exception: BaseException) -> Any:
    """Ask the policy about the first of four tries."""
    return DingTalkRetryPolicy().evaluate(exception, try_number=1, max_tries=3)


@with_policies
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_non_retryable_fails_at_once(kind: type[DingTalkError]) -> None:
    """Each error is failed or left to the task's own delay as the table of errors says, and failures say why."""
    error = kind(("patch.end", "is missing")) if issubclass(kind, exceptions.InvalidInputError) else kind("says so")
    decision = decide(error)
    assert decision.action.value == ("default" if error.retryable else "fail")
    assert decision.reason == (None if error.retryable else str(error))


@with_policies
@pytest.mark.parametrize("wait", [60.0, 300.0])
def test_long_waits_are_those_asked_for(wait: float) -> None:
    """A wait that DingTalk names, and the hook leaves to Airflow, is kept, and is not the same foreverybody."""
    decisions = [decide(ThrottledError("The limit is per minute.", retry_after=wait)) for _ in range(20)]
    seconds = [decision.retry_delay.total_seconds() for decision in decisions]
    assert {decision.action.value for decision in decisions} == {"retry"}
    assert wait <= min(seconds) < max(seconds) <= wait * 1.1


@with_policies
@pytest.mark.parametrize(
    "error", [ThrottledError(retry_after=1.0), ServiceError(), ValueError("x"), KeyError()], ids=repr
)
def test_the_rest_is_left_to_the_task(error: Exception) -> None:
    """Short waits, failures without one, and exceptions that are not ours wait as the task says."""
    decision = decide(error)
    assert (decision.action.value, decision.retry_delay) == ("default", None)


@with_policies
def test_reasons_fit_into_airflows_database() -> None:
    """The reason of a patch with many problems is cut to what Airflow can store."""
    error = InvalidPatchError(*[(f"patch.attendees[{number}]", "is blank") for number in range(200)])
    assert len(decide(error).reason) == MAX_REASON_LENGTH < len(str(error))


@with_policies
def test_the_policy_survives_serialization() -> None:
    """Airflow can write the policy down and read it again."""
    again = DingTalkRetryPolicy.deserialize(DingTalkRetryPolicy().serialize())
    assert type(again) is DingTalkRetryPolicy


@pytest.mark.skipif(IS_AVAILABLE, reason="for Airflow without retry policies")
def test_older_airflows_are_named() -> None:
    """Where Airflow has no retry policies, making one says what to write instead, which is empty there."""
    with pytest.raises(AirflowOptionalProviderFeatureException, match="RETRY_POLICY"):
        DingTalkRetryPolicy()
    assert RETRY_POLICY == {}


class Nothing(BaseOperator):
    """A task that does nothing."""

    def execute(self, context: Any) -> None:
        pass


@pytest.mark.parametrize("place", ["default_args", "task"])
def test_it_goes_where_retries_go(place: str) -> None:
    """On every Airflow version, it may stand in a DAG's default_args or among a task's arguments."""
    retries = {"retries": 3, **RETRY_POLICY}
    with DAG("d", schedule=None, default_args=retries if place == "default_args" else {}):
        task = Nothing(task_id="t", **({} if place == "default_args" else retries))
    assert task.retries == 3
    assert getattr(task, "retry_policy", None) is RETRY_POLICY.get("retry_policy")


def test_mapped_tasks_run_with_it(dag: Callable[..., Run]) -> None:
    """Mapped tasks, also plain ones, run with it on every Airflow version (2.11 stumbles over unknown arguments)."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY
        options = {{"retries": 3, **RETRY_POLICY}}
        patch = Patch.partial(task_id="p", union_id="{ORGANIZER}", event_id="{EVENT}", **options)
        patch.expand(patch=[{{"summary": "x"}}])
        @task(**options)
        def plain(number):
            return number
        plain.expand(number=[1, 2])
        """
    )
    assert [run.state("p", 0), run.state("plain", 0), run.state("plain", 1)] == ["success"] * 3
