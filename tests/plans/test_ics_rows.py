"""Rows from a calendar file: what becomes of each event, why one is left out, and that no run makes one twice."""

from __future__ import annotations

import builtins
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.plans import ics_rows, rows_from_ics, update_known
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.conftest import ORGANIZER
from tests.operators.test_all_operators import Batch, Ti, execute

ZONE = "Asia/Shanghai"
DAY = "DTSTART;VALUE=DATE:20270312"
TIMED = "DTSTART;TZID=Asia/Shanghai:20270312T100000\nDTEND;TZID=Asia/Shanghai:20270312T113000"


def event(lines: str = DAY, uid: str = "a", summary: str = "Closed") -> str:
    """Write an event; a blank uid or summary is left out."""
    head = [f"UID:{uid}" if uid else "", f"SUMMARY:{summary}" if summary else ""]
    return "\n".join(["BEGIN:VEVENT", *filter(None, head), *lines.split("\n"), "END:VEVENT"])


def file(*events: str, head: str = "") -> str:
    """Write a calendar file."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//made up//EN", *filter(None, [head]), *events, "END:VCALENDAR"]
    return "\n".join(lines).replace("\n", "\r\n") + "\r\n"


def one(lines: str = DAY, **options: Any) -> dict[str, Any]:
    """Return what one event of a file becomes."""
    found = rows_from_ics(file(event(lines)), **options)
    assert found.left_out == []
    (row,) = found.rows
    made: dict[str, Any] = row["event"]
    return made


def reason(*events: str, **options: Any) -> str:
    """Return why the first event of a file is left out."""
    found = rows_from_ics(file(*events), **options)
    assert [left["number"] for left in found.left_out]
    return str(found.left_out[0]["reason"])


# -- what an event becomes --------------------------------------------------------------------------------------


def test_an_event_of_a_day() -> None:
    """An all-day event without an end takes its day; its rows are ones that the operator takes."""
    found = rows_from_ics(file(event()))
    day = {"summary": "Closed", "start": {"date": "2027-03-12"}, "end": {"date": "2027-03-13"}, "isAllDay": True}
    assert found.rows == [{"action": "create", "event": day}]
    assert [entry["uid"] for entry in found.entries] == ["a"]
    assert len(parse_plan(found.rows, union_id=ORGANIZER).rows) == 1
    assert json.loads(json.dumps(found)) == [*map(list, found)]


@pytest.mark.parametrize(
    ("end", "day"),
    [
        ("DTEND;VALUE=DATE:20270315", "2027-03-15"),
        ("DTEND;VALUE=DATE:20270312", "2027-03-13"),
        ("DURATION:P2D", "2027-03-14"),
        ("DURATION:P1W", "2027-03-19"),
    ],
)
def test_ends_of_days(end: str, day: str) -> None:
    """The end is the day after the last; an end on the day of the start, as some programs write it, is one day."""
    assert one(f"{DAY}\n{end}")["end"] == {"date": day}


def test_texts() -> None:
    """Title, description and place are taken as they are meant; a blank one is none."""
    made = one(f"{DAY}\nDESCRIPTION:Two\\nlines\\, and \\; more\nLOCATION:Room\\, 2nd floor")
    assert (made["description"], made["location"]) == ("Two\nlines, and ; more", {"displayName": "Room, 2nd floor"})
    assert one(f"{DAY}\nDESCRIPTION: \nLOCATION:").keys() == {"summary", "start", "end", "isAllDay"}


def test_what_is_not_taken() -> None:
    """People, alarms, categories and what a program adds of its own are not in the event."""
    extra = "ORGANIZER:mailto:x@example.com\nATTENDEE:mailto:y@example.com\nCATEGORIES:A\nX-OWN:1\nCLASS:PRIVATE"
    alarm = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT15M\nEND:VALARM"
    assert one(f"{DAY}\n{extra}\n{alarm}") == one()


@pytest.mark.parametrize(
    ("lines", "start", "end", "options"),
    [
        (TIMED, ("2027-03-12T10:00:00+08:00", ZONE), ("2027-03-12T11:30:00+08:00", ZONE), {}),
        (
            "DTSTART;TZID=Asia/Shanghai:20270312T100000\nDTEND;TZID=Europe/Berlin:20270312T040000",
            ("2027-03-12T10:00:00+08:00", ZONE),
            ("2027-03-12T11:00:00+08:00", ZONE),
            {},
        ),
        (
            "DTSTART:20270312T020000Z\nDURATION:PT45M",
            ("2027-03-12T02:00:00+00:00", "UTC"),
            ("2027-03-12T02:45:00+00:00", "UTC"),
            {},
        ),
        (
            "DTSTART:20270312T020000Z\nDURATION:PT45M",
            ("2027-03-12T10:00:00+08:00", ZONE),
            ("2027-03-12T10:45:00+08:00", ZONE),
            {"timezone": ZONE},
        ),
        (
            "DTSTART:20270312T100000\nDTEND:20270312T113000",
            ("2027-03-12T10:00:00+08:00", ZONE),
            ("2027-03-12T11:30:00+08:00", ZONE),
            {"timezone": ZONE},
        ),
        (
            "DTSTART;TZID=Our Time:20270312T100000\nDTEND;TZID=Our Time:20270312T113000",
            ("2027-03-12T10:00:00+08:00", ZONE),
            ("2027-03-12T11:30:00+08:00", ZONE),
            {"zones": {"Our Time": ZONE}},
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20270327T120000\nDURATION:P1D",
            ("2027-03-27T12:00:00+01:00", "Europe/Berlin"),
            ("2027-03-28T12:00:00+02:00", "Europe/Berlin"),
            {},
        ),
        (
            "DTSTART;TZID=Europe/Berlin:20270327T120000\nDURATION:PT24H30M",
            ("2027-03-27T12:00:00+01:00", "Europe/Berlin"),
            ("2027-03-28T13:30:00+02:00", "Europe/Berlin"),
            {},
        ),
    ],
    ids=["zone", "two zones", "UTC", "UTC at home", "floating", "own zone", "a day over a change", "hours over it"],
)
def test_times(lines: str, start: tuple[str, str], end: tuple[str, str], options: dict[str, Any]) -> None:
    """A time is at its zone's clock; both ends are in one zone; a day is a day also when the clocks change."""
    made = one(lines, **options)
    times = [(made[name]["dateTime"], made[name]["timeZone"]) for name in ("start", "end")]
    assert (times, made["isAllDay"]) == ([start, end], False)


