"""What it takes to read and check a patch, beside the SDK's models."""

from __future__ import annotations

import copy
from collections.abc import Callable
from statistics import median

from benchmarks.emulated import alone, timed
from benchmarks.page import Section, Table
from benchmarks.peers import PATCH, sdk_patch

ROUNDS, PATCHES = 21, 500
OURS, SDK = "EventPatch.parse and to_body", "the SDK's models, validate and to_map"
TEXT = """From a mapping to the body of the request, four fields, medians of {rounds} rounds that take turns.
`EventPatch` checks types, limits, times and zones, and what must not stand together, and names all problems at
once. The SDK's `validate` {accepted}."""
WRONG = {
    **PATCH,
    "start": {"dateTime": "tomorrow", "timeZone": "Atlantis"},
    "reminders": [{"method": "fax", "minutes": -1}],
}


def measure() -> Section:
    """Measure both in turn, in a process of their own."""
    turns: list[dict[str, float]] = alone("validation:rounds", ROUNDS)
    rows = [
        (name, 1 / median(turn[name] for turn in turns), median(turn[name] / turn[SDK] for turn in turns))
        for name in (OURS, SDK)
    ]
    text = TEXT.format(rounds=ROUNDS, accepted=alone("validation:accepted"))
    return Section("Checking patches", text, [Table(("way", "patches/s", "time, of the SDK's"), rows)])


def accepted() -> str:
    """Say what the SDK does with a patch in which nearly everything is wrong, and what we do."""
    from airflow_dingtalk_calendar.exceptions import InvalidPatchError
    from airflow_dingtalk_calendar.models.event_patch import EventPatch

    try:
        EventPatch.parse(WRONG)
        ours = "takes all as well"
    except InvalidPatchError as error:
        ours = f"names {len(error.problems)} problems"
    try:
        sdk_patch("E0", WRONG).validate()
        theirs = "takes"
    except Exception:
        theirs = "refuses"
    wrong = "a start of `tomorrow` in the zone `Atlantis` and a reminder by `fax`"
    return f"{theirs} {wrong}, of which `EventPatch` {ours}"


def rounds(count: int) -> list[dict[str, float]]:
    """Check patches in both ways in turn; return the seconds per patch."""
    from airflow_dingtalk_calendar.models.event_patch import EventPatch

    def theirs(patch: dict[str, object]) -> object:
        request = sdk_patch("E0", patch)
        request.validate()
        return request.to_map()

    ways = {OURS: lambda patch: EventPatch.parse(patch).to_body("E0"), SDK: theirs}
    return [{name: timed(_many, way) / PATCHES for name, way in ways.items()} for _ in range(count + 1)][1:]


def _many(way: Callable[[dict[str, object]], object]) -> None:
    for patch in [copy.deepcopy(PATCH) for _ in range(PATCHES)]:
        way(patch)


if __name__ == "__main__":
    print(measure())
