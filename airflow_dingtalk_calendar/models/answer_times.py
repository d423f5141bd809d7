"""Times that DingTalk wrote, in its answers. What a person gives is read by :mod:`~.datetimes`, which is stricter.

A time without an offset is no moment, so by default it is not read. The exception is ``updateTime`` where it only
orders copies of one event: the SDK says that it is in UTC, and a wrong guess there loses nothing. Where a change or a
condition hangs on the moment (comparison, watchers, ``if_updated_at``), a guess could miss a change.
"""

from __future__ import annotations

import datetime as dt
from typing import Any


def read_answer_time(value: Any, *, assumed_zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """Read a time of an answer; None for what is no time, or is no moment.

    :param assumed_zone: what a time without an offset is in; None: it is not read.
    """
    try:
        moment = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None and assumed_zone is not None:
        return moment.replace(tzinfo=assumed_zone)
    return moment if moment.tzinfo else None


def normalize_answer_time(value: Any) -> Any:
    """Write a moment in UTC, so that its notations are alike; what is none, or not in UTC's years, stays as it is.

    Watchers keep hashes of what this returns, so that another notation would be a change of every event.
    """
    moment = read_answer_time(value)
    try:
        return value if moment is None else moment.astimezone(dt.UTC).isoformat()
    except OverflowError:
        return value


def same_moment(wanted: Any, found: Any) -> bool:
    """Whether two times are one moment, or written alike."""
    return bool(wanted == found or normalize_answer_time(wanted) == normalize_answer_time(found))
