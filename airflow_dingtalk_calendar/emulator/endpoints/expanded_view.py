"""ListEventsView and ListInstances: a series told as the events it consists of, also those in the future.

Sources: "Query event views"; ListInstances is in the SDK only, and answers here as the view does.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import invalid
from ..gateway.call import Call
from ..schema.event import Event
from ..schema.query_params import YEAR, number, window
from ..schema.responses import viewed
from ..state.recurrence import local, occurrences
from ..state.store import Store
from .pagination import paged
from .permissions import primary, shared

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
    found = [i for event in events for i in occurrences(event, store.instances(event["id"]), high)]
    kept = [event for event in found if event["status"] == "confirmed" and local(event["end"]) >= low]
    return sorted(kept, key=lambda event: (local(event["start"]), event["id"]))
