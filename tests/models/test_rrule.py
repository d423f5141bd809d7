"""Rules of RFC 5545 and DingTalk's: the same days in both, or refused."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.recurrence import complete_rule
from airflow_dingtalk_calendar.models.rrule import from_rrule, to_rrule

TUESDAY = {"dateTime": "2027-03-09T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
FOREVER = {"type": "noEnd"}


def weekly(days: str, first: str = "monday", interval: int = 1) -> dict[str, Any]:
    """Write a weekly pattern."""
    return {"type": "weekly", "interval": interval, "daysOfWeek": days, "firstDayOfWeek": first}


def monthly(day: str, index: str, interval: int = 1) -> dict[str, Any]:
    """Write a pattern of one weekday a month."""
    return {"type": "relativeMonthly", "interval": interval, "daysOfWeek": day, "index": index}


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("FREQ=DAILY", {"type": "daily", "interval": 1}),
        ("RRULE:FREQ=DAILY;INTERVAL=365", {"type": "daily", "interval": 365}),
        (" rrule:freq=daily;interval=2; ", {"type": "daily", "interval": 2}),
        ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", weekly("monday,tuesday,wednesday,thursday,friday")),
        ("FREQ=WEEKLY", weekly("tuesday")),
        ("FREQ=WEEKLY;BYDAY=WE,TU", weekly("tuesday,wednesday")),
        ("FREQ=WEEKLY;BYDAY=TU;WKST=SU;INTERVAL=2", weekly("tuesday", "sunday", 2)),
        ("FREQ=MONTHLY", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=MONTHLY;BYMONTHDAY=9", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=MONTHLY;BYDAY=2TU", monthly("tuesday", "second")),
        ("FREQ=MONTHLY;BYDAY=+2TU", monthly("tuesday", "second")),
        ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2", monthly("tuesday", "second")),
        ("FREQ=YEARLY", {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=9", {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=YEARLY;BYMONTH=3;INTERVAL=2", {"type": "absoluteYearly", "interval": 2, "dayOfMonth": 9}),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=2TU", monthly("tuesday", "second", 12)),
        ("FREQ=YEARLY;BYMONTH=3,6,9,12;BYMONTHDAY=9", {"type": "absoluteMonthly", "interval": 3, "dayOfMonth": 9}),
        ("FREQ=YEARLY;BYMONTHDAY=9", {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=-23", {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 9}),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3;BYDAY=2TU", monthly("tuesday", "second", 12)),
        ("FREQ=MONTHLY;INTERVAL=12;BYMONTH=3", {"type": "absoluteMonthly", "interval": 12, "dayOfMonth": 9}),
        ("FREQ=MONTHLY;BYMONTH=3,9;BYMONTHDAY=9", {"type": "absoluteMonthly", "interval": 6, "dayOfMonth": 9}),
        ("FREQ=MONTHLY;BYMONTHDAY=8,9,10,11,12,13,14;BYDAY=TU", monthly("tuesday", "second")),
        (
            "FREQ=MONTHLY;BYDAY=SU,MO,TU,WE,TH,FR,SA;BYSETPOS=9",
            {"type": "absoluteMonthly", "interval": 1, "dayOfMonth": 9},
        ),
        ("FREQ=MONTHLY;BYDAY=TU", weekly("tuesday")),
        ("FREQ=DAILY;BYMONTH=3;BYMONTHDAY=9", {"type": "absoluteMonthly", "interval": 12, "dayOfMonth": 9}),
        ("FREQ=WEEKLY;BYDAY=TU;BYHOUR=10;BYMINUTE=0", weekly("tuesday")),
    ],
)
def test_a_rule_becomes_a_pattern(text: str, pattern: dict[str, Any]) -> None:
    """A rule becomes DingTalk's pattern; what it leaves to the start is written out."""
    assert from_rrule(text, TUESDAY) == {"pattern": pattern, "range": FOREVER}


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("COUNT=99", {"type": "numbered", "numberOfOccurrences": 99}),
        ("UNTIL=20271231", {"type": "endDate", "endDate": "2027-12-31T23:59:59+08:00"}),
        ("UNTIL=20271231T100000", {"type": "endDate", "endDate": "2027-12-31T10:00:00+08:00"}),
        ("UNTIL=20271231T200000Z", {"type": "endDate", "endDate": "2028-01-01T04:00:00+08:00"}),
    ],
)
def test_an_end_becomes_a_range(text: str, span: dict[str, Any]) -> None:
    """COUNT and UNTIL become DingTalk's range, a day's last second in the event's zone."""
    assert from_rrule(f"FREQ=DAILY;{text}", TUESDAY)["range"] == span