def test_a_series() -> None:
    """A rule becomes DingTalk's; one that the file gives in UTC stays in UTC, whose weekdays it names."""
    made = one(f"{TIMED}\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=5")
    assert made["recurrence"]["pattern"]["daysOfWeek"] == "friday"
    assert made["recurrence"]["range"] == {"type": "numbered", "numberOfOccurrences": 5}
    in_utc = one("DTSTART:20270311T220000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=TH", timezone=ZONE)
    assert in_utc["start"]["timeZone"] == "UTC"


# -- what is left out -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (f"{DAY}\nSTATUS:CANCELLED", "STATUS: is CANCELLED"),
        (f"{DAY}\nRRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20270313", "EXDATE: leaves out occurrences"),
        (f"{DAY}\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY", "EXRULE: leaves out occurrences"),
        (f"{DAY}\nRDATE;VALUE=DATE:20270320", "RDATE: adds occurrences"),
        (f"{DAY}\nRRULE:FREQ=HOURLY", "RRULE: "),
        (f"{DAY}\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY", "RRULE: is given twice"),
        ("DTSTART:20270312T100000\nDTEND:20270312T110000", "DTSTART: has no zone (a floating time): give timezone"),
        (
            "DTSTART;TZID=China Standard Time:20270312T100000\nDURATION:PT1H",
            "DTSTART: its TZID is not a zone of the tz database; did you mean Asia/Shanghai?; name it in zones",
        ),
        ("DTSTART;TZID=Europe/Berlin:20270328T023000\nDURATION:PT1H", "DTSTART: "),
        ("DTSTART:tomorrow", "DTSTART: cannot be read"),
        ("DTEND;VALUE=DATE:20270313", "DTSTART: is missing"),
        (f"{DAY}\n{DAY}", "DTSTART: is given twice"),
        (f"{DAY}\nDTEND:20270313T100000Z", "DTEND: has a time of day"),
        (f"{DAY}\nDTEND;VALUE=DATE:20270301", "event.end: is before the start"),
        (f"{DAY}\nDTEND;VALUE=DATE:20270313\nDURATION:P1D", "DTEND: excludes DURATION"),
        (f"{DAY}\nDURATION:PT1H", "DURATION: of an all-day event has to be days"),
        (f"{TIMED.splitlines()[0]}\nDTEND;VALUE=DATE:20270313", "DTEND: has no time of day"),
        (f"{DAY}\nDESCRIPTION:{'x' * 5001}", "event.description: "),
    ],
)
def test_why_an_event_is_left_out(lines: str, says: str) -> None:
    """What DingTalk cannot have as it is makes no row and is listed with its reason; the others are taken."""
    found = rows_from_ics(file(event(lines), event(uid="b")))
    (left,) = found.left_out
    assert left["reason"].startswith(says)
    assert (left["uid"], left["number"]) == ("a", 1)
    assert [entry["uid"] for entry in found.entries] == ["b"]


