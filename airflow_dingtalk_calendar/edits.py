"""Plan changes to many events: an event in, the patch that changes it out, or None when it is so already.

Each function takes an event as GetEvent or ListEvents returned it (a dict) and leaves it alone. The patch is a plain
dict in the API's spelling, which passes through XCom and which :meth:`EventPatch.parse` takes. Nothing is sent, and
nothing is metered::

    plan = {event["id"]: merge(shift(event, by=WEEK), retitle(event, "Sprint 41", "Sprint 42")) for event in events}

A patch has an event's shape, so an edit that builds on another takes ``{**event, **patch}``.

**Series.** GetEvent and ListEvents return a series as one event that has ``recurrence``: an edit of it is an edit of
all its times, past ones included. Those before a later start are taken away; a warning in the log counts them. To keep
them, end the series and create a new one. One time of a series has ``seriesMasterId``, and is refused: no source says
whether patching it changes that time or the whole series (UNVERIFIED), nor whether an id that only the expanded view
knows can be patched at all. ``allow_instance=True`` makes the patch all the same; :func:`is_instance` tells them apart.
The rule of a series is always sent whole, because the service replaces it whole, and an instance has none of its own.

All functions raise :class:`InvalidInputError`, which names the field (``event.start``) and never what is in it.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
from collections.abc import Mapping
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models import datetimes, event_times
from airflow_dingtalk_calendar.models.comparison import is_unchanged
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.event_times import ONE_DAY, EventTimes
from airflow_dingtalk_calendar.models.normalize import normalize_mapping
from airflow_dingtalk_calendar.models.occurrences import warn_of_loss
from airflow_dingtalk_calendar.models.validation_errors import printable_name

__all__ = [
    "all_day",
    "extend_until",
    "is_instance",
    "is_series",
    "merge",
    "move_to",
    "quiet",
    "relocate",
    "resize",
    "retitle",
    "set_occurrences",
    "shift",
]

log = logging.getLogger(__name__)

Event = Mapping[str, Any]
Patch = dict[str, Any]

QUIET_SWITCHES = {"noPushNotification": "true", "noChatNotification": "true"}


def is_series(event: Event) -> bool:
    """Tell whether an event is a whole series.

    :param event: as GetEvent or ListEvents returned it.
    """
    return bool(event.get("recurrence")) and not is_instance(event)


def is_instance(event: Event) -> bool:
    """Tell whether an event is one time of a series.

    :param event: as GetEvent or ListEvents returned it.
    """
    return event.get("seriesMasterId") not in (None, "", event.get("id"))


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

    :param event: as GetEvent or ListEvents returned it.
    :param start: whatever a patch's ``start`` can be; a date for an all-day event, else a time.
    :param timezone: IANA zone that the event shall have from then on. None: its own, which is also that of a time
        without any; a time of another zone is converted.
    :param move_weekdays: as of :func:`shift`.
    :param allow_instance: as of :func:`shift`.
    """
    old = _times_of(event, allow_instance)
    moved = old.starting_at(*event_times.parse_new_start(start, old.zone, timezone))
    return _patch_for_move(event, old, moved, move_weekdays)


def resize(event: Event, duration: dt.timedelta, *, allow_instance: bool = False) -> Patch | None:
    """Let an event last longer or shorter, from the same start.

    :param event: as GetEvent or ListEvents returned it.
    :param duration: elapsed time; whole days for an all-day event.
    :param allow_instance: as of :func:`shift`.
    """
    old = _times_of(event, allow_instance)
    if not isinstance(duration, dt.timedelta) or duration <= dt.timedelta() or getattr(duration, "months", False):
        raise InvalidInputError(("duration", "must be a timedelta of more than nothing, and have no months"))
    if old.zone is None and duration % ONE_DAY:
        raise InvalidInputError(("duration", "must be whole days, because the event is all-day"))
    end = event_times.add_elapsed(old.start, dt.timedelta(seconds=duration.total_seconds()))  # pendulum adds months
    return _patch_if_needed(event, EventTimes(old.start, end, old.zone).to_patch())


def retitle(event: Event, old: str | re.Pattern[str], new: str, *, allow_instance: bool = False) -> Patch | None:
    """Replace a text in the title, wherever it occurs; None when it does not.

    :param event: as GetEvent or ListEvents returned it.
    :param old: text as it stands, or a compiled regular expression; then ``new`` may name its groups (``\\1``).
    :param new: what stands there instead.
    :param allow_instance: as of :func:`shift`.
    """
    _refuse_instance(event, allow_instance)
    if not old:
        raise InvalidInputError(("old", "must not be empty"))
    title = event.get("summary") or ""
    if not isinstance(title, str):
        raise InvalidInputError(("event.summary", "must be text, as the service returns it"))
    try:
        changed = old.sub(new, title) if isinstance(old, re.Pattern) else title.replace(old, new)
    except (re.error, IndexError):
        raise InvalidInputError(("new", "names a group that the regular expression does not have")) from None
    if title and not changed.strip():
        raise InvalidInputError(("new", "would leave the title blank"))
    return _patch_if_needed(event, {"summary": changed}) if changed != title else None


def relocate(event: Event, location: str, *, allow_instance: bool = False) -> Patch | None:
    """Give an event another location, which is text only and books no room.

    :param event: as GetEvent or ListEvents returned it.
    :param location: not blank; ``clear=["location"]`` of the operator empties it.
    :param allow_instance: as of :func:`shift`.
    """
    _refuse_instance(event, allow_instance)
    if not isinstance(location, str) or not location.strip():
        raise InvalidInputError(("location", "must be text that is not blank; clear=['location'] empties it"))
    return _patch_if_needed(event, {"location": {"displayName": location}})


