"""Probes: what does the service do where the documentation leaves it open?

Each is named like the emulator's switch for the same question, and answers with one of that switch's words. Not to be
seen from here: whether people are notified unasked, and the two switches that need other types of app.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings
from airflow_dingtalk_calendar.exceptions import (
    InvalidRequestError,
    NotFoundError,
    RequestError,
)
from airflow_dingtalk_calendar.idempotency import fresh_client_token
from airflow_dingtalk_calendar.models.busy_times import busy_span
from tests.contract.calendars import DAY, NEXT_DAY, QUIET, THREE_DAYS, TITLE, ZONE, Calendar, at
from tests.contract.stream import Gateway, await_push, changes_received

UNSEEN = "not to be seen here"


def attendees(calendar: Calendar) -> str:
    """Patch a list without the guest: is the guest still invited?"""
    event = calendar.create(attendees=[calendar.guest])
    calendar.patch(event, {"attendees": [calendar.organizer]})
    return "append" if calendar.guest in calendar.people(event) else "replace"


def replay(calendar: Calendar) -> str:
    """Create the same event twice under one client token: are there two events?"""
    body, token = calendar.new(), fresh_client_token()
    first, second = (calendar.create(body, client_token=token) for _ in range(2))
    return "stored" if first["id"] == second["id"] else "again"


def view_ids(calendar: Calendar) -> str:
    """Read an instance of a series by the id that the view gives it."""
    series = calendar.create(recurrence=THREE_DAYS)
    try:
        calendar.get(calendar.instances(series)[1])
    except NotFoundError:
        return "unknown"
    return "usable"


def instance_patch(calendar: Calendar) -> str:
    """Patch one instance of a series: does the series change?"""
    series = calendar.create(recurrence=THREE_DAYS)
    changed = f"{TITLE} (one day of three)"
    try:
        calendar.patch(calendar.instances(series)[1], {"summary": changed})
    except NotFoundError:
        return UNSEEN  # the ids of the view are not known to other calls, see view_ids
    except InvalidRequestError:
        return "refuse"
    return "series" if calendar.get(series)["summary"] == changed else "instance"


def all_day_end(calendar: Calendar) -> str:
    """Let an all-day event end on the day on which it starts."""
    event = calendar.create(is_all_day=True, start=DAY, end=NEXT_DAY)
    try:
        calendar.patch(event, {"is_all_day": True, "start": DAY, "end": DAY})
    except InvalidRequestError:
        return "exclusive"
    return "inclusive"


def omitted_reminders(calendar: Calendar) -> str:
    """Patch something else: is the reminder still the same?"""
    event = calendar.create(reminders=[45])
    calendar.patch(event, {"location": "somewhere"})
    minutes = [str(one.get("minutes")) for one in calendar.get(event).get("reminders", ())]
    return {"45": "unchanged", "15": "default"}.get(",".join(minutes), f"reminders at {minutes}")


def empty_text(calendar: Calendar) -> str:
    """Patch a description away."""
    event = calendar.create(description="It was there")
    try:
        calendar.patch(event, {"description": ""})
    except InvalidRequestError:
        return "refused"
    return "ignored" if calendar.get(event).get("description") else "clears"


def not_organizer(calendar: Calendar) -> str:
    """Patch as the guest."""
    if calendar.place.auth_type == "user":
        return UNSEEN  # a person's token is not good for the guest's path
    event = calendar.create(attendees=[calendar.guest])
    try:
        calendar.hook.patch_event(calendar.guest, event["id"], {"location": "somewhere", **QUIET})
    except RequestError as error:
        return "forbidden" if error.status_code == 403 else error.code
    return "anybody may"


def omitted_end(calendar: Calendar) -> str:
    """Create an event without an end."""
    body = calendar.new()
    del body["end"]
    try:
        calendar.create(body)
    except InvalidRequestError:
        return "refused"
    return "default"


def unknown_staff(calendar: Calendar) -> str:
    """Ask for a staff id that nobody has."""
    if calendar.place.auth_type == "user":
        return UNSEEN
    try:
        calendar.hook.get_user_by_staff_id("airflow-contract-test-nobody")
    except RequestError as error:
        return error.code
    return "there is somebody"


def schedule_times(calendar: Calendar) -> str:
    """Ask for free times without milliseconds."""
    window = {"start_time": f"{DAY}T08:00:00+08:00", "end_time": f"{DAY}T20:00:00+08:00"}
    try:
        calendar.hook.get_schedule(calendar.organizer, [calendar.organizer], **window)
    except InvalidRequestError:
        return "milliseconds"
    return "any"


def busy_intervals(calendar: Calendar) -> str:
    """Ask about a time that begins in the middle of an event: is the event's interval returned whole?"""
    event = calendar.create(start=at(18), end=at(19))
    window = {"start_time": f"{DAY}T18:30:00.000+08:00", "end_time": f"{DAY}T20:00:00.000+08:00"}
    (found,) = calendar.hook.get_schedule(calendar.organizer, [calendar.organizer], **window)
    spans = [busy_span(item, ZONE) for item in found["scheduleItems"] or ()]
    whole = busy_span(event, ZONE)
    half = whole._replace(start=whole.start + dt.timedelta(minutes=30))
    return "whole" if whole in spans else "cut" if half in spans else UNSEEN