def test_titles_and_names_are_needed() -> None:
    """An event without a title, or without a UID, is left out."""
    assert reason(event(summary="")).startswith("SUMMARY: is blank or missing")
    assert reason(event(summary=" ")).startswith("SUMMARY: is blank")
    assert reason(event(uid="")).startswith("UID: is missing, so that the next run would create the event again")


def test_events_that_share_a_uid() -> None:
    """Of two events with one UID nobody knows which is meant, so neither is taken."""
    found = rows_from_ics(file(event(), event(TIMED), event(uid="b")))
    assert {left["reason"] for left in found.left_out} == {"UID: is that of 2 events in the file"}
    assert (len(found.left_out), len(found.rows)) == (2, 1)


def test_a_series_with_changed_occurrences() -> None:
    """Neither the changed occurrence nor its series is taken: without the change, the series would be wrong."""
    changed = f"{TIMED}\nRECURRENCE-ID;TZID=Asia/Shanghai:20270319T100000"
    found = rows_from_ics(file(event(f"{TIMED}\nRRULE:FREQ=WEEKLY"), event(changed)))
    assert [left["reason"].partition(":")[0] for left in found.left_out] == ["RECURRENCE-ID"] * 2
    assert found.rows == []


@pytest.mark.parametrize(("method", "taken"), [("PUBLISH", 1), ("request", 1), ("CANCEL", 0), ("REPLY", 0)])
def test_methods(method: str, taken: int) -> None:
    """A file that cancels or answers is no list of events that take place."""
    found = rows_from_ics(file(event(), head=f"METHOD:{method}"))
    assert len(found.rows) == taken
    assert [left["reason"].partition(":")[0] for left in found.left_out] == ["METHOD"] * (1 - taken)


def test_reasons_have_no_content() -> None:
    """A reason names a property and a remedy, and nothing of what the event says."""
    secret = "Made-up takeover"
    lines = [f"{DAY}\nDESCRIPTION:{secret}{'x' * 5001}", f"DTSTART:{secret}", f"DTSTART;TZID={secret}:20270312T100000"]
    found = rows_from_ics(file(*(event(one, uid=str(n), summary=secret) for n, one in enumerate(lines))))
    assert len(found.left_out) == 3
    assert secret not in json.dumps(found.left_out)


# -- files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "text: is no calendar file"),
        ("UID,SUMMARY\r\n1,x\r\n", "text: is no calendar file that can be read"),
        (event(), "text: is no calendar file: it has no BEGIN:VCALENDAR"),
        (file(event(summary="Büro")).encode("latin-1"), "text: is not UTF-8: save it as UTF-8"),
        (file(event(summary="Half a pair \ud83d")), "text: is not UTF-8"),
        (None, "text: must be the text of a calendar file, or its bytes"),
    ],
    ids=["empty", "csv", "no calendar", "latin", "half", "none"],
)
def test_what_is_no_calendar_file(text: Any, says: str) -> None:
    """What cannot be read as a calendar file is refused whole, with the remedy."""
    with pytest.raises(InvalidInputError) as caught:
        rows_from_ics(text)
    assert str(caught.value).startswith(says)


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than 16 MB are refused before they are read."""
    assert ics_rows.MAX_ICS_BYTES == 16 * 2**20
    text = file(event(summary="会" * 100))
    monkeypatch.setattr(ics_rows, "MAX_ICS_BYTES", len(text.encode()))
    assert rows_from_ics(text).rows
    for larger in (f"{text} ", f"{text} ".encode()):
        with pytest.raises(InvalidInputError, match="text: has more than 16 MB: split the file"):
            rows_from_ics(larger)


def test_several_calendars_and_a_mark() -> None:
    """A file may begin with a byte order mark and hold several calendars, each with a method of its own."""
    text = "\ufeff" + file(event()) + file(event(uid="b"), head="METHOD:CANCEL") + file(event(uid="c"))
    for given_text in (text, text.encode()):
        found = rows_from_ics(given_text)
        assert [entry["uid"] for entry in found.entries] == ["a", "c"]
        assert [left["number"] for left in found.left_out] == [2]


@pytest.mark.parametrize("option", [{"timezone": "Nowhere"}, {"timezone": "Etc/GMT+8"}])
def test_a_wrong_zone(option: dict[str, str]) -> None:
    """A zone that is none is an error of the call, and not of each event."""
    with pytest.raises(InvalidInputError, match="timezone"):
        rows_from_ics(file(event()), **option)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where icalendar is not installed, the error says how to install it."""
    found = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "icalendar":
            raise ImportError(name)
        return found(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    monkeypatch.delitem(sys.modules, "icalendar", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'airflow-dingtalk-calendar\[ics\]'"):
        rows_from_ics(file(event()))


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), max_size=12))
def test_any_lines_make_rows_or_reasons(lines: list[str]) -> None:
    """Whatever stands in an event, it makes a row, a reason, or an error that says what is wrong."""
    try:
        found = rows_from_ics(file(event("\n".join([DAY, *lines]))))
    except InvalidInputError as error:
        assert str(error).startswith("text: ")
    else:
        assert len(found.rows) == len(found.entries)
        if found.rows:
            parse_plan(found.rows, union_id=ORGANIZER)


