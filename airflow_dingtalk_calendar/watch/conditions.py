"""Conditions that a sensor can wait for: each is evaluated for one event at one point in time.

A condition is plain data with one member, such as ``{"starts_within": 900.0}``: so it comes out of templates, goes
into a trigger's arguments and survives its restart. Judging is pure, so that a worker and a triggerer come to the same
verdict. Nothing in a verdict's text is content of the event but times and counts.

In all conditions on answers the organizer counts for nothing: whether DingTalk lists the organizer among the attendees
depends on how the event was made.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from airflow_dingtalk_calendar.exceptions import InvalidInputError, Problem
from airflow_dingtalk_calendar.models import comparison, datetimes
from airflow_dingtalk_calendar.models.fields import find_field
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mapping_or_empty
from airflow_dingtalk_calendar.models.normalize import parse_mapping
from airflow_dingtalk_calendar.models.types import parse_flag, parse_integer, parse_seconds, read_argument
from airflow_dingtalk_calendar.models.validation_errors import printable_name, suggest_name
from airflow_dingtalk_calendar.models.zones import load_zone, parse_zone

Condition = Mapping[str, Any]
# Counted among the answers: ``answered`` is any of the three others, which are DingTalk's words (page
# ``dingtalk-event-overview``); the fourth, needsAction, is no answer.
RESPONSES = ("accepted", "declined", "tentative")
COUNTED_RESPONSES = ("answered", *RESPONSES)
ALL_ATTENDEES = "all"
MIN_INTERVAL = 1.0  # seconds between two polls
ERROR_INTERVAL = 300.0


class Verdict(NamedTuple):
    """What one poll of an event shows.

    :ivar state: ``met``; ``waiting``; ``impossible`` when it can no longer be met; ``unknown`` when the event
        could not be read.
    :ivar text: why, for a person.
    :ivar moment: when the condition comes true, as the event stands; None where nobody can know.
    :ivar pause: seconds that the service asked to wait.
    :ivar event: the event; of one that is gone, its id and status.
    """

    state: Literal["met", "waiting", "impossible", "unknown"]
    text: str
    moment: dt.datetime | None = None
    pause: float = 0.0
    event: dict[str, Any] | None = None


def next_poll(verdict: Verdict, now: dt.datetime, interval: float, recheck: float) -> dt.datetime:
    """Return when to poll again: at the known time, but not later than ``recheck``, because events are moved.

    :param interval: seconds, for what has no known moment; ``recheck``: seconds, for what has one.
    """
    if verdict.moment is not None:
        return min(verdict.moment, _seconds_after(now, recheck))
    trouble = max(verdict.pause, min(interval, ERROR_INTERVAL))
    return _seconds_after(now, trouble if verdict.state == "unknown" else interval)


def _seconds_after(now: dt.datetime, seconds: float) -> dt.datetime:
    return now + dt.timedelta(seconds=max(seconds, MIN_INTERVAL))


# -- reading what a DAG asks for ------------------------------------------------------------------------------


def parse_day_zone(timezone: Any) -> str | None:
    """Read the zone in which days begin and end, before anything is waited for.

    :raises InvalidInputError: when there is no such zone.
    """
    return None if timezone is None else read_argument("timezone", parse_zone, timezone)


def parse_condition(given: Mapping[str, Any], timezone: str | None, *, count_optional: Any = False) -> Condition:
    """Read the one condition that a DAG gives, and check it.

    :param given: each condition's name with its value; None, or a flag that is false, is not given.
    :param timezone: IANA zone for times in ``fields`` that have none of their own.
    :raises InvalidInputError: naming what is wrong, with all problems of the condition at once.
    """
    flags = {
        name: read_argument(name, parse_flag, given[name]) for name in _FLAG_CONDITIONS if given.get(name) is not None
    }
    named = {name: value for name, value in {**given, **flags}.items() if value is not None and value is not False}
    if len(named) != 1:
        have = f"{' and '.join(named)} are" if named else "none is"
        raise InvalidInputError(("condition", f"{have} given; give exactly one of {', '.join(_EVALUATORS)}"))
    ((name, value),) = named.items()
    if name == "starts_within":
        return {name: read_argument(name, parse_seconds, value)}
    if name == "responses":
        optional = read_argument("count_optional", parse_flag, count_optional)
        return {name: {"least": _parse_counts(value), "count_optional": optional}}
    return {name: _parse_wanted_fields(value, timezone) if name == "fields" else True}


def _parse_counts(value: Any) -> dict[str, int | str]:
    given = parse_mapping(value, "responses")
    problems = [Problem(f"responses.{printable_name(name)}", text) for name, text in _count_problems(given)]
    if not given:
        problems = [Problem("responses", f"names nothing; known: {', '.join(COUNTED_RESPONSES)}")]
    if problems:
        raise InvalidInputError(*problems)
    return {name: ALL_ATTENDEES if _means_all(count) else parse_integer(count) for name, count in given.items()}


def _count_problems(given: Mapping[Any, Any]) -> Iterator[tuple[Any, str]]:
    for name, count in given.items():
        if name not in COUNTED_RESPONSES:
            yield name, f"is no answer{suggest_name(str(name), COUNTED_RESPONSES)}"
        elif not _means_all(count) and not _is_positive(count):
            yield name, 'must be an integer from 1 up, or "all"'


def _means_all(count: Any) -> bool:
    return isinstance(count, str) and count.strip() == ALL_ATTENDEES


def _is_positive(count: Any) -> bool:
    try:
        return parse_integer(count) >= 1
    except ValueError:
        return False


def _parse_wanted_fields(value: Any, timezone: str | None) -> dict[str, Any]:
    """Read values as a patch is read, and refuse those that DingTalk's answer does not have."""
    from airflow_dingtalk_calendar.models.event_patch import WantedFields

    wanted = WantedFields.parse(value, timezone=timezone).to_body()
    unseen = [f"fields.{name}" for name in wanted if find_field(name).shown != "always"]
    unseen += ["fields.attendees"] if any("id" not in one for one in wanted.get("attendees", ())) else []
    if unseen:
        text = "never comes back from DingTalk, so it cannot be waited for"
        raise InvalidInputError(*[(path, text) for path in unseen])
    return wanted


