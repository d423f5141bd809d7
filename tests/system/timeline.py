"""What happened when: shown while it happens, and kept as text."""

from __future__ import annotations

import time


class Timeline:
    """Lines with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._lines: list[str] = []

    def note(self, text: str) -> None:
        """Say that something happened just now."""
        self.say(f"{time.monotonic() - self._start:6.1f} s  {text}")

    def say(self, text: str) -> None:
        """Say something that has no time."""
        self._lines.append(text)
        print(text, flush=True)

    def text(self) -> str:
        """Return all of it."""
        return "\n".join(self._lines) + "\n"
