"""README.zh.md says what README.md says: section by section the same code, names, numbers and links.

When one of these tests fails, README.md has changed: bring the named section of README.zh.md up to date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest

import pytest

from tests.markdown import FENCE, ROOT, Page, codes

ENGLISH, CHINESE = Page("README.md"), Page("README.zh.md")
INTERNATIONAL, CHINAS = "https://api.dingtalk.io", "https://api.dingtalk.com"


@dataclass(frozen=True)
class Section:
    """A heading, and what stands below it until the next one."""

    level: int
    title: str
    text: str

    @property
    def code(self) -> list[str]:
        """Its code blocks, without comments, which may be translated, and each with the same region's host."""
        blocks = (code.replace(INTERNATIONAL, CHINAS) for _, _, code in FENCE.findall(self.text))
        return [re.sub(r" *(^|(?<=\s))# .*$", "", code, flags=re.MULTILINE) for code in blocks]

    @property
    def prose(self) -> str:
        """What is not a code block."""
        return FENCE.sub("", self.text)

    @property
    def rows(self) -> list[list[str]]:
        """The rows of its tables."""
        lines = [line for line in self.prose.splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]

    @property
    def numbers(self) -> set[str]:
        """The numbers in its prose, without those in links."""
        return set(re.findall(r"\d+(?:[.,]\d+)*", re.sub(r"\]\([^)]*\)", "]", self.prose)))

    @property
    def links(self) -> list[str]:
        """Where its links lead; headings have other names in another language."""
        return sorted("#" if link.startswith("#") else link for link in re.findall(r"\]\(([^)]+)\)", self.prose))


def sections(page: Page) -> list[Section]:
    """Cut a page at its headings; a line in a code block is none."""
    hidden = FENCE.sub(lambda block: re.sub(r"^#", "\0", block[0], flags=re.MULTILINE), page.text)
    parts = re.split(r"^(#+) (.*)\n", hidden, flags=re.MULTILINE)[1:]
    triples = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return [Section(len(marks), title, text.replace("\0", "#")) for marks, title, text in triples]


LEVELS = [[section.level for section in sections(page)] for page in (ENGLISH, CHINESE)]
# While a section is missing, the others cannot be matched: then only the test of the headings fails.
PAIRS = list(zip(sections(ENGLISH), sections(CHINESE), strict=True)) if LEVELS[0] == LEVELS[1] else []
each_section = pytest.mark.parametrize(
    ("english", "chinese"), PAIRS, ids=[f"{english.title} = {chinese.title}" for english, chinese in PAIRS]
)


def test_the_headings_are_the_same() -> None:
    """Both have the same sections, in the same order and depth."""
    titles = [[f"{'#' * section.level} {section.title}" for section in sections(page)] for page in (ENGLISH, CHINESE)]
    side_by_side = "\n".join(f"{one} = {other}" for one, other in zip_longest(*titles, fillvalue="nothing"))
    assert LEVELS[0] == LEVELS[1], f"README.md = README.zh.md\n{side_by_side}"


@each_section
def test_the_code_is_the_same(english: Section, chinese: Section) -> None:
    """The code blocks of a section are the same but for their comments."""
    assert chinese.code == english.code


@each_section
def test_the_names_are_the_same(english: Section, chinese: Section) -> None:
    """Every name of a section, written as code, is in both."""
    assert sorted(codes(chinese.prose)) == sorted(codes(english.prose))


@each_section
def test_the_tables_are_the_same(english: Section, chinese: Section) -> None:
    """Tables have the same rows: what is named in the first column, and the numbers and names in each row."""
    assert [len(row) for row in chinese.rows] == [len(row) for row in english.rows]
    for one, other in zip(english.rows, chinese.rows, strict=True):
        assert codes(one[0]) == codes(other[0])
        assert sorted(codes(" ".join(one))) == sorted(codes(" ".join(other)))


@each_section
def test_the_numbers_are_the_same(english: Section, chinese: Section) -> None:
    """A number in the English section is in the Chinese one: a limit, a default, a price."""
    assert english.numbers - chinese.numbers == set()


@each_section
def test_the_links_are_the_same(english: Section, chinese: Section) -> None:
    """The links of a section lead to the same places; each page links to the other."""
    swapped = ["README.zh.md" if link == "README.md" else link for link in chinese.links]
    assert sorted(swapped) == english.links


def test_chinas_host_comes_first() -> None:
    """A reader of the Chinese page sees China's host first, and in the commands only that one."""
    assert CHINESE.text.index(CHINAS) < CHINESE.text.index(INTERNATIONAL)
    assert not [line for line in CHINESE.lines if INTERNATIONAL in line]


def test_links_lead_somewhere() -> None:
    """Files and headings that the Chinese page links to are there."""
    for target in CHINESE.links:
        assert target.startswith("https://") or target in CHINESE.anchors or (ROOT / target).exists(), target
