"""What a part measured, as text: tables, and targets whose verdicts are computed from the figures."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import NamedTuple


class Target(NamedTuple):
    """What a figure is to be; its verdict.

    :param at_least: whether ``limit`` is the least it may be, and not the most.
    """

    what: str
    figure: float
    limit: float
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure, unrounded, keeps to the limit; what is no number does not."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit

    def row(self) -> tuple[str, ...]:
        """Return the target as a table's row."""
        bound = f"at {'least' if self.at_least else 'most'} {self.limit:g}"
        return self.what, bound, number(self.figure), "met" if self.met else "**missed**"


class Table(NamedTuple):
    """A table; its first column is text, the others are numbers or text."""

    heads: Sequence[str]
    rows: Sequence[Sequence[object]]

    def __str__(self) -> str:
        lines = [self.heads, ["---", *["---:"] * (len(self.heads) - 1)], *self.rows]
        return "\n".join(f"| {' | '.join(map(number, line))} |" for line in lines)


class Section(NamedTuple):
    """What one part measured.

    :param text: what is measured, and how.
    :param notes: for people: why a figure is what it is, what was tried. It must not repeat figures, they change.
    """

    title: str
    text: str
    tables: Sequence[Table]
    targets: Sequence[Target] = ()
    notes: str = ""

    def __str__(self) -> str:
        verdicts = [str(Table(TARGET_HEADS, [target.row() for target in self.targets]))] if self.targets else []
        parts = [f"## {self.title}", filled(self.text), *map(str, self.tables), *verdicts, filled(self.notes)]
        return "\n\n".join(part for part in parts if part)


TARGET_HEADS = ("target", "", "measured", "verdict")


def filled(text: str) -> str:
    """Break the lines of text anew, now that the figures stand in it; paragraphs stay."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return "\n\n".join(textwrap.fill(one, 118, break_on_hyphens=False, break_long_words=False) for one in paragraphs)


def number(value: object) -> str:
    """Write a figure with three digits that count, or text as it is.

    >>> [number(value) for value in (0.01234, 1.305, 51.64, 359781.2, 12, "text")]
    ['0.0123', '1.30', '51.6', '359,781', '12', 'text']
    """
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    return f"{value:,.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or not size else 4}f}"


def summary(sections: Sequence[Section]) -> str:
    """Return all targets with their verdicts, as one table."""
    rows = [(section.title, *target.row()) for section in sections for target in section.targets]
    return str(Table(("part", *TARGET_HEADS), rows))
