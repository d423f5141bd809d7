"""The steps of a call that need Airflow: hiding a secret in its logs, reading and writing its Variables."""

from __future__ import annotations

from typing import Any

from airflow.providers.common.compat.sdk import mask_secret

from airflow_dingtalk_calendar.client.effects import MaskSecret, ReadVariable, WriteVariable
from airflow_dingtalk_calendar.connection.secret import Secret, hide_frames
from airflow_dingtalk_calendar.hooks import airflow_compat


def perform_in_airflow(step: object) -> Any:
    """Perform a step. Frames of Airflow, which have the secret in clear, are cut off its exceptions."""
    with hide_frames():
        match step:
            case MaskSecret(secret):
                return mask_secret(secret)
            case ReadVariable(name):
                return _read_variable(name)
            case WriteVariable(name, value):
                return _write_variable(name, value)


def _read_variable(name: str) -> Secret | None:
    text = airflow_compat.read_variable(name)
    return None if text is None else Secret(text)


def _write_variable(name: str, value: str) -> str | None:
    try:
        airflow_compat.write_variable(name, value)
    except Exception as error:
        return type(error).__name__
    return None
