"""One intent, one identity: the ``x-client-token`` by which DingTalk knows a repeated request.

"The same x-client-token indicates the same request. Expires in 1 day" (official page of PatchEvent). So the
token has to stay the same over automatic retries, whose outcome may be unknown, and be another one when a
person clears the task to have it done again. ``ti.max_tries`` behaves so on Airflow 2.11 to 3.4: retries leave
it, clearing sets it to the tries so far plus ``retries``. (``try_number`` and ``ti.id`` change at every retry,
``dag_run.clear_number`` when any task of the run is cleared.)

Where it does not hold: a task cleared while it runs whose end the executor reports as failed keeps its token;
so does a task whose ``retries`` were lowered, before clearing it, by as many as it had used; and a run deleted
and made again under the same ``run_id``. In those cases give a ``client_token`` of your own.

A token of your own goes out as it is where it can stand for one request only. Where the same argument serves several,
the task instances of a mapped task or the calls of one task, each gets its own, derived from it: DingTalk would take
different requests of one name for the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from airflow_dingtalk_calendar.exceptions import InvalidInputError

# Fixed for good: under another one, a retry after an upgrade would send its request with another token.
NAMESPACE = UUID("6f5d0c57-0a3f-4d0c-9f0e-4b3c3b8f3a52")


def client_token_for(context: Mapping[str, Any], *parts: Any) -> str:
    """Derive a client token that is stable over Airflow's automatic retries and new after a clear.

    :param context: Airflow's task context (``get_current_context()`` in a plain ``@task``).
    :param parts: what the request is about, JSON values: the event's id, the body.
    :raises InvalidInputError: for what is no JSON value. A set is none: its order is another one in each process.
    """
    ti = context["ti"]
    index = -1 if ti.map_index is None else ti.map_index
    return _derive_token(ti.dag_id, ti.run_id, ti.task_id, index, _region_id(ti), ti.max_tries, *parts)


def distinct_client_token(context: Mapping[str, Any], given: str, call: int, calls: int) -> str:
    """Make of a token that somebody gave the one of a call: itself, if it is for one call of one task instance.

    :param context: Airflow's task context.
    :param call: which of the task's calls it is, from 1.
    :param calls: how many calls the task makes.
    """
    ti = context["ti"]
    index, region = -1 if ti.map_index is None else ti.map_index, _region_id(ti)
    if index < 0 and region is None and calls == 1:
        return given
    return _derive_token(given, index, call, *filter(None, [region]))


def fresh_client_token() -> str:
    """Make a client token for one call outside of a task."""
    return os.urandom(16).hex()


def is_automatic_retry(context: Mapping[str, Any], retries: int) -> bool:
    """Whether an earlier try had the same client token (and ``retries`` was not edited since)."""
    ti = context["ti"]
    # max_tries is retries at first, and after a clear the tries so far plus retries. So the first try of a cycle has
    # the number max_tries - retries + 1.
    return bool(ti.try_number > ti.max_tries - retries + 1)


def _region_id(ti: Any) -> str | None:
    """Name the pass of a loop (from Airflow 3.4 on, where all passes have the same ``map_index``)."""
    region = getattr(ti, "region_id", None)
    return None if region in (None, UUID(int=0)) else f"{region} {getattr(ti, 'region_index', None)}"


def _derive_token(*parts: Any) -> str:
    try:
        return str(uuid5(NAMESPACE, json.dumps(parts, sort_keys=True, ensure_ascii=True)))
    except (TypeError, ValueError, RecursionError):
        text = "must be JSON values, to be the same in each process; give a set as a sorted list, a time as text"
        raise InvalidInputError(("parts", text)) from None
