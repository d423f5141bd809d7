"""Whether an event has a field: skip_if_unchanged, diff and not_applied say the same of each field of a patch."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.models.comparison import (
    compare_fields,
    is_unchanged,
    not_applied,
    not_shown,
    unmet_fields,
)
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.fields import FIELDS
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.plans.diff import diff_lines
from tests.airflow_runs import Ti
from tests.conftest import EVENT, ORGANIZER, event
from tests.markdown import Page

# Conveniences, which are written under another name, and the id, which says what is patched.
NOT_SENT = {"id", "onlineMeeting", "notifyPush", "notifyChat"}
PATCHED = {field.alias for field in EventPatch.model_fields.values()} - NOT_SENT
SHOWN = {name for name, field in FIELDS.patched.items() if field.shown == "always"}
RULE: dict[str, Any] = {
    "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 2, "firstDayOfWeek": "monday"},
    "range": {"type": "endDate", "endDate": "2027-12-31T23:59:59+08:00"},
}
FOUND: dict[str, Any] = {
    "id": "E",
    "summary": "Planning",
    "description": "x",
    "isAllDay": False,
    "start": {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-02T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "recurrence": RULE,
    "organizer": {"id": "boss"},
    "attendees": [{"id": "a", "isOptional": False}, {"id": "b", "isOptional": True}],
    "location": {"displayName": "Room 1"},
    "reminders": [{"method": "dingtalk", "minutes": "15"}, {"method": "dingtalk", "minutes": "5"}],
    "onlineMeetingInfo": {"type": "dingtalk"},
    "richTextDescription": {"text": "<p>x</p>"},
    "uiConfigs": [{"uiName": "comment", "uiStatus": "hide"}, {"uiName": "attendee", "uiStatus": "disable"}],
    "cardInstances": [{"outTrackId": "1", "scenario": "s"}, {"outTrackId": "2"}],
    "categories": [{"categoryId": "1", "displayName": "One"}, {"categoryId": "2"}],
    "freeBusyStatus": "busy",
}
OTHER: dict[str, Any] = {
    "summary": "Retro",
    "description": "",
    "isAllDay": True,
    "start": {"dateTime": "2027-03-02T10:30:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"date": "2027-03-02"},
    "recurrence": {**RULE, "range": {"type": "noEnd"}},
    "attendees": [{"id": "c"}],
    "location": {"displayName": ""},
    "reminders": [],
    "onlineMeetingInfo": {"type": "other"},
    "richTextDescription": {"text": ""},
    "uiConfigs": [],
    "cardInstances": [],
    "categories": [],
    "freeBusyStatus": "free",
}
LISTS = ["attendees", "reminders", "uiConfigs", "cardInstances", "categories"]


def judged(body: dict[str, Any], found: dict[str, Any] = FOUND) -> dict[str, str]:
    """Return what is judged of each field, when all who judge say the same."""
    answers = compare_fields(body, found)
    shown = {line.partition(":")[0] for line in diff_lines(body, found)}
    assert shown == {name for name, answer in answers.items() if answer != "same"}
    assert not_applied(body, found) == [name for name, answer in answers.items() if answer == "other"]
    assert not_shown(body, found) == [name for name, answer in answers.items() if answer == "unknown"]
    assert is_unchanged(body, found) == (not shown)
    return dict(answers)


@pytest.mark.parametrize("name", sorted(PATCHED - {"extra"}))
def test_each_field_of_a_patch(name: str) -> None:
    """A field that an event shows is judged as the patch has it, or as another."""
    assert judged({name: FOUND[name]}) == {name: "same"}
    assert judged({name: OTHER[name]}) == {name: "other"}
    without = {key: value for key, value in FOUND.items() if key != name}
    # An event without a field that the page documents lacks it, or has its default.
    missing = judged({name: FOUND[name]}, without)[name]
    assert missing == ("unknown" if name not in SHOWN else "same" if name == "isAllDay" else "other")


def test_the_list_of_what_is_not_shown() -> None:
    """The fields that cannot be compared are those that the reference names."""
    shown_or_not = PATCHED - SHOWN - {"extra"}
    assert shown_or_not == {"freeBusyStatus", "cardInstances", "categories"}
    names = ["`extra`", "`free_busy_status`", "`card_instances`", "`categories`", "`unchecked_fields`"]
    parts = Page("docs/reference/operators.md").text.split("\n\n")
    (paragraph,) = [one for one in parts if "`free_busy_status`" in one and "`extra`" in one and "|" not in one]
    assert all(name in paragraph for name in names)


@pytest.mark.parametrize("name", LISTS)
@given(data=st.data())
def test_a_list_that_loses_a_member_is_a_change(name: str, data: st.DataObject) -> None:
    """A list of which members are gone, any of them, is a change; in another order it is not, except unread ones."""
    members = FOUND[name]
    kept = data.draw(st.lists(st.sampled_from(range(len(members))), unique=True))
    body = {name: [members[index] for index in kept]}
    assert judged(body)[name] == ("same" if len(kept) == len(members) else "other")


@given(st.sampled_from(["interval", "daysOfWeek", "firstDayOfWeek", "type"]))
def test_a_rule_that_loses_a_member_is_a_change(member: str) -> None:
    """A rule is replaced whole, so a member that it does not have any more is a change, unless it had its default."""
    rule = copy.deepcopy(RULE)
    del rule["pattern"][member]
    assert judged({"recurrence": rule}) == {"recurrence": "other"}
    usual = {**RULE, "pattern": {**RULE["pattern"], "firstDayOfWeek": "sunday", "interval": 1}}
    bare = {**RULE, "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 1}}
    assert judged({"recurrence": bare}, {**FOUND, "recurrence": usual}) == {"recurrence": "same"}


def test_a_dropped_first_day_is_shown() -> None:
    """The line of a rule says on which day its weeks begin, where that is not Sunday."""
    bare = {**RULE, "pattern": {"type": "weekly", "daysOfWeek": "tuesday", "interval": 2}}
    (line,) = diff_lines({"recurrence": bare}, FOUND)
    assert line.startswith("recurrence: weekly tuesday, every 2, weeks begin on monday, until")
    assert diff_lines({"uiConfigs": FOUND["uiConfigs"][:1]}, FOUND) == [
        "uiConfigs: comment hide, attendee disable -> comment hide"
    ]


def test_the_day_of_a_yearly_rule_may_come_from_the_start() -> None:
    """A yearly rule without a day has that of the start, and one that loses another day is a change."""
    yearly = {"pattern": {"type": "absoluteYearly", "interval": 1}, "range": {"type": "noEnd"}}
    dated = {**yearly, "pattern": {**yearly["pattern"], "dayOfMonth": 2}}
    assert judged({"recurrence": yearly}, {**FOUND, "recurrence": dated}) == {"recurrence": "same"}
    dated["pattern"]["dayOfMonth"] = 3
    assert judged({"recurrence": yearly}, {**FOUND, "recurrence": dated}) == {"recurrence": "other"}


@pytest.mark.parametrize(
    ("wanted", "found", "answer"),
    [
        ("new", "new", "same"),
        ("new", "old", "other"),
        (1, "1", "same"),
        (True, "true", "same"),
        ({"a": 1}, {"a": 1, "b": 2}, "same"),
        ({"a": 1}, {"b": 2}, "other"),
        ([1, 2], [1], "other"),
        (None, "old", "other"),
    ],
    ids=str,
)
def test_an_unchecked_field(wanted: Any, found: Any, answer: str) -> None:
    """An unknown field is judged where the event shows it, else not."""
    assert judged({"newField": wanted}, {**FOUND, "newField": found}) == {"newField": answer}
    assert judged({"newField": wanted}) == {"newField": "unknown"}


def test_what_says_how_a_change_is_made() -> None:
    """The two switches of notifications change nothing of an event; another member of extra may."""
    quiet = {"extra": {"noPushNotification": "true"}}
    assert is_unchanged({"summary": "Planning", **quiet}, FOUND)
    assert not is_unchanged({"summary": "Planning", "extra": {**quiet["extra"], "newSwitch": "true"}}, FOUND)
    assert not is_unchanged({"summary": "Retro", **quiet}, FOUND)


def test_waiting_for_people() -> None:
    """A sensor that waits for somebody to be invited does not mind others."""
    assert unmet_fields({"attendees": [{"id": "a"}]}, FOUND) == []
    assert unmet_fields({"attendees": [{"id": "c"}]}, FOUND) == ["attendees"]


def patched(ti: Ti, **arguments: Any) -> None:
    """Execute the operator for one event."""
    given = {"union_id": ORGANIZER, "event_id": EVENT, "patch": {"summary": "Planning"}, **arguments}
    DingTalkCalendarPatchEventOperator(task_id="t", **given).execute({"ti": ti})


@pytest.mark.parametrize("name", ["ui_configs", "card_instances", "categories"])
def test_clearing_is_a_change(dingtalk: Emulator, name: str) -> None:
    """With skip_if_unchanged, a list that is to be emptied is sent."""
    wire = {"ui_configs": "uiConfigs", "card_instances": "cardInstances", "categories": "categories"}[name]
    dingtalk.store.put_events([event(**{wire: FOUND[wire]})])
    ti = Ti()
    patched(ti, clear=[name], skip_if_unchanged=True)
    assert ti.pushed == {"patched_fields": ["summary", wire], "not_applied": []} or wire in ti.pushed["patched_fields"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"clear": ["ui_configs", "card_instances", "categories"]}, ["uiConfigs", "cardInstances", "categories"]),
        ({"unchecked_fields": {"newField": "new"}}, ["newField"]),
    ],
    ids=["cleared", "unchecked"],
)
def test_old_values_in_the_answer_are_reported(
    dingtalk: Emulator, said: pytest.LogCaptureFixture, arguments: dict[str, Any], names: list[str]
) -> None:
    """Fields that the answer shows with old values are named as not applied."""
    dingtalk.fault(action="PatchEvent", kind="body", body={**FOUND, "id": EVENT, "newField": "old"})
    ti = Ti()
    patched(ti, **arguments)
    assert sorted(ti.pushed["not_applied"]) == sorted(names)


def test_what_the_answer_does_not_show_is_logged(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The log names the fields that the answer does not show."""
    dingtalk.fault(action="PatchEvent", kind="body", body=event())
    ti = Ti()
    patched(ti, patch={"summary": "Planning", "notify_push": False}, clear=["categories"])
    assert ti.pushed["not_applied"] == []
    assert "DingTalk's answer does not show whether these were applied: categories, extra." in said.text


@pytest.mark.parametrize(
    ("unchecked", "extra"),
    [
        ({"extra": {"newSwitch": "true"}}, {"noPushNotification": "true", "newSwitch": "true"}),
        ({"extra": {"noChatNotification": "true"}}, {"noPushNotification": "true", "noChatNotification": "true"}),
        ({}, {"noPushNotification": "true"}),
    ],
    ids=str,
)
def test_unchecked_members_are_merged(dingtalk: Emulator, unchecked: dict[str, Any], extra: dict[str, str]) -> None:
    """A switch that is new stands beside those of the patch, and nobody is notified."""
    patched(Ti(), patch={"summary": "x", "notify_push": False}, unchecked_fields=unchecked)
    (request,) = [one for one in dingtalk.requests if one["action"] == "PatchEvent"]
    assert request["body"]["extra"] == extra
