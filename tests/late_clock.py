"""The present as late as it may be for the sample calendar: what is shown with it works until its first day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from airflow_dingtalk_calendar.plans import edited_rows

if TYPE_CHECKING:
    import pytest

EVE = dt.datetime(2037, 12, 31, tzinfo=dt.UTC)


def set_late_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans take the day before the sample calendar begins for the present, where nobody says another."""
    read = edited_rows._read_now
    monkeypatch.setattr(edited_rows, "_read_now", lambda value: read(EVE if value is None else value))
