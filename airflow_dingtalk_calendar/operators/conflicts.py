"""``if_busy``: busy people and rooms are checked before a task moves an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.models.arguments import choice_argument

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.conflicts import BusyCheck
    from airflow_dingtalk_calendar.plans.rows import Row


def make_busy_check(
    hook: DingTalkCalendarHook, if_busy: Any, timezone: str | None, warn: Callable[[Row, str], None]
) -> BusyCheck | None:
    """Read ``if_busy``; where it is ``ignore``, nothing is checked.

    :param timezone: of the task; without it, the connection's is where the days of all-day events begin.
    :raises InvalidInputError: when it is another word.
    """
    from airflow_dingtalk_calendar.plans.conflicts import IF_BUSY, BusyCheck

    policy = choice_argument("if_busy", if_busy, IF_BUSY)
    if policy == "ignore":
        return None
    # In UTC, in which DingTalk writes all-day entries of schedules (page of the event overview), where no zone is
    # known.
    return BusyCheck(policy, hook.get_conn().zone_for(timezone) or "UTC", hook.clock.time, warn)
