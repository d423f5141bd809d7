"""What a plan does to people: whom it notifies, what it takes away from them, what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.plans.apply import ApplyOptions
from airflow_dingtalk_calendar.plans.rows import Row


@dataclass(frozen=True, slots=True)
class Impact:
    """What rows do.

    :ivar people: how many people DingTalk notifies, about: a person who has switched notifications off counts, too.
    :ivar emails: how many of them are invited by email address.
    :ivar unknown_rows: how many rows notify people whom nobody knows, since they do not bring their ``event``.
    :ivar lost_occurrences: how many occurrences of series are dropped.
    :ivar calls: how many metered calls it takes.
    """

    people: int
    emails: int
    unknown_rows: int
    lost_occurrences: int
    calls: int

    def as_dict(self) -> dict[str, Any]:
        """Write it as JSON."""
        return {
            "notified": self.people,
            "notified_by_email": self.emails,
            "rows_of_unknown_people": self.unknown_rows,
            "lost_occurrences": self.lost_occurrences,
            "calls": self.calls,
        }

    def __str__(self) -> str:
        rows = counted(self.unknown_rows, "row without its event", "rows without their event")
        unknown = f" (unknown for {rows})" if self.unknown_rows else ""
        return (
            f"Notices to about {counted(self.people, 'person', 'people')}{unknown}, of these {self.emails} by email; "
            f"past occurrences dropped: {self.lost_occurrences}; calls: {self.calls}."
        )


def estimate_impact(rows: Iterable[Row], options: ApplyOptions) -> Impact:
    """Say what rows do, before they are applied."""
    people: set[str] = set()
    every = list(rows)
    unknown = lost = 0
    for row in every:
        notified = row.change.notified_people(row.event)
        people |= (notified or set()) - {row.union_id}  # whose change it is
        unknown += notified is None
        lost += row.change.count_lost(row.event)
    return Impact(len(people), sum("@" in one for one in people), unknown, lost, options.count_calls(every))


def check_impact(rows: Sequence[Row], impact: Impact, limits: Mapping[str, int]) -> None:
    """Refuse rows that do more than somebody wants any plan of a task to do.

    :param limits: ``max_rows`` and ``max_notified``, as far as they are given.
    :raises InvalidInputError: naming those that are exceeded, or cannot be checked.
    """
    found = {"max_rows": len(rows), "max_notified": impact.people}
    problems = [
        (name, f"is {limits[name]}, and the plan has {count}: split the plan, or raise {name}")
        for name, count in found.items()
        if count > limits.get(name, count)
    ]
    if "max_notified" in limits and impact.unknown_rows:
        remedy = "give these rows their event, or hold notifications back"
        text = f"cannot be checked, since it is not known whom {impact.unknown_rows} rows notify: {remedy}"
        problems.append(("max_notified", text))
    if problems:
        raise InvalidInputError(*problems)
