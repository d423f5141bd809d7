"""The patch: what goes in, what goes out, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import nullcontext
from typing import Any

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_snake

from airflow_dingtalk_calendar.exceptions import InvalidPatchError
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent

# Every request field of the official page, and the SDK's three, with each nested member.
WHOLE: dict[str, Any] = {
    "summary": "Planning",
    "description": "What comes next",
    "start": {"dateTime": "2027-03-02T10:15:30+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-02T11:15:30+08:00", "timeZone": "Asia/Shanghai"},
    "isAllDay": False,
    "recurrence": {
        "pattern": {
            "type": "relativeMonthly",
            "daysOfWeek": "monday,friday",
            "index": "last",
            "interval": 1,
            "firstDayOfWeek": "monday",
        },
        "range": {"type": "endDate", "endDate": "2027-12-31T10:15:30+08:00"},
    },
    "attendees": [{"id": "iiP1", "isOptional": True}, {"email": "chen@example.com"}],
    "location": {"displayName": "room 1-2-3"},
    "extra": {"noPushNotification": "true", "noChatNotification": "false"},
    "reminders": [{"method": "dingtalk", "minutes": 15}, {"minutes": 0}],
    "onlineMeetingInfo": {"type": "dingtalk"},
    "richTextDescription": {"text": "<p>What comes next</p>"},
    "uiConfigs": [{"uiName": "comment", "uiStatus": "disable"}],
    "cardInstances": [{"outTrackId": "card-1", "scenario": "agenda"}],
    "categories": [{"categoryId": "c1", "displayName": "Team"}],
    "freeBusyStatus": "busy",
}
ALL_DAY = {"start": {"date": "2027-03-02"}, "end": {"date": "2027-03-03"}, "isAllDay": True}
SHANGHAI = {"timezone": "Asia/Shanghai"}


def snaked(value: Any) -> Any:
    """Spell all keys in snake_case."""
    if isinstance(value, dict):
        return {to_snake(key): snaked(member) for key, member in value.items()}
    return [snaked(member) for member in value] if isinstance(value, list) else value


def body(patch: Any, **options: Any) -> dict[str, Any]:
    """Parse a patch and write its body, without the id."""
    written = EventPatch.parse(patch, **options).to_body("E")
    assert written.pop("id") == "E"
    return written


def problems(patch: Any, **options: Any) -> dict[str, str]:
    """Return what is wrong with a patch, by path."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse(patch, **options)
    return dict(caught.value.problems)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("spelt", [dict, snaked], ids=["camelCase", "snake_case"])
def test_each_field_round_trips_alone(name: str, spelt: Any) -> None:
    """Each documented field goes out in camelCase exactly as it came in, and nothing beside it."""
    assert body(spelt({name: WHOLE[name]})) == {name: WHOLE[name]}


@pytest.mark.parametrize("spelt", [dict, snaked, json.dumps], ids=["camelCase", "snake_case", "JSON text"])
def test_the_whole_patch_round_trips(spelt: Any) -> None:
    """All fields together go out as they came in, also from JSON text."""
    assert body(spelt(WHOLE)) == WHOLE


def test_an_all_day_event_round_trips() -> None:
    """An all-day event has date only."""
    assert body(ALL_DAY) == ALL_DAY


def test_absent_value_and_empty_are_three_things() -> None:
    """None and missing are absent, and an explicit empty value is sent."""
    assert body({"summary": None, "description": "", "reminders": []}) == {"description": "", "reminders": []}


def test_none_members_are_absent_at_any_depth() -> None:
    """A nested None is left out like a top-level one."""
    assert body({"attendees": [{"id": "a", "email": None}]}) == {"attendees": [{"id": "a"}]}


def test_keyword_arguments_build_the_same_patch() -> None:
    """A patch built in Python is the one that parse reads."""
    built = EventPatch(summary="Planning", is_all_day=False, notify_push=False)
    parsed = EventPatch.parse({"summary": "Planning", "isAllDay": False, "notifyPush": False})
    assert built.to_body("E") == parsed.to_body("E")


