"""What differs between Airflow's versions: Variables, connections, assets and metrics, the same way on 2.11 and 3.

In a task of Airflow 3 Variables and connections come from Airflow's supervisor. On the command line, in a script and in
the API server, where a connection is tested and a person authorizes an app, that is not there: then they are in the
database.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from airflow.providers.common.compat.sdk import Stats, Variable

__all__ = ["Stats", "find_connection", "read_variable", "scheduling_uris", "write_variable"]


def read_variable(name: str) -> str | None:
    """Read a Variable's text; None if there is none of that name."""
    text = Variable.get(name, default=None) if _in_task() else _airflow_models().Variable.get(name, default_var=None)
    return None if text is None else str(text)


def write_variable(name: str, value: str) -> None:
    """Write a Variable."""
    (Variable if _in_task() else _airflow_models().Variable).set(name, value)


def find_connection(conn_id: str) -> Any:
    """Read a connection from Airflow's database, outside of a task; None where it is not."""
    if not _in_task():
        with suppress(Exception):  # no such connection, no database: Airflow's own answer has said what is wrong
            return _airflow_models().Connection.get_connection_from_secrets(conn_id)
    return None


def scheduling_uris(dag: Any) -> Iterator[str]:
    """Return the URIs of the assets (on 2.11, datasets) that a DAG is scheduled on."""
    timetable = getattr(dag, "timetable", None)
    for name in ("asset_condition", "dataset_condition"):
        yield from _uris_in(getattr(timetable, name, None))


def _uris_in(condition: Any) -> Iterator[str]:
    """Return the URIs in a condition: an asset, or several of them, joined by and or by or."""
    if isinstance(uri := getattr(condition, "uri", None), str):
        yield uri
    for part in getattr(condition, "objects", ()):
        yield from _uris_in(part)


def _in_task() -> bool:
    """Whether Airflow 3's supervisor is there to be asked."""
    return hasattr(sys.modules.get("airflow.sdk.execution_time.task_runner"), "SUPERVISOR_COMMS")


def _airflow_models() -> Any:
    from airflow import models  # takes a while, and tasks of Airflow 3 must not

    return models
