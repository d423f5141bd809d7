"""Airflow Variables, the same way on 2.11 and 3."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import Variable


def read(name: str) -> str | None:
    """Read a Variable's text; None if there is none of that name."""
    text = _get(name)
    return None if text is None else str(text)


def write(name: str, value: str) -> None:
    """Write a Variable."""
    Variable.set(name, value)


def _get(name: str) -> Any:
    try:
        return Variable.get(name, default=None)
    except TypeError:  # Airflow 2.11 calls the parameter differently
        return Variable.get(name, default_var=None)  # type: ignore[call-arg]
