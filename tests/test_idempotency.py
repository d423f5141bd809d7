"""Client tokens: the same for a retry, another for anything else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from airflow_dingtalk_calendar.hooks.calendar import client_token_for
from airflow_dingtalk_calendar.idempotency import fresh_client_token, is_automatic_retry


def context(**values: Any) -> dict[str, Any]:
    """Make the part of Airflow's context that matters here."""
    ti = {"dag_id": "d", "run_id": "r", "task_id": "t", "map_index": -1, "max_tries": 2, "try_number": 1, **values}
    return {"ti": SimpleNamespace(**ti)}


def test_a_retry_keeps_the_token() -> None:
    """The number of the try does not matter, and an unmapped task is one whatever its index is called."""
    first = client_token_for(context(), "E", {"a": 1, "b": 2})
    assert first == client_token_for(context(try_number=2), "E", {"b": 2, "a": 1})
    assert first == client_token_for(context(map_index=None), "E", {"a": 1, "b": 2})


@pytest.mark.parametrize(
    "other",
    [
        {"dag_id": "x"},
        {"run_id": "x"},
        {"task_id": "x"},
        {"map_index": 0},
        {"max_tries": 4},
        {"region_id": UUID(int=7), "region_index": 0},
    ],
    ids=str,
)
def test_another_intent_has_another_token(other: dict[str, Any]) -> None:
    """Another task, run, map index, loop, or clearing makes another token."""
    assert client_token_for(context(), "E") != client_token_for(context(**other), "E")


def test_each_pass_of_a_loop_has_a_token() -> None:
    """Passes of a loop (Airflow 3.4) share the map index and differ in the token; outside of loops nothing changes."""
    passes = [client_token_for(context(region_id=UUID(int=7), region_index=index), "E") for index in (0, 1)]
    assert passes[0] != passes[1]
    assert client_token_for(context(region_id=UUID(int=0), region_index=-1), "E") == client_token_for(context(), "E")


def test_the_request_is_part_of_the_token() -> None:
    """Parts count as they are cut: another event or body is another request."""
    assert len({client_token_for(context(), *parts) for parts in (("a", "b"), ("ab",), ("a", "c"), ({"a": "b"},))}) == 4


def test_the_token_is_frozen() -> None:
    """The derivation must not change between releases: a retry may run on an upgraded worker."""
    assert client_token_for(context(), "E") == "4dc94222-02fd-5566-bd04-58aa35da4db1"


def test_fresh_tokens_differ() -> None:
    """Without a task each call is a request of its own."""
    assert fresh_client_token() != fresh_client_token()


@pytest.mark.parametrize(
    ("try_number", "max_tries", "retries", "expected"),
    [
        (1, 2, 2, False),
        (2, 2, 2, True),
        (3, 2, 2, True),
        (3, 4, 2, False),
        (4, 4, 2, True),
        (2, 1, 0, False),
        (1, 0, 0, False),
    ],
)
def test_automatic_retries_are_distinguished_from_clears(
    try_number: int, max_tries: int, retries: int, expected: bool
) -> None:
    """The first try after a clear is not an automatic retry."""
    assert is_automatic_retry(context(try_number=try_number, max_tries=max_tries), retries) is expected
