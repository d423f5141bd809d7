"""What a stored event looks like from outside: to PatchEvent's answer, to GetEvent and ListEvents, to ListEventsView.

Sources: the response tables of "Update event" and "Query event details"; the members in the SDK's response models
only are marked. Members without a value are left out. What never comes back: ``extra``, ``freeBusyStatus``, mail
addresses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from .event import Event

_PATCH_RESPONSE_MEMBERS = (
    "id",
    "summary",
    "description",
    "start",
    "end",
    "isAllDay",
    "recurrence",
    "attendees",
    "organizer",
    "location",
    "reminders",
    "createTime",
    "updateTime",
    "onlineMeetingInfo",
    "richTextDescription",
    "uiConfigs",
    "cardInstances",  # SDK
    "categories",  # SDK
    "extendedProperties",  # SDK
)
_GET_RESPONSE_MEMBERS = (*_PATCH_RESPONSE_MEMBERS, "status", "seriesMasterId", "originStart", "meetingRooms")


@dataclass(frozen=True)
class EventViewer:
    """The viewer, and what the directory shows to them.

    :param union_id: the user in the path; members called ``self`` are about them.
    :param names: display name per unionId.
    :param max_attendees: how many attendees are shown.
    """

    union_id: str
    names: Mapping[str, str]
    max_attendees: int | None = None

    def render_person(self, person: Event) -> Event:
        """Show an organizer or attendee."""
        name = person.get("displayName") or self.names.get(person["id"], "")
        rendered = {"id": person["id"], "displayName": name, "responseStatus": person["responseStatus"]}
        optional = {"isOptional": person["isOptional"]} if "isOptional" in person else {}
        return {**rendered, "self": person["id"] == self.union_id, **optional}

    def render_attendees(self, people: list[Event]) -> list[Event]:
        """Show as many attendees as asked for."""
        return [self.render_person(person) for person in people[: self.max_attendees]]


def render_patched_event(event: Event, viewer: EventViewer) -> Event:
    """Return the event as PatchEvent answers it."""
    return _render_members(event, _PATCH_RESPONSE_MEMBERS, viewer)


def render_event(event: Event, viewer: EventViewer) -> Event:
    """Return the event as GetEvent and ListEvents answer it."""
    rendered = _render_members(event, _GET_RESPONSE_MEMBERS, viewer)
    if "onlineMeetingInfo" in rendered:
        rendered["onlineMeetingInfo"].setdefault("extraInfo", {})
    return rendered


def render_event_view(event: Event, viewer: EventViewer, corp_id: str) -> Event:
    """Return the event as ListEventsView answers it: with its address, without reminders."""
    rendered = {name: member for name, member in render_event(event, viewer).items() if name != "reminders"}
    address = (
        f"dingtalk://dingtalkclient/page/calendar_detail?{urlencode({'uniqueId': event['id'], 'corpId': corp_id})}"
    )
    properties = {**rendered.get("extendedProperties", {}), "privateProperties": {"dingtalkDetailUrl": address}}
    return {**rendered, "extendedProperties": properties}


def without_empty_lists(value: Any) -> Any:
    """Return an answer without the members that are empty lists: UNVERIFIED, switch ``empty_lists``."""
    if isinstance(value, dict):
        return {name: without_empty_lists(member) for name, member in value.items() if member != []}
    return [without_empty_lists(one) for one in value] if isinstance(value, list) else value


def _render_members(event: Event, names: tuple[str, ...], viewer: EventViewer) -> Event:
    return {name: _MEMBER_RENDERERS.get(name, _copy_member)(event[name], viewer) for name in names if name in event}


def _copy_member(value: Any, viewer: EventViewer) -> Any:
    return deepcopy(value)


def _render_reminders(reminders: list[Event], viewer: EventViewer) -> list[Event]:
    # An integer in the request, a string in the response: page and SDK agree.
    return [{**reminder, **_minutes_as_text(reminder)} for reminder in reminders]


def _minutes_as_text(reminder: Event) -> Event:
    return {"minutes": str(reminder["minutes"])} if "minutes" in reminder else {}


_MEMBER_RENDERERS: dict[str, Callable[[Any, EventViewer], Any]] = {
    "organizer": lambda person, viewer: viewer.render_person(person),
    "attendees": lambda people, viewer: viewer.render_attendees(people),
    "reminders": _render_reminders,
}
