"""Edits of reminders, which a patch replaces as a whole."""

from __future__ import annotations

from typing import Any

from airflow_dingtalk_calendar.edits.base import Event, Patch, patch_if_needed, refuse_instance
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import get_member
from airflow_dingtalk_calendar.models.types import parse_integer, read_argument


def add_reminder(event: Event, minutes: int, *, allow_instance: bool = False) -> Patch | None:
    """Remind people once more, some minutes before the start; None when they are reminded then.

    A patch replaces all reminders, so it has those that the event has and this one. An event of ListEventsView is
    refused, because it comes without its reminders; so is one that reminds by text message or phone call, which a patch
    cannot ask for.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param event: as GetEvent or ListEvents returned it. Where the list is absent there are none: whether DingTalk
        leaves out empty lists is not documented (UNVERIFIED).
    :param minutes: 0 or more.
    """
    wanted, there = _dingtalk_reminder(minutes), read_reminders(event, allow_instance)
    return None if wanted in there else _patch_reminders(event, [*there, wanted])


def drop_reminder(event: Event, minutes: int, *, allow_instance: bool = False) -> Patch | None:
    """Leave out the reminder some minutes before the start; None when there is none then.

    The others stay; of the last one, an empty list remains, which DingTalk documents as no reminders.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.add_reminder`.

    :param minutes: of the reminder to leave out.
    """
    unwanted, there = _dingtalk_reminder(minutes), read_reminders(event, allow_instance)
    return _patch_reminders(event, [one for one in there if one != unwanted]) if unwanted in there else None


def _dingtalk_reminder(minutes: Any) -> Patch:
    number = read_argument("minutes", parse_integer, minutes)
    if number < 0:
        raise InvalidInputError(("minutes", "must be 0 or more"))
    return {"method": "dingtalk", "minutes": number}


def read_reminders(event: Event, allow_instance: bool) -> list[Patch]:
    """Read the reminders: minutes are numbers in a request and text in an answer (the page and the SDK agree)."""
    refuse_instance(event, allow_instance)
    if "reminders" not in event and get_member(event, "extendedProperties", "privateProperties", "dingtalkDetailUrl"):
        text = "is absent, because ListEventsView leaves it out: read the event with get_event or list_events"
        raise InvalidInputError(("event.reminders", text))
    try:
        return [_read_reminder(one) for one in event.get("reminders") or ()]
    except (AttributeError, KeyError, TypeError, ValueError):
        text = "must be a list of reminders with minutes, as the service returns it"
        raise InvalidInputError(("event.reminders", text)) from None


def _read_reminder(reminder: Any) -> Patch:
    return {"method": reminder.get("method") or "dingtalk", "minutes": parse_integer(reminder["minutes"])}


def _patch_reminders(event: Event, reminders: list[Patch]) -> Patch | None:
    if any(one["method"] != "dingtalk" for one in reminders):
        text = "has one that a patch cannot ask for, by text message or phone, and would take away: change it by hand"
        raise InvalidInputError(("event.reminders", text))
    return patch_if_needed(event, {"reminders": reminders})
