"""Property: whatever happens to watchers that share a poll, each reports every change, repeats under the same name."""

from __future__ import annotations

import asyncio
from itertools import count

import pytest

pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow has shared streams from 3.3 on")

from hypothesis import example, given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, ORGANIZER, event
from tests.faults.conftest import SCHEDULES
from tests.stream_triggerer import StreamTriggerer, Watcher

HOUR = 3600.0
KINDS = (
    {},
    {"fields": ["location"]},
    {"summary_pattern": "^Pl"},
    {"interval": 1800},
    {"fields": ["location", "responses"]},
)
MOMENTS = ("killed at rest", "killed before storing", "killed before saving")
HAPPENS = ("edit", "edit", "hour", "hour", "add", "remove", "return", "break", "fix", "forget", "refuse", "fault")
STEPS = st.lists(st.tuples(st.sampled_from((*HAPPENS, *MOMENTS)), st.integers(0, 4)), max_size=16)


class Scene:
    """Watchers, and what each of them has to report."""

    def __init__(self, triggerer: StreamTriggerer, dingtalk: Emulator) -> None:
        self.triggerer = triggerer
        self.dingtalk = dingtalk
        self.away: list[Watcher] = []
        self.owed: dict[Watcher, set[str]] = {}
        self._numbers = count()

    async def play(self, step: str, number: int) -> None:
        """Let one thing happen."""
        here = self.triggerer.watchers
        chosen = here[number % len(here)] if here else None
        if step == "edit":
            self.edit()
        elif step == "hour":
            await self.triggerer.advance(HOUR)
        elif step == "add" and len(here) + len(self.away) < 5:
            self.owed[self.triggerer.add(**KINDS[len(self.owed) % 5])] = set()
            await self.triggerer.settle()
        elif step == "return" and self.away:
            self.bring_back()
        elif step == "refuse":
            self.dingtalk.store.list_pages.clear()  # every syncToken is refused
        elif step == "fault":
            self.dingtalk.fault(kind="error", action="ListEvents", status=503, code="x", message="x", times=number + 1)
        elif step.startswith("killed"):
            await self.die(step)
        elif chosen is not None:
            await self.happen_to(chosen, step)

    async def happen_to(self, watcher: Watcher, step: str) -> None:
        """Let something happen to one watcher."""
        if step == "remove":
            await self.triggerer.remove(watcher)
            self.away.append(watcher)
        elif step in ("break", "fix"):
            watcher.store.broken = step == "break"
        elif step == "forget":
            self.triggerer.forgets.add(watcher.number)

    async def die(self, step: str) -> None:
        """Kill the triggerer at some moment of a poll, and start it again."""
        if step != "killed at rest":
            self.edit()
            self.triggerer.stores, self.triggerer.confirms = step == "killed before saving", False
            self.triggerer.now += HOUR
            await self.triggerer.turn(30)
        await self.triggerer.kill()
        self.triggerer.start_all()
        await self.triggerer.settle()

    def edit(self) -> None:
        """Change an event that was not changed before; whoever has a position has to report it."""
        name = f"e{next(self._numbers):02}"
        with DingTalkCalendarHook() as hook:
            hook.patch_event(ORGANIZER, name, {"location": "Room 2"})
        for watcher, events in self.owed.items():
            if any(key.count("/") == 1 for key in watcher.store.values):
                events.add(name)

    def bring_back(self) -> None:
        """Add a watcher again that was taken away."""
        watcher = self.away.pop()
        self.triggerer.watchers.append(watcher)
        self.triggerer.start(watcher)

    async def finish(self) -> None:
        """Let all be well again, and all watchers be there."""
        while self.away:
            self.bring_back()
        for watcher in self.triggerer.watchers:
            watcher.store.broken = False
        self.triggerer.forgets.clear()
        await self.triggerer.advance(8 * HOUR)


@SCHEDULES
@given(steps=STEPS)
@example(steps=[("remove", 0), ("remove", 0), ("hour", 0)])  # nobody watches for a time
def test_every_change_is_reported(
    monkeypatch: pytest.MonkeyPatch, dingtalk: Emulator, steps: list[tuple[str, int]]
) -> None:
    """Kills, failing stores, changes that are not stored, faults and refused tokens lose nothing and rename nothing."""
    dingtalk.reset({**DATA, "events": [event(f"e{number:02}") for number in range(20)]})

    async def within() -> None:
        async with StreamTriggerer(monkeypatch) as triggerer:
            scene = Scene(triggerer, dingtalk)
            for step, number in [("add", 0), ("add", 1), *steps]:
                await scene.play(step, number)
            await scene.finish()
            for watcher, events in scene.owed.items():
                assert events <= {one["event_id"] for one in watcher.reported}
                names = {(one["event_id"], one["change_id"]) for one in watcher.reported}
                assert len(names) == len({event_id for event_id, _ in names})

    asyncio.run(within())
