"""What the gateway of Stream mode has to know of the emulated organisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from ..settings import EmulatorSettings
from ..state.data_file import RegisteredApp
from ..state.fault_rules import FaultRules


class StreamHost(Protocol):
    """The organisation as it is now; a reset replaces what is in it."""

    @property
    def settings(self) -> EmulatorSettings:
        """The switches."""

    @property
    def faults(self) -> FaultRules:
        """The fault rules in force."""

    @property
    def apps(self) -> Mapping[str, RegisteredApp]:
        """The apps by their keys."""

    @property
    def corps(self) -> Sequence[str]:
        """The corpIds; the first one's calendar this is."""

    def now(self) -> float:
        """Return the time it is here."""