def extend_until(
    event: Event, last: dt.date | str, *, shorten: bool = False, timezone: str | None = None
) -> Patch | None:
    """Let a series go on until a day; None when it goes on until then, or longer, or for ever.

    :param event: as GetEvent or ListEvents returned it.
    :param last: the last day on which it may take place, as a date or ``yyyy-MM-dd``.
    :param shorten: let it end on that day also if it would go on longer, or ends after a number of times, of which
        nobody has said on which day that is.
    :param timezone: is not needed: the last day ends where the event takes place, and that of an all-day series is the
        same in every zone.
    """
    rule, times = _series_rule(event)
    span, day = rule["range"], _date_argument("last", last)
    if day < times.day:
        raise InvalidInputError(("last", "is before the first day of the series"))
    if "numberOfOccurrences" in span and not shorten:
        text = "ends the series after a number of times: use set_occurrences, or shorten=True"
        raise InvalidInputError(("event.recurrence.range", text))
    if span["type"] == "noEnd" and not shorten:
        return None
    if "endDate" in span and (day == (now := event_times.last_day(span, times)) or (day < now and not shorten)):
        return None
    end = event_times.write_last_day(day, times)
    return _patch_if_needed(event, {"recurrence": {**rule, "range": {"type": "endDate", "endDate": end}}})


def set_occurrences(event: Event, n: int) -> Patch | None:
    """Let a series take place a number of times in all, from its first; None when it does.

    :param event: as GetEvent or ListEvents returned it.
    :param n: 1 to 99.
    """
    rule, _ = _series_rule(event)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= 99:
        raise InvalidInputError(("n", "must be a whole number from 1 to 99"))
    return _patch_if_needed(event, {"recurrence": {**rule, "range": {"type": "numbered", "numberOfOccurrences": n}}})


def all_day(first: dt.date | str, last: dt.date | str | None = None) -> Patch:
    """Make an event last whole days: the part of a patch that says so.

    DingTalk wants the day after the last as the end (page of CreateEvent; that of PatchEvent does not say).

    :param first: date or ``yyyy-MM-dd``.
    :param last: the last day, included. None: the first.
    """
    start = _date_argument("first", first)
    end = start if last is None else _date_argument("last", last)
    if end < start:
        raise InvalidInputError(("last", "is before the first day"))
    return EventTimes(start, event_times.add_elapsed(end, ONE_DAY), None).to_patch()


def merge(*patches: Mapping[str, Any] | None) -> Patch | None:
    """Put patches of one event together; None when none of them changes anything.

    :param patches: what edits of the event made, None included.
    :raises InvalidInputError: when two set a field to different values.
    """
    merged: Patch = {}
    problems: list[tuple[str, str]] = []
    for patch in patches:
        data, refused = normalize_mapping(patch or {}, "patch")
        problems += refused
        for name, value in data.items():
            problems += _find_conflicts(merged, name, value)
            merged[name] = {**merged.get(name, {}), **value} if name == "extra" else value
    if problems:
        raise InvalidInputError(*problems)
    return merged or None


def quiet(patch: Mapping[str, Any] | None) -> Patch | None:
    """Let a change send no push message and no chat card; no change stays none.

    :param patch: one that another edit made, or None.
    """
    return merge(patch, {"extra": QUIET_SWITCHES}) if patch else None


def _refuse_instance(event: Any, allow_instance: bool) -> None:
    if not isinstance(event, Mapping):
        raise InvalidInputError(("event", "must be an event as get_event and list_events return it"))
    if is_instance(event) and not allow_instance:
        text = "the event is one time of a series, and whether patching it changes the series is not documented: "
        raise InvalidInputError(("event.seriesMasterId", f"{text}edit the series, or say allow_instance=True"))


def _times_of(event: Event, allow_instance: bool) -> EventTimes:
    _refuse_instance(event, allow_instance)
    return event_times.read_times(event)


def _patch_for_move(event: Event, old: EventTimes, new: EventTimes, move_weekdays: bool) -> Patch | None:
    rule = event_times.move_recurrence(event, old, new, move_weekdays) if is_series(event) else {}
    if (patch := _patch_if_needed(event, {**new.to_patch(), **rule})) and (loss := warn_of_loss(patch, event)):
        log.warning("Event %s: start: %s", printable_name(event.get("id")), loss)
    return patch


def _series_rule(event: Event) -> tuple[Patch, EventTimes]:
    _refuse_instance(event, True)
    if is_instance(event):
        text = "the event is one time of a series, which has no rule of its own: edit the series"
        raise InvalidInputError(("event.seriesMasterId", text))
    if not is_series(event):
        raise InvalidInputError(("event.recurrence", "the event is not a series"))
    times = event_times.read_times(event)
    return event_times.recurrence_of(event, times.zone), times


def _date_argument(name: str, value: Any) -> dt.date:
    try:
        return datetimes.parse_day(value)
    except ValueError as error:
        raise InvalidInputError((name, str(error))) from None


def _patch_if_needed(event: Event, patch: Patch) -> Patch | None:
    """Return the patch if it would change the event, and if it is one that can be sent."""
    if is_unchanged(patch, event):
        return None
    EventPatch.parse(patch)
    return patch


def _find_conflicts(merged: Patch, name: str, value: Any) -> list[tuple[str, str]]:
    inside = (merged.get(name, {}), value, "patch.extra")
    there, given, path = inside if name == "extra" else (merged, {name: value}, "patch")
    text = "two patches set it differently; let one edit build on the other: edit {**event, **patch}"
    return [(f"{path}.{key}", text) for key in given if there.get(key, given[key]) != given[key]]