MOMENTS = [
    "2027-03-02T10:00:00+08:00",
    "2027-03-02 10:00:00+08:00",
    "2027-03-02T10:00",
    "2027-03-02T02:00Z",
    dt.datetime(2027, 3, 2, 10, 0),  # noqa: DTZ001
    dt.datetime(2027, 3, 2, 2, 0, tzinfo=dt.UTC),
    pendulum.datetime(2027, 3, 2, 10, 0, tz="Asia/Shanghai"),
    pendulum.datetime(2027, 3, 2, 2, 0, tz="UTC"),
    {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
    {"dateTime": "2027-03-02T10:00"},
    {"dateTime": dt.datetime(2027, 3, 2, 2, 0, tzinfo=dt.UTC)},
]


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_a_time_means_the_same_in_every_notation(moment: Any) -> None:
    """Datetimes, pendulum, ISO text and the API's object, local or in UTC, all mean ten o'clock in Shanghai."""
    expected = {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
    assert body({"start": moment}, **SHANGHAI) == {"start": expected}


def test_complete_text_is_kept_as_given() -> None:
    """Milliseconds and Z are the user's choice and go out unchanged, in the API's object as alone."""
    given = {"dateTime": "2027-03-02T02:00:00.000Z", "timeZone": "Asia/Shanghai"}
    assert body({"start": given}) == {"start": given}
    assert body({"start": given["dateTime"]}, **SHANGHAI) == {"start": given}


@pytest.mark.parametrize("day", ["2027-03-02", dt.date(2027, 3, 2), {"date": "2027-03-02"}], ids=str)
def test_a_day_makes_an_all_day_event(day: Any) -> None:
    """A date without a time is all-day and takes no zone, although the connection has one."""
    assert body({"start": day}, **SHANGHAI) == {"start": {"date": "2027-03-02"}}


def test_a_place_of_its_own_wins_over_the_default_zone() -> None:
    """A pendulum DateTime in Tokyo stays in Tokyo, and so does the other end."""
    written = body({"start": pendulum.datetime(2027, 3, 2, 10, tz="Asia/Tokyo"), "end": "2027-03-02T11:00"}, **SHANGHAI)
    assert written["end"] == {"dateTime": "2027-03-02T11:00:00+09:00", "timeZone": "Asia/Tokyo"}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"location": "Room 1"}, {"location": {"displayName": "Room 1"}}),
        ({"attendees": ["a", "b"]}, {"attendees": [{"id": "a"}, {"id": "b"}]}),
        ({"reminders": [5, "30"]}, {"reminders": [{"method": "dingtalk", "minutes": m} for m in (5, 30)]}),
        ({"online_meeting": "True", "summary": "x"}, {"onlineMeetingInfo": {"type": "dingtalk"}, "summary": "x"}),
        ({"online_meeting": "False", "summary": "x"}, {"summary": "x"}),
        ({"richTextDescription": "<b>x</b>"}, {"richTextDescription": {"text": "<b>x</b>"}}),
        ({"notify_push": False}, {"extra": {"noPushNotification": "true"}}),
        ({"notify_chat": "true"}, {"extra": {"noChatNotification": "false"}}),
        (
            {"extra": {"no_push_notification": True}, "notify_chat": False},
            {"extra": {"noPushNotification": "true", "noChatNotification": "true"}},
        ),
    ],
    ids=str,
)
def test_short_forms(short: dict[str, Any], long: dict[str, Any]) -> None:
    """What people write for short becomes the API's objects."""
    assert body(short) == long


@pytest.mark.parametrize(
    ("rendered", "meant"),
    [
        ({"reminders": [{"minutes": "15"}]}, {"reminders": [{"minutes": 15}]}),
        ({"reminders": [{"minutes": 15.0}]}, {"reminders": [{"minutes": 15}]}),
        ({"isAllDay": "False"}, {"isAllDay": False}),
        ({"isAllDay": " true "}, {"isAllDay": True}),
        ({"summary": "42"}, {"summary": "42"}),
        ({"summary": 42}, {"summary": "42"}),
        ({"attendees": '[{"id": "a", "is_optional": true}]'}, {"attendees": [{"id": "a", "isOptional": True}]}),
        ({"reminders": "[]"}, {"reminders": []}),
        ({"location": "{Annex}"}, {"location": {"displayName": "{Annex}"}}),
    ],
    ids=str,
)
def test_types_survive_templates(rendered: dict[str, Any], meant: dict[str, Any]) -> None:
    """What Jinja made of a value is read as what its author meant."""
    assert body(rendered) == meant


PATTERN = {"type": "daily", "interval": 1}
FOREVER = {"type": "noEnd"}


