"""The instances that a series consists of, as events of their own.

One that somebody has changed is stored, any other is made here when somebody asks. Its id is the emulator's own, base64
of the series' id and the start: UNVERIFIED, and mostly with an ``=`` at the end, as nothing says that an id has letters
and digits only. Whether other calls know such an id: UNVERIFIED, switch ``view_ids``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from .checks import Event
from .recurring import HOME, local, spans
from .shapes import read_date_time

_START = "%Y%m%dT%H%M%SZ"


def occurrences(event: Event, stored: Iterable[Event], before: datetime) -> Iterator[Event]:
    """Yield an event that starts before a time, or of a series the instances that do and are not stored."""
    if "recurrence" not in event:
        yield from [event] if local(event["start"]) < before else []
        return
    told_apart = {_origin(instance) for instance in stored}
    for start, end in spans(event, before):
        if start not in told_apart:
            yield _instance(event, start, end)


def named(event_id: str, events: Mapping[str, Event]) -> Event | None:
    """Return the instance that is not stored and has this id."""
    try:
        series_id, _, moment = b64decode(event_id, validate=True).decode().rpartition("@")
        start = datetime.strptime(moment, _START).replace(tzinfo=UTC)
    except ValueError:
        return None
    series = events.get(series_id, {})
    if "recurrence" not in series:
        return None
    stored = [event for event in events.values() if event.get("seriesMasterId") == series_id]
    until = start + timedelta(seconds=1)
    return next((event for event in occurrences(series, stored, until) if event["id"] == event_id), None)


def _origin(instance: Event) -> datetime:
    origin = instance.get("originStart")
    return read_date_time(origin["dateTime"]) if origin else local(instance["start"])


def _instance(series: Event, start: datetime, end: datetime) -> Event:
    return {
        **{name: member for name, member in series.items() if name != "recurrence"},
        "id": b64encode(f"{series['id']}@{start.strftime(_START)}".encode()).decode(),
        "seriesMasterId": series["id"],
        "originStart": {"dateTime": start.strftime("%Y-%m-%dT%H:%M:%SZ")},
        "start": _moment(start, series["start"]),
        "end": _moment(end, series["end"]),
    }


def _moment(time: datetime, like: Event) -> Event:
    if "date" in like:
        return {"date": str(time.astimezone(HOME).date())}
    return {**like, "dateTime": time.astimezone(ZoneInfo(like["timeZone"])).isoformat(timespec="seconds")}