# -- judging --------------------------------------------------------------------------------------------------


def evaluate_condition(
    condition: Condition, event: Body | None, now: dt.datetime, timezone: str | None = None
) -> Verdict:
    """Say whether an event meets a condition now.

    :param event: the event as GetEvent returned it; None when there is no such event.
    :param timezone: IANA zone in which the days of an all-day event begin and end.
    """
    ((name, wanted),) = condition.items()
    if event is None or event.get("status") == "cancelled":
        return _ABSENT_EVALUATORS.get(name, _cannot_be_met)(event)
    try:
        return _EVALUATORS[name](wanted, event, now, timezone)._replace(event=dict(event))
    except ValueError as error:
        return Verdict("impossible", f"cannot be judged: {error}")
    except OverflowError:
        return Verdict("impossible", "cannot be judged: its times are out of range")


def _check_starts_within(within: float, event: Body, now: dt.datetime, timezone: str | None) -> Verdict:
    start = _event_instant(event, "start", timezone)
    return _due_at(start - dt.timedelta(seconds=within), now, f"starts at {start.isoformat()}")


def _check_ended(_: Any, event: Body, now: dt.datetime, timezone: str | None) -> Verdict:
    end = _event_instant(event, "end", timezone)
    if _all_day_date(event, "end"):  # exclusive by CreateEvent's page; PatchEvent's tutorial sends the day of the start
        end = max(end, _start_of_day(_all_day_date(event, "start"), timezone, 1))
    return _due_at(end, now, f"ends at {end.isoformat()}")


def _due_at(moment: dt.datetime, now: dt.datetime, text: str) -> Verdict:
    return Verdict("met", text) if moment <= now else Verdict("waiting", text, moment)


