"""The benchmarks' page: its verdicts come from the figures, and it has all parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.__main__ import PARTS, main
from benchmarks.page import Section, Table, Target

FOLDER = Path(page.__file__).parent
SECTION = Section("Speed", "How fast.", [Table(("way", "s"), [("ours", 1.304)])], [Target("ours, s", 1.304, 1.3)])


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("ratio", 1.3, 1.3), "met"),
        (Target("ratio", 1.3001, 1.3), "**missed**"),
        (Target("times", 10.0, 10, at_least=True), "met"),
        (Target("times", 9.99, 10, at_least=True), "**missed**"),
        (Target("ratio", float("nan"), 1.3), "**missed**"),
    ],
)
def test_a_verdict_is_computed_from_the_unrounded_figure(target: Target, verdict: str) -> None:
    """A figure that only seems to meet its target, because it is rounded, misses it."""
    assert target.row()[-1] == verdict


def test_a_section_is_markdown() -> None:
    """A section has its title, text, figures and targets, in that order."""
    assert str(SECTION).splitlines() == [
        "## Speed",
        "",
        "How fast.",
        "",
        "| way | s |",
        "| --- | ---: |",
        "| ours | 1.30 |",
        "",
        "| target |  | measured | verdict |",
        "| --- | ---: | ---: | ---: |",
        "| ours, s | at most 1.3 | 1.30 | **missed** |",
    ]


def test_the_summary_has_every_target() -> None:
    """The table at the top names part and verdict of each target."""
    assert "| Speed | ours, s | at most 1.3 | 1.30 | **missed** |" in page.summary([SECTION])


@pytest.mark.parametrize(
    ("figure", "written"),
    [
        (0.01234, "0.0123"),
        (1.305, "1.30"),
        (51.64, "51.6"),
        (359781.2, "359,781"),
        (12, "12"),
        (0.0, "0.00"),
        ("a", "a"),
    ],
)
def test_figures_have_three_digits_that_count(figure: object, written: str) -> None:
    """Nobody reads more of a figure, and none is measured more exactly."""
    assert page.number(figure) == written


def test_every_part_is_run() -> None:
    """Whatever module of the benchmarks can measure is a part of the page."""
    measuring = {file.stem for file in FOLDER.glob("*.py") if "\ndef measure(" in file.read_text(encoding="utf-8")}
    assert measuring == set(PARTS)


def test_an_unknown_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong name runs nothing and shows the right ones."""
    assert main(["bath"]) == 2
    assert "bath" in capsys.readouterr().err
