"""Whether an event has a recurrence rule. Whole rules are compared, because the service replaces them whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_dingtalk_calendar.models.answer_times import same_moment
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty
from airflow_dingtalk_calendar.models.rule_members import used_members


def same_recurrence(body: Body, event: Body) -> bool:
    """Whether the rule of an event is that of a body: a member that is gone is a change."""
    wanted, found = body["recurrence"], event.get("recurrence")
    start, old_start = body.get("start") or event.get("start"), event.get("start")
    if get_member(start, "date"):
        wanted, found = _ending_on_a_day(wanted), _ending_on_a_day(found)
    default, old_default = ({**_RULE_DEFAULTS, "dayOfMonth": _day_of(one)} for one in (start, old_start))
    there = mapping_or_empty(found)
    used = used_members(_type_of(wanted, "pattern"), _type_of(wanted, "range"))
    return all(
        _RULE_COMPARERS.get(name, _same_word)(
            wanted[part].get(name) or default.get(name),
            mapping_or_empty(there.get(part)).get(name) or old_default.get(name),
        )
        for part, names in used.items()
        for name in {*names, *wanted[part]}
    )


def _ending_on_a_day(rule: Any) -> Any:
    """Let the rule of an all-day series end on the day that its end is written with (see ``event_times``)."""
    span = mapping_or_empty(mapping_or_empty(rule).get("range"))
    return {**rule, "range": {**span, "endDate": str(span["endDate"])[:10]}} if span.get("endDate") else rule


def _type_of(rule: Body, part: str) -> str:
    return str(rule[part].get("type"))


def _day_of(start: Any) -> int | None:
    """Return the day of the month that a yearly rule has from the start."""
    # Only here, because the table of fields is loaded with each DAG file that has a watcher.
    from airflow_dingtalk_calendar.models.datetimes import start_day

    try:
        return start_day(start).day
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _same_word(wanted: Any, found: Any) -> bool:
    return str(wanted) == str(found)


def _same_weekdays(wanted: Any, found: Any) -> bool:
    return set(str(wanted).split(",")) == set(str(found).replace(" ", "").split(","))


_RULE_DEFAULTS: dict[str, Any] = {"interval": 1, "firstDayOfWeek": "sunday"}
_RULE_COMPARERS: dict[str, Callable[[Any, Any], bool]] = {"daysOfWeek": _same_weekdays, "endDate": same_moment}
