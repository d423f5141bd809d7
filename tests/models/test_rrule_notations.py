"""Rules as public calendars write them: the same occurrences, or refused for the true reason."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr

from airflow_dingtalk_calendar.emulator.state.recurrence import occurrence_spans
from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.rrule import to_rrule

REASONS = {
    "workday": "one of several weekdays, as BYSETPOS does: name one weekday",
    "exdate": "no exceptions: leave EXDATE out",
    "rdate": "no extra dates: leave RDATE out",
    "dtstart": "leave DTSTART out, and give start",
    "rules": "has several rules, and a series has one",
    "count": "COUNT must be one number, from 1 to 99, in DingTalk; UNTIL=",
    "month days": "one series for each day of BYMONTHDAY",
    "last day": "counts the days of a month from 1 to 31, not from its end",
    "fifth": "the first to fourth weekday of a month (1 to 4) and the last (-1) only",
    "weekdays": "several weekdays mean within a month: give one series each",
    "friday 13": "cannot express BYDAY and BYMONTHDAY together",
    "distances": "BYMONTH names months at different distances",
    "start's month": "BYMONTH must include the start's month",
    "some months": "cannot express BYMONTH with FREQ=",
    "each of some months": "cannot express each such weekday of some months",
    "week": "cannot express BYWEEKNO",
    "year day": "cannot express BYYEARDAY",
    "frequency": "FREQ must be one of",
    "not a rule": "must be one rule of RFC 5545",
    "interval": "INTERVAL must be one number, from 1 to 365",
    "month day": "BYMONTHDAY must be numbers from -31 to 31, without 0",
    "both ends": "COUNT and UNTIL exclude each other",
    "until": "UNTIL must be a day or a time in UTC",
    "time of an all-day end": "write the last day alone",
    "clock": "cannot express BYHOUR with FREQ=DAILY",
    "ends first": "range.endDate is before the start",
}
LATEST = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)


def read_rules() -> Iterator[tuple[str, str, str, Any]]:
    """Read the data file."""
    for line in (Path(__file__).parent.parent / "data" / "rrules.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            outcome, start, zone, written = line.split("\t")
            yield outcome, start, zone, json.loads(written) if written[0] == "[" else written.replace("\\n", "\n")


RULES = list(read_rules())


def patch_of(start: str, zone: str, rule: Any) -> dict[str, Any]:
    """Describe a series by its rule."""
    if not zone:
        return {"start": start, "end": f"{dt.date.fromisoformat(start) + dt.timedelta(days=1)}", "recurrence": rule}
    end = dt.datetime.fromisoformat(start) + dt.timedelta(minutes=30)
    return {"start": start, "end": end.isoformat(), "recurrence": rule}


def by_library(start: str, zone: str, rule: Any, latest: dt.datetime = LATEST) -> list[dt.datetime]:
    """List what the clocks show at each occurrence, by the library; which of them count, by RFC 5545's words."""
    text = re.sub(r"\s", "", rule[0] if isinstance(rule, list) else re.sub(r"\n ", "", rule)).upper()
    parts = dict(part.split("=") for part in text.rpartition(":")[2].split(";") if part)
    count, until = int(parts.pop("COUNT", 9999)), parts.pop("UNTIL", None)
    bare = ";".join(f"{name}={value}" for name, value in parts.items() if name not in ("RSCALE", "SKIP"))
    first = dt.datetime.fromisoformat(start)
    last = latest.replace(tzinfo=None)
    found = list(takewhile(lambda moment: moment < last, rrulestr(bare, dtstart=first)))[:count]
    if until is None:
        return found
    if "T" not in until:
        return [moment for moment in found if f"{moment:%Y%m%d}" <= until]
    place = ZoneInfo(zone)
    end = dt.datetime.fromisoformat(until)
    end = end if end.tzinfo else end.replace(tzinfo=place)
    return [moment for moment in found if moment.replace(tzinfo=place) <= end]


def by_dingtalk(body: dict[str, Any], zone: str, latest: dt.datetime = LATEST) -> list[dt.datetime]:
    """List what the clocks show at each occurrence, by the emulator's reading of DingTalk's rule."""
    place = ZoneInfo(zone or "Asia/Shanghai")
    found = [start.astimezone(place).replace(tzinfo=None) for start, _ in occurrence_spans(body, latest)]
    return [moment for moment in found if moment < latest.replace(tzinfo=None)]


def test_there_are_many() -> None:
    """The file has hundreds of rules, and some for each reason to refuse one."""
    assert len(RULES) >= 300
    assert {outcome for outcome, *_ in RULES} == {"converted", *REASONS}


@pytest.mark.parametrize(("outcome", "start", "zone", "rule"), RULES)
def test_a_rule_of_a_public_calendar(outcome: str, start: str, zone: str, rule: Any) -> None:
    """A rule has the occurrences that RFC 5545 gives it, also written as an RRULE again, or is refused by reason."""
    if outcome != "converted":
        with pytest.raises(InvalidPatchError) as caught:
            EventPatch.parse(patch_of(start, zone, rule), timezone=zone or None)
        (problem,) = caught.value.problems
        assert problem.path == "patch.recurrence"
        assert REASONS[outcome] in problem.text
        return
    body = EventPatch.parse(patch_of(start, zone, rule), timezone=zone or None).to_body("E")
    expected = by_library(start, zone, rule)
    # The zone of a connection changes nothing for an all-day series.
    places = [zone] if zone else ["", "America/New_York", "Pacific/Auckland"]
    for place in places:
        body = EventPatch.parse(patch_of(start, zone, rule), timezone=place or None).to_body("E")
        assert by_dingtalk(body, zone) == expected
    again = to_rrule(body["recurrence"], body["start"])
    assert by_library(start, zone, again) == expected
    again_body = EventPatch.parse(patch_of(start, zone, again), timezone=zone or None).to_body("E")
    assert again_body["recurrence"] == body["recurrence"]


COUNTED = [row[1:] for row in RULES if row[0] == "count"]


@pytest.mark.parametrize(("start", "zone", "rule"), COUNTED)
def test_the_end_that_says_the_same(start: str, zone: str, rule: str) -> None:
    """For a COUNT that DingTalk does not have, the UNTIL in the message has the same occurrences."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse(patch_of(start, zone, rule), timezone=zone or None)
    said = re.search(r"UNTIL=\d{8}", str(caught.value))
    assert said
    follow = re.sub(r"COUNT=\d+", said[0], rule)
    body = EventPatch.parse(patch_of(start, zone, follow), timezone=zone or None).to_body("E")
    assert by_dingtalk(body, zone) == by_library(start, zone, rule)
