"""Edits of when an event takes place."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from airflow_dingtalk_calendar.edits.base import (
    Event,
    Patch,
    date_argument,
    is_series,
    patch_if_needed,
    refuse_instance,
)
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import event_times
from airflow_dingtalk_calendar.models.event_times import ONE_DAY, EventTimes
from airflow_dingtalk_calendar.models.occurrences import warn_of_loss
from airflow_dingtalk_calendar.models.validation_errors import printable_name

log = logging.getLogger(__name__)


def shift(event: Event, by: dt.timedelta, *, move_weekdays: bool = False, allow_instance: bool = False) -> Patch | None:
    """Move an event; it stays as long as it is, in its zone.

    Whole days are days of the calendar: 09:00 stays 09:00 when the clocks change in between. What remains is elapsed
    time. So 24 hours are a day, and months and years of a pendulum ``Duration`` are the calendar's.

    :param event: as GetEvent or ListEvents returned it.
    :param by: timedelta, or pendulum Duration or Interval; whole days for an all-day event.
    :param move_weekdays: let the weekdays of a weekly series move along when it comes to start on another one.
        A monthly or yearly series moves by whole months and years only, where all of them have its day.
    :param allow_instance: make the patch for one time of a series too (see the module).
    """
    if not isinstance(by, dt.timedelta):
        raise InvalidInputError(("by", "must be a timedelta, or a Duration of pendulum"))
    old = _times_of(event, allow_instance)
    return _patch_for_move(event, old, event_times.shift_times(old, by), move_weekdays)


def move_to(
    event: Event,
    start: Any,
    timezone: str | None = None,
    *,
    move_weekdays: bool = False,
    allow_instance: bool = False,
) -> Patch | None:
    """Let an event start at another time; it stays as long as it is.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param start: whatever a patch's ``start`` can be; a date for an all-day event, else a time.
    :param timezone: IANA zone that the event shall have from then on. None: its own, which is also that of a time
        without any; a time of another zone is converted.
    """
    old = _times_of(event, allow_instance)
    moved = old.starting_at(*event_times.parse_new_start(start, old.zone, timezone))
    return _patch_for_move(event, old, moved, move_weekdays)


def resize(event: Event, duration: dt.timedelta, *, allow_instance: bool = False) -> Patch | None:
    """Let an event last longer or shorter, from the same start.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param duration: elapsed time; whole days for an all-day event.
    """
    old = _times_of(event, allow_instance)
    if not isinstance(duration, dt.timedelta) or duration <= dt.timedelta() or getattr(duration, "months", False):
        raise InvalidInputError(("duration", "must be a timedelta of more than nothing, and have no months"))
    if old.zone is None and duration % ONE_DAY:
        raise InvalidInputError(("duration", "must be whole days, because the event is all-day"))
    end = event_times.add_elapsed(old.start, dt.timedelta(seconds=duration.total_seconds()))  # pendulum adds months
    return patch_if_needed(event, EventTimes(old.start, end, old.zone).to_patch())


def all_day(first: dt.date | str, last: dt.date | str | None = None) -> Patch:
    """Make an event last whole days: the part of a patch that says so.

    DingTalk wants the day after the last as the end (page of CreateEvent; that of PatchEvent does not say).

    :param first: date or ``yyyy-MM-dd``.
    :param last: the last day, included. None: the first.
    """
    start = date_argument("first", first)
    end = start if last is None else date_argument("last", last)
    if end < start:
        raise InvalidInputError(("last", "is before the first day"))
    return EventTimes(start, event_times.add_elapsed(end, ONE_DAY), None).to_patch()


def _times_of(event: Event, allow_instance: bool) -> EventTimes:
    refuse_instance(event, allow_instance)
    return event_times.read_times(event)


def _patch_for_move(event: Event, old: EventTimes, new: EventTimes, move_weekdays: bool) -> Patch | None:
    rule = event_times.move_recurrence(event, old, new, move_weekdays) if is_series(event) else {}
    if (patch := patch_if_needed(event, {**new.to_patch(), **rule})) and (loss := warn_of_loss(patch, event)):
        log.warning("Event %s: start: %s", printable_name(event.get("id")), loss)
    return patch
