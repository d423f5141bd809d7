"""Rows of a plan from events and an edit: which events take part, and what each row brings along."""

from __future__ import annotations

import datetime as dt
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.edits.base import is_instance
from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models import datetimes
from airflow_dingtalk_calendar.models.blanks import describe_type
from airflow_dingtalk_calendar.models.copies import body_key, newest_copies
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.models.json_values import Body, Json
from airflow_dingtalk_calendar.models.occurrences import has_ended
from airflow_dingtalk_calendar.models.types import read_argument
from airflow_dingtalk_calendar.models.validation_errors import limit_problems, printable_name
from airflow_dingtalk_calendar.plans.event_rows import write_event_row
from airflow_dingtalk_calendar.plans.row_counts import describe_rows

log = logging.getLogger(__name__)

Edit = Callable[[Any], Mapping[str, Any] | None]
_SINGLE = "single occurrences of series"
_REASONS = ("unchanged", "past", _SINGLE, "cancelled", "repeated")


class _Selection(NamedTuple):
    """Which events are left out before the edit sees them."""

    now: dt.datetime
    allow_past: bool
    allow_instance: bool

    def reason_against(self, event: Body) -> str:
        """Say why an event is left out; empty when it takes part."""
        if event.get("status") == "cancelled":
            return "cancelled"
        if not self.allow_instance and is_instance(event):
            return _SINGLE
        return "past" if not self.allow_past and has_ended(event, self.now) else ""


def rows_for(
    events: Iterable[Body],
    edit: Edit,
    *,
    guard: bool = True,
    allow_past: bool = False,
    allow_instance: bool = False,
    now: dt.datetime | str | None = None,
) -> list[Json]:
    """Make the rows of a plan: for each event the patch that an edit makes of it, if it makes any.

    Left out are events that the edit leaves as they are, cancelled ones, past ones, and single occurrences of series,
    which ListEvents lists beside the series when they are past. One line of the log says how many, and why. Nothing is
    sent::

        rows = rows_for(events, lambda event: quiet(retitle(event, "Sprint 41", "Sprint 42")))

    :param events: events as GetEvent or ListEvents returned them: the XCom of the operator that lists them, or
        ``page["events"]`` of each page. Of an event that is there twice, the newest copy counts.
    :param edit: a function from an event to its patch, or None when it needs none: one of
        :mod:`airflow_dingtalk_calendar.edits`, or several put together with ``merge``. It must not change the event.
    :param guard: let a row say when its event was updated (``if_updated_at``), so that an event that somebody changes
        before the plan is applied is skipped. Applying it costs one more call for each row.
    :param allow_past: events that are over, too. A series is over when its last occurrence is, an all-day event when
        its last day is over everywhere.
    :param allow_instance: single occurrences of series, too; the edits need it as well.
    :param now: what is over by then is past: a datetime or ISO 8601 text, with UTC offset. None: the current time.
    :return: a row for each event that changes, with ``event_id``, ``patch``, ``event`` and ``if_updated_at``.
    :raises InvalidInputError: for what is no event, and for every event that the edit fails for, by its index and id:
        20 problems at most, and never what is in an event.
    """
    if not callable(edit):
        raise InvalidInputError(("edit", "must be a function from an event to its patch, or None"))
    selection = _Selection(read_argument("now", _read_now, now), allow_past, allow_instance)
    listed = list(enumerate(_require_events(events)))
    newest = newest_copies(listed, lambda one: body_key(one[1]), lambda one: one[1].get("updateTime")).values()
    left_out = Counter({**dict.fromkeys(_REASONS, 0), "repeated": len(listed) - len(newest)})
    rows: list[Json] = []
    problems: list[Problem] = []
    for index, event in newest:
        if reason := selection.reason_against(event):
            left_out[reason] += 1
            continue
        try:
            patch = _make_patch(edit, event)
            left_out["unchanged"] += not patch
            rows += [write_event_row(event, guard, patch=patch)] if patch else []
        except InvalidInputError as error:
            problems += [Problem(f"events[{index}]", _say_where(problem)) for problem in error.problems]
    if problems:
        raise InvalidInputError(*_name_events(limit_problems(problems, "events"), listed))
    log.info("%s", describe_rows(len(rows), counted(len(listed), "event"), left_out))
    return rows


def _read_now(value: dt.datetime | str | None) -> dt.datetime:
    if value is None:
        return dt.datetime.now(dt.UTC)
    moment = datetimes.parse_datetime(value)
    if moment.tzinfo is None:
        raise ValueError("needs a UTC offset")
    return moment


def _require_events(events: Any) -> Iterable[Body]:
    if isinstance(events, (str, bytes, Mapping)) or not isinstance(events, Iterable):
        text = "must be a list of events: of a page, its events; of one event, a list of it"
        raise InvalidInputError(("events", f"{text}; it is {describe_type(events)}"))
    given = list(events)
    text = "must be an event with its id, as get_event and list_events return it"
    if problems := [Problem(f"events[{index}]", text) for index, event in enumerate(given) if not _is_event(event)]:
        raise InvalidInputError(*limit_problems(problems, "events"))
    return given


def _is_event(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("id"), str) and bool(value["id"].strip())


def _make_patch(edit: Edit, event: Body) -> Json | None:
    """Call the edit; whatever it raises becomes a problem without event content."""
    try:
        patch = edit(event)
    except InvalidInputError:
        raise
    except Exception as error:
        # Only the type and the place: the text of a foreign error may have event content in it, and this goes to the
        # log.
        raise InvalidInputError(("", f"the edit raised {type(error).__name__} ({_place_of(error)})")) from None
    if patch is None or isinstance(patch, Mapping):
        return dict(patch) if patch else None
    raise InvalidInputError(("", f"the edit returned {describe_type(patch)}: it must return a patch, or None"))


def _place_of(error: Exception) -> str:
    """Name the line of code that raised an error."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    return f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "unknown place"


def _say_where(problem: Problem) -> str:
    return str(problem) if problem.path else problem.text


def _name_events(problems: Iterable[Problem], listed: Iterable[tuple[int, Body]]) -> Iterator[Problem]:
    """Add the ids of events to the problems that are shown."""
    ids = {f"events[{index}]": printable_name(event["id"]) for index, event in listed}
    for path, text in problems:
        yield Problem(f"{path} (id {ids[path]})" if path in ids else path, text)