def empty_lists(calendar: Calendar) -> str:
    """Read an event that was made without reminders."""
    event = calendar.create(reminders=[])
    return "present" if "reminders" in calendar.get(event) else "left_out"


def stream_keys(calendar: Calendar) -> str:
    """Receive a push of a new event: how are the members spelled?"""
    if not calendar.place.stream:
        return UNSEEN
    with Gateway(calendar.place).open() as socket:
        push = await_push(socket, calendar.create()["id"], "created")
    return "CamelCase" if "CalendarEventId" in push["data"] else "camelCase"


def stream_times(calendar: Calendar) -> str:
    """Receive a push of a new event: what is the time in the headers?"""
    if not calendar.place.stream:
        return UNSEEN
    with Gateway(calendar.place).open() as socket:
        push = await_push(socket, calendar.create()["id"], "created")
    return "text" if isinstance(push["headers"]["time"], str) else "number"


def stream_unconnected(calendar: Calendar) -> str:
    """Create an event, connect, and patch it: does the creation come as well?"""
    if not calendar.place.stream:
        return UNSEEN
    event = calendar.create()
    with Gateway(calendar.place).open() as socket:
        calendar.patch(event, {"location": "somewhere"})
        received = changes_received(socket, event["id"], until="updated", patience=sum(calendar.place.patience))
    return "kept" if "created" in received else "lost"


#: Each probe, and how many metered calls it makes on the emulator as it is.
PROBES: dict[str, tuple[Callable[[Calendar], str], int]] = {
    "attendees": (attendees, 4),
    "replay": (replay, 3),
    "view_ids": (view_ids, 4),
    "instance_patch": (instance_patch, 4),
    "all_day_end": (all_day_end, 3),
    "omitted_reminders": (omitted_reminders, 4),
    "empty_text": (empty_text, 4),
    "not_organizer": (not_organizer, 3),
    "omitted_end": (omitted_end, 2),
    "unknown_staff": (unknown_staff, 0),
    "schedule_times": (schedule_times, 1),
    "busy_intervals": (busy_intervals, 3),
    "empty_lists": (empty_lists, 3),
    "stream_keys": (stream_keys, 2),
    "stream_times": (stream_times, 2),
    "stream_unconnected": (stream_unconnected, 3),
}


def findings(seen: Mapping[str, str]) -> list[str]:
    """Write what was seen, and how to make the emulator do the same."""
    usual = EmulatorSettings().as_dict()
    rows = [f"{name:18} {word:18} (the emulator's default: {usual[name]})" for name, word in seen.items()]
    switches = [f"--set {name}={word}" for name, word in seen.items() if word not in (UNSEEN, usual[name])]
    return [*rows, f"python -m airflow_dingtalk_calendar.emulator {' '.join(switches)}".strip()]
