"""What all tests share: an Airflow home of their own, DingTalk on loopback, and time that does not pass."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before anything imports airflow, which reads its settings at that moment.
HOME = Path(tempfile.mkdtemp(prefix="airflow-dingtalk-"))
os.environ.update(
    AIRFLOW_HOME=str(HOME),
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    _AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK="1",  # Airflow 2.11 asks for its executor to run a sensor
    AIRFLOW__CORE__DEFAULT_TASK_RETRY_DELAY="0",
    AIRFLOW__CORE__DAGS_FOLDER=str(HOME / "dags"),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{HOME / 'airflow.db'}",
)

import asyncio
import gc
import json
import logging
import shutil
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import hypothesis
import pytest

from airflow_dingtalk_calendar.client import token_cache
from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.base import CalendarOperator
from airflow_dingtalk_calendar.triggers.event import DingTalkCalendarEventTrigger
from tests.airflow_runs import Run, forget_secrets, keep_api_server, run_dag

# How long an example takes says more about the machine than about the software. `make fuzz` chooses "thorough".
hypothesis.settings.register_profile("brief", max_examples=25, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=500, deadline=None)
hypothesis.settings.load_profile("brief")

ORGANIZER = "iiPorganizer"
EVENT = "cnNTbW1YbU9sL2p6aFJZdEgvdlQrQT09"


def event(event_id: str = EVENT, **fields: Any) -> dict[str, Any]:
    """Describe an event as the emulator keeps it."""
    return {
        "id": event_id,
        "summary": "Planning",
        "description": "What comes next",
        "start": {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
        "end": {"dateTime": "2027-03-02T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
        "isAllDay": False,
        "organizer": {"id": ORGANIZER},
        "attendees": [{"id": "iiPguest", "responseStatus": "accepted", "isOptional": False}],
        "location": {"displayName": "Room 1"},
        "reminders": [{"method": "dingtalk", "minutes": 15}],
        **fields,
    }


DATA = {
    "apps": [{"appKey": "ding-test-app", "appSecret": "a-made-up-app-secret"}],
    "users": [{"unionId": ORGANIZER, "name": "Lin"}, {"unionId": "iiPguest", "name": "Chen"}],
    "events": [event()],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest tests run first, so that no worker is left with them at the end (``--no-loadscope-reorder``)."""
    items.sort(key=lambda item: "faults" not in item.path.parts)


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays until the end: going over a million objects took half of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture(scope="session", autouse=True)
def _airflow_home() -> Iterator[None]:
    (HOME / "dags").mkdir()
    yield
    shutil.rmtree(HOME, ignore_errors=True)


@pytest.fixture(scope="session")
def _server() -> Iterator[Emulator]:
    with Emulator(DATA) as emulator:
        yield emulator


@pytest.fixture
def dingtalk(_server: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with one event, and the default connection pointing to it."""
    _server.reset(DATA)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(_server.connection()))
    return _server


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """No test sees tokens, rate limits or masked secrets of another."""
    forget_secrets()
    token_cache.TOKEN_CACHE.clear()
    RATE_LIMITER.clear()


@pytest.fixture(autouse=True)
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the package would have slept; no test waits for real, but the package's clock goes on."""
    slept: list[float] = []

    async def anap(seconds: float) -> None:
        slept.append(seconds)

    clock = Clock(lambda: time.monotonic() + sum(slept), time.time, slept.append, anap)
    monkeypatch.setattr(DingTalkBaseHook, "clock", clock)
    return slept


@pytest.fixture
def connect(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Change the default connection: its own fields, and ``extra`` members by keyword ``extra``."""

    def change(extra: dict[str, Any] | None = None, **fields: Any) -> None:
        connection = {**dingtalk.connection(), **fields}
        connection["extra"] = {**connection["extra"], **(extra or {})}
        monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(connection))

    return change


@pytest.fixture(params=["sync", "async"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Call a method of a fresh hook by name, once as it is and once through its twin for coroutines."""

    def call(method: str, *args: Any, **kwargs: Any) -> Any:
        with DingTalkCalendarHook() as hook:
            return getattr(hook, method)(*args, **kwargs)

    async def acall(method: str, *args: Any, **kwargs: Any) -> Any:
        async with DingTalkCalendarHook() as hook:
            return await getattr(hook, f"a{method}")(*args, **kwargs)

    return call if request.param == "sync" else lambda *args, **kwargs: asyncio.run(acall(*args, **kwargs))


@pytest.fixture(scope="session")
def airflow_db() -> None:
    """Airflow's metadata database, migrated once, and the API that tasks here reach it by."""
    from airflow.utils.db import initdb

    initdb()
    keep_api_server()


@pytest.fixture
def dag(airflow_db: None, dingtalk: Emulator) -> Callable[..., Run]:
    """Run tasks for real, in a DAG of their own, against DingTalk on loopback."""
    return partial(run_dag, HOME)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What tasks log at INFO and above (Airflow 3 does not log through the standard library)."""
    for kind in (CalendarOperator, DingTalkCalendarEventTrigger):
        monkeypatch.setattr(kind, "log", logging.getLogger("tasks"))
    caplog.set_level(logging.INFO)
    return caplog
