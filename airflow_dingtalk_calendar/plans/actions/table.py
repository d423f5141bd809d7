"""All actions, by the name that a row gives them."""

from __future__ import annotations

from airflow_dingtalk_calendar.plans.actions.attendees import AddAttendeesChange, RemoveAttendeesChange
from airflow_dingtalk_calendar.plans.actions.base import Change
from airflow_dingtalk_calendar.plans.actions.lifecycle import CreateChange, DeleteChange
from airflow_dingtalk_calendar.plans.actions.patch import PatchChange
from airflow_dingtalk_calendar.plans.actions.respond import RespondChange
from airflow_dingtalk_calendar.plans.actions.rooms import AddRoomsChange, RemoveRoomsChange

ACTIONS: dict[str, type[Change]] = {
    kind.action: kind
    for kind in (
        PatchChange,
        CreateChange,
        DeleteChange,
        AddAttendeesChange,
        RemoveAttendeesChange,
        AddRoomsChange,
        RemoveRoomsChange,
        RespondChange,
    )
}