def test_without_a_start() -> None:
    """A rule that leaves nothing to the start needs none; an end in UTC needs no zone, and any other has the given."""
    assert from_rrule("FREQ=MONTHLY;BYDAY=-1FR")["pattern"] == monthly("friday", "last")
    assert from_rrule("FREQ=DAILY;UNTIL=20271231T100000Z")["range"]["endDate"] == "2027-12-31T10:00:00+00:00"
    assert from_rrule("FREQ=DAILY;UNTIL=20271231", None, "Asia/Tokyo")["range"]["endDate"][-6:] == "+09:00"


REFUSED = [
    ("", "must be one rule"),
    ("weekly", "must be one rule"),
    ("FREQ=", "must be one rule"),
    ("COUNT=3", "must be one rule"),
    ("FREQ=DAILY;COLOUR=RED", "must be one rule"),
    ("DTSTART:20270309T100000\nRRULE:FREQ=DAILY", "leave DTSTART out, and give start"),
    ("FREQ=DAILY;COUNT=1;COUNT=2", "has a part twice"),
    ("FREQ=HOURLY", "FREQ must be one of DAILY, WEEKLY, MONTHLY, YEARLY"),
    ("FREQ=DAILY;BYHOUR=9,10", "cannot express BYHOUR with FREQ=DAILY"),
    ("FREQ=DAILY;BYDAY=TU;INTERVAL=2", "BYDAY with FREQ=DAILY and an INTERVAL"),
    ("FREQ=WEEKLY;BYDAY=2TU", "numbers with FREQ=MONTHLY and FREQ=YEARLY only"),
    ("FREQ=WEEKLY;BYDAY=TUESDAY", "weekdays of two letters"),
    ("FREQ=WEEKLY;BYDAY=TU,WE;BYSETPOS=1", "cannot express BYSETPOS with FREQ=WEEKLY"),
    ("FREQ=WEEKLY;WKST=MONDAY", "WKST must be a weekday"),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "not from its end"),
    ("FREQ=MONTHLY;BYMONTHDAY=9,23", "one series for each day"),
    ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS without BYDAY"),
    ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "BYDAY and BYMONTHDAY together"),
    ("FREQ=MONTHLY;BYDAY=TU;INTERVAL=2", "use FREQ=WEEKLY"),
    ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "several weekdays"),
    ("FREQ=MONTHLY;BYDAY=2TU;BYSETPOS=2", "together with BYSETPOS"),
    ("FREQ=MONTHLY;BYDAY=5TU", "first to fourth"),
    ("FREQ=MONTHLY;BYDAY=-2TU", "first to fourth"),
    ("FREQ=MONTHLY;BYDAY=TU;BYSETPOS=1,2", "one series each"),
    ("FREQ=YEARLY;BYDAY=2TU", "name the start's month in BYMONTH"),
    ("FREQ=YEARLY;BYDAY=20MO", "the first to fourth weekday of a month"),
    ("FREQ=YEARLY;BYYEARDAY=100", "cannot express BYYEARDAY"),
    ("FREQ=YEARLY;BYWEEKNO=20", "cannot express BYWEEKNO"),
    ("FREQ=YEARLY;BYMONTHDAY=9;INTERVAL=2", "without BYMONTH"),
    ("FREQ=YEARLY;BYMONTH=4", "the start's month"),
    ("FREQ=YEARLY;BYMONTH=3,8", "different distances"),
    ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be one number, from 1 to 365"),
    ("FREQ=DAILY;INTERVAL=366", "INTERVAL must be one number, from 1 to 365"),
    ("FREQ=DAILY;COUNT=100", "COUNT must be one number, from 1 to 99, in DingTalk; UNTIL=20270616 says the same"),
    ("FREQ=DAILY;COUNT=3;UNTIL=20271231", "exclude each other"),
    ("FREQ=DAILY;UNTIL=2027", "UNTIL must be"),
    ("FREQ=DAILY;UNTIL=20271331", "UNTIL must be"),
]


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_what_dingtalk_cannot_express_is_refused(text: str, problem: str) -> None:
    """A rule that DingTalk has no words for is refused with its reason."""
    with pytest.raises(ValueError, match=problem):
        from_rrule(text, TUESDAY)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("FREQ=WEEKLY", "takes its weekday from the start: give start"),
        ("FREQ=MONTHLY", "takes its day of the month from the start: give start"),
        ("FREQ=YEARLY", "takes its month from the start: give start"),
        ("FREQ=DAILY;UNTIL=20271231", "UNTIL needs a time zone"),
    ],
)
def test_a_rule_that_needs_the_start_says_so(text: str, problem: str) -> None:
    """A rule that leaves something to a start that is not there says what, and the remedy."""
    with pytest.raises(ValueError, match=problem):
        from_rrule(text)