def rule(pattern: dict[str, Any] | None = None, span: dict[str, Any] | None = None) -> dict[str, Any]:
    """Make a recurrence from what is special about it."""
    return {"recurrence": {"pattern": {**PATTERN, **(pattern or {})}, "range": span or FOREVER}}


@pytest.mark.parametrize(
    "pattern",
    [
        PATTERN,
        {"type": "weekly", "daysOfWeek": "monday,wednesday"},
        {"type": "weekly", "daysOfWeek": "sunday", "firstDayOfWeek": "monday"},
        {"type": "absoluteMonthly", "dayOfMonth": 31},
        {"type": "relativeMonthly", "daysOfWeek": "friday", "index": "last"},
        {"type": "absoluteYearly"},
        {"type": "absoluteYearly", "dayOfMonth": 1, "interval": 365},
    ],
    ids=str,
)
def test_complete_patterns_pass(pattern: dict[str, Any]) -> None:
    """Each pattern type passes with the members that it needs or may have."""
    assert body(rule(pattern))["recurrence"]["pattern"] == {**PATTERN, **pattern}


@pytest.mark.parametrize(
    "span",
    [FOREVER, {"type": "numbered", "numberOfOccurrences": 99}, {"type": "endDate", "endDate": "2027-12-31T10:00:00Z"}],
    ids=str,
)
def test_complete_ranges_pass(span: dict[str, Any]) -> None:
    """Each range type passes with the member that it needs."""
    assert body(rule(span=span))["recurrence"]["range"] == span


def test_the_last_day_of_a_series_is_meant_to_its_end() -> None:
    """A series that ends on a date ends with that day in the event's zone."""
    written = body(rule(span={"type": "endDate", "endDate": "2027-06-30"}), **SHANGHAI)
    assert written["recurrence"]["range"]["endDate"] == "2027-06-30T23:59:59+08:00"


def test_weekdays_may_be_a_list() -> None:
    """A list of weekdays becomes the comma-separated text of the API."""
    written = body(rule({"type": "weekly", "daysOfWeek": ["Monday", "friday"]}))
    assert written["recurrence"]["pattern"]["daysOfWeek"] == "monday,friday"


