"""What the documentation leaves open, and what a test wants to vary: switches that can be changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from typing import Any, Literal, get_args, get_type_hints


@dataclass(frozen=True)
class EmulatorSettings:
    """The switches. Those marked UNVERIFIED stand for something no official source settles.

    :param attendees: what ``attendees`` in a patch does (UNVERIFIED). ``replace``: the list is the new list, as for
        every other member; ``append``: it adds to those invited. The default is the one that hurts when a client gets
        it wrong.
    :param replay: what a repeated ``x-client-token`` gets once its first request has succeeded (UNVERIFIED).
        ``stored``: the first answer again, as "the same token indicates the same request" suggests; ``again``: the
        request is executed again.
    :param instance_patch: what patching an instance of a series changes (UNVERIFIED): that ``instance``, as the page
        speaks of "a single event"; the whole ``series``; or nothing, the call is ``refuse``-d.
    :param view_ids: whether the id that ListEventsView gives an instance nobody has changed is ``unknown`` to other
        calls or ``usable``: a write then stores the instance under it (UNVERIFIED).
    :param all_day_end: whether the end date of an all-day event is ``exclusive``, as "Create event" says, or
        ``inclusive``, so that start and end may be the same day, as the official tutorial's update has it
        (UNVERIFIED).
    :param missing_day: what a series on the 31st, or on 29 February, does in a month or year without that day
        (UNVERIFIED): the occurrence is ``skipped``, as in iCalendar, or is on the ``last_day`` of the month.
    :param all_day_until: which day the ``endDate`` of an all-day series means, which is a moment although the days of
        such a series have no zone (UNVERIFIED): the day it is ``written`` with, that in ``UTC``, of which "Query
        free/busy information" says that it is the zone of all-day events, or that at ``home`` (Asia/Shanghai).
    :param omitted_reminders: what a patch without ``reminders`` does to them (UNVERIFIED). ``unchanged``: "fields
        that are not passed remain unchanged"; ``default``: "if not passed, the default reminder" comes back.
    :param empty_text: what ``""`` does to a text (UNVERIFIED): it ``clears``, is ``ignored``, or is ``refused``.
    :param not_organizer: the error for a caller who is not the organizer (undocumented): ``invalidParameter``,
        ``itemNotFound``, or ``forbidden`` (403 ``permissionDeny``).
    :param omitted_end: what creating an event without ``end`` does (UNVERIFIED; only ``start`` is marked as required,
        and an error for an end not set is documented): it gets the ``default``, an hour or a day, or is ``refused``.
    :param unasked_notifications: whether a deletion or a change of attendees that says nothing about notifications
        has them ``sent`` or ``held_back`` (UNVERIFIED).
    :param user_paths: whose path a user's token opens (UNVERIFIED): the ``own`` only, others get 403
        ``permissionDeny``, or ``any``.
    :param earlier_corp_tokens: what happens to a third-party app's token when it asks for the next one, which is
        always a new one (UNVERIFIED): it stays ``valid`` for its time or is ``invalid`` at once.
    :param refresh_tokens: what refreshing a user's grant gives (UNVERIFIED): the answer always has a refresh token, and
        DingTalk's command-line tool takes the one before for dead, so they are ``rotated``; or the one before is
        ``kept``, and the answer has none.
    :param lifetime_member: how a token response states its lifetime: as ``documented``, a number under
        ``expireIn``; as ``expiresIn``, which DingTalk's command-line tool reads as well; as ``text``; ``none``; or as
        a ``year`` that is not true.
    :param unknown_staff: the legacy error for a userId nobody has (33012 and 60121 are both documented).
    :param schedule_times: whether GetSchedule takes ``any`` ISO-8601 time, as documented, or only those with
        ``milliseconds``, as a third party has seen it do (UNVERIFIED).
    :param busy_intervals: whether GetSchedule returns an interval ``whole``, or ``cut`` to the time asked about
        (UNVERIFIED).
    :param empty_lists: whether an answer has a list that is empty, at whatever depth, or leaves it out (UNVERIFIED):
        ``present``, as most samples have it, or ``left_out``.
    :param stream_keys: how Stream mode spells the members of a ``calendar_event_change`` (UNVERIFIED): in ``camelCase``
        as the SDK's sample of a failed callback, or in ``CamelCase`` as HTTP callbacks do, with ``EventType``,
        ``EventTime``, ``CorpId`` and ``BizId`` beside them.
    :param stream_times: whether the times in the headers of frames are ``text`` or a ``number``; there are samples of
        both.
    :param stream_unconnected: what happens to an event that is to be pushed, or pushed again, while no connection of
        the app is open (UNVERIFIED): it is ``lost``, or ``kept`` and pushed when one is opened.
    :param stream_audience: which changes are pushed to an app (UNVERIFIED): those of events of people in its ``range``,
        or ``everybody``'s.
    :param stream_redelivery: seconds until an event that is not acknowledged is pushed again (UNVERIFIED).
    :param stream_retention: seconds after which an event is not pushed any more (UNVERIFIED).
    :param stream_ping_interval: seconds between two pings on a connection (UNVERIFIED); 0 is no ping.
    :param stream_connection_lifetime: seconds after which a connection gets a ``disconnect``, which DingTalk sends "now
        and then" (UNVERIFIED); 0 is never.
    :param stream_ticket_lifetime: seconds a ticket is good for; documented are 90.
    :param stream_seed: which connection of several gets which push, a random choice as documented; the same number is
        the same choice.
    :param update_time: how exactly an ``updateTime`` states when an event changed (UNVERIFIED): to the ``second``, as
        "Update event" has it in its sample, or to the ``minute``, as the official SDK's comment says.
    :param response_updates: whether somebody's answer to an invitation changes the event's ``updateTime``
        (UNVERIFIED): ``yes`` or ``no``.
    :param token_lifetime: seconds an access token is good for; 7200 is documented. Holds for tokens issued or renewed
        later.
    :param qps_limit: calls per app, API and second; documented are 20, and 0 is no limit, so that tests need not wait.
    :param monthly_quota: metered calls per calendar month of the organisation; documented are 5000, and 0 is no
        limit. The token endpoint is exempt, as documented.
    :param service_time: seconds every call takes, to make overlapping calls overlap.
    :param daily_creations: events a user may create in a day; documented are 100, and 0 is no limit.
    :param client_token_lifetime: seconds an ``x-client-token`` is remembered; documented is one day.
    """

    attendees: Literal["replace", "append"] = "replace"
    replay: Literal["stored", "again"] = "stored"
    instance_patch: Literal["instance", "series", "refuse"] = "instance"
    view_ids: Literal["unknown", "usable"] = "unknown"
    all_day_end: Literal["exclusive", "inclusive"] = "exclusive"
    missing_day: Literal["skipped", "last_day"] = "skipped"
    all_day_until: Literal["written", "UTC", "home"] = "written"
    omitted_reminders: Literal["unchanged", "default"] = "unchanged"
    empty_text: Literal["clears", "ignored", "refused"] = "clears"
    not_organizer: Literal["invalidParameter", "itemNotFound", "forbidden"] = "invalidParameter"
    omitted_end: Literal["default", "refused"] = "default"
    unasked_notifications: Literal["sent", "held_back"] = "sent"
    user_paths: Literal["own", "any"] = "own"
    earlier_corp_tokens: Literal["valid", "invalid"] = "valid"
    refresh_tokens: Literal["rotated", "kept"] = "rotated"
    lifetime_member: Literal["documented", "expiresIn", "text", "none", "year"] = "documented"
    unknown_staff: Literal["60121", "33012"] = "60121"
    schedule_times: Literal["any", "milliseconds"] = "any"
    busy_intervals: Literal["whole", "cut"] = "whole"
    empty_lists: Literal["present", "left_out"] = "present"
    stream_keys: Literal["camelCase", "CamelCase"] = "camelCase"
    stream_times: Literal["text", "number"] = "text"
    stream_unconnected: Literal["lost", "kept"] = "lost"
    stream_audience: Literal["range", "everybody"] = "range"
    stream_redelivery: float = 60
    stream_retention: float = 86400
    stream_ping_interval: float = 60
    stream_connection_lifetime: float = 0
    stream_ticket_lifetime: float = 90
    stream_seed: int = 0
    update_time: Literal["second", "minute"] = "second"
    response_updates: Literal["yes", "no"] = "yes"
    token_lifetime: float = 7200
    qps_limit: int = 0
    monthly_quota: int = 0
    daily_creations: int = 100
    service_time: float = 0.0
    client_token_lifetime: float = 86400

    def with_changes(self, changes: Mapping[str, Any]) -> EmulatorSettings:
        """Return settings with some switches changed.

        :raises ValueError: for an unknown switch, naming the nearest, or a value the switch does not have.
        """
        return replace(self, **{name: _check_setting(name, value) for name, value in changes.items()})

    def as_dict(self) -> dict[str, Any]:
        """Return name and value of each switch."""
        return asdict(self)


def setting_choices(name: str) -> tuple[str, ...]:
    """Return the words a switch can be set to; none for a number."""
    return get_args(_SETTING_TYPES[name])


def unknown_name_message(name: str, known: Mapping[str, Any], what: str) -> str:
    """Return the complaint about an unknown name."""
    close = get_close_matches(name, known, n=1, cutoff=0.0)
    return f"unknown {what} {name!r}, did you mean {close[0]!r}?" if close else f"unknown {what} {name!r}"


def _check_setting(name: str, value: Any) -> Any:
    if name not in _SETTING_TYPES:
        raise ValueError(unknown_name_message(name, _SETTING_TYPES, "setting"))
    if words := setting_choices(name):
        if value not in words:
            raise ValueError(f"{name} is one of {', '.join(words)}, not {value!r}")
        return value
    return _read_number_setting(name, value)


def _read_number_setting(name: str, value: Any) -> float:
    kind = _SETTING_TYPES[name]
    try:
        number: float = kind(value)
        fits = 0 <= number < float("inf") and number == float(value) and not isinstance(value, bool)
    except (TypeError, ValueError, OverflowError):
        fits = False
    if not fits:
        raise ValueError(f"{name} is a number ({kind.__name__}) from 0 up, not {value!r}")
    return number


_SETTING_TYPES = {
    name: kind
    for name, kind in get_type_hints(EmulatorSettings).items()
    if name in {f.name for f in fields(EmulatorSettings)}
}
