"""The kinds of faults themselves: each does harm, and the documentation counts them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from tests.conftest import DATA
from tests.faults.kinds import KINDS
from tests.faults.test_patch import PATCHES, patched
from tests.faults.world import world

PAGE = Path(__file__).parent.parent.parent / "docs" / "semantics.md"
# These are about something that a request for a token, or one that gets through anyway, does not notice.
HARMLESS = {"tokens expired", "clock 3 h ahead", "clock 3 h back", "applied, another id in the answer", "forked"}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - HARMLESS - {"token endpoint fails"}))
def test_each_kind_is_felt(dingtalk: Emulator, kind: str) -> None:
    """Every kind of fault, met by the request that patches, makes it fail or be sent again."""
    with world(dingtalk, DATA, {2: kind}, "corp_app") as here:
        tries = patched(here, PATCHES[0])
    assert here.number > 2 or not tries[-1].succeeded


@pytest.mark.parametrize("kind", ["tokens expired", "clock 3 h ahead"])
def test_an_expired_token_is_renewed(dingtalk: Emulator, kind: str) -> None:
    """A token that expired between two requests costs a new token and no try of the task."""
    with world(dingtalk, DATA, {2: kind}) as here:
        (only,) = patched(here, PATCHES[0])
    assert only.succeeded
    assert dingtalk.effects["tokens_issued"] == 2
    assert here.number - here.slow == 4


@pytest.mark.parametrize(
    ("kind", "auth_type"),
    [
        ("token ended by a newer one", "corp_app"),
        ("refresh with odd members", "user"),
        ("refresh with odd members", "app"),
        ("forked", "app"),
        ("forked", "corp_app"),  # the child's new token ends the parent's
        ("forked", "user"),
    ],
)
def test_what_happens_to_a_token_costs_no_try(dingtalk: Emulator, kind: str, auth_type: str) -> None:
    """A token that another process has ended, or that is renewed by an odd answer, costs no try of the task."""
    with world(dingtalk, DATA, {2: kind, 5: kind}, auth_type) as here:
        (only,) = patched(here, PATCHES[0])
        again = patched(here, PATCHES[0])
    assert only.succeeded
    assert again[-1].succeeded
    assert dingtalk.effects["calls"].get("GetEvent", 0) >= (kind == "forked")


def test_another_id_is_the_answer_to_the_same_patch(dingtalk: Emulator) -> None:
    """A patch that is answered with another event's id has taken effect, and is not sent again."""
    with world(dingtalk, DATA, {2: "applied, another id in the answer"}) as here:
        (only,) = patched(here, PATCHES[0])
    assert (only.succeeded, here.number - here.slow) == (True, 2)


def test_the_documentation_counts_the_kinds() -> None:
    """The page on behaviour says how many kinds there are."""
    (count,) = re.findall(r"\((\d+) kinds:", PAGE.read_text(encoding="utf-8"))
    assert int(count) == len(KINDS)
