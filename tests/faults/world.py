"""A machine and a DingTalk whose misfortune follows a schedule, and a time that passes only when somebody sleeps."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

import httpx
import pytest

from airflow_dingtalk_calendar.client import token_cache, transport
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import DingTalkError
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from tests.conftest import ORGANIZER
from tests.faults.kinds import CORP, EMULATED, HOSTED, TICKET, TIMEOUT

BEGIN = 1_800_000_000.0  # January 2027
LATE_TIMEOUT = 5.0  # seconds, real ones, which a request that nobody waits for takes hardly ever
AUTH_TYPES = ("app", "corp_app", "user")
Schedule = Mapping[int, str]  # which request, counted from 1, meets which kind of fault


@dataclass
class World:
    """One run of a schedule.

    :ivar wire: sends requests for real.
    :ivar number: requests so far.
    :ivar mono: the clock that only runs forward; ``wall``: the time of day, here and at the service.
    :ivar slow: requests that no fault was planned for, and that this machine was too slow for.
    :ivar late: requests that are still on their way.
    :ivar full: sockets of a server that takes no more connections.
    :ivar hook: the one that was used last.
    """

    dingtalk: Emulator
    schedule: Schedule
    wire: httpx.HTTPTransport
    number: int = 0
    mono: float = 1000.0
    wall: float = BEGIN
    slow: int = 0
    late: list[httpx.Request] = field(default_factory=list)
    full: list[socket.socket] = field(default_factory=list)
    lock: Any = field(default_factory=RLock)
    hook: Any = None

    def sleep(self, seconds: float) -> None:
        """Let time pass; what is on its way arrives."""
        with self.lock:
            self.mono += seconds
            self.wall += seconds
            while self.late:
                self.deliver(self.late.pop())

    def deliver(self, request: httpx.Request) -> None:
        """Send a request whose answer nobody waits for."""
        # It has a lot of time, but may meet a fault that was planned for another and is never answered.
        request.extensions |= {"timeout": httpx.Timeout(LATE_TIMEOUT).as_dict()}
        with suppress(httpx.HTTPError):
            self.wire.handle_request(request).read()

    def go_on_as_child(self) -> None:
        """Use the parent's hook after a fork, in a child for which nothing is planned."""
        self.lock, self.schedule, self.wire = RLock(), {}, httpx.HTTPTransport(verify=False)
        event_id = next(iter(self.dingtalk.store.events))
        with suppress(DingTalkError):  # it may meet what was planned for another thread's request
            assert self.hook.get_event(ORGANIZER, event_id)["id"] == event_id


class Wire(httpx.BaseTransport):
    """The way to the service: each request meets what the schedule has for it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, or what is left of it."""
        planned = self._met(request)
        try:
            return self._world.wire.handle_request(planned)
        except httpx.TimeoutException:
            self._world.slow += 1
            raise

    def _met(self, request: httpx.Request) -> httpx.Request:
        world = self._world
        with world.lock:
            world.number += 1
            number, kind = world.number, world.schedule.get(world.number)
        if kind in EMULATED:
            rule = EMULATED[kind]
            # An id that two events have would be one more fault, which only the service could make.
            ids = {"id": f"another-event-{number}"} if rule["kind"] == "other_id" else {}
            world.dingtalk.fault(**rule, **ids)
        return HOSTED[kind](world, request) if kind in HOSTED else request


@contextmanager
def world(
    dingtalk: Emulator, data: Any, schedule: Schedule, auth_type: str = "app", **settings: Any
) -> Iterator[World]:
    """Begin anew: DingTalk with this data and these switches, and hooks that live in this world.

    :param schedule: what happens to which request.
    :param auth_type: of the connection. A newer token ends a third-party app's older ones.
    """
    data = {**data, "corps": [CORP], "suiteTicket": TICKET}
    dingtalk.reset(data, **{"earlier_corp_tokens": "invalid", **settings})
    token_cache.TOKEN_CACHE.clear()
    RATE_LIMITER.clear()
    connection = dingtalk.connection(auth_type)
    connection["extra"].update(timeout=TIMEOUT, max_qps=1000)
    with httpx.HTTPTransport(verify=False) as wire, pytest.MonkeyPatch.context() as patch:
        here = World(dingtalk, schedule, wire)
        patch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(connection))
        patch.setattr(transport, "_client_options", lambda _: {"transport": Wire(here)})
        patch.setattr(transport, "apply_deadlines", lambda client: client)  # of the library's own transports
        patch.setattr(DingTalkBaseHook, "run", _noted(here, DingTalkBaseHook.run))
        clock = replace(DingTalkBaseHook.clock, monotonic=lambda: here.mono, time=lambda: here.wall, sleep=here.sleep)
        patch.setattr(DingTalkBaseHook, "clock", clock)
        patch.setattr(dingtalk.store, "clock", lambda: here.wall)
        try:
            with _variables(dingtalk, patch):
                yield here
                here.sleep(0)
        finally:
            for one in here.full:
                one.close()


def _noted(here: World, run: Callable[..., Any]) -> Callable[..., Any]:
    def noted(hook: DingTalkBaseHook, call: Any) -> Any:
        here.hook = hook
        return run(hook, call)

    return noted


@contextmanager
def _variables(dingtalk: Emulator, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep Airflow's Variables in files, which processes share; one is a person's grant that has to be refreshed."""
    with tempfile.TemporaryDirectory() as folder:
        extra = {**dingtalk.connection("corp_app")["extra"], **dingtalk.connection("user")["extra"]}
        grant = UserGrant("", dingtalk.store.tokens.issue_refresh_token(dingtalk.app_key, ORGANIZER), 0.0)
        Path(folder, extra["suite_ticket_variable"]).write_text(TICKET)
        Path(folder, extra["user_grant_variable"]).write_text(grant.dump())
        patch.setattr(airflow_compat, "read_variable", lambda name: Path(folder, name).read_text())
        patch.setattr(airflow_compat, "write_variable", lambda name, text: Path(folder, name).write_text(text))
        yield
