"""What the log says of a plan that was written: how many rows there are, and why there are no more."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_dingtalk_calendar.models.counts import counted


def describe_rows(rows: int, source: str, left_out: Mapping[str, int]) -> str:
    """Say how many rows there are, and how much of the source has none.

    :param source: what they were made from, with its number.
    :param left_out: how many by reason.
    """
    said = ", ".join(f"{number} {reason}" for reason, number in left_out.items() if number)
    return f"{counted(rows, 'row')} from {source}{f'; left out: {said}' if said else ''}."
