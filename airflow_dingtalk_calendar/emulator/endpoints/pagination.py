"""Pages of answers that have nothing but pages: a nextToken stands for the items that remain.

Tokens are opaque, so that nobody can guess one, and good only for the call they came from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from ..errors import invalid_parameter
from ..gateway.call import EndpointCall
from ..state.pages import RemainingItems
from ..state.store import EmulatorStore


def paginate_items(
    store: EmulatorStore, call: EndpointCall, size: int, find: Callable[[], Sequence[Any]]
) -> tuple[Sequence[Any], Mapping[str, str]]:
    """Return a page, and the member of the answer that leads to the next one."""
    call_key = (call.endpoint.action, *call.params.values())
    # What remains is stored only if there is something, so that an empty answer means a first page.
    items = _continued_items(store, call_key, call.query) or find()
    return items[:size], _store_remaining_items(store, call_key, items[size:])


def _continued_items(store: EmulatorStore, call_key: tuple[str, ...], params: Mapping[str, str]) -> Sequence[Any]:
    token = params.get("nextToken")
    if not token:
        return ()
    rest = store.remaining_items.get(token)
    if rest is None or rest.call_key != call_key:
        raise invalid_parameter("nextToken", "is not valid")
    return rest.items


def _store_remaining_items(store: EmulatorStore, call_key: tuple[str, ...], rest: Sequence[Any]) -> dict[str, str]:
    if not rest:
        return {}
    token = uuid4().hex
    store.remaining_items[token] = RemainingItems(call_key, rest)
    return {"nextToken": token}
