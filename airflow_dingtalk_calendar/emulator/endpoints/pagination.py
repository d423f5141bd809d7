"""Pages of answers that have nothing but pages: a nextToken stands for the rest of what was found at first.

Tokens are opaque, so that nobody can guess one, and good for the question they came with only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from ..errors import invalid
from ..gateway.call import Call
from ..state.pages import Rest
from ..state.store import Store


def paged(
    store: Store, call: Call, size: int, find: Callable[[], Sequence[Any]]
) -> tuple[Sequence[Any], Mapping[str, str]]:
    """Return a page, and the member of the answer that leads to the next one."""
    question = (call.endpoint.action, *call.params.values())
    found = _continued(store, question, call.query) or find()
    return found[:size], _continuation(store, question, found[size:])


def _continued(store: Store, question: tuple[str, ...], params: Mapping[str, str]) -> Sequence[Any]:
    token = params.get("nextToken")
    if not token:
        return ()
    rest = store.rests.get(token)
    if rest is None or rest.question != question:
        raise invalid("nextToken", "is not valid")
    return rest.found


def _continuation(store: Store, question: tuple[str, ...], rest: Sequence[Any]) -> dict[str, str]:
    if not rest:
        return {}
    token = uuid4().hex
    store.rests[token] = Rest(question, rest)
    return {"nextToken": token}
