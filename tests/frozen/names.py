"""The public names, and where they are imported from: when a module moves, its line here is what changes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

PACKAGE = "airflow_dingtalk_calendar"

PUBLIC: dict[str, tuple[str, ...]] = {
    "assets.calendar": ("calendar_uri", "changes_in"),
    "hooks.calendar": ("DingTalkCalendarHook", "client_token_for"),
    "idempotency": ("client_token_for",),
    "operators.attendee": (
        *("DingTalkCalendarAddAttendeesOperator", "DingTalkCalendarRemoveAttendeesOperator"),
        "DingTalkCalendarRespondEventOperator",
    ),
    "operators.plan": ("DingTalkCalendarApplyPlanOperator",),
    "operators.event": ("DingTalkCalendarGetEventOperator", "DingTalkCalendarPatchEventOperator"),
    "operators.event_lifecycle": ("DingTalkCalendarCreateEventOperator", "DingTalkCalendarDeleteEventOperator"),
    "operators.event_list": ("DingTalkCalendarListEventsOperator",),
    "operators.meeting_room": ("DingTalkCalendarAddMeetingRoomsOperator", "DingTalkCalendarRemoveMeetingRoomsOperator"),
    "sensors.event": ("DingTalkCalendarEventSensor",),
    "triggers.event": ("DingTalkCalendarEventTrigger",),
    "triggers.changes": ("DingTalkCalendarChangesTrigger",),
    "models": ("EventPatch", "NewEvent", "from_rrule", "to_rrule"),
    "edits": (
        *("add_reminder", "append_description", "drop_reminder"),
        *("all_day", "extend_until", "is_instance", "is_series", "merge", "move_to", "quiet", "relocate", "resize"),
        *("retitle", "set_occurrences", "shift"),
    ),
    "plans": (
        *("cancel_occurrence", "rows_for", "rows_from_ics", "rows_from_table", "rows_with_events", "split_series"),
        *("swap_room", "update_known"),
    ),
    "exceptions": (
        *("BusyError", "PlanIncompleteError", "CredentialsError", "DingTalkError", "InProgressError"),
        "InvalidConnectionError",
        *("InvalidInputError", "InvalidPatchError", "InvalidRequestError", "NotFoundError", "PermissionDeniedError"),
        *(
            "Problem",
            "QuotaExceededError",
            "CallLimitError",
            "RequestError",
            "SecondMeetingError",
            "ServiceError",
            "ThrottledError",
            "TokenRejectedError",
        ),
        *("TransportError", "UnexpectedAnswerError"),
    ),
    "retry_policy": ("DingTalkRetryPolicy", "RETRY_POLICY"),
    "workdays": ("is_workday", "next_workday"),
    "get_provider_info": ("get_provider_info",),
    "emulator": ("Emulator",),
}

COMMANDS = ("authorize", "emulator")


def modules_of(name: str) -> list[str]:
    """Name the modules that a public name is imported from."""
    return [f"{PACKAGE}.{module}" for module, names in PUBLIC.items() if name in names]


def public(name: str) -> Any:
    """Import a public name; it is the same thing in each of its modules."""
    found = [getattr(import_module(module), name) for module in modules_of(name)]
    assert all(one is found[0] for one in found)
    return found[0]


def all_names() -> list[str]:
    """Return every public name."""
    return sorted({name for names in PUBLIC.values() for name in names})
