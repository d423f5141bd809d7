"""The first times at which people, and one of several rooms, are free: several calls, and a search in their answers."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.api.call import (
    Call,
    TimeInput,
    check_ids,
    check_range,
    check_window,
    parse_aware_datetime,
    split_batches,
)
from airflow_dingtalk_calendar.api.meeting_rooms import LARGEST_NUMBER, MAX_ROOMS
from airflow_dingtalk_calendar.api.schedules import (
    MAX_PEOPLE,
    MAX_SCHEDULE_WINDOW,
    get_meeting_rooms_schedule,
    get_schedule,
)
from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import seconds_argument
from airflow_dingtalk_calendar.models.counts import counted
from airflow_dingtalk_calendar.models.json_values import Json

if TYPE_CHECKING:  # what reads times is imported on use, because a DAG file that is parsed brings this module along
    from airflow_dingtalk_calendar.models.busy_times import Span
    from airflow_dingtalk_calendar.models.free_times import FreeTime, WorkingHours

log = logging.getLogger(__name__)

Schedules = Generator[Call[list[Json]], list[Json], Json]
DAY_HOURS = ("09:00", "18:00")


def find_free_times(
    union_id: str,
    user_ids: Sequence[str],
    *,
    start_time: TimeInput,
    end_time: TimeInput,
    duration: dt.timedelta | float | str,
    room_ids: Sequence[str] = (),
    timezone: str | None = None,
    hours: tuple[str, str] = DAY_HOURS,
    is_workday: Callable[[dt.date], bool] | None = None,
    step: dt.timedelta | float | str = 1800,
    limit: int = 10,
) -> Schedules:
    """GetSchedule and GetMeetingRoomsSchedule: the first times at which all people and one of the rooms are free.

    One metered call for each 20 people, and one for each 5 rooms; ``Calendar.EventSchedule.Read``, and with rooms
    ``Calendar.Event.Read``. A person whose times DingTalk does not return is not free: with such a person no time is
    found, and such a room is none of those to choose from.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.get_schedule`.

    :param user_ids: unionIds of the people who have to be free. A tentative event makes its people busy, too.
    :param start_time: no time that is found begins before: a datetime, or ISO 8601 text, with an offset.
    :param end_time: none ends after it; at most 90 days later.
    :param duration: how long it has to be: a timedelta, or seconds.
    :param room_ids: rooms of which one has to be free. Empty: none is needed.
    :param timezone: IANA zone of the hours and days. None: the connection's.
    :param hours: start and end of the hours to search, on each day; the end ``00:00`` is the end of the day.
    :param is_workday: returns whether to search a date, like
        :func:`airflow_dingtalk_calendar.workdays.is_workday`. None: Monday to Friday.
    :param step: from one start that is tried to the next, counted from the begin of the hours.
    :param limit: how many times to return at most.
    :return: ``{"times": [{"start", "end", "rooms"}], "unknown": {id: error}, "calls"}``; the times are ISO 8601 text
        with the zone's offset, earliest first, and ``rooms`` are those that are free then.
    """
    from airflow_dingtalk_calendar.models.free_times import search_free_times

    window, people, rooms, open_hours, length, pause, most = read_all(
        partial(_read_window, start_time, end_time),
        # Any number: people and rooms are asked about in as many calls as they take.
        partial(check_ids, "user_ids", user_ids, LARGEST_NUMBER),
        lambda: check_ids("room_ids", room_ids, LARGEST_NUMBER) if room_ids else [],
        partial(_read_hours, timezone, hours, is_workday),
        partial(_read_length, "duration", duration),
        partial(_read_length, "step", step),
        partial(check_range, "limit", limit, LARGEST_NUMBER),
    )
    period = {"start_time": start_time, "end_time": end_time}
    calls = [get_schedule(union_id, batch, **period) for batch in split_batches(people, MAX_PEOPLE)]
    calls += [get_meeting_rooms_schedule(union_id, batch, **period) for batch in split_batches(rooms, MAX_ROOMS)]
    entries: list[Json] = []
    for call in calls:
        entries += yield call
    search = partial(search_free_times, window, length, open_hours, pause)
    times = list(islice(_search_schedules(entries, bool(rooms), open_hours.zone, search), most))
    unknown = {_id_of(one): one["error"] for one in entries if one["availability"] == "unknown"}
    found = counted(len(times), "free time")
    cost = counted(len(calls), "call")
    log.info("Found %s in %s; unknown: %d of %d.", found, cost, len(unknown), len(entries))
    return {"times": [_write_free_time(one, open_hours.zone) for one in times], "unknown": unknown, "calls": len(calls)}


def _search_schedules(
    entries: Sequence[Json], needs_room: bool, zone: str, search: Callable[..., Iterator[FreeTime]]
) -> Iterator[FreeTime]:
    """Search the schedules; while one person's is unknown, no time counts as free."""
    from airflow_dingtalk_calendar.models.busy_times import read_busy_times

    for one in entries:
        if (spans := read_busy_times(one, zone)) is None:
            one.update(availability="unknown", error=one.get("error") or "its times cannot be read")
        one["spans"] = spans
    people, rooms = ([one for one in entries if name in one] for name in ("userId", "roomId"))
    if any(one["spans"] is None for one in people):
        return iter(())
    taken = {one["roomId"]: one["spans"] for one in rooms if one["spans"] is not None}
    return search([span for one in people for span in one["spans"]], taken if needs_room else None)


def _id_of(entry: Json) -> str:
    return str(entry.get("userId") or entry.get("roomId"))


def _read_window(start_time: TimeInput, end_time: TimeInput) -> Span:
    from airflow_dingtalk_calendar.models.busy_times import Span

    check_window(("start_time", start_time), ("end_time", end_time), MAX_SCHEDULE_WINDOW)
    return Span(parse_aware_datetime("start_time", start_time), parse_aware_datetime("end_time", end_time))


def _read_hours(timezone: Any, hours: Any, is_workday: Callable[[dt.date], bool] | None) -> WorkingHours:
    from airflow_dingtalk_calendar.models.free_times import WorkingHours, is_weekday
    from airflow_dingtalk_calendar.models.types import read_argument
    from airflow_dingtalk_calendar.models.zones import parse_zone

    if timezone is None:
        raise InvalidInputError(("timezone", "is absent: give it, or set timezone in the connection"))
    try:
        opening, closing = (dt.time.fromisoformat(one) for one in hours)
    except (TypeError, ValueError):
        raise InvalidInputError(("hours", "must be two times of a day, like ('09:00', '18:00')")) from None
    if opening >= closing != dt.time.min:
        raise InvalidInputError(("hours", "must end after they begin"))
    return WorkingHours(read_argument("timezone", parse_zone, timezone), opening, closing, is_workday or is_weekday)


def _read_length(name: str, value: Any) -> dt.timedelta:
    seconds = seconds_argument(name, value)
    if seconds < 60:
        raise InvalidInputError((name, "must be a minute or more"))
    return dt.timedelta(seconds=seconds)


def _write_free_time(found: FreeTime, zone: str) -> Json:
    from airflow_dingtalk_calendar.models.zones import load_zone

    start, end = (moment.astimezone(load_zone(zone)).isoformat() for moment in found.span)
    return {"start": start, "end": end, "rooms": found.rooms}
