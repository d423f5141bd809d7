"""The fields of an event, one row each: all that comparison, diffs, clearing and watchers know of them.

A new field is a row here and its type in :class:`~airflow_dingtalk_calendar.models.event.EventFields`. A field of a
patch that has no row (``unchecked_fields``) is compared where the event shows it, and described by its new value.
"""

from __future__ import annotations

from airflow_dingtalk_calendar.models.event_field import EventField, FieldTable
from airflow_dingtalk_calendar.models.field_comparers import (
    compare_attendees,
    compare_flag,
    compare_list,
    compare_member,
    compare_recurrence,
    compare_reminders,
    compare_text,
    compare_time,
    compare_ui_configs,
    has_attendees,
)
from airflow_dingtalk_calendar.models.field_describers import (
    describe_attendees,
    describe_meeting,
    describe_member,
    describe_notifications,
    describe_reminders,
    describe_rule,
    describe_text,
    describe_time,
    describe_ui_configs,
)
from airflow_dingtalk_calendar.models.field_fingerprints import (
    event_end,
    hidden_configs,
    member_tuples,
    one_member,
)
from airflow_dingtalk_calendar.models.json_text import load_json, load_object_or_text

# The order is that of a watcher's fingerprints, so rows that are there keep their order. Of the values that clear, only
# reminders: [] is documented to mean "none"; that DingTalk takes the others is UNVERIFIED. An event cannot be emptied
# of attendees or times.
FIELDS = FieldTable(
    EventField(
        "summary",
        "summary",
        cleared="",
        comparer=compare_text,
        describer=describe_text,
        watched="optional",
    ),
    EventField(
        "description",
        "description",
        cleared="",
        comparer=compare_text,
        describer=describe_text,
        watched="optional",
    ),
    EventField(
        "richTextDescription",
        "rich_text_description",
        reader=load_object_or_text,
        members=("text",),
        cleared={"text": ""},
        comparer=compare_member("text"),
        describer=describe_member("text"),
        normal_form=one_member("text"),
        watched="optional",
    ),
    EventField(
        "start",
        "start",
        reader=load_json,
        members=("date", "dateTime", "timeZone"),
        comparer=compare_time,
        describer=describe_time,
        normal_form=event_end,
        watched="default",
    ),
    EventField(
        "end",
        "end",
        reader=load_json,
        members=("date", "dateTime", "timeZone"),
        comparer=compare_time,
        describer=describe_time,
        normal_form=event_end,
        watched="default",
    ),
    EventField(
        "isAllDay",
        "is_all_day",
        comparer=compare_flag,
        describer=describe_text,
        normal_form=bool,
        watched="default",
    ),
    EventField(
        "recurrence",
        "recurrence",
        reader=load_json,
        comparer=compare_recurrence,
        describer=describe_rule,
        watched="default",
    ),
    EventField(
        "location",
        "location",
        reader=load_object_or_text,
        members=("displayName",),
        cleared={"displayName": ""},
        comparer=compare_member("displayName"),
        describer=describe_member("displayName"),
        normal_form=one_member("displayName"),
        watched="default",
    ),
    EventField("meetingRooms", "meeting_rooms", normal_form=member_tuples("roomId"), watched="default", patched=False),
    EventField("organizer", "organizer", normal_form=one_member("id"), watched="optional", patched=False),
    EventField(
        "attendees",
        "attendees",
        reader=load_json,
        comparer=compare_attendees,
        suffices=has_attendees,
        describer=describe_attendees,
        normal_form=member_tuples("id", "isOptional"),
        watched="optional",
    ),
    EventField(
        "attendees",
        "responses",
        normal_form=member_tuples("id", "responseStatus"),
        watched="optional",
        patched=False,
    ),
    EventField(
        "reminders",
        "reminders",
        reader=load_json,
        members=("method", "minutes"),
        cleared=[],
        comparer=compare_reminders,
        describer=describe_reminders,
        normal_form=member_tuples("method", "minutes"),
        watched="optional",
    ),
    EventField(
        "onlineMeetingInfo",
        "online_meeting",
        reader=load_json,
        comparer=compare_member("type"),
        describer=describe_meeting,
        normal_form=one_member("conferenceId"),
        watched="optional",
    ),
    EventField(
        "uiConfigs",
        "ui_configs",
        reader=load_json,
        members=("uiName", "uiStatus"),
        cleared=[],
        comparer=compare_ui_configs,
        describer=describe_ui_configs,
        normal_form=hidden_configs,
    ),
    EventField(
        "cardInstances",
        "card_instances",
        reader=load_json,
        members=("outTrackId", "scenario"),
        cleared=[],
        shown="perhaps",
        comparer=compare_list("outTrackId"),
        normal_form=member_tuples("outTrackId", "scenario"),
    ),
    EventField(
        "categories",
        "categories",
        reader=load_json,
        members=("categoryId", "displayName"),
        cleared=[],
        shown="perhaps",
        comparer=compare_list("categoryId"),
        normal_form=member_tuples("categoryId", "displayName"),
    ),
    EventField("freeBusyStatus", "free_busy_status", shown="perhaps"),
    EventField("extra", "extra", reader=load_json, describer=describe_notifications, shown="never"),
)


def find_field(wire: str) -> EventField:
    """Return what is known of a field of a patch; of one that has no row, what is so of every field."""
    return FIELDS.patched.get(wire) or EventField(wire, wire, shown="perhaps")
