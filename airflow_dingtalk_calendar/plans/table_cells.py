"""What a cell of a table holds, as a member of a row: JSON, or nothing."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from math import isfinite
from typing import Any

from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.blanks import describe_type
from airflow_dingtalk_calendar.models.types import parse_flag
from airflow_dingtalk_calendar.plans.table_columns import Path, fold_path

_LISTS = {
    *(("attendees",), ("roomids",), ("clear",)),
    *((root, name) for root in ("patch", "event") for name in ("attendees", "reminders")),
}
_FLAGS = {("push_notification",), ("chat_notification",)}
_SEPARATORS = re.compile("[;,\n\uff1b\uff0c\u3001]")  # those of Chinese keyboards, too


def is_blank_cell(value: Any) -> bool:
    """Whether a cell holds nothing: no text, None, an empty list, or what pandas writes for nothing (NaN, NaT)."""
    if isinstance(value, (list, tuple)):
        return all(map(is_blank_cell, value))
    if value is None or isinstance(value, str):
        return not (value or "").strip()
    try:
        return bool(value != value)  # true of NaN and NaT alone
    except ArithmeticError:  # of a NaN of Decimal that must not be compared
        return True
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"  # pandas'


def read_cell(path: Path, value: Any) -> Any:
    """Read a cell that is not blank.

    :param path: of the member that it is.
    :raises ValueError: saying what is wrong with it.
    """
    if fold_path(path) in _LISTS:
        return [_read_item(path, item) for item in _split_list(value)]
    return parse_flag(_read_value(value)) if path in _FLAGS else _read_item(path, value)


def _split_list(value: Any) -> list[Any]:
    items = _SEPARATORS.split(value) if isinstance(value, str) else value
    return [one for one in items if not is_blank_cell(one)] if isinstance(items, (list, tuple)) else [items]


def _read_item(path: Path, value: Any) -> Any:
    """Read one value; what names something is text, although a spreadsheet may take it for a number."""
    read = _read_value(value)
    is_name = path[0] not in ("patch", "event") or path[-1] == "attendees"
    return str(read) if is_name and isinstance(read, int) else read


def _read_value(value: Any) -> Any:
    """Read a value that a database, a spreadsheet or pandas has made."""
    if hasattr(value, "item") and not isinstance(value, (str, int, float)):
        value = value.item()  # numpy's numbers
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, dt.date):
        return _write_time(value)
    if isinstance(value, (float, Decimal)) and isfinite(value):
        return int(value) if value == int(value) else str(value)
    if isinstance(value, (bool, int)):
        return value
    raise ValueError(f"must be text, a number, a date or a time, not {describe_type(value)}")


def _write_time(value: dt.date) -> Any:
    given = datetimes.to_time_object(value)
    if "date" in given:
        return given["date"].isoformat()
    text = datetimes.format_iso(given["dateTime"])
    return {"dateTime": text, "timeZone": given["timeZone"]} if "timeZone" in given else text