def test_a_patch_takes_a_rule() -> None:
    """In a patch the recurrence may be a rule, read with the patch's start and zone."""
    patch = {"start": "2027-03-09T10:00", "end": "2027-03-09T11:00", "recurrence": "RRULE:FREQ=WEEKLY;UNTIL=20270601"}
    body = EventPatch.parse(patch, timezone="Europe/Berlin").to_body("E")
    assert body["recurrence"] == {
        "pattern": weekly("tuesday"),
        "range": {"type": "endDate", "endDate": "2027-06-01T23:59:59+02:00"},
    }


@pytest.mark.parametrize(
    ("patch", "problem"),
    [
        ({"recurrence": "FREQ=WEEKLY"}, "patch.recurrence: the rule takes its weekday from the start"),
        ({"recurrence": "FREQ=SECRET"}, "patch.recurrence: FREQ must be one of"),
        (
            {"recurrence": "FREQ=DAILY;UNTIL=20270301", "start": "2027-03-09", "end": "2027-03-10"},
            "patch.recurrence: range.endDate is before the start",
        ),
    ],
)
def test_a_wrong_rule_is_named_by_its_path(patch: dict[str, Any], problem: str) -> None:
    """A patch with a wrong rule is refused by the path of the rule, without what is in it."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse(patch, timezone="Asia/Shanghai")
    assert problem in str(caught.value)
    assert "SECRET" not in str(caught.value)


def nth(day: dt.date) -> list[str]:
    """Say which weekday of its month a day is, in all ways there are."""
    code, last = CODES[day.weekday()], (day + dt.timedelta(days=7)).month != day.month
    numbers = ([(day.day + 6) // 7] if day.day <= 28 else []) + ([-1] if last else [])
    return [form for n in numbers for form in (f"BYDAY={n}{code}", f"BYDAY={code};BYSETPOS={n}")]


@st.composite
def rules(draw: st.DrawFn) -> tuple[dt.datetime, str]:
    """Make a start by day, when no clocks change, and a rule that DingTalk has words for and that names its day."""
    day = draw(st.dates(dt.date(2024, 1, 1), dt.date(2028, 12, 31)))
    zone = ZoneInfo(
        draw(st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]))
    )
    start = dt.datetime.combine(day, dt.time(draw(st.integers(7, 20)), 30), zone)
    others = draw(st.sets(st.sampled_from(CODES)))
    named = "BYDAY=" + ",".join(sorted({*others, CODES[day.weekday()]}))
    text, most = draw(
        st.sampled_from(
            [
                ("FREQ=DAILY", 365),
                (f"FREQ=DAILY;{named}", 1),
                ("FREQ=WEEKLY", 60),
                (f"FREQ=WEEKLY;{named}", 5),
                (f"FREQ=WEEKLY;{named};WKST={draw(st.sampled_from(CODES))}", 5),
                ("FREQ=MONTHLY", 20),
                (f"FREQ=MONTHLY;BYMONTHDAY={day.day}", 20),
                *((f"FREQ=MONTHLY;{form}", 20) for form in nth(day)),
                ("FREQ=YEARLY", 4),
                (f"FREQ=YEARLY;BYMONTH={day.month};BYMONTHDAY={day.day}", 4),
            ]
        )
    )
    until = start.astimezone(dt.UTC) + dt.timedelta(hours=draw(st.integers(24, 30_000)))
    end = draw(st.sampled_from(["", f";COUNT={draw(st.integers(1, 99))}", f";UNTIL={until:%Y%m%dT%H%M%SZ}"]))
    return start, f"{text};INTERVAL={draw(st.integers(1, most))}{end}"


def by_library(start: dt.datetime, text: str, until: dt.datetime) -> list[dt.datetime]:
    """List the times that the library says a rule has."""
    found = rrulestr(text, dtstart=start).between(start, until, inc=True)
    return [moment.astimezone(dt.UTC) for moment in found]


def by_dingtalk(start: dt.datetime, recurrence: dict[str, Any], until: dt.datetime) -> list[dt.datetime]:
    """List the times that the emulator, which reads DingTalk's rules by itself, says one has."""
    moment = written(start)
    return [first for first, _ in occurrence_spans({"start": moment, "end": moment, "recurrence": recurrence}, until)]


