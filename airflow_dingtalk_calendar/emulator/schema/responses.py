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

_PATCHED = (
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
_GOT = (*_PATCHED, "status", "seriesMasterId", "originStart", "meetingRooms")


@dataclass(frozen=True)
class Viewer:
    """Who looks, and what the directory tells them.

    :param union_id: the user in the path; members called ``self`` are about them.
    :param names: display name per unionId.
    :param max_attendees: how many attendees are shown.
    """

    union_id: str
    names: Mapping[str, str]
    max_attendees: int | None = None

    def person(self, person: Event) -> Event:
        """Show an organizer or attendee."""
        name = person.get("displayName") or self.names.get(person["id"], "")
        shown = {"id": person["id"], "displayName": name, "responseStatus": person["responseStatus"]}
        optional = {"isOptional": person["isOptional"]} if "isOptional" in person else {}
        return {**shown, "self": person["id"] == self.union_id, **optional}

    def attendees(self, people: list[Event]) -> list[Event]:
        """Show as many attendees as asked for."""
        return [self.person(person) for person in people[: self.max_attendees]]


def patched(event: Event, viewer: Viewer) -> Event:
    """Return the event as PatchEvent answers it."""
    return _shown(event, _PATCHED, viewer)


def got(event: Event, viewer: Viewer) -> Event:
    """Return the event as GetEvent and ListEvents answer it."""
    shown = _shown(event, _GOT, viewer)
    if "onlineMeetingInfo" in shown:
        shown["onlineMeetingInfo"].setdefault("extraInfo", {})
    return shown


def viewed(event: Event, viewer: Viewer, corp_id: str) -> Event:
    """Return the event as ListEventsView answers it: with its address, without reminders."""
    shown = {name: member for name, member in got(event, viewer).items() if name != "reminders"}
    address = (
        f"dingtalk://dingtalkclient/page/calendar_detail?{urlencode({'uniqueId': event['id'], 'corpId': corp_id})}"
    )
    properties = {**shown.get("extendedProperties", {}), "privateProperties": {"dingtalkDetailUrl": address}}
    return {**shown, "extendedProperties": properties}


def _shown(event: Event, names: tuple[str, ...], viewer: Viewer) -> Event:
    return {name: _SHOW.get(name, _as_is)(event[name], viewer) for name in names if name in event}


def _as_is(value: Any, viewer: Viewer) -> Any:
    return deepcopy(value)


def _reminders(reminders: list[Event], viewer: Viewer) -> list[Event]:
    # An integer in the request, a string in the response: page and SDK agree.
    return [{**reminder, **_in_words(reminder)} for reminder in reminders]


def _in_words(reminder: Event) -> Event:
    return {"minutes": str(reminder["minutes"])} if "minutes" in reminder else {}


_SHOW: dict[str, Callable[[Any, Viewer], Any]] = {
    "organizer": lambda person, viewer: viewer.person(person),
    "attendees": lambda people, viewer: viewer.attendees(people),
    "reminders": _reminders,
}
