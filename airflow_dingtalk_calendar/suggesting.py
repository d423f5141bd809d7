"""What may have been meant by a name that is none."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


def suggest_name(name: str, known: Collection[str]) -> str:
    """Suggest the known name that is most like this one."""
    folded = {other.lower(): other for other in known}
    begun = [other for other in folded if len(name) > 3 and other.startswith(name.lower())]
    near = begun if len(begun) == 1 else get_close_matches(name.lower()[:60], folded, n=1, cutoff=0.75)
    return f"; did you mean {folded[near[0]]}?" if near else f"; known: {', '.join(sorted(known))}"


# What calendars of others call these fields.
_FIELD_SYNONYMS = {
    **dict.fromkeys(("title", "name", "subject", "topic"), "summary"),
    **dict.fromkeys(("body", "content", "notes"), "description"),
    **dict.fromkeys(("begin", "starttime", "from"), "start"),
    **dict.fromkeys(("endtime", "until", "to"), "end"),
    **dict.fromkeys(("place", "where", "venue"), "location"),
    **dict.fromkeys(("participants", "invitees", "guests", "members"), "attendees"),
    **dict.fromkeys(("rrule", "repeat"), "recurrence"),
    **dict.fromkeys(("alarms", "alerts"), "reminders"),
}
_FIELD_HINTS = {
    **dict.fromkeys(
        ("timezone", "unionid", "eventid", "calendarid", "clienttoken", "clear", "uncheckedfields"),
        "it is an argument beside this one",
    ),
    **dict.fromkeys(
        ("room", "rooms", "roomids", "meetingroom", "meetingrooms"),
        "rooms are booked and released by operators of their own: DingTalkCalendarAddMeetingRoomsOperator",
    ),
    "duration": "give start and end, which edits.resize works out",
}


def suggest_field(name: str, known: Collection[str], *, at_the_root: bool) -> str:
    """Say what may have been meant by a name that is no field."""
    folded = name.lower()
    if at_the_root and folded in _FIELD_SYNONYMS and _FIELD_SYNONYMS[folded] in known:
        return f"; did you mean {_FIELD_SYNONYMS[folded]}?"
    if at_the_root and folded in _FIELD_HINTS:
        return f"; {_FIELD_HINTS[folded]}"
    return suggest_name(name, known)
