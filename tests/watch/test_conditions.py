"""What can be waited for: read, judged at a moment, and polled again in time; nothing here is sent."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.watch.conditions import (
    ERROR_INTERVAL,
    MIN_INTERVAL,
    Condition,
    Verdict,
    evaluate_condition,
    next_poll,
    parse_condition,
)
from tests.conftest import ORGANIZER, event

NOW = dt.datetime(2027, 3, 2, 1, 0, tzinfo=dt.UTC)  # the event is from 2 to 3 o'clock
HOUR = dt.timedelta(hours=1)
ALL_DAY = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-04"}, "isAllDay": True}
EVERY: list[Condition] = [
    {"starts_within": 900.0},
    {"ended": True},
    {"responses": {"least": {"accepted": 1}, "count_optional": False}},
    {"fields": {"summary": "Planning"}},
    {"exists": True},
    {"cancelled": True},
]


def read(count_optional: Any = False, timezone: str | None = "Asia/Shanghai", **given: Any) -> Condition:
    """Read a condition."""
    return parse_condition(given, timezone, count_optional=count_optional)


def judge(condition: Condition, now: dt.datetime = NOW, timezone: str | None = None, **fields: Any) -> Verdict:
    """Judge an event with these fields."""
    return evaluate_condition(condition, event(**fields), now, timezone)


def people(*answers: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Invite somebody for each answer, and the organizer, whose answer does not count."""
    listed = [{"id": ORGANIZER, "responseStatus": "accepted"}]
    listed += [{"id": f"p{number}", "responseStatus": answer} for number, answer in enumerate(answers)]
    listed += [{"id": f"o{n}", "responseStatus": one, "isOptional": True} for n, one in enumerate(optional)]  # type: ignore[dict-item]
    return {"attendees": listed}


# -- reading --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "condition"),
    [
        ({"starts_within": dt.timedelta(minutes=15)}, {"starts_within": 900.0}),
        ({"starts_within": 0}, {"starts_within": 0.0}),
        ({"starts_within": "900"}, {"starts_within": 900.0}),
        ({"starts_within": str(dt.timedelta(days=2, hours=1, seconds=3))}, {"starts_within": 176403.0}),
        ({"starts_within": " 0:15:00.5 "}, {"starts_within": 900.5}),
        ({"ended": "True", "exists": "False", "cancelled": None}, {"ended": True}),
        ({"responses": '{"accepted": "5"}'}, {"responses": {"least": {"accepted": 5}, "count_optional": False}}),
        ({"fields": {"summary": 42}}, {"fields": {"summary": "42"}}),
        ({"fields": '{"is_all_day": "False"}'}, {"fields": {"isAllDay": False}}),
        ({"exists": True}, {"exists": True}),
        ({"cancelled": True}, {"cancelled": True}),
    ],
    ids=str,
)
def test_a_condition_is_read(given: dict[str, Any], condition: Condition) -> None:
    """Values and what templates make of them are the same condition, as plain data."""
    assert read(**given) == condition
    assert json.loads(json.dumps(condition)) == condition


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (
            {},
            "condition: none is given; give exactly one of starts_within, ended, responses, fields, exists, cancelled",
        ),
        ({"ended": False}, "condition: none is given"),
        ({"starts_within": 0, "ended": True}, "condition: starts_within and ended are given; give exactly one"),
        ({"ended": "maybe"}, "ended: must be true or false"),
        ({"starts_within": "None"}, "starts_within: must be a timedelta, or seconds from 0 up"),
        ({"starts_within": -1}, "starts_within: must be a timedelta"),
        ({"starts_within": True}, "starts_within: must be a timedelta"),
        ({"starts_within": float("nan")}, "starts_within: must be a timedelta"),
        ({"starts_within": []}, "starts_within: must be a timedelta"),
        ({"responses": {}}, "responses: names nothing; known: answered, accepted, declined, tentative"),
        (
            {"responses": {"acepted": 1, "declined": 0}},
            r"acepted: is no answer; did you mean accepted\?; .*declined: must",
        ),
        ({"responses": {"accepted": "most"}}, 'responses.accepted: must be an integer from 1 up, or "all"'),
        ({"responses": {1: 1}}, "responses.1: is no answer"),
        ({"responses": 5}, "responses: must be a mapping"),
        ({"responses": {"accepted": 1}, "count_optional": "x"}, "count_optional: must be true or false"),
        ({"fields": {"sumary": "x"}}, r"fields\.sumary: is not a field; did you mean summary\?"),
        ({"fields": {"summary": "None"}}, r"fields\.summary: is blank, or the word None; leave it out, or give"),
        ({"fields": {}}, "fields: names nothing to wait for"),
        ({"fields": "nonsense"}, "fields: is not JSON"),
        (
            {"fields": {"free_busy_status": "busy", "notify_push": True}},
            r"fields\.freeBusyStatus: never comes.*extra: never",
        ),
        ({"fields": {"attendees": [{"email": "a@b.c"}]}}, r"fields\.attendees: never comes back"),
    ],
    ids=str,
)
def test_a_wrong_condition_is_refused(given: dict[str, Any], problem: str) -> None:
    """None, two, or one that cannot be judged: the error names the argument and the remedy."""
    with pytest.raises(InvalidInputError, match=problem) as caught:
        read(**given)
    assert "patch" not in str(caught.value)


