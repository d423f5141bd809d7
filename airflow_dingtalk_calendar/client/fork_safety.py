"""What a forked process must not share with its parent: sockets, and locks that another thread may have held."""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Clearable(Protocol):
    """Something that can be reset without waiting for any lock."""

    def clear(self) -> None:
        """Forget everything, and make new locks."""


_instances: WeakSet[Clearable] = WeakSet()


def clear_after_fork(instance: Clearable) -> None:
    """Have an object cleared in each process that this one forks, for as long as the object lives."""
    _instances.add(instance)


def _clear_all() -> None:
    for instance in list(_instances):
        instance.clear()


os.register_at_fork(after_in_child=_clear_all)
