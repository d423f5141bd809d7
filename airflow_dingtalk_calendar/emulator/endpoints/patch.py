"""What PatchEvent does to an event, member by member.

====================  =========================================================================================
``summary``           replaced; what ``""`` does: UNVERIFIED, switch ``empty_text``
``description``       as ``summary``
``start``, ``end``    replaced as whole objects
``isAllDay``          replaced
``recurrence``        replaced as a whole, also by an incomplete rule (the official CLI refuses partial rules because
                      the service does not merge them)
``attendees``         UNVERIFIED, switch ``attendees``; who stays keeps the answer given, and the organizer stays
``location``          ``displayName`` replaced (as ``summary``); booked rooms stay, they have calls of their own
``extra``             not stored: it steers the notifications of this one call
``reminders``         replaced, ``[]`` documented as none; omitted: UNVERIFIED, switch ``omitted_reminders``
``onlineMeetingInfo`` created again at every call, as documented
``richTextDescription``
                      ``text`` replaced (as ``summary``)
``uiConfigs``         replaced (merging by ``uiName`` would be as plausible; no source)
``cardInstances``, ``categories``, ``freeBusyStatus``
                      replaced (in the SDK only)
====================  =========================================================================================

Other gaps: start or end alone is accepted if the event as a whole holds together, and an instance of a series cannot
get a recurrence of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import uuid4

from ..errors import invalid_parameter
from ..schema.event import Event, check_event_consistency
from ..settings import EmulatorSettings


@dataclass(frozen=True)
class PatchContext:
    """What a patch is applied to and under.

    :param event: the event as stored.
    :param settings: the switches.
    :param emails: unionId per email address.
    """

    event: Event
    settings: EmulatorSettings
    emails: Mapping[str, str]


def apply_event_patch(context: PatchContext, patch: Event) -> Event:
    """Return the event as it is after the patch; the stored one stays untouched.

    :raises ApiError: if the result would not hold together.
    """
    if "recurrence" in patch and context.event.get("seriesMasterId"):
        raise invalid_parameter("recurrence", "an instance of a series has no recurrence of its own")
    changed = {name: change(patch[name], name, context) for name, change in _MEMBER_CHANGES.items() if name in patch}
    event = {**context.event, **changed}
    if "reminders" not in patch and context.settings.omitted_reminders == "default":
        event["reminders"] = [default_reminder(event)]
    check_event_consistency(event, context.settings)
    return event


def _replace_member(new: Any, name: str, context: PatchContext) -> Any:
    return new


def _replace_text(new: str, name: str, context: PatchContext) -> str:
    return _apply_empty_text(new, context.event.get(name, ""), name, context)


def _replace_text_in(member: str) -> Callable[[Event, str, PatchContext], Event]:
    def change(new: Event, name: str, context: PatchContext) -> Event:
        old = context.event.get(name, {})
        if member not in new:
            return dict(old)
        return {**old, member: _apply_empty_text(new[member], old.get(member, ""), f"{name}.{member}", context)}

    return change


def _apply_empty_text(new: str, old: str, place: str, context: PatchContext) -> str:
    if new or context.settings.empty_text == "clears":
        return new
    if context.settings.empty_text == "refused":
        raise invalid_parameter(place, "cannot be empty")
    return old


def _replace_attendees(new: list[Event], name: str, context: PatchContext) -> list[Event]:
    before = {person["id"]: person for person in context.event.get(name, [])}
    organizer = context.event["organizer"]["id"]
    kept = before if context.settings.attendees == "append" else {i: p for i, p in before.items() if i == organizer}
    named = dict(_identify_attendee(person, context) for person in new)
    people = {
        **kept,
        **{
            i: {"responseStatus": "needsAction", "isOptional": False, **before.get(i, {}), **p}
            for i, p in named.items()
        },
    }
    return list(people.values())


def _identify_attendee(person: Event, context: PatchContext) -> tuple[str, Event]:
    if person.get("id"):
        return person["id"], person
    # A guest known by address only gets an id of the emulator's making, the same each time.
    email = person["email"]
    union_id = context.emails.get(email) or "guest" + sha256(email.encode()).hexdigest()[:23]
    return union_id, {**person, "id": union_id}


def _create_video_meeting(new: Event, name: str, context: PatchContext) -> Event:
    conference = uuid4().hex
    url = f"dingtalk://dingtalkclient/page/videoConfFromCalendar?confId={conference}"
    return {"type": "dingtalk", "conferenceId": conference, "url": url}


def default_reminder(event: Event) -> Event:
    """Return the reminder of an event without any: 15 minutes before, or 9 AM on the day before ("Update event")."""
    return {"method": "dingtalk", "minutes": 15 * 60 if event.get("isAllDay") else 15}


_MEMBER_CHANGES: dict[str, Callable[[Any, str, PatchContext], Any]] = {
    "summary": _replace_text,
    "description": _replace_text,
    "start": _replace_member,
    "end": _replace_member,
    "isAllDay": _replace_member,
    "recurrence": _replace_member,
    "attendees": _replace_attendees,
    "location": _replace_text_in("displayName"),
    "reminders": _replace_member,
    "onlineMeetingInfo": _create_video_meeting,
    "richTextDescription": _replace_text_in("text"),
    "uiConfigs": _replace_member,
    "cardInstances": _replace_member,
    "categories": _replace_member,
    "freeBusyStatus": _replace_member,
}


def find_patch_target(event: Event, events: Mapping[str, Event], settings: EmulatorSettings) -> Event:
    """Return the event that a patch of ``event`` changes: UNVERIFIED for an instance of a series."""
    master = event.get("seriesMasterId")
    if not master or settings.instance_patch == "instance":
        return event
    if settings.instance_patch == "refuse" or master not in events:
        raise invalid_parameter("id", "an instance of a series cannot be updated")
    return events[master]