# -- judging --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("within", "state", "moment"),
    [(59 * 60, "waiting", NOW + HOUR / 60), (3600, "met", None), (0, "waiting", NOW + HOUR), (10**8, "met", None)],
)
def test_starts_within(within: float, state: str, moment: dt.datetime | None) -> None:
    """An event starts within a time from that long before its start on."""
    verdict = judge({"starts_within": float(within)})
    assert (verdict.state, verdict.moment) == (state, moment)


def test_started_counts_as_starting() -> None:
    """An event that has started, or is over, is not waited for."""
    assert judge({"starts_within": 0.0}, NOW + HOUR).state == "met"
    assert judge({"starts_within": 0.0}, NOW + 10 * HOUR).state == "met"


def test_ended() -> None:
    """An event is over from its end on."""
    assert judge({"ended": True})[:3] == ("waiting", "ends at 2027-03-02T03:00:00+00:00", NOW + 2 * HOUR)
    assert judge({"ended": True}, NOW + 2 * HOUR).state == "met"


@pytest.mark.parametrize(
    ("end", "ends"),
    [("2027-03-04", "2027-03-03T16:00:00+00:00"), ("2027-03-02", "2027-03-02T16:00:00+00:00")],
)
def test_days_are_those_of_a_place(end: str, ends: str) -> None:
    """An all-day event starts at a midnight of the zone; its end is the day after, and never before its own day's."""
    fields = {**ALL_DAY, "end": {"date": end}}
    start = judge({"starts_within": 0.0}, NOW - 24 * HOUR, "Asia/Shanghai", **fields)
    assert start.moment == dt.datetime.fromisoformat("2027-03-01T16:00:00+00:00")
    assert judge({"ended": True}, NOW, "Asia/Shanghai", **fields).moment == dt.datetime.fromisoformat(ends)


def test_a_time_without_an_offset_is_the_zones() -> None:
    """A local time is read in the event's own zone, before any other."""
    start = {"dateTime": "2027-03-02T10:00:00", "timeZone": "Asia/Tokyo"}
    assert judge({"starts_within": 0.0}, timezone="Asia/Shanghai", start=start).state == "met"
    assert (
        judge({"starts_within": 0.0}, timezone="Asia/Shanghai", start={"dateTime": start["dateTime"]}).state
        == "waiting"
    )


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        (ALL_DAY, "cannot be judged: its start is a day: give a timezone"),
        ({"start": None}, "cannot be judged: its start must be an ISO 8601"),
        ({"start": {"dateTime": "soon"}}, "cannot be judged: its start must be an ISO 8601"),
        ({"start": {"dateTime": "2027-03-02T10:00"}}, "cannot be judged: its start must be text"),
        ({"start": {"date": "2027-02-30"}}, "cannot be judged: its start"),
    ],
)
def test_a_time_that_cannot_be_read_is_impossible(fields: dict[str, Any], problem: str) -> None:
    """Where nobody can know when it starts, the condition cannot be met, and the text says why."""
    verdict = judge({"starts_within": 0.0}, **fields)
    assert verdict.state == "impossible"
    assert verdict.text.startswith(problem)


@pytest.mark.parametrize(
    ("least", "answers", "state", "text"),
    [
        ({"accepted": 2}, ["accepted", "declined"], "waiting", "1 of 2 accepted"),
        ({"accepted": 2}, ["accepted", "accepted", "needsAction"], "met", "2 of 2 accepted"),
        ({"answered": "all"}, ["accepted", "declined", "tentative"], "met", "3 of 3 answered"),
        ({"answered": "all"}, ["accepted", "needsAction"], "waiting", "1 of 2 answered"),
        ({"answered": "all"}, ["accepted", ""], "waiting", "1 of 2 answered"),
        ({"answered": "all", "accepted": 1}, ["declined"], "waiting", "1 of 1 answered, 0 of 1 accepted"),
        ({"answered": "all"}, [], "met", "0 of 0 answered"),
    ],
)
def test_responses(least: dict[str, Any], answers: list[str], state: str, text: str) -> None:
    """Enough answers of each kind have to be there; the organizer's is none of them."""
    verdict = judge(read(responses=least), **people(*answers))
    assert verdict[:2] == (state, text)


