"""A plan in Markdown, for the person who approves it: the body of Airflow's approval task.

::

    | event | starts | action | change |
    | --- | --- | --- | --- |
    | `Sprint 41` | `2027-03-02 10:00 (Asia/Shanghai)` | patch | `summary: Sprint 41 -> Sprint 42` |
    | | | | `location: 4F -> 5F` |
    | `Kickoff` | `2027-03-03 09:00 (Asia/Shanghai)` | create, group `kickoff` | `a new event` |

Whatever a calendar or a row brings stands in code spans (CommonMark 6.1), in which no link, image, HTML or emphasis
begins. Escaping with backslashes would not do: GitHub's extension, which Airflow's pages use, makes links of bare
addresses after it has read the escapes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from airflow_dingtalk_calendar.models.field_describers import split_time
from airflow_dingtalk_calendar.models.json_values import Body, get_member
from airflow_dingtalk_calendar.plans.impact import Impact
from airflow_dingtalk_calendar.plans.rows import Row

MAX_REVIEW_BYTES = 50_000  # in UTF-8; the body of Airflow's approval task is a TEXT in its database: 64 KB on MySQL
MAX_SHOWN_CHARACTERS = 300  # of one text
MAX_SHOWN_CAUTIONS = 20
TAIL_BYTES = 400  # what the line of counts takes at most
MAX_MARKS = 4  # on one character; more of them cover the lines above and below
TABLE_HEAD = ("| event | starts | action | change |", "| --- | --- | --- | --- |")

_INVISIBLE_CATEGORIES = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
# What Unicode counts among letters, marks and symbols although it has no form (Default_Ignorable_Code_Point; U+2800).
_BLANKS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]"
)
_EMOJI_VARIANTS = re.compile("[\ufe0e\ufe0f]")  # black or coloured, of the same emoji; in many titles, and harmless


def review_plan(rows: Sequence[Row], impact: Impact, cautions: Iterable[str]) -> str:
    """Write what a plan does: whom it notifies, what is uncertain, and a line of a table for each field."""
    if not rows:
        return "The plan is empty: nothing to do."
    head = [f"{_count_actions(rows)} {impact}", *_list_cautions(list(cautions)), "", *TABLE_HEAD]
    left = MAX_REVIEW_BYTES - TAIL_BYTES - sum(map(_line_bytes, head))
    lines, done = _fill_table(rows, left)
    tail = ["", f"and {len(rows) - done:,} more rows, not shown here or not wholly. {_count_actions(rows)}"]
    return "\n".join([*head, *lines, *(tail if done < len(rows) else [])])


def code_span(text: str) -> str:
    """Write a text so that Markdown shows it as it is, also in a cell of a table."""
    shown = _show_hidden(text)
    if len(shown) > MAX_SHOWN_CHARACTERS:
        shown = f"{shown[: MAX_SHOWN_CHARACTERS - 1]}…"
    fence = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    # A table is split at pipes before code is read. Backslashes before one are doubled, and shown so, lest they pair
    # with that of the pipe.
    safe = re.sub(r"(\\*)\|", r"\1\1\\|", shown)
    return f"{fence}{pad}{safe}{pad}{fence}" if shown else "(nothing)"


def _fill_table(rows: Iterable[Row], left: int) -> tuple[list[str], int]:
    """Write as many lines as so many bytes take; say how many rows are whole."""
    lines: list[str] = []
    for done, row in enumerate(rows):
        for line in _row_lines(row):
            left -= _line_bytes(line)
            if left < 0:
                return lines, done
            lines.append(line)
    return lines, done + 1


def _row_lines(row: Row) -> Iterator[str]:
    """Write a line for each change, the first of which names the event."""
    cells = [_label_event(row), _say_start(row), _name_action(row)]
    for change in _describe_changes(row):
        yield f"| {' | '.join([*cells, code_span(change)])} |"
        cells = ["", "", ""]


def _label_event(row: Row) -> str:
    """Name an event by its title, or by what is known of it."""
    if row.created_by is not None:
        return f"created by {code_span(row.created_by)}"
    return code_span(str(get_member(_event_of(row), "summary") or "").strip() or row.event_id or "a new event")


def _say_start(row: Row) -> str:
    start = get_member(_event_of(row), "start")
    if not start:
        return "unknown"
    day, clock, zone = split_time(start)
    return code_span(" ".join(filter(None, (day, clock, f"({zone})" if zone else ""))))


def _name_action(row: Row) -> str:
    name = f", named {code_span(row.name)}" if row.name is not None else ""
    group = f", group {code_span(row.group)}" if row.group is not None else ""
    return f"{row.change.action}{name}{group}"


def _event_of(row: Row) -> Body:
    """Return what is known of the event: as it was read, or as it is to be created."""
    if row.change.creates:
        return row.change.make_calls(row.target())[0].json or {}
    return row.event or {}


def _describe_changes(row: Row) -> list[str]:
    """Say what changes; without the event, what is sent."""
    if not row.change.call_count:
        return ["nothing"]
    lines = row.change.describe(row.event)
    if lines is not None:
        return lines or ["nothing: the event is so already"]
    bodies = [call.json or {} for call in row.change.make_calls(row.target())]
    return [
        f"{name}: -> {json.dumps(value, ensure_ascii=False)}"
        for body in bodies
        for name, value in body.items()
        if name in row.fields
    ]


def _count_actions(rows: Sequence[Row]) -> str:
    counts = Counter(row.change.action for row in rows)
    return f"Rows: {len(rows):,} ({', '.join(f'{count:,} {action}' for action, count in counts.items())})."


def _list_cautions(cautions: Sequence[str]) -> list[str]:
    if not cautions:
        return []
    shown = [f"- {code_span(text)}" for text in cautions[:MAX_SHOWN_CAUTIONS]]
    more = len(cautions) - len(shown)
    return ["", "Cautions:", "", *shown, *([f"- and {more:,} more; the task's log has all of them"] if more else [])]


def _line_bytes(line: str) -> int:
    return len(line.encode()) + 1


def _show_hidden(text: str) -> str:
    """Write in one line, by its number, what nobody sees or what covers other text."""
    shown, marks = [], 0
    for character in " ".join(_EMOJI_VARIANTS.sub("", text).split()):
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        hidden = marks > MAX_MARKS or _is_invisible(character)
        shown.append(f"<U+{ord(character):04X}>" if hidden else character)
    return "".join(shown)


def _is_invisible(character: str) -> bool:
    """Whether it is a control, one of the direction of writing too, or has no form."""
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or bool(_BLANKS.match(character))
