"""Stream mode under any order of changes, faults and lost connections: what the gateway holds is received."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.stream.faults import CONNECT_FAULTS, PUSH_FAULTS
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.stream.apps import APP_STREAMS
from tests.conftest import DATA, EVENT, event
from tests.faults.conftest import SCHEDULES
from tests.stream.test_session import OTHER, change, waits
from tests.stream_listener import Listener, until_true

__all__ = ["waits"]  # a fixture
# Slow enough to be overtaken, and over before the next round.
PARAMETERS: dict[str, dict[str, Any]] = {"hang": {"seconds": 1.0}, "drip": {"interval": 0.0001}}
FAULTS = [
    *({"action": "StreamConnect", "kind": kind} for kind in CONNECT_FAULTS if kind != "hang"),
    *({"action": "StreamPush", "kind": kind, **PARAMETERS.get(kind, {})} for kind in PUSH_FAULTS),
    {"action": "StreamPush", "kind": "garbage", "text": "[" * 5000},
    {"action": "StreamPush", "kind": "garbage", "text": '{"type": "EVENT", "headers": {"messageId": "x"}}'},
    {"action": "OpenConnection", "kind": "error", "status": 503},
    {"action": "OpenConnection", "kind": "html"},
    {"action": "OpenConnection", "kind": "body", "body": "{}"},
]
STEPS = st.one_of(
    st.sampled_from([("change", EVENT), ("change", OTHER), ("time",), ("disconnect",), ("settle",)]),
    st.sampled_from(FAULTS).map(lambda rule: ("fault", rule)),
)


@SCHEDULES
@given(
    steps=st.lists(STEPS, max_size=15),
    seed=st.integers(0, 9),
    slow=st.booleans(),
    times=st.sampled_from(["text", "number"]),
    keys=st.sampled_from(["camelCase", "CamelCase"]),
)
def test_what_the_gateway_holds_is_received(
    dingtalk: Emulator, steps: list[tuple[Any, ...]], seed: int, slow: bool, times: str, keys: str
) -> None:
    """Each change is received at least once, twice only if it was not settled, and acknowledged in the end."""
    dingtalk.reset(
        {**DATA, "events": [event(), event(OTHER)]},
        stream_unconnected="kept",
        stream_seed=seed,
        stream_times=times,
        stream_keys=keys,
    )
    listener = Listener(settles=None if slow else True)

    async def scenario() -> None:
        async with APP_STREAMS.listen(listener, DingTalkCalendarHook):
            await until_true(lambda: listener.connected)
            for step in steps:
                _take_step(step, listener, dingtalk)
                await asyncio.sleep(0.002)
            dingtalk.store.faults.rules.clear()
            listener.settles = True
            _settle_all(listener)
            await until_true(lambda: _is_quiet(dingtalk), 20.0)

    asyncio.run(scenario())
    pushed = dingtalk.pushed_events()
    assert {one["status"] for one in pushed} <= {"acknowledged"}
    received = [one.push.change_id for one in listener.deliveries]
    assert len(received) == len(set(received)) == len(pushed) == sum(step[0] == "change" for step in steps)


def _take_step(step: tuple[Any, ...], listener: Listener, dingtalk: Emulator) -> None:
    match step:
        case ("change", event_id):
            change(dingtalk, event_id)
        case ("fault", rule):
            dingtalk.fault(**rule)
        case ("time",):
            dingtalk.advance_clock(70.0)
        case ("disconnect",):
            dingtalk.disconnect_all()
        case ("settle",):
            _settle_all(listener)


def _settle_all(listener: Listener) -> None:
    for delivery in listener.deliveries:
        delivery.settle(listener, clean=True)


def _is_quiet(dingtalk: Emulator) -> bool:
    """Whether nothing is to be acknowledged; else let time pass, so that it is pushed again."""
    if not dingtalk.unacknowledged():
        return True
    dingtalk.advance_clock(5.0)
    return False
