"""Rules of real public calendars: the same occurrences as python-dateutil finds, or refused for the true reason."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from tests.models.test_rrule_notations import REASONS, by_dingtalk, by_library, patch_of

MORE_REASONS = {
    "other calendar": "which RFC 7529 adds: create its events one by one",
    "clock": "cannot express BYHOUR with FREQ=",
    "no month": "BYMONTH must be numbers from 1 to 12",
    "zone": "is not a zone of the tz database",
}
COMPARED = 60
FLOATING = "Asia/Shanghai"  # a time without a zone is one of the connection's


def read_rules() -> Iterator[tuple[str, str, str, Any]]:
    """Read the data file."""
    for line in (Path(__file__).parent.parent / "data" / "real_rrules.tsv").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            outcome, start, kind, zone, written = line.split("\t")
            place = {"date": "", "floating": FLOATING, "utc": "UTC", "zone": zone}[kind]
            yield outcome, start, place, json.loads(written) if written[0] == "[" else written


RULES = list(read_rules())


def test_there_are_many() -> None:
    """The file has hundreds of rules, most of which DingTalk can express."""
    assert len(RULES) >= 300
    assert sum(outcome == "converted" for outcome, *_ in RULES) > len(RULES) / 2


@pytest.mark.parametrize(("outcome", "start", "zone", "rule"), RULES)
def test_a_real_rule(outcome: str, start: str, zone: str, rule: Any) -> None:
    """A rule has the same occurrences in the first ten years, up to the sixtieth, or is refused by reason."""
    if outcome != "converted":
        with pytest.raises(InvalidPatchError) as caught:
            EventPatch.parse(patch_of(start, zone, rule), timezone=zone or None)
        assert any({**REASONS, **MORE_REASONS}[outcome] in problem.text for problem in caught.value.problems)
        return
    patch = EventPatch.parse(patch_of(start, zone, rule), timezone=zone or None)
    body = patch.to_body("E")
    place = body["start"].get("timeZone", "")  # as the tz database spells it
    first = dt.datetime.fromisoformat(start)
    latest = first.replace(tzinfo=dt.UTC) + dt.timedelta(days=3653)
    expected = by_library(start, place, rule, latest)
    if first not in expected:  # RFC 5545, 3.8.5.3: the start is the first of the occurrences that COUNT counts
        count = re.search(r"COUNT=(\d+)", rule)
        expected = [first, *expected][: int(count[1]) if count else None]
        assert any("the start is not on a day of the rule" in caution for caution in patch.cautions)
    assert by_dingtalk(body, place, latest)[:COMPARED] == expected[:COMPARED]