AT_TEN = {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"}
REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"start": {**AT_TEN, "date": "2027-03-02"}}, "patch.start", "date only"),
    ({"start": {"date": "2027-03-02", "timeZone": "Asia/Shanghai"}}, "patch.start", "date only"),
    ({"start": {"timeZone": "Asia/Shanghai"}}, "patch.start", "needs date"),
    ({"start": {}}, "patch.start", "needs date"),
    ({"start": "2027-03-02T10:00"}, "patch.start", "needs a time zone"),
    ({"start": "2027-03-02T10:00Z"}, "patch.start", "needs a time zone"),
    ({"start": "2027-03-02", "isAllDay": False}, "patch.start", "needs dateTime"),
    ({"end": AT_TEN, "isAllDay": True}, "patch.end", "needs date"),
    ({"start": "2027-03-02", "end": AT_TEN}, "patch.end", "start's kind"),
    ({"start": {**AT_TEN, "timeZone": "Asia/Shangai"}}, "patch.start.timeZone", "did you mean Asia/Shanghai?"),
    ({"start": {**AT_TEN, "timeZone": "CST+8"}}, "patch.start.timeZone", "tz database"),
    ({"start": {**AT_TEN, "timeZone": "../etc"}}, "patch.start.timeZone", "tz database"),
    ({"start": {**AT_TEN, "timeZone": "Asia/Tokyo"}}, "patch.start.dateTime", "another UTC offset"),
    (
        {"start": AT_TEN, "end": {"dateTime": "2027-03-02T12:00:00+09:00", "timeZone": "Asia/Tokyo"}},
        "patch.end",
        "start's timeZone",
    ),
    ({"start": AT_TEN, "end": AT_TEN}, "patch.end", "after the start"),
    ({"start": AT_TEN, "end": "2027-03-02T01:00:00Z"}, "patch.end", "after the start"),
    ({"start": "2027-03-02", "end": "2027-03-01"}, "patch.end", "before the start"),
    ({"start": {"date": "2027-02-30"}}, "patch.start.date", "yyyy-MM-dd"),
    ({"start": {**AT_TEN, "dateTime": "2027-03-02"}}, "patch.start.dateTime", "ISO 8601"),
    ({"start": {**AT_TEN, "dateTime": "next Monday"}}, "patch.start.dateTime", "ISO 8601"),
    ({"start": {"dateTime": "2027-03-28T02:30", "timeZone": "Europe/Berlin"}}, "patch.start.dateTime", "skip it"),
    ({"start": {"dateTime": "2027-10-31T02:30", "timeZone": "Europe/Berlin"}}, "patch.start.dateTime", "twice"),
    ({"start": 1740880800}, "patch.start", "must be ISO 8601 text, a datetime, a date, or a mapping"),
    ({"title": "x"}, "patch.title", "did you mean summary?"),
    ({"place": "x"}, "patch.place", "did you mean location?"),
    ({"begin": "2027-03-02T10:00"}, "patch.begin", "did you mean start?"),
    ({"timezone": "UTC"}, "patch.timezone", "it is an argument beside this one"),
    ({"union_id": "u"}, "patch.unionId", "it is an argument beside this one"),
    ({"meeting_rooms": ["r"]}, "patch.meetingRooms", "DingTalkCalendarAddMeetingRoomsOperator"),
    ({"duration": 3600}, "patch.duration", "edits.resize"),
    ({"frobnicate": 1}, "patch.frobnicate", "known: attendees"),
    (rule({"interval": 0}), "patch.recurrence.pattern.interval", "1 or more"),
    (rule({"interval": 366}), "patch.recurrence.pattern.interval", "365 or less"),
    (rule({"interval": 1.5}), "patch.recurrence.pattern.interval", "integer"),
    (rule({"type": "hourly"}), "patch.recurrence.pattern.type", "'daily'"),
    (rule({"type": "weekly"}), "patch.recurrence.pattern", "needs daysOfWeek"),
    (rule({"type": "weekly", "daysOfWeek": "mon"}), "patch.recurrence.pattern.daysOfWeek", "in full"),
    (rule({"type": "weekly", "daysOfWeek": "monday,monday"}), "patch.recurrence.pattern.daysOfWeek", "twice"),
    (rule({"type": "weekly", "daysOfWeek": ""}), "patch.recurrence.pattern.daysOfWeek", "in full"),
    (
        rule({"type": "weekly", "daysOfWeek": "monday", "dayOfMonth": 1}),
        "patch.recurrence.pattern",
        "cannot have dayOfMonth",
    ),
    (rule({"type": "absoluteMonthly"}), "patch.recurrence.pattern", "needs dayOfMonth"),
    (rule({"type": "absoluteMonthly", "dayOfMonth": 32}), "patch.recurrence.pattern.dayOfMonth", "31 or less"),
    (rule({"type": "relativeMonthly", "index": "last"}), "patch.recurrence.pattern", "needs daysOfWeek"),
    (rule({"type": "relativeMonthly", "daysOfWeek": "monday"}), "patch.recurrence.pattern", "needs index"),
    (
        rule({"type": "relativeMonthly", "daysOfWeek": "monday", "index": "fifth"}),
        "patch.recurrence.pattern.index",
        "'last'",
    ),
    (rule({"daysOfWeek": "monday"}), "patch.recurrence.pattern", "cannot have daysOfWeek"),
    (rule({"firstDayOfWeek": "Mo"}), "patch.recurrence.pattern.firstDayOfWeek", "'monday'"),
    (
        rule(span={"type": "numbered", "numberOfOccurrences": 0}),
        "patch.recurrence.range.numberOfOccurrences",
        "1 or more",
    ),
    (
        rule(span={"type": "numbered", "numberOfOccurrences": 100}),
        "patch.recurrence.range.numberOfOccurrences",
        "99 or less",
    ),
    (rule(span={"type": "numbered"}), "patch.recurrence.range", "needs numberOfOccurrences"),
    (rule(span={"type": "endDate"}), "patch.recurrence.range", "needs endDate"),
    (
        rule(span={"type": "endDate", "endDate": "2027-12-31T10:00:00Z", "numberOfOccurrences": 3}),
        "patch.recurrence.range",
        "cannot have numberOfOccurrences",
    ),
    (rule(span={"type": "noEnd", "numberOfOccurrences": 3}), "patch.recurrence.range", "cannot have"),
    (rule(span={"type": "endDate", "endDate": "2027-12-31"}), "patch.recurrence.range.endDate", "date and time"),
    (rule(span={"type": "endDate", "endDate": "2027-12-31T10:00"}), "patch.recurrence.range.endDate", "UTC offset"),
    (
        {"start": AT_TEN, **rule(span={"type": "endDate", "endDate": "2026-01-01"})},
        "patch.recurrence",
        "before the start",
    ),
    ({"recurrence": {"range": FOREVER}}, "patch.recurrence.pattern", "is required"),
    ({"recurrence": {"pattern": PATTERN}}, "patch.recurrence.range", "is required"),
    ({"recurrence": {"pattern": {"type": "daily"}, "range": FOREVER}}, "patch.recurrence.pattern.interval", "required"),
    ({"reminders": [{"minutes": -1}]}, "patch.reminders[0].minutes", "0 or more"),
    ({"reminders": [{"method": "sms", "minutes": 5}]}, "patch.reminders[0].method", "'dingtalk'"),
    ({"reminders": [{"method": "dingtalk"}]}, "patch.reminders[0].minutes", "required"),
    ({"reminders": 15}, "patch.reminders", "must be a list"),
    ({"attendees": []}, "patch.attendees", "must not be empty"),
    ({"attendees": [f"u{n}" for n in range(501)]}, "patch.attendees", "more than 500"),
    ({"attendees": [{"isOptional": True}]}, "patch.attendees[0]", "needs id"),
    ({"attendees": ["a", {"id": "a"}]}, "patch.attendees", "twice"),
    ({"attendees": [{"email": "a@b.c"}, {"email": "A@B.C"}]}, "patch.attendees", "twice"),
    ({"attendees": ["  "]}, "patch.attendees[0].id", "blank"),
    ({"uiConfigs": [{"uiName": "comment"}]}, "patch.uiConfigs[0].uiStatus", "required"),
    ({"uiConfigs": [{"uiStatus": "hide"}]}, "patch.uiConfigs[0].uiName", "required"),
    ({"uiConfigs": [{"uiName": "comment", "uiStatus": "off"}]}, "patch.uiConfigs[0].uiStatus", "'hide'"),
    ({"summary": "x" * 2049}, "patch.summary", "more than 2048"),
    ({"description": "x" * 5001}, "patch.description", "more than 5000"),
    ({"summary": True}, "patch.summary", "not a boolean"),
    ({"summary": 1.5}, "patch.summary", "| string"),
    ({"summary": ["a"]}, "patch.summary", "not a list"),
    ({"summary": {"a": 1}}, "patch.summary", "not a mapping"),
    ({"summary": "\ud800"}, "patch.summary", "Unicode"),
    ({"isAllDay": "yes"}, "patch.isAllDay", "true or false"),
    ({"isAllDay": 1}, "patch.isAllDay", "true or false"),
    ({"extra": {"noPushNotification": "maybe"}}, "patch.extra.noPushNotification", "true or false"),
    ({"extra": {"noPush": True}}, "patch.extra.noPush", "did you mean noPushNotification?"),
    ({"extra": {"noPushNotification": True}, "notify_push": True}, "patch.notifyPush", "one of them"),
    ({"onlineMeetingInfo": {"type": "dingtalk"}, "online_meeting": True}, "patch.onlineMeeting", "one of them"),
    ({"onlineMeetingInfo": {"type": "zoom"}}, "patch.onlineMeetingInfo.type", "'dingtalk'"),
    ({"sumary": "x"}, "patch.sumary", "did you mean summary?"),
    ({"attendees": [{"unionId": "x"}]}, "patch.attendees[0].unionId", "not a field"),
    (
        {"recurrence": {"pattern": {**PATTERN, "intervall": 2}, "range": FOREVER}},
        "patch.recurrence.pattern.intervall",
        "interval?",
    ),
    ({"is_all_day": True, "isAllDay": True}, "patch.isAllDay", "twice"),
    ({"id": " ", "summary": "x"}, "patch.id", "blank"),
    ({}, "patch", "nothing to change"),
    ({"summary": None}, "patch", "nothing to change"),
    ({"online_meeting": False}, "patch", "nothing to change"),
]


