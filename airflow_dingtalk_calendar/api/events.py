"""Events: read, list, create, patch, delete.

Pages ``query-details-about-an-event``, ``query-an-event-list``, ``query-an-event-view``, ``create-event``,
``modify-event`` and ``delete-event``; SDK ``calendar_1_0``. Listing the instances of a series is in the SDK only.

PatchEvent is a *patch* in meaning (fields not passed remain unchanged) and a PUT on the wire.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.api.answers import (
    ignore_body,
    parse_created,
    parse_event,
    parse_object,
    parse_page,
    parse_patched,
)
from airflow_dingtalk_calendar.api.call import (
    Call,
    TimeInput,
    calendar_path,
    check_id,
    check_range,
    check_window,
    client_token_header,
    event_path,
    format_datetime,
    query_params,
)
from airflow_dingtalk_calendar.models.json_values import Json

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.models.event_patch import EventPatch

# "A year", says the page of ListEvents; a leap year is one, too.
MAX_WINDOW = dt.timedelta(days=366)


def get_event(
    union_id: str, event_id: str, *, calendar_id: str = "primary", max_attendees: int | None = None
) -> Call[Json]:
    """GetEvent: one event as any of its participants sees it. One metered call; ``Calendar.Event.Read``.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param union_id: unionId of somebody who takes part in the event.
    :param max_attendees: how many attendees to return, 1-500 (the service's default is 100).
    :return: the event, as the service sent it.
    """
    event_id = check_id("event_id", event_id)
    path = event_path(union_id, calendar_id, event_id)
    params = query_params(maxAttendees=check_range("max_attendees", max_attendees, 500))
    return Call("GetEvent", "GET", path, partial(parse_event, event_id), params=params)


def list_events(
    union_id: str,
    *,
    calendar_id: str = "primary",
    time_min: TimeInput | None = None,
    time_max: TimeInput | None = None,
    show_deleted: bool | None = None,
    max_results: int | None = None,
    max_attendees: int | None = None,
    next_token: str | None = None,
    sync_token: str | None = None,
    series_master_id: str | None = None,
) -> Call[Json]:
    """ListEvents, one page. One metered call; ``Calendar.Event.Read``.

    Returns stored events: of a series the master and past instances, not the future ones.

    :param union_id: unionId of the person whose calendar it is.
    :param calendar_id: DingTalk documents only ``primary``.
    :param time_min: earliest start: a datetime, or ISO 8601 text, with an offset.
    :param time_max: latest start, likewise; at most a year later.
    :param show_deleted: whether cancelled events come too.
    :param max_results: events per page, 1-100 (the service's default is 100).
    :param max_attendees: attendees per event, 1-100.
    :param next_token: ``nextToken`` of the page before.
    :param sync_token: ``syncToken`` of an earlier last page: only what changed since. The service gives none when
        ``time_max`` was passed.
    :param series_master_id: only instances of this series.
    :return: ``{"events": […], "nextToken": …, "syncToken": …}``; ``nextToken`` on all pages but the last one,
        ``syncToken`` on that.
    """
    params = {
        **_list_params((time_min, time_max), max_results, max_attendees, next_token, longest=MAX_WINDOW),
        **query_params(showDeleted=show_deleted, syncToken=sync_token, seriesMasterId=series_master_id),
    }
    path = f"{calendar_path(union_id, calendar_id)}/events"
    return Call("ListEvents", "GET", path, partial(parse_page, "events"), params=params)


def list_events_view(
    union_id: str,
    *,
    calendar_id: str = "primary",
    time_min: TimeInput,
    time_max: TimeInput,
    max_results: int | None = None,
    max_attendees: int | None = None,
    next_token: str | None = None,
) -> Call[Json]:
    """ListEventsView, one page: like listing, with series expanded to their instances. One metered call;
    ``Calendar.Event.Read``.

    Future instances are there too, though not stored: whether they can be patched is not documented. The answer has
    no reminders.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.list_events`.

    :param time_min: events that end then or later: a datetime, or ISO 8601 text, with an offset.
    :param time_max: events that start before, likewise.
    :return: ``{"events": […], "nextToken": …}``, without ``nextToken`` on the last page.
    """
    params = _list_params((time_min, time_max), max_results, max_attendees, next_token)
    path = f"{calendar_path(union_id, calendar_id)}/eventsview"
    return Call("ListEventsView", "GET", path, partial(parse_page, "events"), params=params)


def list_instances(
    union_id: str,
    series_master_id: str,
    *,
    calendar_id: str = "primary",
    time_min: TimeInput | None = None,
    time_max: TimeInput | None = None,
    max_results: int | None = None,
    max_attendees: int | None = None,
    next_token: str | None = None,
) -> Call[Json]:
    """ListInstances, one page: the instances of one series. One metered call; ``Calendar.Event.Read``.

    Known from the SDK only (``ListInstancesRequest``).

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.list_events`.

    :param series_master_id: id of the series' master event.
    :param time_max: latest start, likewise.
    :return: ``{"events": […], "nextToken": …}``, without ``nextToken`` on the last page.
    """
    params = _list_params((time_min, time_max), max_results, max_attendees, next_token)
    path = f"{event_path(union_id, calendar_id, series_master_id)}/instances"
    return Call("ListInstances", "GET", path, partial(parse_page, "events"), params=params)


def create_event(
    union_id: str, event: Mapping[str, Any], *, client_token: str | None = None, calendar_id: str = "primary"
) -> Call[Json]:
    """CreateEvent: make an event whose organizer is ``union_id``. One metered call; ``Calendar.Event.Write``.

    A user may create 100 events a day.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.create_event`.

    :param event: the request body, as :meth:`~airflow_dingtalk_calendar.models.NewEvent.to_body` writes it.
    :return: the new event, as the service sent it. An answer without its ``id`` is a success, too: nothing is sent
        again, and a warning is logged.
    """
    return Call(
        "CreateEvent",
        "POST",
        f"{calendar_path(union_id, calendar_id)}/events",
        parse_created,
        json=event,
        headers=client_token_header(client_token),
        writes=True,
    )


def patch_event(
    union_id: str,
    event_id: str,
    patch: EventPatch,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    repeat_meeting: bool = False,
) -> Call[Json]:
    """PatchEvent: change the named fields of an event. One metered call; ``Calendar.Event.Write``.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param patch: what to change.
    :return: the updated event, as the service sent it; read back with one more call if the answer does not have it.
    """
    event_id = check_id("event_id", event_id)
    return patch_event_body(
        union_id,
        event_id,
        patch.to_body(event_id),
        client_token=client_token,
        calendar_id=calendar_id,
        repeat_meeting=repeat_meeting,
    )


def patch_event_body(
    union_id: str,
    event_id: str,
    body: Mapping[str, Any],
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    repeat_meeting: bool = False,
) -> Call[Json]:
    """PatchEvent like :func:`patch_event`, of a request body that a patch wrote before."""
    event_id = check_id("event_id", event_id)
    return Call(
        "PatchEvent",
        "PUT",
        event_path(union_id, calendar_id, event_id),
        partial(parse_patched, event_id),
        json=body,
        headers=client_token_header(client_token),
        writes=True,
        # Each time it is passed, another meeting is created (page of PatchEvent); whether the client token prevents
        # that is not documented.
        repeatable=repeat_meeting or "onlineMeetingInfo" not in body,
        read_back=partial(
            get_event, union_id, event_id, calendar_id=calendar_id, max_attendees=500 if "attendees" in body else None
        ),
    )


def delete_event(
    union_id: str,
    event_id: str,
    *,
    client_token: str | None = None,
    calendar_id: str = "primary",
    push_notification: bool | None = None,
) -> Call[None]:
    """DeleteEvent. One metered call; ``Calendar.Event.Write``.

    With the organizer's unionId the event is cancelled for everybody; with an attendee's, it only leaves that
    person's calendar.

    Shared parameters: see :meth:`~airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook.patch_event`.

    :param union_id: unionId of the organizer, or of the attendee who leaves the event.
    :param push_notification: whether a notification pops up; without it, DingTalk decides.
    """
    return Call(
        "DeleteEvent",
        "DELETE",
        event_path(union_id, calendar_id, event_id),
        ignore_body,
        params=query_params(pushNotification=push_notification),
        headers=client_token_header(client_token),
        writes=True,
    )


def probe_write(union_id: str, event_id: str) -> Call[Any]:
    """PatchEvent that names no event and no change: it can only be refused, by the gateway for a missing
    permission or else by the calendar as empty. One metered call.
    """
    return Call("PatchEvent", "PUT", event_path(union_id, "primary", event_id), parse_object, json={})


def _list_params(
    times: tuple[TimeInput | None, TimeInput | None],
    max_results: int | None,
    max_attendees: int | None,
    next_token: str | None,
    longest: dt.timedelta | None = None,
) -> dict[str, str]:
    """Check and write the parameters that all lists of events have."""
    time_min, time_max = times
    check_window(("time_min", time_min), ("time_max", time_max), longest)
    return query_params(
        timeMin=format_datetime("time_min", time_min),
        timeMax=format_datetime("time_max", time_max),
        maxResults=check_range("max_results", max_results, 100),
        maxAttendees=check_range("max_attendees", max_attendees, 100),
        nextToken=next_token,
    )
