"""Numbers with their nouns."""

from __future__ import annotations

import pytest

from airflow_dingtalk_calendar.models.counts import counted


@pytest.mark.parametrize(("number", "text"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_a_noun_has_the_number_of_its_count(number: int, text: str) -> None:
    """One is singular, and nothing else is."""
    assert counted(number, "call") == text


def test_an_irregular_plural_is_given() -> None:
    """A noun that does not form its plural with an s has it beside it."""
    assert [counted(number, "person", "people") for number in (1, 2)] == ["1 person", "2 people"]