def _check_responses(wanted: Any, event: Body, *_: Any) -> Verdict:
    organizer = get_member(event, "organizer", "id")
    invited = [one for one in _attendees_of(event) if organizer is None or one.get("id") != organizer]
    people = [one for one in invited if wanted["count_optional"] or not one.get("isOptional")]
    answers = [one.get("responseStatus") for one in people]
    found = {
        name: sum(map((RESPONSES if name == "answered" else (name,)).__contains__, answers))
        for name in COUNTED_RESPONSES
    }
    least = {name: len(people) if count == ALL_ATTENDEES else count for name, count in wanted["least"].items()}
    text = ", ".join(f"{found[name]} of {count} {name}" for name, count in least.items())
    return _met_if(all(found[name] >= count for name, count in least.items()), text)


def _attendees_of(event: Body) -> list[Body]:
    """Return who is invited; somebody of whom nothing can be read is somebody who has not answered."""
    listed = event.get("attendees") or []
    if not isinstance(listed, list):
        raise ValueError("its attendees are not a list")
    return [mapping_or_empty(one) for one in listed]


def _check_fields(wanted: Any, event: Body, *_: Any) -> Verdict:
    other = comparison.unmet_fields(wanted, event)
    return _met_if(not other, f"differs in {', '.join(other)}" if other else f"has the wanted {', '.join(wanted)}")


def _met_if(met: bool, text: str) -> Verdict:
    return Verdict("met" if met else "waiting", text)


def _cannot_be_met(event: Body | None) -> Verdict:
    return Verdict("impossible", f"{_describe_absence(event)}, so that the condition cannot be met")


def _check_cancelled(event: Body | None) -> Verdict:
    return Verdict("met", _describe_absence(event), event=None if event is None else dict(event))


def _describe_absence(event: Body | None) -> str:
    return "is cancelled" if event else "is not there: deleted, or union_id or event_id is wrong"


# What an event that is gone means; for any other condition, that it cannot come true.
_ABSENT_EVALUATORS: dict[str, Callable[[Body | None], Verdict]] = {
    "exists": lambda event: Verdict("waiting", _describe_absence(event)),
    "cancelled": _check_cancelled,
}
_EVALUATORS: dict[str, Callable[[Any, Body, dt.datetime, str | None], Verdict]] = {
    "starts_within": _check_starts_within,
    "ended": _check_ended,
    "responses": _check_responses,
    "fields": _check_fields,
    "exists": lambda *_: Verdict("met", "is there"),
    "cancelled": lambda *_: Verdict("waiting", "is not cancelled"),
}
_FLAG_CONDITIONS = ("ended", "exists", "cancelled")


# -- times of an event ----------------------------------------------------------------------------------------


def _event_instant(event: Body, end: str, timezone: str | None) -> dt.datetime:
    try:
        return (
            _start_of_day(day, timezone)
            if (day := _all_day_date(event, end))
            else _parse_end(_end_object(event, end), timezone)
        )
    except ValueError as error:
        raise ValueError(f"its {end} {error}") from None


def _parse_end(given: Body, timezone: str | None) -> dt.datetime:
    moment = datetimes.parse_datetime(given.get("dateTime"))
    if moment.tzinfo is None:
        moment = datetimes.parse_wire_datetime(
            datetimes.format_event_time(moment, parse_zone(given.get("timeZone") or timezone))
        )
    return moment.astimezone(dt.UTC)


def _start_of_day(day: str, timezone: str | None, later: int = 0) -> dt.datetime:
    if timezone is None:
        raise ValueError("is a day: give a timezone, to know when its days begin")
    date = datetimes.parse_day(day) + dt.timedelta(days=later)
    return dt.datetime.combine(date, dt.time(), load_zone(parse_zone(timezone))).astimezone(dt.UTC)


def _all_day_date(event: Body, end: str) -> str:
    return str(_end_object(event, end).get("date") or "")


def _end_object(event: Body, end: str) -> Body:
    return mapping_or_empty(event.get(end))
