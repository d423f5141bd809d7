"""What all tests share: an Airflow home of their own, DingTalk on loopback, and time that does not pass."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before anything imports airflow, which reads its settings at that moment.
_HOME = Path(tempfile.mkdtemp(prefix="airflow-dingtalk-"))
os.environ.update(
    AIRFLOW_HOME=str(_HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    AIRFLOW__CORE__DAGS_FOLDER=str(Path(__file__).parent.parent / "dags_examples"),
)

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_dingtalk_calendar import auth, pace
from airflow_dingtalk_calendar.emulator import Emulator

ORGANIZER = "iiiP35sJorganizer"


@pytest.fixture(scope="session", autouse=True)
def _airflow_home() -> Iterator[None]:
    yield
    shutil.rmtree(_HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def _server() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator
