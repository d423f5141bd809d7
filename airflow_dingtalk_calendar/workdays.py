"""Working days: of China with its adjusted working weekends, or by dates that you give.

Without anything given, Monday to Friday are working days::

    next_workday("2026-09-30", country="CN")  # 2026-10-08, after the National Day holidays
    is_workday("2027-05-01", holidays=["2027-05-01"])  # False

China's days come from the package ``chinesecalendar`` (``pip install 'airflow-dingtalk-calendar[workdays]'``), which
knows the years that the State Council has announced. A day beyond them is an error, and never a guess: then give the
dates. Nothing is sent, and nothing is metered.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from importlib import import_module
from typing import Any, Literal

from airflow_dingtalk_calendar.exceptions import InvalidInputError

Day = dt.date | str
SATURDAY = 5
LONGEST_BREAK = 366  # days; no country is closed for longer


def is_workday(
    day: Day,
    *,
    holidays: Collection[Day] = (),
    extra_workdays: Collection[Day] = (),
    country: Literal["CN"] | None = None,
) -> bool:
    """Return whether a day is a working day.

    :param day: a date, or ``yyyy-MM-dd``.
    :param holidays: days off, whatever the country's calendar says.
    :param extra_workdays: working days on a weekend or holiday, likewise.
    :param country: ``CN`` for China, with the extra ``workdays``. None: Monday to Friday.
    :raises InvalidInputError: for what is no day, and for one that the country's calendar does not know.
    """
    return _is_on(
        _read_day("day", day), _read_days("holidays", holidays), _read_days("extra_workdays", extra_workdays), country
    )


def next_workday(
    day: Day,
    *,
    holidays: Collection[Day] = (),
    extra_workdays: Collection[Day] = (),
    country: Literal["CN"] | None = None,
) -> dt.date:
    """Return the first working day after a day.

    :param day: a date, or ``yyyy-MM-dd``; it counts for nothing whether it is a working day itself.
    :param holidays: as of :func:`is_workday`.
    :param extra_workdays: as of :func:`is_workday`.
    :param country: as of :func:`is_workday`.
    :raises InvalidInputError: as :func:`is_workday`, and when there is no working day within a year.
    """
    first, off, on = (
        _read_day("day", day),
        _read_days("holidays", holidays),
        _read_days("extra_workdays", extra_workdays),
    )
    for number in range(1, LONGEST_BREAK + 1):
        following = first + dt.timedelta(days=number)
        if _is_on(following, off, on, country):
            return following
    raise InvalidInputError(("holidays", "leave no working day within a year"))


def _is_on(day: dt.date, holidays: set[dt.date], extra_workdays: set[dt.date], country: str | None) -> bool:
    if both := holidays & extra_workdays:
        raise InvalidInputError(("extra_workdays", f"has a day that is one of holidays, too: {min(both)}"))
    if day in holidays or day in extra_workdays:
        return day in extra_workdays
    if country is None:
        return day.weekday() < SATURDAY
    if country != "CN":
        raise InvalidInputError(("country", "must be CN or None; for other countries give holidays"))
    return _is_on_in_china(day)


def _is_on_in_china(day: dt.date) -> bool:
    try:
        calendar: Any = import_module("chinese_calendar")
    except ModuleNotFoundError:
        text = "needs the extra workdays: pip install 'airflow-dingtalk-calendar[workdays]'; or give holidays instead"
        raise InvalidInputError(("country", text)) from None
    known = [one.year for one in calendar.constants.holidays]
    if not min(known) <= day.year <= max(known):
        text = f"{day} is outside the years that the installed chinesecalendar covers, {min(known)} to {max(known)}"
        raise InvalidInputError(("day", f"{text}: install a newer one, or leave out country and give holidays"))
    return bool(calendar.is_workday(day))


def _read_days(name: str, days: Collection[Day]) -> set[dt.date]:
    if isinstance(days, str):
        raise InvalidInputError((name, "must be a list of days"))
    return {_read_day(f"{name}[{index}]", one) for index, one in enumerate(days)}


def _read_day(name: str, day: Day) -> dt.date:
    from airflow_dingtalk_calendar.models.datetimes import parse_day  # takes a while to import
    from airflow_dingtalk_calendar.models.types import read_argument

    return read_argument(name, parse_day, day)
