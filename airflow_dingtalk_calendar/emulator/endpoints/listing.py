"""ListEvents: filters, pages, and what has changed since ("Query an event list").

Only stored events are listed. Both kinds of token are opaque and stand for a page kept here, so a page does not shift
when events change between two calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from ..errors import invalid
from ..schema.event import Event
from ..schema.query_params import flag, number, window
from ..schema.responses import got
from ..state.pages import Page, Query
from ..state.recurrence import local
from ..state.store import Store

_PAGE = 100


def listed(store: Store, union_id: str, params: Mapping[str, str]) -> Event:
    """Answer ListEvents."""
    page = _page(store, union_id, params)
    size = number(params, "maxResults", _PAGE, _PAGE)
    viewer = store.viewer(union_id, number(params, "maxAttendees", _PAGE, _PAGE))
    ids, rest = (page.rest or ())[:size], (page.rest or ())[size:]
    events = [
        _seen_by(union_id, store, store.events[i], got(store.events[i], viewer)) for i in ids if i in store.events
    ]
    return {"events": events, **_continuation(store, page, rest)}


def _page(store: Store, union_id: str, params: Mapping[str, str]) -> Page:
    if token := params.get("nextToken"):
        return _known(store, union_id, token, "nextToken")
    if token := params.get("syncToken"):
        since = _known(store, union_id, token, "syncToken")
        return Page(since.query, _changed(store, since), len(store.changes))
    query = _query(union_id, params)
    return Page(query, _matching(store, query), len(store.changes))


def _known(store: Store, union_id: str, token: str, name: str) -> Page:
    page = store.pages.get(token)
    if page is None or page.query.union_id != union_id or (page.rest is None) != (name == "syncToken"):
        raise invalid(name, "is not valid")
    return page


def _query(union_id: str, params: Mapping[str, str]) -> Query:
    low, high = window(params)
    return Query(union_id, low, high, bool(flag(params, "showDeleted")), params.get("seriesMasterId", ""))


def _matching(store: Store, query: Query) -> tuple[str, ...]:
    mine = (event for event in store.events.values() if query.union_id in store.participants(event))
    found = [event for event in mine if query.wants(event) and (query.show_deleted or event["status"] == "confirmed")]
    return tuple(event["id"] for event in sorted(found, key=_order))


def _changed(store: Store, since: Page) -> tuple[str, ...]:
    mine = (change.event_id for change in store.changes[since.seen :] if since.query.union_id in change.audience)
    return tuple(event_id for event_id in dict.fromkeys(mine) if since.query.wants(store.events[event_id]))


def _order(event: Event) -> Any:
    return local(event["start"]), event["id"]


def _seen_by(union_id: str, store: Store, event: Event, shown: Event) -> Event:
    # To somebody no longer invited, the event is gone.
    return shown if union_id in store.participants(event) else {**shown, "status": "cancelled"}


def _continuation(store: Store, page: Page, rest: tuple[str, ...]) -> Event:
    if not rest and page.query.time_max:
        return {}  # with timeMax there is never a syncToken
    token = uuid4().hex
    store.pages[token] = Page(page.query, rest or None, page.seen)
    return {"nextToken" if rest else "syncToken": token}
