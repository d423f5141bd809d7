"""ListEventsView and ListInstances: a series expanded into its instances, also those in the future.

Sources: "Query event views"; ListInstances is in the SDK only, and answers here as the view does.
"""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import invalid_parameter
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.query_params import ONE_YEAR, read_number_param, read_time_window
from ..schema.responses import render_event_view
from ..state.recurrence import iter_occurrences, zoned_datetime
from ..state.store import EmulatorStore
from .pagination import paginate_items
from .permissions import get_joined_event, require_primary_calendar

_MAX_VIEW_SIZE = 100


def handle_list_events_view(store: EmulatorStore, call: EndpointCall) -> Event:
    """List somebody's events of a period, each instance of a series by itself ("Query event views")."""
    require_primary_calendar(call)
    return _expanded_page(store, call, confirmed_events_of(store, call.params["userId"]))


def handle_list_instances(store: EmulatorStore, call: EndpointCall) -> Event:
    """List the instances of one series."""
    require_primary_calendar(call)
    series = get_joined_event(store, call)
    if "recurrence" not in series:
        raise invalid_parameter("eventId", "is not a recurring event")
    return _expanded_page(store, call, [series, *store.events.instances_of(series["id"])])


def confirmed_events_of(store: EmulatorStore, union_id: str) -> list[Event]:
    """Return the stored events somebody takes part in, but for cancelled ones."""
    return [e for e in store.events.values() if e["status"] == "confirmed" and union_id in store.participants(e)]


def _expanded_page(store: EmulatorStore, call: EndpointCall, events: list[Event]) -> Event:
    size = read_number_param(call.query, "maxResults", _MAX_VIEW_SIZE, _MAX_VIEW_SIZE)
    viewer = store.viewer_for(
        call.params["userId"], read_number_param(call.query, "maxAttendees", _MAX_VIEW_SIZE, _MAX_VIEW_SIZE)
    )
    low, high = _requested_period(store, call)
    page, more = paginate_items(store, call, size, lambda: tuple(expand_events(store, events, low, high)))
    return {"events": [render_event_view(event, viewer, store.corps[0]) for event in page], **more}


def _requested_period(store: EmulatorStore, call: EndpointCall) -> tuple[datetime, datetime]:
    # Both ends are optional, so there is a period for a question without them: a year, from now unless said.
    low, high = read_time_window(call.query)
    low = low or (high - ONE_YEAR if high else datetime.fromtimestamp(store.now(), UTC))
    return low, high or low + ONE_YEAR


def expand_events(store: EmulatorStore, events: list[Event], low: datetime, high: datetime) -> list[Event]:
    """Return what takes place between two times: ends at the first or later, starts before the second."""
    found = [
        occurrence
        for event in events
        for occurrence in iter_occurrences(event, store.events.instances_of(event["id"]), high, store.settings)
    ]
    kept = [event for event in found if event["status"] == "confirmed" and zoned_datetime(event["end"]) >= low]
    return sorted(kept, key=lambda event: (zoned_datetime(event["start"]), event["id"]))
