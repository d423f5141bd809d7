"""A task as Airflow carries it out: tried again after failures, each try with an operator of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.exceptions import DingTalkError
from tests.faults.kinds import Killed
from tests.faults.world import World

RETRY_DELAY = 300.0


class TaskInstance:
    """The part of a task instance that the operators use."""

    dag_id, task_id, run_id, map_index, try_number = "d", "t", "r", -1, 1

    def __init__(self, retries: int) -> None:
        self.max_tries = retries
        self.pushed: dict[str, Any] = {}

    def xcom_push(self, key: str, value: Any) -> None:
        """Keep what the task pushed."""
        self.pushed[key] = value


@dataclass
class Try:
    """What came of one try: a result, an error of ours (whether Airflow was told not to retry), or neither if killed.

    :ivar writes: how many rows the ledger had before and after it.
    """

    result: Any = None
    error: DingTalkError | None = None
    final: bool = False
    killed: bool = False
    pushed: dict[str, Any] = field(default_factory=dict)
    writes: tuple[int, int] = (0, 0)

    @property
    def succeeded(self) -> bool:
        """Whether the task is done."""
        return not self.error and not self.killed


def carry_out(world: World, operator: Callable[[], Any], retries: int, **context: Any) -> list[Try]:
    """Try a task until it succeeds, fails for good, or has no retries left."""
    ti = TaskInstance(retries)
    tries: list[Try] = []
    for ti.try_number in range(1, retries + 2):
        ti.pushed = {}  # Airflow deletes a try's XComs when the next one starts
        before = len(world.dingtalk.effects["writes"])
        one = _tried(operator, {"ti": ti, **context})
        one.pushed, one.writes = ti.pushed, (before, len(world.dingtalk.effects["writes"]))
        tries.append(one)
        if one.succeeded or one.final:
            break
        world.sleep(RETRY_DELAY)
    return tries


def _tried(operator: Callable[[], Any], context: dict[str, Any]) -> Try:
    try:
        return Try(result=operator().execute(context))
    except AirflowFailException as error:
        assert isinstance(error.__cause__, DingTalkError)
        return Try(error=error.__cause__, final=True)
    except DingTalkError as error:
        return Try(error=error)
    except Killed:
        return Try(killed=True)
