"""ListEventsView and ListInstances: a series told as the events it consists of, also those in the future.

Sources: "Query event views"; ListInstances is in the SDK only, and answers here as the view does. Instances that nobody
has changed are not stored. Their ids are the emulator's own, base64 of the series' id and the start: UNVERIFIED, and
with an ``=`` at the end, as nothing says that an id has letters and digits only. What is done with such an id elsewhere
is not documented; here it is not found.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from .access import primary, shared
from .checks import Event
from .errors import invalid
from .gateway import Call
from .paging import paged
from .params import YEAR, number, window
from .recurring import HOME, local, spans
from .shapes import read_date_time
from .store import Store
from .views import viewed

_PAGE = 100


def list_events_view(store: Store, call: Call) -> Event:
    """List somebody's events of a period, each instance of a series by itself ("Query event views")."""
    primary(call)
    return _answered(store, call, mine(store, call.params["userId"]))


def list_instances(store: Store, call: Call) -> Event:
    """List the instances of one series."""
    primary(call)
    series = shared(store, call)
    if "recurrence" not in series:
        raise invalid("eventId", "is not a recurring event")
    return _answered(store, call, [series, *store.instances(series["id"])])


def mine(store: Store, union_id: str) -> list[Event]:
    """Return the stored events somebody takes part in, but for cancelled ones."""
    return [e for e in store.events.values() if e["status"] == "confirmed" and union_id in store.participants(e)]


def _answered(store: Store, call: Call, events: list[Event]) -> Event:
    size = number(call.query, "maxResults", _PAGE, _PAGE)
    viewer = store.viewer(call.params["userId"], number(call.query, "maxAttendees", _PAGE, _PAGE))
    low, high = _period(store, call)
    page, more = paged(store, call, size, lambda: tuple(expanded(store, events, low, high)))
    return {"events": [viewed(event, viewer, store.corps[0]) for event in page], **more}


def _period(store: Store, call: Call) -> tuple[datetime, datetime]:
    # Both ends are optional, so there is a period for a question without them: a year, from now unless said.
    low, high = window(call.query)
    low = low or (high - YEAR if high else datetime.fromtimestamp(store.now(), UTC))
    return low, high or low + YEAR


def expanded(store: Store, events: list[Event], low: datetime, high: datetime) -> list[Event]:
    """Return what takes place between two times: ends at the first or later, starts before the second."""
    found = [instance for event in events for instance in _occurrences(store, event, high)]
    kept = [event for event in found if event["status"] == "confirmed" and local(event["end"]) >= low]
    return sorted(kept, key=lambda event: (local(event["start"]), event["id"]))


def _occurrences(store: Store, event: Event, before: datetime) -> Iterator[Event]:
    if "recurrence" not in event:
        yield from [event] if local(event["start"]) < before else []
        return
    told_apart = {_origin(instance) for instance in store.instances(event["id"])}
    for start, end in spans(event, before):
        if start not in told_apart:
            yield _instance(event, start, end)


def _origin(instance: Event) -> datetime:
    origin = instance.get("originStart")
    return read_date_time(origin["dateTime"]) if origin else local(instance["start"])


def _instance(series: Event, start: datetime, end: datetime) -> Event:
    moment = f"{start:%Y%m%dT%H%M%SZ}"
    return {
        **{name: member for name, member in series.items() if name != "recurrence"},
        "id": b64encode(f"{series['id']}@{moment}".encode()).decode(),
        "seriesMasterId": series["id"],
        "originStart": {"dateTime": f"{start:%Y-%m-%dT%H:%M:%SZ}"},
        "start": _moment(start, series["start"]),
        "end": _moment(end, series["end"]),
    }


def _moment(time: datetime, like: Event) -> Event:
    if "date" in like:
        return {"date": str(time.astimezone(HOME).date())}
    return {**like, "dateTime": time.astimezone(ZoneInfo(like["timeZone"])).isoformat(timespec="seconds")}