def written(start: dt.datetime) -> dict[str, Any]:
    """Write a start as the API does."""
    return {"dateTime": start.isoformat(), "timeZone": str(start.tzinfo)}


@given(rules())
def test_both_rules_have_the_same_times(case: tuple[dt.datetime, str]) -> None:
    """DingTalk's rule has the times that the rule of RFC 5545 has; written as one again, it has them still."""
    start, text = case
    until = start + dt.timedelta(days=1500, hours=1)
    recurrence = from_rrule(text, written(start))
    expected = by_library(start, text, until)
    assert by_dingtalk(start, recurrence, until) == expected
    again = to_rrule(recurrence, written(start))
    assert by_library(start, again, until) == expected
    assert from_rrule(again, written(start)) == recurrence


@given(rules())
def test_a_day_ends_a_series_with_its_last_second(case: tuple[dt.datetime, str]) -> None:
    """UNTIL with a day alone includes all of that day where the event takes place."""
    start, _ = case
    last = start.date() + dt.timedelta(days=9)
    recurrence = from_rrule(f"FREQ=DAILY;UNTIL={last:%Y%m%d}", written(start))
    assert len(by_dingtalk(start, recurrence, start + dt.timedelta(days=99))) == 10


@given(
    st.text(alphabet="FREQ=DAILYWKMONTH;BDUSP,-+0123456789:RT \n", max_size=60).map(lambda tail: f"FREQ=DAILY;{tail}")
)
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    """Whatever text comes as a rule, a patch takes it whole or refuses it by its path."""
    patch = {"start": TUESDAY, "end": {**TUESDAY, "dateTime": "2027-03-09T11:00:00+08:00"}, "recurrence": text}
    try:
        assert complete_rule(EventPatch.parse(patch).to_body("E")["recurrence"])
    except InvalidPatchError as error:
        assert {problem.path for problem in error.problems} == {"patch.recurrence"}


def test_an_all_day_rule_ends_on_a_day() -> None:
    """The rule of an all-day series ends on a day, as RFC 5545 wants it, and is read back as it was."""
    start = {"date": "2027-03-09"}
    recurrence = from_rrule("FREQ=YEARLY;UNTIL=20300309", start, "Asia/Shanghai")
    assert to_rrule(recurrence, start) == "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=9;UNTIL=20300309"
    assert from_rrule(to_rrule(recurrence, start), start, "Asia/Shanghai") == recurrence


def test_a_rule_as_the_service_returned_it() -> None:
    """Members that the type does not use are left out, and DingTalk's default of a week's first day is said."""
    pattern = {"type": "weekly", "daysOfWeek": "tuesday", "interval": 2, "dayOfMonth": 0, "firstDayOfWeek": ""}
    span = {"type": "numbered", "numberOfOccurrences": 5, "endDate": "2027-12-31T10:00:00Z"}
    assert to_rrule({"pattern": pattern, "range": span}) == "FREQ=WEEKLY;BYDAY=TU;INTERVAL=2;COUNT=5;WKST=SU"
    yearly = {"type": "absoluteYearly", "interval": 1, "dayOfMonth": 0, "daysOfWeek": ""}
    assert to_rrule({"pattern": yearly, "range": FOREVER}, TUESDAY) == "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=9"


@pytest.mark.parametrize(
    ("recurrence", "problem"),
    [
        (None, "not a whole rule"),
        ({"pattern": {"type": "daily"}, "range": FOREVER}, "not a whole rule"),
        ({"pattern": {"type": "relativeYearly", "interval": 1}, "range": FOREVER}, "not a whole rule"),
        ({"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate"}}, "not a whole rule"),
        ({"pattern": monthly("monday,friday", "first"), "range": FOREVER}, "several weekdays"),
        ({"pattern": {"type": "absoluteYearly", "interval": 1}, "range": FOREVER}, "give start too"),
    ],
    ids=str,
)
def test_a_rule_that_cannot_be_written(recurrence: Any, problem: str) -> None:
    """A rule that is incomplete, or that no official source explains, is not written as an RRULE."""
    with pytest.raises(ValueError, match=problem):
        to_rrule(recurrence)
