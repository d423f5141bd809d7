"""Zones: in the tz database's own spelling, or refused with what is right."""

from __future__ import annotations

import datetime as dt
import json
import sys
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pendulum
import pytest
from dateutil import tz
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, InvalidPatchError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.zone_hints import _ZONES_BY_OFFSET
from airflow_dingtalk_calendar.models.zones import parse_zone
from airflow_dingtalk_calendar.watch.conditions import evaluate_condition, parse_day_zone
from tests.conftest import EVENT, ORGANIZER

NAMELESS = ZoneInfo.from_file((resources.files("tzdata.zoneinfo.Asia") / "Shanghai").open("rb"))
PLACES = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


@pytest.mark.parametrize(
    ("zone", "name"),
    [
        ("utc", "UTC"),
        ("Utc", "UTC"),
        ("etc/utc", "Etc/UTC"),
        (" asia/shanghai ", "Asia/Shanghai"),
        ("ASIA/HO_CHI_MINH", "Asia/Ho_Chi_Minh"),
        ("america/port-au-prince", "America/Port-au-Prince"),
        ("prc", "PRC"),
        ("est5edt", "EST5EDT"),
        ("Europe/Kiev", "Europe/Kiev"),
        (dt.UTC, "UTC"),
        (pendulum.UTC, "UTC"),
        (tz.UTC, "UTC"),
        (ZoneInfo("Europe/Berlin"), "Europe/Berlin"),
        (pendulum.timezone("Asia/Tokyo"), "Asia/Tokyo"),
    ],
    ids=str,
)
def test_a_zone_goes_out_as_the_database_spells_it(zone: Any, name: str) -> None:
    """A zone by any spelling of its name, or as an object, is named as the tz database names it."""
    body = EventPatch.parse({"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}, timezone=zone).to_body("E")
    assert body["start"]["timeZone"] == body["end"]["timeZone"] == name
    value = {"dateTime": "2027-03-02T10:00", "timeZone": zone}
    assert EventPatch.parse({"start": value, "end": "2027-03-02T11:00"}).to_body("E") == body


@given(st.sampled_from(PLACES), st.sampled_from([str.lower, str.upper, str.title, str]))
def test_every_place_in_any_case(name: str, spelt: Any) -> None:
    """Each place of the tz database is found in capitals or without."""
    assert parse_zone(spelt(name)) == name


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("localtime", "is a file of each machine's own"),
        ("Factory", "is a file of each machine's own"),
        ("POSIXRULES", "is a file of each machine's own"),
        ("right/Asia/Shanghai", "no place; name Asia/Shanghai"),
        ("posix/europe/berlin", "no place; name Europe/Berlin"),
        ("posix/nowhere", "no place; name a zone"),
        ("Etc/GMT+8", "is 8 hours behind UTC, because the signs"),
        ("etc/gmt-14", "is 14 hours ahead of UTC, because the signs"),
        ("EST", "no summer time in the tz database; name the place, like America/New_York"),
        ("hst", "like Pacific/Honolulu"),
        ("UTC-8", "an offset from UTC, not a place; names look like Region/City"),
        ("GMT+1", "an offset from UTC, not a place; names look like Region/City"),
        ("GMT+7", "an offset from UTC, not a place; did you mean Asia/Bangkok?"),
        ("utc +05:30", "did you mean Asia/Kolkata?"),
        ("+0900", "did you mean Asia/Tokyo?"),
        ("\N{MINUS SIGN}03:00", "did you mean America/Sao_Paulo?"),
        ("UTC+0", "did you mean UTC?"),
        ("CST-8", "whose sign is ambiguous"),
        ("Etc/GMT+15", "whose sign is ambiguous"),
        (dt.timezone(dt.timedelta(hours=8)), "an offset from UTC, not a place; did you mean Asia/Shanghai?"),
        (pendulum.FixedTimezone(7200), "an offset from UTC, not a place; names look like Region/City"),
        (NAMELESS, "is a zone object without a name"),
        ("US-Eastern", "did you mean US/Eastern?"),
        ("America/New York", "did you mean America/New_York?"),
        ("Asia\\Shanghai", "did you mean Asia/Shanghai?"),
        ("Asia/Delhi", "did you mean Asia/Kolkata?"),
        ("Europe/Munich", "did you mean Europe/Berlin?"),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("China Standard Time", "did you mean Asia/Shanghai?"),
        ("w. europe standard time", "did you mean Europe/Berlin?"),
        ("Eastern", "did you mean America/New_York?"),
        ("(GMT +01:00)", "an offset from UTC, not a place; names look like Region/City"),
        ("(UTC+08:00) Beijing, Chongqing", "an offset from UTC, not a place; did you mean Asia/Shanghai?"),
        ("Mars/Olympus", "tz database; names look like Asia/Shanghai"),
        ("JST", "tz database; names look like Asia/Shanghai"),
        ("Pacific/Shanghaj", "tz database; names look like Asia/Shanghai"),
    ],
    ids=str,
)
def test_what_is_no_place_is_explained(zone: Any, text: str) -> None:
    """A zone that is none, or that means something else than people think, is refused with what is right."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse({"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}, timezone=zone)
    (problem,) = caught.value.problems
    assert problem.path == "timezone"
    assert text in problem.text


@pytest.mark.parametrize(("offset", "zone"), _ZONES_BY_OFFSET.items())
def test_a_zone_suggested_for_an_offset_has_it_all_year(offset: str, zone: str) -> None:
    """What is suggested for an offset has it in each month."""
    hours, minutes = map(int, offset.split(":"))
    wanted = dt.timedelta(hours=hours, minutes=minutes)
    months = [dt.datetime(2027, month, 1, tzinfo=ZoneInfo(zone)) for month in range(1, 13)]
    assert {month.utcoffset() for month in months} == {wanted}


def test_without_the_table_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where tzlocal is missing, a name of Windows is refused without a suggestion."""
    monkeypatch.setitem(sys.modules, "tzlocal.windows_tz", None)
    with pytest.raises(ValueError, match="is not a zone of the tz database; names look like"):
        parse_zone("Tokyo Standard Time")