@pytest.mark.parametrize(("patch", "path", "text"), REFUSED, ids=[f"{path}-{text}" for _, path, text in REFUSED])
def test_wrong_patches_are_refused(patch: dict[str, Any], path: str, text: str) -> None:
    """A wrong patch is refused with the path of its field and the remedy."""
    assert text in problems(patch)[path]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("{'summary': 'x'}", "tojson"),
        ("{", "line 1, column 2"),
        ("[" * 100_000, "cannot be read"),
        ('{"a": ' + "1" * 5000 + "}", "cannot be read"),
        ("[1]", "not a list"),
        ('"text"', "not text"),
        (("summary", "x"), ".expand(patch={…})"),
        (None, "not None"),
        (b"{}", "not bytes"),
        ({1: "x"}, "key that is not text"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_no_patch_at_all_is_refused(given: Any, text: str) -> None:
    """JSON that cannot be read, and things that are no mapping, are named as such."""
    if text == "cannot be read":
        text = "is not JSON"
    assert text in problems(given)["patch"]


def test_what_json_does_not_allow_is_named_where_it_is() -> None:
    """A key given twice and NaN are refused by their paths, beside everything else."""
    found = problems('{"summary": "a", "summary": "b", "reminders": [{"minutes": NaN}], "sumary": 1}')
    assert found["patch.summary"] == "is given twice in one JSON object"
    assert found["patch.reminders[0].minutes"] == "is NaN or Infinity, which JSON does not know"
    assert set(found) == {"patch.summary", "patch.reminders[0].minutes", "patch.sumary"}


def test_nesting_is_bounded() -> None:
    """A mapping nested without end is refused rather than followed."""
    endless: dict[str, Any] = {}
    endless["extra"] = endless
    assert any("nested too deeply" in text for text in problems(endless).values())


def test_all_problems_come_at_once() -> None:
    """One error names every problem, so that nobody has to run the task five times."""
    found = problems({"summary": True, "end": "x", "reminders": [{"minutes": -1}], "foo": 1}, timezone="Mars/Olympus")
    assert set(found) >= {"patch.summary", "patch.end.dateTime", "patch.reminders[0].minutes", "patch.foo", "timezone"}


@pytest.mark.parametrize("blank", ["", "  ", "None", "\n"])
def test_blank_text_of_a_template_is_refused(blank: str) -> None:
    """With clear given, text that came out blank or as the word None is refused."""
    found = problems({"summary": blank, "location": {"displayName": blank}}, clear=())
    assert set(found) == {"patch.summary", "patch.location.displayName"}


@pytest.mark.parametrize("clear", [["description", "location", "reminders"], "description, location,reminders"])
def test_clear_empties_the_fields_it_names(clear: Any) -> None:
    """Fields named in clear are sent empty, whether the patch has them blank or not at all."""
    written = body({"description": "None", "summary": "x"}, clear=clear)
    assert written == {"description": "", "location": {"displayName": ""}, "reminders": [], "summary": "x"}


def test_clear_yields_to_a_value() -> None:
    """A field named in clear keeps the value that the patch has for it."""
    assert body({"description": "new"}, clear=["description"]) == {"description": "new"}


def test_clear_knows_what_can_be_empty() -> None:
    """Attendees and times cannot be cleared, and a misspelt name gets a suggestion."""
    found = EventPatch
    with pytest.raises(InvalidPatchError) as caught:
        found.parse({"summary": "x"}, clear=["attendees", "start", "rich_text_descripton"])
    assert "cannot clear attendees; known: cardInstances" in str(caught.value)
    assert "cannot clear start; known: cardInstances" in str(caught.value)
    assert "did you mean richTextDescription?" in str(caught.value)


def test_a_blank_that_cannot_be_cleared_has_another_remedy() -> None:
    """The remedy of a blank names clear only for a field that can be emptied."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse({"start": "None", "attendees": [""], "summary": " "}, clear=())
    remedies = {problem.path: problem.text.partition("; ")[2] for problem in caught.value.problems}
    assert remedies["patch.start"] == remedies["patch.attendees[0]"] == "leave it out, or give it a value"
    assert remedies["patch.summary"].startswith("name the field in clear=")


@pytest.mark.parametrize("text", ["", " ", "None"])
def test_a_patch_that_came_out_blank(text: str) -> None:
    """Text without anything in it is called that, not wrong JSON."""
    with pytest.raises(InvalidPatchError, match=r"^patch: is blank, or the word None"):
        EventPatch.parse(text)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Shangai", "did you mean Asia/Shanghai?"),
        ("Tokyo", "did you mean Asia/Tokyo?"),
        ("GMT+8", "did you mean Asia/Shanghai?"),
        ("UTC+8", "did you mean Asia/Shanghai?"),
        ("+08:00", "did you mean Asia/Shanghai?"),
        ("CST", "did you mean Asia/Shanghai?"),
        ("Asia/Beijing", "did you mean Asia/Shanghai?"),
        ("Beijing", "did you mean Asia/Shanghai?"),
        ("Z", "names look like Asia/Shanghai"),
        ("IST", "names look like Asia/Shanghai"),
        ("None", "is blank, or the word None"),
        ("", "is blank, or the word None"),
    ],
)
def test_a_zone_that_is_none_is_one_problem(zone: str, text: str) -> None:
    """What may have been meant is suggested, and never a zone of another offset; nothing else is called wrong."""
    with pytest.raises(InvalidPatchError) as caught:
        EventPatch.parse({"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}, timezone=zone)
    (problem,) = caught.value.problems
    assert problem.path == "timezone"
    assert text in problem.text


def test_unchecked_fields_pass_through() -> None:
    """Fields of a later DingTalk go out as they are, also alone."""
    fields = {"newField": {"some_thing": [1, None]}}
    assert body({"summary": "x"}, unchecked_fields=fields) == {"summary": "x", **fields}
    assert body({}, unchecked_fields=json.dumps(fields)) == fields


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"summary": "y"}, "unchecked_fields.summary"),
        ({"id": "y"}, "unchecked_fields.id"),
        ({"a": {1, 2}}, "unchecked_fields"),
    ],
)
def test_unchecked_fields_have_limits(fields: dict[str, Any], path: str) -> None:
    """They cannot override the patch or the id, and must be JSON."""
    assert path in problems({"summary": "x"}, unchecked_fields=fields)


def test_an_id_in_the_patch_must_be_the_events() -> None:
    """The page's sample body has an id; another event's is refused."""
    patch = EventPatch.parse({"id": "E", "summary": "x"})
    assert patch.to_body("E") == {"id": "E", "summary": "x"}
    with pytest.raises(InvalidPatchError, match=r"patch\.id"):
        patch.to_body("F")


@pytest.mark.parametrize(
    ("patch", "text"),
    [
        ({"attendees": ["a"]}, "replaces the attendees or adds"),
        ({"start": "2027-03-02", "end": "2027-03-02"}, "exclusive"),
        ({"start": "2027-03-02"}, "only one end"),
        ({"isAllDay": True}, "needs start and end"),
        (
            {"start": "2027-03-02", "end": "2027-03-03", **rule(span={"type": "numbered", "numberOfOccurrences": 3})},
            "beside numberOfOccurrences",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_contradictions_of_the_documentation_warn(patch: dict[str, Any], text: str) -> None:
    """Where official sources contradict each other the patch passes with a caution."""
    assert any(text in caution for caution in EventPatch.parse(patch).cautions)


@pytest.mark.parametrize(("last", "fits"), [("2027-03-01T16:40:00Z", True), ("2027-03-01T15:59:59Z", False)])
def test_a_series_may_end_on_its_first_day_in_its_zone(last: str, fits: bool) -> None:
    """Whether a series ends before it begins is a matter of days where it takes place, not of days in UTC."""
    start, end = ({"dateTime": f"2027-03-02T{hour}:30:00+08:00", "timeZone": "Asia/Shanghai"} for hour in ("00", "01"))
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "endDate", "endDate": last}}
    with nullcontext() if fits else pytest.raises(InvalidPatchError, match="is before the start"):
        EventPatch.parse({"start": start, "end": end, "recurrence": rule})


def test_an_ordinary_patch_has_no_caution() -> None:
    """A patch whose effect is documented warns of nothing."""
    patch = {"summary": "x", "start": AT_TEN, "end": "2027-03-02T11:00:00+08:00", "reminders": [5]}
    assert EventPatch.parse(patch).cautions == ()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from([*WHOLE, "online_meeting", "notify_push", "is_all_day", "ui_configs", "id"])
PATCHES = st.dictionaries(FIELDS, JSON | st.sampled_from(list(WHOLE.values())), max_size=6)


@given(patch=PATCHES | JSON, timezone=st.none() | st.just("Asia/Shanghai") | st.text(max_size=20))
def test_nothing_but_invalid_patch_error(patch: Any, timezone: str | None) -> None:
    """Whatever is given, parse answers with a patch that can be sent or with InvalidPatchError."""
    try:
        written = EventPatch.parse(patch, timezone=timezone, clear=()).to_body("E")
    except InvalidPatchError:
        return
    assert json.loads(json.dumps(written, allow_nan=False)) == written


@given(names=st.sets(st.sampled_from(list(WHOLE)), min_size=1))
def test_the_body_has_the_keys_given_and_no_other(names: set[str]) -> None:
    """The body never has a key that was not given."""
    assert set(body({name: WHOLE[name] for name in names})) == names


SECRET = "Zq7-content"


@given(
    patch=st.dictionaries(
        FIELDS,
        st.recursive(
            st.just(SECRET),
            lambda inner: (
                st.lists(inner)
                | st.fixed_dictionaries(
                    {"id": inner, "minutes": inner, "dateTime": inner, "timeZone": inner, "pattern": inner}
                )
            ),
            max_leaves=10,
        ),
        min_size=1,
    )
)
def test_errors_show_no_values(patch: dict[str, Any]) -> None:
    """The text of an error, and all that hangs on it, holds no value from the input."""
    try:
        EventPatch.parse(patch, timezone=SECRET)
    except InvalidPatchError as error:
        assert SECRET not in str(error)
        assert SECRET not in repr(error)
        assert error.__cause__ is None
        assert error.__context__ is None


def created(event: Any, **options: Any) -> dict[str, Any]:
    """Parse a new event and write its body."""
    return NewEvent.parse(event, **options).to_body()


def test_a_new_event_has_the_fields_of_a_patch() -> None:
    """A new event takes every field of a patch, and the settings for attendees, in both spellings."""
    settings = {"allowAttendeeAddConference": False, "allowAttendeeCreateComment": True}
    whole = {**WHOLE, "attendees": [{"id": "iiP1", "isOptional": True}], "eventConfig": settings}
    assert created(whole) == whole
    assert created(snaked(whole)) == whole
    assert created(json.dumps(whole)) == whole


def test_short_forms_of_a_new_event() -> None:
    """The conveniences of a patch work for a new event."""
    event = {"summary": "Retro", "start": "2027-03-02", "online_meeting": "True", "notify_chat": False}
    assert created({**event, "attendees": ["iiP1"]}) == {
        "summary": "Retro",
        "isAllDay": True,
        "start": {"date": "2027-03-02"},
        "attendees": [{"id": "iiP1"}],
        "onlineMeetingInfo": {"type": "dingtalk"},
        "extra": {"noChatNotification": "true"},
    }


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"summary": None}, "event.summary: is required"),
        ({"start": None}, "event.start: is required"),
        ({"summary": " "}, "event.summary: is blank, or the word None"),
        ({"location": "None"}, "event.location: is blank, or the word None"),
        ({"id": "E"}, "event.id: is not a field"),
        ({"attendees": [{"email": "chen@example.com"}]}, "event.attendees: contains an email address"),
        ({"event_config": {"allow_all": True}}, "event.eventConfig.allowAll: is not a field"),
        ({"start": "2027-03-02T10:00"}, "event.start: needs a time zone: give timeZone, or the timezone argument"),
        ({"end": "2027-03-02T09:00:00+08:00"}, "event.end: must be after the start"),
    ],
)
def test_wrong_new_events(wrong: dict[str, Any], problem: str) -> None:
    """A new event that lacks something, or says what CreateEvent does not take, is refused by path."""
    with pytest.raises(InvalidPatchError) as caught:
        created({"summary": "Retro", "start": AT_TEN, **wrong})
    assert problem in str(caught.value)
    assert "patch" not in str(caught.value)


def test_a_new_event_that_ends_on_its_first_day_has_a_caution() -> None:
    """Creating an all-day event whose end is its start passes with a caution that names the event's field."""
    event = {"summary": "Retro", "is_all_day": True, "start": "2027-03-02"}
    (caution,) = NewEvent.parse({**event, "end": "2027-03-02"}).cautions
    assert caution.startswith("event.end.date: ")
    assert NewEvent.parse({**event, "end": "2027-03-03"}).cautions == ()


def test_unchecked_fields_of_a_new_event() -> None:
    """Fields that this release does not know go out unchanged, but not beside the same checked one."""
    event = {"summary": "Retro", "start": "2027-03-02"}
    assert created(event, unchecked_fields={"new": 1})["new"] == 1
    with pytest.raises(InvalidPatchError, match=r"unchecked_fields\.summary"):
        created(event, unchecked_fields={"summary": "x"})
