"""The undo of a plan whose task was tried more than once: what earlier tries changed is not lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import PlanIncompleteError
from airflow_dingtalk_calendar.plans import checkpoint
from tests.airflow_runs import StateStore, Ti
from tests.conftest import event
from tests.undone import apply, booked_calendar, effects, row, shown


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Callable[..., None]) -> Emulator:
    """DingTalk with one event that has a guest and a room."""
    dingtalk.reset(booked_calendar())
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def retried(calendar: Emulator, plan: list[Any], store: StateStore | None) -> dict[str, Any]:
    """Apply a plan whose first try does not learn that it took effect; return what the retry pushed."""
    calendar.fault(kind="apply_then_reset", action="PatchEvent")
    with pytest.raises(PlanIncompleteError):
        apply(plan, Ti(), store, keep_before=True)
    return apply(plan, Ti(try_number=2), store, keep_before=True)


def test_a_retry_knows_what_the_event_was(calendar: Emulator) -> None:
    """With a state store, what the first try read is what the retry's undo gives back."""
    before = shown(calendar)
    apply(retried(calendar, [row(patch={"summary": "New"})], StateStore())["undo"])
    assert shown(calendar) == before


def test_a_retry_without_a_store_does_not_take_the_new_values_for_the_old(calendar: Emulator) -> None:
    """Without a state store nobody knows what the event was, and the row is named."""
    done = retried(calendar, [row(patch={"summary": "New"})], None)
    assert done["undo"] == []
    assert "what the event was" in effects(done["cannot_undo"])


@pytest.mark.parametrize("brings", [True, False], ids=["event in the row", "no event in the row"])
def test_what_only_an_earlier_try_came_to_is_undone_or_named(
    calendar: Emulator, connect: Callable[..., None], brings: bool
) -> None:
    """A retry that ends before a row does not know what became of it: its undo checks, or it is named."""
    connect(extra={"max_qps": 1, "max_attempts": 1})  # one row after the other
    calendar.store.put_events([event("second")])
    known = {"event": event("second")} if brings else {}
    plan = [row(patch={"summary": "New"}), {"event_id": "second", "patch": {"summary": "New"}, **known}]
    calendar.fault(kind="apply_then_reset", action="PatchEvent", times=2)
    with pytest.raises(PlanIncompleteError):
        apply(plan, Ti(), keep_before=True)
    calendar.configure(monthly_quota=1)
    ti = Ti(try_number=2)
    with pytest.raises(AirflowFailException):
        apply(plan, ti, keep_before=True)
    calendar.configure(monthly_quota=0)
    undone = apply(ti.pushed["undo"]) if ti.pushed["undo"] else {}
    assert calendar.event("second")["summary"] == ("Planning" if brings else "New")
    named = [one["rows"] for one in ti.pushed["cannot_undo"] if one["effect"].startswith("what the event was")]
    assert named == ([[0]] if brings else [[0, 1]])
    assert [one["event_id"] for one in undone.get("results", [])] == (["second"] if brings else [])


def test_what_is_too_large_for_the_store_is_named(calendar: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An old value that the state store cannot take is not restored after a retry, and the row is named."""
    monkeypatch.setattr(checkpoint, "MAX_CHUNK_LENGTH", 200)
    calendar.store.put_events([event(description="x" * 1000)])
    done = retried(calendar, [row(patch={"description": "short"})], StateStore())
    assert done["undo"] == []
    assert "what the event was" in effects(done["cannot_undo"])
