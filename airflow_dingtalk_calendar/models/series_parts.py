"""A series in two parts: how many of its occurrences are before a day, and the series that the others make."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.event_times import EventTimes, read_times, recurrence_of, shift_times
from airflow_dingtalk_calendar.models.json_values import Body, Json
from airflow_dingtalk_calendar.models.occurrences import occurrence_days
from airflow_dingtalk_calendar.models.recurrence import fits_pattern, may_lack_day


class SeriesCut(NamedTuple):
    """Where a day cuts a series.

    :ivar before: how many occurrences are before the day.
    :ivar first: the day of the first one on the day or after it; None when there is none.
    """

    before: int
    first: dt.date | None


def cut_series(event: Body, day: dt.date) -> SeriesCut:
    """Find out where a day cuts a series.

    :raises InvalidInputError: when DingTalk's documentation does not say on which days the series takes place.
    """
    times = read_times(event)
    check_series_days(event, times)
    before = 0
    for one in occurrence_days(event, times):
        if one >= day:
            return SeriesCut(before, one)
        before += 1
    return SeriesCut(before, None)


def check_series_days(event: Body, times: EventTimes) -> None:
    """Check that DingTalk says on which days a series takes place.

    :raises InvalidInputError: when it does not.
    """
    pattern = {"dayOfMonth": times.day.day, **recurrence_of(event, times.zone)["pattern"]}
    if pattern["type"] == "relativeMonthly" and "," in pattern["daysOfWeek"]:
        text = "names several weekdays of a month, and DingTalk does not say on which of them the series takes place"
    elif may_lack_day(pattern, times.day):
        text = "names a day that some months do not have, and DingTalk does not document what happens then"
    elif not fits_pattern(pattern, times.day):
        text = "does not name the day on which the series starts, and DingTalk does not say whether that day counts"
    else:
        return
    raise InvalidInputError(("event.recurrence", f"{text}: end the series and create another one by hand"))


def rest_of_series(event: Body, cut: SeriesCut) -> Json:
    """Write the part of a series that begins on the day of a cut: its times and its rule.

    A number of occurrences becomes the number that remains; a last day stays.

    :raises InvalidInputError: when the clocks skip the time of its first occurrence.
    """
    times, rule = read_times(event), recurrence_of(event, read_times(event).zone)
    first = cut.first or times.day
    try:
        moved = shift_times(times, dt.timedelta(days=(first - times.day).days))
    except InvalidInputError:
        text = "begins with an occurrence whose time the clocks skip: choose an earlier or a later day"
        raise InvalidInputError(("event", f"what remains of the series {text}")) from None
    span = rule["range"]
    if "numberOfOccurrences" in span:
        span = {**span, "numberOfOccurrences": span["numberOfOccurrences"] - cut.before}
    return {**moved.to_patch(), "recurrence": {**rule, "range": span}}
