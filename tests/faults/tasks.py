"""A task as Airflow runs it: tried again after failures, each try with an operator of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.exceptions import DingTalkError
from tests.airflow_runs import Ti
from tests.faults.kinds import Killed
from tests.faults.world import World

RETRY_DELAY = 300.0


@dataclass
class Try:
    """What came of one try.

    :ivar error: of ours, where one of ours was the reason of a failure.
    :ivar final: whether the failure makes Airflow not retry.
    :ivar writes: how many rows the ledger had before and after it.
    """

    succeeded: bool = False
    result: Any = None
    error: DingTalkError | None = None
    final: bool = False
    pushed: dict[str, Any] = field(default_factory=dict)
    writes: tuple[int, int] = (0, 0)


def run_tries(world: World, operator: Callable[[], Any], retries: int, **context: Any) -> list[Try]:
    """Try a task until it succeeds, fails for good, or has no retries left."""
    ti = Ti(max_tries=retries)
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
        return Try(succeeded=True, result=operator().execute(context))
    except AirflowFailException as error:
        cause = error.__cause__
        return Try(error=cause if isinstance(cause, DingTalkError) else None, final=True)
    except DingTalkError as error:
        return Try(error=error)
    except Killed:
        return Try()
