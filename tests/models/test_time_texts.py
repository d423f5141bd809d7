"""Times as text: one rule, alone and in the API's object."""

from __future__ import annotations

from typing import Any

import pytest

from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent

ZONE = "Asia/Shanghai"


def start_of(value: Any) -> Any:
    """Return the start that a patch sends."""
    return EventPatch.parse({"start": value}, timezone=ZONE).to_body("E")["start"]


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("2027-03-02T02:00:00Z", "2027-03-02T02:00:00Z"),
        ("2027-03-02T02:00:00.000Z", "2027-03-02T02:00:00.000Z"),
        ("2027-03-02T10:00:00+08:00", "2027-03-02T10:00:00+08:00"),
        (" 2027-03-02T10:00:00.250+08:00 ", "2027-03-02T10:00:00.250+08:00"),
        ("2027-03-02T10:00:00.000", "2027-03-02T10:00:00.000+08:00"),
        ("2027-03-02T10:00:00,5+08:00", "2027-03-02T10:00:00.500+08:00"),
        ("2027-03-02T10:00:00+08", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02T10:00:00+0800", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02T10:00+08:00", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02 10:00", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02T02:00Z", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02t02:00:00z", "2027-03-02T10:00:00+08:00"),
        ("20270302T020000Z", "2027-03-02T10:00:00+08:00"),
        ("20270302T100000", "2027-03-02T10:00:00+08:00"),
        ("20270302T1000", "2027-03-02T10:00:00+08:00"),
        ("20270302T100000+0800", "2027-03-02T10:00:00+08:00"),
        ("2027-03-02T10:00:00.123456", "2027-03-02T10:00:00.123+08:00"),
    ],
)
def test_one_rule_for_text(text: str, sent: str) -> None:
    """Complete text goes out as it is, any other in the notation of DingTalk's samples, wherever it stands."""
    expected = {"dateTime": sent, "timeZone": ZONE}
    assert start_of(text) == expected
    assert start_of({"dateTime": text}) == expected
    assert start_of({"dateTime": text, "timeZone": ZONE}) == expected


@pytest.mark.parametrize(
    "text", ["2027-W10-2T10:00", "2027-061T10:00", "10:00", "20270302T10", "2027-03-02T25:00", "tomorrow"]
)
def test_what_is_no_time(text: str) -> None:
    """Other notations are refused in the same words alone as in the object."""
    for value in (text, {"dateTime": text}):
        with pytest.raises(InvalidPatchError, match=r"^patch\.start\.dateTime: must be an ISO 8601"):
            start_of(value)


def test_a_day_in_the_basic_form() -> None:
    """A date may be written without its dashes."""
    assert start_of("20270302") == start_of({"date": "20270302"}) == {"date": "2027-03-02"}


def test_a_date_makes_a_new_event_all_day() -> None:
    """A new event that starts on a date says isAllDay, which creating one needs; of a patch it is a caution."""
    days = {"start": "2027-03-02", "end": "2027-03-03"}
    assert NewEvent.parse({"summary": "x", **days}).to_body()["isAllDay"] is True
    assert "isAllDay" not in NewEvent.parse({"summary": "x", "start": "2027-03-02T10:00"}, timezone=ZONE).to_body()
    patch = EventPatch.parse(days)
    assert "isAllDay" not in patch.to_body("E")
    assert any("may need isAllDay" in caution for caution in patch.cautions)
    assert EventPatch.parse({**days, "isAllDay": True}).cautions == ()
    with pytest.raises(InvalidPatchError, match="isAllDay is false"):
        NewEvent.parse({"summary": "x", **days, "isAllDay": False})