def test_the_connections_zone(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection's zone may be spelt in any way; an object given to a task is named."""
    connection = dingtalk.connection()
    connection["extra"]["timezone"] = "europe/berlin"
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(connection))
    with DingTalkCalendarHook() as hook:
        settings = hook.get_conn()
        assert settings.timezone == "Europe/Berlin"
        assert settings.zone_for(ZoneInfo("Asia/Tokyo")) == "Asia/Tokyo"
        hook.patch_event(ORGANIZER, EVENT, {"start": "2027-03-09T10:00", "end": "2027-03-09T11:00"}, timezone="utc")
        assert hook.get_event(ORGANIZER, EVENT)["start"]["timeZone"] == "UTC"


@pytest.mark.parametrize("zone", ["utc", "asia/shanghai", dt.UTC])
def test_days_begin_in_any_spelling(zone: Any) -> None:
    """A condition on an all-day event takes a zone in any spelling."""
    event = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
    now = dt.datetime(2027, 3, 4, tzinfo=dt.UTC)
    assert evaluate_condition({"ended": True}, event, now, parse_day_zone(zone)).state == "met"
    if isinstance(zone, str):
        assert evaluate_condition({"ended": True}, event, now, zone).state == "met"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "localtime", "UTC+8", "", 8])
def test_a_wrong_zone_of_a_sensor_is_one_clear_error(zone: Any) -> None:
    """A sensor with a wrong zone says so before it waits, and a trigger that has one ends with the reason."""
    with pytest.raises(InvalidInputError, match=r"^timezone: "):
        parse_day_zone(zone)
    event = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}}
    verdict = evaluate_condition({"ended": True}, event, dt.datetime(2027, 3, 4, tzinfo=dt.UTC), zone)
    assert verdict.state == "impossible"
