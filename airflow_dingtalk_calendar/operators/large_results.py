"""Results that are large for XCom: how large they are, what to do then, and where else they can go."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError

# Airflow wants XComs to be small and names no number; each one is a row in its database.
LARGE_XCOM = 1_000_000  # bytes
LARGE_XCOM_REMEDY = (
    "keep large XComs out of the metadata database with [core] xcom_backend = "
    "airflow.providers.common.io.xcom.backend.XComObjectStorageBackend, or %s."
)


def check_xcom_size(log: Any, name: str, value: Any, otherwise: str) -> int:
    """Return how many bytes a value takes as JSON; warn if that is much for XCom.

    :param name: what it is called in the warning.
    :param otherwise: another remedy than a backend of XCom.
    """
    size = len(json.dumps(value))
    if size > LARGE_XCOM:
        log.warning(f"%s has %.1f MB: {LARGE_XCOM_REMEDY}", name, size / 1e6, otherwise)
    return size


def find_place(name: str, value: Any) -> Any:
    """Find where Airflow's object storage keeps a file; nothing is opened.

    :param name: of the argument.
    :param value: a URL (``s3://conn_id@bucket/key``), a local path, or an ``ObjectStoragePath``.
    :raises InvalidInputError: when Airflow knows no such storage.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    if not isinstance(value, (str, ObjectStoragePath)) or not str(value).strip():
        raise InvalidInputError((name, "must be a URL, or a path"))
    try:
        place = ObjectStoragePath(value)
        place.fs  # noqa: B018  # its storage is resolved now
    except Exception as error:  # whatever the storage, or what it is made of, raises
        remedy = "a URL needs the provider of its storage (s3: apache-airflow-providers-amazon with s3fs)"
        text = f"is not a location supported by Airflow's object storage ({type(error).__name__}); {remedy}"
        raise InvalidInputError((name, text)) from None
    return place


def write_lines(place: Any, values: Iterable[Any]) -> str:
    """Write values as JSON Lines, in place of what is there, and return the path."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(value)}\n" for value in values)
    return str(place)