# -- again and again --------------------------------------------------------------------------------------------


@pytest.fixture
def run(dingtalk: Emulator) -> Callable[[str, dict[str, Any]], tuple[list[Any], dict[str, Any]]]:
    """Import a file: return the rows, and what is known afterwards."""

    def import_file(text: str, known: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        found = rows_from_ics(text, known=known)
        ti = Ti()
        if found.rows:
            execute(Batch, ti, plan=found.rows)
        results = ti.pushed.get("results", [])
        return found.rows, json.loads(json.dumps(update_known(known, found.entries, results)))

    return import_file


def test_a_second_run_does_nothing(dingtalk: Emulator, run: Any) -> None:
    """What was created is known the next time: no row, no call, no second event."""
    text = file(event(), event(TIMED, uid="b"))
    rows, known = run(text, {})
    assert [row["action"] for row in rows] == ["create", "create"]
    assert known.keys() == {"a", "b"}
    assert {dingtalk.event(one["event_id"])["summary"] for one in known.values()} == {"Closed"}
    assert run(text, known) == ([], known)
    assert dingtalk.effects["calls"] == {"CreateEvent": 2}


def test_a_changed_event_is_patched_in_what_changed(dingtalk: Emulator, run: Any) -> None:
    """A new title is a patch of the title; a new time brings both ends and the rule; a text that is gone is cleared."""
    _, known = run(file(event(f"{TIMED}\nRRULE:FREQ=WEEKLY\nLOCATION:Hall")), {})
    event_id = known["a"]["event_id"]
    rows, known = run(file(event(f"{TIMED}\nRRULE:FREQ=WEEKLY\nLOCATION:Hall", summary="Open")), known)
    assert rows == [{"event_id": event_id, "patch": {"summary": "Open"}}]
    later = TIMED.replace("T1", "T2")
    ((row,), known) = run(file(event(f"{later}\nRRULE:FREQ=WEEKLY", summary="Open")), known)
    assert row["patch"].keys() == {"start", "end", "isAllDay", "recurrence"}
    assert row["clear"] == ["location"]
    assert dingtalk.event(event_id)["start"]["dateTime"] == "2027-03-12T20:00:00+08:00"
    assert dingtalk.event(event_id)["summary"] == "Open"
    assert known["a"]["event_id"] == event_id


def test_a_series_that_is_none_any_more_is_left_out(run: Any) -> None:
    """DingTalk documents no way to make a series one event, so a person has to."""
    _, known = run(file(event(f"{DAY}\nRRULE:FREQ=WEEKLY")), {})
    found = rows_from_ics(file(event()), known=known)
    assert found.rows == []
    assert found.left_out[0]["reason"].startswith("RRULE: was there before")


def test_a_failed_row_stays_unknown(dingtalk: Emulator, run: Any) -> None:
    """What was created is kept although another row failed, and the next run goes on with that one."""
    text = file(*(event(uid=uid, summary=f"Day {uid}") for uid in "abc"))
    dingtalk.fault(kind="error", status=400, code="paramIllegal", action="CreateEvent", times=1)
    found = rows_from_ics(text)
    ti = Ti()
    execute(Batch, ti, plan=found.rows, on_error="continue")
    known = update_known({}, found.entries, ti.pushed["results"])
    assert len(known) == 2
    rows, after = run(text, known)
    assert [row["action"] for row in rows] == ["create"]
    assert after.keys() == {"a", "b", "c"}
    assert len({one["event_id"] for one in after.values()}) == 3


def test_what_has_left_the_file_stays_known(run: Any) -> None:
    """An event that is not in the file any more is not forgotten, so that it is not made twice when it comes back."""
    _, known = run(file(event(), event(uid="b")), {})
    assert run(file(event(uid="b")), known) == ([], known)


def test_what_is_kept_has_no_content(run: Any) -> None:
    """Of an event, its id and short hashes are kept."""
    _, known = run(file(event(f"{DAY}\nDESCRIPTION:Made up", summary="Made-up title")), {})
    assert "Made" not in json.dumps(known)
    assert {len(text) for text in known["a"]["fields"].values()} == {6}
