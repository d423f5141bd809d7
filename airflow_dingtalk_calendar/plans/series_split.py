"""Rows that change a series from a day on, or take one occurrence out of it.

DingTalk has no call that does either: it documents neither a patch of "this and following", nor what a patch or a
deletion does to one occurrence of a series (UNVERIFIED). So the series ends before the day, and a new one begins.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar.edits.base import date_argument
from airflow_dingtalk_calendar.edits.combine import QUIET_SWITCHES, merge
from airflow_dingtalk_calendar.edits.combine import quiet as quieten
from airflow_dingtalk_calendar.edits.reminders import read_reminders
from airflow_dingtalk_calendar.edits.series import extend_until, read_series
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.event_times import (
    ONE_DAY,
    move_recurrence,
    parse_new_start,
    read_times,
)
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.models.json_values import Body, Json, mappings_in, text_or_empty
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.normalize import normalize_mapping
from airflow_dingtalk_calendar.models.series_parts import SeriesCut, cut_series, rest_of_series
from airflow_dingtalk_calendar.plans.actions.base import invited_people
from airflow_dingtalk_calendar.plans.actions.rooms import booked_rooms
from airflow_dingtalk_calendar.plans.event_rows import join_rows, write_event_row

# People and reminders are copied below, as far as a request can have them. The others no answer shows, or a request
# makes anew: a card, the switches of one request, a video meeting.
NOT_COPIED = {"attendees", "cardInstances", "extra", "onlineMeetingInfo", "reminders"}
MAX_LISTED_PEOPLE = 100  # of an event that ListEvents returns, and of GetEvent unless asked for more
SINGLE_CHANGES = "what was changed in single occurrences from then on, and the ids of these"


def split_series(
    series: Body, from_day: dt.date | str, *, quiet: bool = False, guard: bool = True, **changes: Any
) -> list[Json]:
    """Write the rows that change a series from a day on ("this and following").

    The series ends before the day; then another one is created for the rest, with the changes. Both are one group: when
    the series has changed since it was read, neither is done. If the second row fails, the series has ended and the
    rest is missing: apply the plan's undo, or repeat the task.

    :param series: as GetEvent returned it; ListEvents returns no more than 100 attendees.
    :param from_day: the first day that is different, as a date or ``yyyy-MM-dd``; it need not be one of the series'.
    :param quiet: let both rows send no push message and no chat card.
    :param guard: as of :func:`~airflow_dingtalk_calendar.plans.rows_for`.
    :param changes: fields of a new event, such as ``summary``, ``location``, ``attendees``, ``reminders`` or
        ``recurrence``. A ``start`` is the first one of the new series, whose rule follows it and which lasts as long as
        before; without a ``recurrence``, the new one has the occurrences that remain, or the same last day.
    :return: two rows of a plan; their ``notes`` say what the new series does not have of the old one.
    :raises InvalidInputError: when no occurrence is before the day, or none after it; when DingTalk does not say on
        which days the series takes place; and for a wrong change.
    """
    read_series(series)
    day = date_argument("from_day", from_day)
    cut = cut_series(series, day)
    if not cut.before:
        raise InvalidInputError(("from_day", "is not after the first occurrence: patch the whole series instead"))
    if cut.first is None:
        raise InvalidInputError(("from_day", "is after the last occurrence"))
    rows = [_end_row(series, day, quiet, guard), _rest_row(series, cut, changes, quiet)]
    return join_rows(f"split {series['id']} {day}", rows)


def cancel_occurrence(series: Body, day: dt.date | str, *, quiet: bool = False, guard: bool = True) -> list[Json]:
    """Write the rows that take one occurrence out of a series: two series around a day.

    Of the first or the last occurrence, one row does it: the series begins later, or ends earlier.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.plans.split_series`.

    :param day: a day on which the series takes place.
    """
    read_series(series)
    gone = date_argument("day", day)
    cut = cut_series(series, gone)
    rest = cut_series(series, gone + ONE_DAY)
    if cut.first != gone:
        raise InvalidInputError(("day", "is not a day on which the series takes place"))
    if rest.first is None and not cut.before:
        raise InvalidInputError(("day", "is that of the only occurrence: delete the event"))
    if not cut.before:
        patch = rest_of_series(series, rest)
        return [write_event_row(series, guard, action="patch", patch=quieten(patch) if quiet else patch)]
    ended = _end_row(series, gone, quiet, guard)
    rows = [ended] if rest.first is None else [ended, _rest_row(series, rest, {}, quiet)]
    return join_rows(f"cancel {series['id']} {gone}", rows)


def _end_row(series: Body, day: dt.date, quiet: bool, guard: bool) -> Json:
    patch = extend_until(series, day - ONE_DAY, shorten=True)
    return write_event_row(series, guard, action="patch", patch=quieten(patch) if quiet else patch)


def _rest_row(series: Body, cut: SeriesCut, changes: Mapping[str, Any], quiet: bool) -> Json:
    event = _copy_event({**series, **rest_of_series(series, cut)}, changes)
    asked = merge(event, {"extra": QUIET_SWITCHES}) if quiet else event
    body = NewEvent.parse(asked or event).to_body()
    return {"action": "create", "event": body, "notes": _notes_about(series, body)}


def _copy_event(rest: Body, changes: Mapping[str, Any]) -> Json:
    """Write the new event: what a request can have of the old one, and the changes."""
    asked, problems = normalize_mapping(changes, "changes")
    if problems:
        raise InvalidInputError(*problems)
    wires = [wire for wire in FIELDS.patched if wire not in NOT_COPIED]
    copied = {wire: value for wire in wires if (value := FIELDS.patched[wire].writable_value(rest)) is not None}
    if "reminders" not in asked:
        copied["reminders"] = [one for one in read_reminders(rest, False) if one["method"] == "dingtalk"]
    if "attendees" not in asked and (people := _copy_people(rest)):
        copied["attendees"] = people
    return {**copied, **(_move_rest(rest, asked.pop("start")) if "start" in asked else {}), **asked}


def _copy_people(rest: Body) -> list[Json]:
    invited = invited_people(rest)
    people = [one for one in mappings_in(rest.get("attendees")) if text_or_empty(one.get("id")) in invited]
    return [{"id": one["id"], "isOptional": one.get("isOptional") is True} for one in people]


def _move_rest(rest: Body, start: Any) -> Json:
    """Let the rest begin at another time, and its rule follow."""
    old = read_times(rest)
    new = old.starting_at(*parse_new_start(start, old.zone, None))
    return {**new.to_patch(), **move_recurrence(rest, old, new, True)}


def _notes_about(series: Body, body: Body) -> list[str]:
    """Say what the new series does not have of the old one."""
    people = len(invited_people(series))
    reminders = mappings_in(series.get("reminders"))
    mails = [one for one in mappings_in(series.get("attendees")) if not one.get("id")]
    lost = {
        SINGLE_CHANGES: True,
        f"the answers of {people} people, who are invited again": people and body.get("attendees"),
        f"meeting rooms: {', '.join(sorted(booked_rooms(series)))}": booked_rooms(series),
        "the video meeting and its link": series.get("onlineMeetingInfo"),
        "people invited by mail": mails,
        "reminders by text message or phone": any(one.get("method") not in ("dingtalk", None) for one in reminders),
    }
    notes = [f"the new series does not have {text}" for text, is_lost in lost.items() if is_lost]
    if len(mappings_in(series.get("attendees"))) >= MAX_LISTED_PEOPLE:
        notes.append(f"the series has {MAX_LISTED_PEOPLE} attendees or more: read it with max_attendees=500")
    if people and "extra" not in body:
        notes.append(f"{people} people are notified twice, of the end of the series and of the new one: quiet=True")
    return notes
