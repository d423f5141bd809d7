"""Rows of a plan from a calendar file (iCalendar, RFC 5545), again and again without making an event twice."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.field_fingerprints import hash_value, whole_value
from airflow_dingtalk_calendar.models.json_values import Json, mapping_or_empty
from airflow_dingtalk_calendar.models.types import read_argument
from airflow_dingtalk_calendar.models.zones import parse_zone
from airflow_dingtalk_calendar.plans.ics_events import IcsOptions, NotExpressibleError, convert_event, read_uid

log = logging.getLogger(__name__)

MAX_ICS_BYTES = 16 * 1024 * 1024
_TIME_FIELDS = ("start", "end", "isAllDay")
_CLEARED_FIELDS = ("description", "location")
# A file with another METHOD does not describe an event that takes place (RFC 5546).
_PUBLISHING_METHODS = ("", "PUBLISH", "REQUEST")
_NOT_CLEARABLE = "was there before, and DingTalk documents no way to end a series: delete the event by hand"

Known = Mapping[str, Mapping[str, Any]]


class IcsRows(NamedTuple):
    """What a calendar file comes to; all of it is JSON.

    :ivar rows: of a plan: ``create`` for an event that is not known, ``patch`` for one that is and has changed.
    :ivar entries: for each row the event's ``uid``, and what :func:`update_known` remembers of it.
    :ivar left_out: for each event that is not taken its ``uid``, its ``number`` in the file, and the ``reason``.
    """

    rows: list[Json]
    entries: list[Json]
    left_out: list[Json]


def rows_from_ics(
    text: str | bytes,
    *,
    timezone: str | None = None,
    zones: Mapping[str, str] | None = None,
    known: Known | None = None,
) -> IcsRows:
    """Make the rows of a plan from a calendar file. It needs the extra ``ics``.

    ::

        found = rows_from_ics(Path("holidays.ics").read_bytes(), timezone="Asia/Shanghai", known=known)

    Title, description, place, times and recurrence rule are taken; people, alarms and attachments are not. What
    DingTalk cannot express is left out whole, and listed with the reason: a cancelled event, one of a file that cancels
    or answers (``METHOD``), a series of which single occurrences are changed, left out or added, a rule that DingTalk
    does not have, a time without a zone, a zone by a name of the file's own, an event without a ``UID``, and those that
    share one.

    :param text: of the file; bytes are UTF-8, as RFC 5545 says.
    :param timezone: IANA zone of times that have none, and in which single events given in UTC take place.
    :param zones: the tz database's names of zones that the file calls by names of its own
        (``{"Customized Time Zone": "Asia/Shanghai"}``).
    :param known: the events that earlier runs have made, by ``UID``, as :func:`update_known` returned it: such an event
        is patched in what has changed in the file since, and is no row when nothing has.
    :raises InvalidInputError: when it is no calendar file, is not UTF-8, or has more than 16 MB.
    :raises ImportError: without the extra.
    """
    zone = None if timezone is None else read_argument("timezone", parse_zone, timezone)
    options = IcsOptions(zone, zones or {})
    events = [(number, *one) for number, one in enumerate(_read_events(text), start=1)]
    shared = _shared_uids(component for _, _, component in events)
    found = IcsRows([], [], [])
    unchanged = 0
    for number, method, component in events:
        uid = read_uid(component)
        try:
            _check_identity(uid, method, shared)
            event = convert_event(component, options)
            row = _make_row(event, mapping_or_empty((known or {}).get(uid)))
        except NotExpressibleError as error:
            found.left_out.append({"uid": uid, "number": number, "reason": str(error)})
            continue
        unchanged += row is None
        if row is not None:
            found.rows.append(row)
            found.entries.append({"uid": uid, "fields": _fingerprints(event)})
    counts = (len(events), len(found.rows), unchanged, len(found.left_out))
    log.info("Events in the file: %d; rows: %d, as before: %d, left out: %d.", *counts)
    return found


def update_known(known: Known | None, entries: Sequence[Json], results: Iterable[Json]) -> dict[str, Json]:
    """Return which events are known after a plan was applied, for the next run's ``known``.

    :param known: what was known before.
    :param entries: of :func:`rows_from_ics`.
    :param results: XCom ``results`` of the task that applied its rows; also of one that failed.
    """
    after = {uid: dict(one) for uid, one in (known or {}).items()}
    for result in results:
        entry = entries[result["index"]]
        if result["event_id"] and result["status"] in ("applied", "unchanged"):
            after[entry["uid"]] = {"event_id": result["event_id"], "fields": dict(entry["fields"])}
    return after


def _read_events(text: str | bytes) -> Iterator[tuple[str, Any]]:
    """Yield each event of a file, after its calendar's method."""
    try:
        from icalendar import Calendar
    except ImportError as error:
        raise ImportError("rows_from_ics needs icalendar: pip install 'airflow-dingtalk-calendar[ics]'") from error

    content = _decode(text)
    try:
        calendars = Calendar.from_ical(content, multiple=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        reason = f"is no calendar file that can be read ({type(error).__name__}); it begins with BEGIN:VCALENDAR"
        raise InvalidInputError(("text", reason)) from None
    if not any(one.name == "VCALENDAR" for one in calendars):
        raise InvalidInputError(("text", "is no calendar file: it has no BEGIN:VCALENDAR"))
    for calendar in calendars:
        method = str(calendar.get("METHOD", "")).upper()
        yield from ((method, component) for component in calendar.walk("VEVENT"))


def _decode(text: str | bytes) -> str:
    if not isinstance(text, (str, bytes)):
        raise InvalidInputError(("text", "must be the text of a calendar file, or its bytes"))
    try:
        size = len(text if isinstance(text, bytes) else text.encode())
        content = text.decode() if isinstance(text, bytes) else text
    except UnicodeError:
        remedy = "save it as UTF-8, or give its text, read in the encoding that it has"
        raise InvalidInputError(("text", f"is not UTF-8: {remedy}")) from None
    if size > MAX_ICS_BYTES:
        raise InvalidInputError(("text", "has more than 16 MB: split the file, or leave old events out of it"))
    # A byte order mark, as programs for Windows write it.
    return content.removeprefix("\ufeff")


def _shared_uids(components: Iterable[Any]) -> dict[str, str]:
    """Say why events that share a UID cannot be taken."""
    counts: Counter[str] = Counter()
    changed: set[str] = set()
    for component in components:
        uid = read_uid(component)
        changed |= {uid} if "RECURRENCE-ID" in component else set()
        counts[uid] += "RECURRENCE-ID" not in component
    twice = {uid: f"UID: is that of {count} events in the file" for uid, count in counts.items() if count > 1}
    reason = "RECURRENCE-ID: the file changes occurrences of this series, which the API cannot"
    return dict.fromkeys(changed, reason) | twice


def _check_identity(uid: str, method: str, shared: Mapping[str, str]) -> None:
    if method not in _PUBLISHING_METHODS:
        raise NotExpressibleError("METHOD: the file cancels or answers; import one that publishes its events")
    if not uid:
        raise NotExpressibleError("UID: is missing, so that the next run would create the event again")
    if uid in shared:
        raise NotExpressibleError(shared[uid])


def _make_row(event: Json, known: Mapping[str, Any]) -> Json | None:
    """Make the row of an event; None when it is known and the file says the same of it as before."""
    if not known.get("event_id"):
        return {"action": "create", "event": event}
    before, now = mapping_or_empty(known.get("fields")), _fingerprints(event)
    changed = {name for name in {*before, *now} if before.get(name) != now.get(name)}
    if "recurrence" in changed and "recurrence" not in event:
        raise NotExpressibleError(f"RRULE: {_NOT_CLEARABLE}")
    if changed & {*_TIME_FIELDS, "recurrence"}:
        changed |= {*_TIME_FIELDS, *({"recurrence"} & event.keys())}  # the ends of an event, and its rule, go together
    if not changed:
        return None
    patch = {name: value for name, value in event.items() if name in changed}
    clear = [name for name in _CLEARED_FIELDS if name in changed and name not in event]
    return {"event_id": known["event_id"], "patch": patch, **({"clear": clear} if clear else {})}


def _fingerprints(event: Json) -> dict[str, str]:
    """Remember of each field a short hash, and no content."""
    short = partial(hash_value, whole_value)
    return {name: short(value) for name, value in event.items()}
