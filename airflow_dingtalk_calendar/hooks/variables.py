"""Airflow Variables, the same way on 2.11 and 3."""

from __future__ import annotations

from airflow.providers.common.compat.sdk import Variable


def read(name: str) -> str | None:
    """Read a Variable's text; None if there is none of that name."""
    return _get(name)


def write(name: str, value: str) -> None:
    """Write a Variable."""
    Variable.set(name, value)


def _get(name: str) -> str | None:
    try:
        return Variable.get(name, default=None)
    except TypeError:  # Airflow 2.11 calls the parameter differently
        return Variable.get(name, default_var=None)
