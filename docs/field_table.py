"""The table of fields on the page of patches, written from the package's own table: ``python docs/field_table.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from airflow_dingtalk_calendar.models.fields import FIELDS

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models.event_field import EventField

SHOWN = {"always": "yes", "perhaps": "not documented", "never": "no"}
WATCHED = {"default": "by default", "optional": "if named", None: "no"}


def field_table() -> str:
    """Write the table in Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield "| field | DingTalk's name | in a patch | `clear` empties it | an event shows it | watched |"
    yield "|---|---|---|---|---|---|"
    for field in FIELDS.rows:
        yield f"| {' | '.join(_cells(field))} |"


def _cells(field: EventField) -> Iterator[str]:
    yield f"`{field.name}`"
    yield f"`{field.wire}`"
    yield "yes" if field.patched else "no"
    yield "no" if field.cleared is None else "yes"
    yield SHOWN[field.shown]
    yield WATCHED[field.watched]


if __name__ == "__main__":
    sys.stdout.write(f"{field_table()}\n")
