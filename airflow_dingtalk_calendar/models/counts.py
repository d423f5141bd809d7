"""Numbers in texts that people read."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 call``, ``2 calls``.

    :param many: the plural, if it is not ``one`` with an s.
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"
