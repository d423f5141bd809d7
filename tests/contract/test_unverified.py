"""What the service does where the documentation leaves it open: whichever it is, the run says so in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.settings import EmulatorSettings, setting_choices
from tests.contract.calendars import Calendar
from tests.contract.probes import PROBES, UNSEEN

VALUES = [(switch, word) for switch in PROBES for word in setting_choices(switch)]
here = pytest.mark.parametrize("place", ["emulator"], indirect=True)


@pytest.mark.parametrize("switch", [pytest.param(name, marks=pytest.mark.calls(n)) for name, (_, n) in PROBES.items()])
def test_what_the_service_does(
    calendar: Calendar, switch: str, seen: dict[str, str], record_property: Callable[[str, Any], None]
) -> None:
    """It is one of the ways that the emulator knows, and goes into the report."""
    seen[switch] = found = PROBES[switch][0](calendar)
    record_property(switch, found)
    assert found in (*setting_choices(switch), UNSEEN)


# -- of the probes, without a tenant --------------------------------------------------------------------------


@pytest.fixture
def configure(emulator: Emulator) -> Iterator[Callable[..., None]]:
    """Set the emulator's switches for one test."""
    yield emulator.configure
    emulator.configure(**EmulatorSettings().as_dict())


@here
@pytest.mark.parametrize(("switch", "word"), VALUES)
def test_a_probe_finds_the_switch(calendar: Calendar, configure: Callable[..., None], switch: str, word: str) -> None:
    """Whatever way the emulator is switched to, the probe says exactly that."""
    configure(**{"view_ids": "usable", switch: word})
    assert PROBES[switch][0](calendar) == word


@here
def test_an_instance_that_cannot_be_named_shows_nothing(calendar: Calendar) -> None:
    """While other calls do not know the view's ids, what a patch of an instance changes is not to be seen."""
    assert PROBES["instance_patch"][0](calendar) == UNSEEN
