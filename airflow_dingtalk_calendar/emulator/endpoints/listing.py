"""ListEvents: filters, pages, and what has changed since ("Query an event list").

Only stored events are listed. Both kinds of token are opaque and stand for a page kept here, so a page does not shift
when events change between two calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..errors import invalid_parameter
from ..schema.event import Event
from ..schema.query_params import read_boolean_param, read_number_param, read_time_window
from ..schema.responses import render_event
from ..state.pages import EventListPage, EventQuery
from ..state.recurrence import zoned_datetime
from ..state.store import EmulatorStore

_MAX_PAGE_SIZE = 100


def list_event_page(store: EmulatorStore, union_id: str, params: Mapping[str, str]) -> Event:
    """Answer ListEvents."""
    page = _requested_page(store, union_id, params)
    size = read_number_param(params, "maxResults", _MAX_PAGE_SIZE, _MAX_PAGE_SIZE)
    viewer = store.viewer_for(union_id, read_number_param(params, "maxAttendees", _MAX_PAGE_SIZE, _MAX_PAGE_SIZE))
    ids, rest = (page.rest or ())[:size], (page.rest or ())[size:]
    events = [
        _hide_if_uninvited(union_id, store, store.events[i], render_event(store.events[i], viewer))
        for i in ids
        if i in store.events
    ]
    return {"events": events, **_continuation_token(store, page, rest)}


def _requested_page(store: EmulatorStore, union_id: str, params: Mapping[str, str]) -> EventListPage:
    if token := params.get("nextToken"):
        return _find_page(store, union_id, token, "nextToken")
    if token := params.get("syncToken"):
        since = _find_page(store, union_id, token, "syncToken")
        return EventListPage(since.query, _changed_event_ids(store, since), len(store.changes))
    query = _read_event_query(union_id, params)
    return EventListPage(query, _matching_event_ids(store, query), len(store.changes))


def _find_page(store: EmulatorStore, union_id: str, token: str, name: str) -> EventListPage:
    page = store.list_pages.get(token)
    if page is None or page.query.union_id != union_id or (page.rest is None) != (name == "syncToken"):
        raise invalid_parameter(name, "is not valid")
    return page


def _read_event_query(union_id: str, params: Mapping[str, str]) -> EventQuery:
    low, high = read_time_window(params)
    return EventQuery(
        union_id, low, high, bool(read_boolean_param(params, "showDeleted")), params.get("seriesMasterId", "")
    )


def _matching_event_ids(store: EmulatorStore, query: EventQuery) -> tuple[str, ...]:
    joined = (event for event in store.events.values() if query.union_id in store.participants(event))
    found = [
        event for event in joined if query.matches(event) and (query.show_deleted or event["status"] == "confirmed")
    ]
    return tuple(event["id"] for event in sorted(found, key=_start_order))


def _changed_event_ids(store: EmulatorStore, since: EventListPage) -> tuple[str, ...]:
    changed = (
        change.event_id for change in store.changes[since.change_count :] if since.query.union_id in change.audience
    )
    return tuple(event_id for event_id in dict.fromkeys(changed) if since.query.matches(store.events[event_id]))


def _start_order(event: Event) -> Any:
    return zoned_datetime(event["start"]), event["id"]


def _hide_if_uninvited(union_id: str, store: EmulatorStore, event: Event, rendered: Event) -> Event:
    # To somebody no longer invited, the event is gone.
    return rendered if union_id in store.participants(event) else {**rendered, "status": "cancelled"}


def _continuation_token(store: EmulatorStore, page: EventListPage, rest: tuple[str, ...]) -> Event:
    if not rest and page.query.time_max:
        return {}  # with timeMax there is never a syncToken
    token = uuid4().hex
    store.list_pages[token] = EventListPage(page.query, rest or None, page.change_count)
    return {"nextToken" if rest else "syncToken": token}