def test_optional_people_count_if_asked_to() -> None:
    """Optional attendees neither help nor hinder, unless they are to count."""
    invited = people("accepted", optional=("accepted", "needsAction"))
    assert judge(read(responses={"accepted": 2}), **invited).text == "1 of 2 accepted"
    assert judge(read(responses={"answered": "all"}), **invited).state == "met"
    assert judge(read(responses={"accepted": 2}, count_optional="True"), **invited).state == "met"
    assert judge(read(responses={"answered": "all"}, count_optional=True), **invited).text == "2 of 3 answered"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"start": "2027-03-02T11:00+09:00", "timezone": "Asia/Tokyo"}, None),
        ({"start": "2027-03-02T10:00", "end": "2027-03-02T11:00", "location": "Room 1", "reminders": ["15"]}, None),
        ({"attendees": ["iiPguest"]}, None),
        ({"summary": "Planning", "location": "Room 2"}, "differs in location"),
        ({"attendees": ["iiPnew"], "start": "2027-03-02T10:01"}, "differs in start, attendees"),
    ],
)
def test_fields(fields: dict[str, Any], text: str | None) -> None:
    """Values are compared as what they mean, and only the names of those that differ are reported."""
    zone = fields.pop("timezone", "Asia/Shanghai")
    start = {"start": {"dateTime": "2027-03-02T02:00:00Z"}} if zone == "Asia/Tokyo" else {}
    verdict = judge(read(fields=fields, timezone=zone), **start)
    assert verdict.state == ("waiting" if text else "met")
    assert verdict.text == (text or f"has the wanted {', '.join(fields)}")


@pytest.mark.parametrize("condition", EVERY, ids=lambda condition: next(iter(condition)))
@pytest.mark.parametrize("gone", [None, event(status="cancelled")], ids=["deleted", "cancelled"])
def test_an_event_that_is_gone(condition: Condition, gone: dict[str, Any] | None) -> None:
    """Some wait for a deleted or cancelled event; one that shall exist may come; no other condition can be met."""
    verdict = evaluate_condition(condition, gone, NOW)
    (name,) = condition
    assert verdict.state == {"cancelled": "met", "exists": "waiting"}.get(name, "impossible")
    assert ("is cancelled" if gone else "is not there") in verdict.text
    assert verdict.event == (gone if name == "cancelled" else None)


def test_an_event_that_is_there() -> None:
    """An event that is there exists, and is not cancelled."""
    assert judge({"exists": True}).state == "met"
    assert judge({"cancelled": True})[:3] == ("waiting", "is not cancelled", None)


def test_no_verdict_shows_what_is_in_the_event() -> None:
    """Texts for the log hold neither titles nor names nor places."""
    for condition in [*EVERY, {"fields": {"summary": "Secret plan", "location": {"displayName": "Vault"}}}]:
        for one in (judge(condition), evaluate_condition(condition, None, NOW)):
            assert not [word for word in ("Planning", "Room", "iiP", "Secret", "Vault") if word in one.text]


# -- polling again --------------------------------------------------------------------------------------------

SECONDS = st.floats(0, 10**6)


@given(st.floats(-(10**7), 10**7), st.floats(0, 10**6), SECONDS, SECONDS, st.sampled_from(["starts_within", "ended"]))
def test_a_known_moment_is_met_and_not_missed(
    offset: float, within: float, interval: float, recheck: float, name: str
) -> None:
    """It polls again after ``recheck`` at the latest, never after the moment, and at the moment it is met."""
    now = NOW + dt.timedelta(seconds=offset)
    condition = {name: within if name == "starts_within" else True}
    verdict = judge(condition, now)
    if verdict.state == "met":
        return
    wake = next_poll(verdict, now, interval, recheck)
    assert verdict.moment is not None
    assert now < wake <= verdict.moment
    assert wake <= now + dt.timedelta(seconds=max(recheck, MIN_INTERVAL))
    assert judge(condition, verdict.moment).state == "met"
    assert judge(condition, verdict.moment - dt.timedelta.resolution).state == "waiting"


@given(SECONDS, SECONDS)
def test_an_unknown_moment_is_polled_in_intervals(interval: float, recheck: float) -> None:
    """Without a moment the interval counts, and never runs hot."""
    wake = next_poll(Verdict("waiting", ""), NOW, interval, recheck)
    assert wake == NOW + dt.timedelta(seconds=max(interval, 1.0))


@given(SECONDS, st.floats(0, 3600))
def test_a_failed_poll_is_repeated_soon(interval: float, pause: float) -> None:
    """After a failure it polls again within 5 minutes or the interval, but not before the service wants it."""
    wake = next_poll(Verdict("unknown", "", pause=pause), NOW, interval, 21600)
    waited = (wake - NOW).total_seconds()
    assert waited >= max(min(pause, 3600) - 0.001, 1.0)
    assert waited <= max(interval, pause, 1.0) + 0.001
    assert waited <= max(ERROR_INTERVAL, pause) + 0.001
