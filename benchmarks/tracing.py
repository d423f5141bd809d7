"""What one patch goes through: which modules it visits, and how often it changes from one to another."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any


class Trace:
    """A profile function for ``sys.setprofile`` that counts calls per module of a package, and changes of module.

    Only frames of the package count. At any time the innermost of them says which module the call is in; what other
    code calls meanwhile changes nothing. A change is counted whenever a call, a return, a generator that goes on or one
    that yields leads from one module to another; coming into the package first, and leaving it last, are none.

    :param without: a folder of the package that does not count.
    """

    def __init__(self, root: Path, without: str = "emulator") -> None:
        self.calls: Counter[str] = Counter()
        self.changes = 0
        self._root, self._without = root, without
        self._stack: list[tuple[FrameType, str]] = []
        self._modules: dict[str, str | None] = {}

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        """Note an event, if it is one of the package's."""
        module = self._module_of(frame.f_code.co_filename) if event in ("call", "return") else None
        if module is None:
            return
        before = self._current
        if event == "call":
            self.calls[module] += 1
            self._stack.append((frame, module))
        else:
            self._leave(frame)
        self.changes += None not in (before, self._current) and before != self._current

    @property
    def _current(self) -> str | None:
        return self._stack[-1][1] if self._stack else None

    def _leave(self, frame: FrameType) -> None:
        while self._stack and self._stack.pop()[0] is not frame:
            pass

    def _module_of(self, file: str) -> str | None:
        if file not in self._modules:
            path = Path(file)
            inside = path.relative_to(self._root).with_suffix("") if path.is_relative_to(self._root) else None
            counts = inside is not None and inside.parts[0] != self._without
            self._modules[file] = ".".join(inside.parts) if inside is not None and counts else None
        return self._modules[file]


def trace_patch() -> dict[str, Any]:
    """Patch an event of the default connection twice; return what the second patch went through."""
    import airflow_dingtalk_calendar
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from benchmarks.emulated import LIN
    from benchmarks.peers import PATCH

    trace, hook = Trace(Path(airflow_dingtalk_calendar.__file__).parent), DingTalkCalendarHook()
    hook.patch_event(LIN, "E0", PATCH)
    sys.setprofile(trace)
    try:
        hook.patch_event(LIN, "E0", PATCH)
    finally:
        sys.setprofile(None)
    return {"calls": trace.calls, "changes": trace.changes}
