"""One intent, one identity: the ``x-client-token`` by which DingTalk knows a repeated request.

"The same x-client-token indicates the same request. Expires in 1 day" (official page of PatchEvent). So the
token has to stay the same over automatic retries, whose outcome may be unknown, and be another one when a
person clears the task to have it done again. ``ti.max_tries`` behaves so on Airflow 2.11 to 3.4: retries leave
it, clearing sets it to the tries so far plus ``retries``. (``try_number`` and ``ti.id`` change at every retry,
``dag_run.clear_number`` when any task of the run is cleared.)

Where it does not hold: a task cleared while it runs whose end the executor reports as failed keeps its token;
so does a task whose ``retries`` were lowered, before clearing it, by as many as it had used; and a run deleted
and made again under the same ``run_id``. In those cases give a ``client_token`` of your own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4, uuid5

NAMESPACE = UUID("6f5d0c57-0a3f-4d0c-9f0e-4b3c3b8f3a52")


def client_token_for(context: Mapping[str, Any], *parts: Any) -> str:
    """Derive a client token that is stable over Airflow's automatic retries and new after a clear.

    :param context: Airflow's task context (``get_current_context()`` in a plain ``@task``).
    :param parts: what the request is about, JSON values: the event's id, the body.
    """
    ti = context["ti"]
    index = -1 if ti.map_index is None else ti.map_index
    return _derive_token(ti.dag_id, ti.run_id, ti.task_id, index, _region_id(ti), ti.max_tries, *parts)


def fresh_client_token() -> str:
    """Make a client token for one call outside of a task."""
    return str(uuid4())


def is_automatic_retry(context: Mapping[str, Any], retries: int) -> bool:
    """Whether an earlier try had the same client token (and ``retries`` was not edited since)."""
    ti = context["ti"]
    return bool(ti.try_number > ti.max_tries - retries + 1)


def _region_id(ti: Any) -> str | None:
    """Name the pass of a loop (from Airflow 3.4 on, where all passes have the same ``map_index``)."""
    region = getattr(ti, "region_id", None)
    return None if region in (None, UUID(int=0)) else f"{region} {getattr(ti, 'region_index', None)}"


def _derive_token(*parts: Any) -> str:
    return str(uuid5(NAMESPACE, json.dumps(parts, sort_keys=True, ensure_ascii=True)))
