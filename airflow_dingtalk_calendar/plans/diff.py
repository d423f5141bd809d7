"""What a patch would change in an event, in lines for a person to read before the plan is applied.

::

    summary: Sprint 41 -> Sprint 42
    start: 2027-03-02 10:00 -> 11:00 (Asia/Shanghai)
    attendees: + iiPWang
"""

from __future__ import annotations

from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.fields import find_field
from airflow_dingtalk_calendar.models.json_values import Body


def diff_lines(body: Body, event: Body) -> list[str]:
    """Say field by field what a request would change in an event, as it was read; no line for what surely stays."""
    judged = comparison.compare_fields(body, event)
    changed = [name for name, judgement in judged.items() if judgement != "same"]
    lines = [f"{name}: {find_field(name).describer(body[name], event.get(name))}" for name in changed]
    # A text of the event may have half a surrogate pair, which nobody can print.
    return [line.encode(errors="replace").decode() for line in lines]
