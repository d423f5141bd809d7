"""What the gateway of Stream mode has to know of the emulated organisation, whose state it is a part of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from ..settings import EmulatorSettings


class StreamApp(Protocol):
    """An application."""

    @property
    def key(self) -> str:
        """Its app key."""

    @property
    def range(self) -> frozenset[str] | None:
        """The unionIds it may act for; ``None`` for everybody."""


class StreamFault(Protocol):
    """A fault rule that has hit."""

    @property
    def kind(self) -> str:
        """Which fault it is."""

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The parameters of its kind."""


class StreamFaults(Protocol):
    """The fault rules in force."""

    def match_rule(self, action: str, admitted: bool) -> StreamFault | None:
        """Return the rule that hits, if any."""


class StreamHost(Protocol):
    """The organisation as it is now; a reset replaces what is in it."""

    @property
    def settings(self) -> EmulatorSettings:
        """The switches."""

    @property
    def faults(self) -> StreamFaults:
        """The fault rules in force."""

    @property
    def apps(self) -> Mapping[str, StreamApp]:
        """The apps by their keys."""

    @property
    def corps(self) -> Sequence[str]:
        """The corpIds; the first one's calendar this is."""

    def now(self) -> float:
        """Return the time it is here."""
