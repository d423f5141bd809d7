"""The watcher's trigger with each source, on any Airflow: what is stored of it, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.triggers import base

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger as ChangesTrigger

SHARES = hasattr(getattr(base, "BaseEventTrigger", None), "create_shared_stream_producer")
from_3_3 = pytest.mark.skipif(not SHARES, reason="Airflow shares streams from 3.3 on")


def stored(**options: Any) -> dict[str, Any]:
    """Return what Airflow makes the trigger from again."""
    arguments: dict[str, Any] = ChangesTrigger(union_id="lin", **options).serialize()[1]
    return arguments


def test_a_poll_is_stored_as_before() -> None:
    """Nothing new is stored of polling, so that watchers of a version before go on where they were."""
    assert stored() == stored(source="poll", interval=3600.0)
    assert not {"source", "kinds", "single_consumer"} & stored().keys()


@pytest.mark.skipif(SHARES, reason="this Airflow shares streams")
@pytest.mark.parametrize("source", ["stream", "push"])
def test_an_airflow_that_is_too_old_is_named(source: str) -> None:
    """Before Airflow 3.3 the DAG file has an import error that says what to do."""
    with pytest.raises(InvalidInputError, match=r"needs Airflow 3\.3"):
        stored(source=source)


@from_3_3
def test_what_is_stored_makes_the_same_trigger() -> None:
    """Made again of what is stored, a trigger stores the same."""
    for options in ({"source": "push", "kinds": ["deleted"]}, {"source": "stream", "single_consumer": True}):
        assert stored(**options) == {k: v for k, v in _again(stored(**options)).items() if k in stored(**options)}
    assert stored(source="stream", single_consumer=True)["interval"] == 86400.0
    assert stored(source="stream")["interval"] == 3600.0


def _again(arguments: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = ChangesTrigger(**arguments).serialize()[1]
    return made


@from_3_3
@pytest.mark.parametrize(
    "option",
    [
        {"fields": ["summary"]},
        {"summary_pattern": "x"},
        {"organizer_id": "lin"},
        {"series_master_id": "m"},
        {"interval": 60},
    ],
    ids=lambda option: next(iter(option)),
)
def test_a_push_takes_no_filter_of_events(option: dict[str, Any]) -> None:
    """What a push does not have cannot be filtered by, and the remedy is named."""
    with pytest.raises(InvalidInputError, match=f"{next(iter(option))}: .*source='stream'"):
        stored(source="push", **option)


@from_3_3
def test_pushes_of_a_connection_are_one_stream() -> None:
    """Watchers of pushes share what comes over a connection, whatever they want of it."""
    keys = [
        ChangesTrigger(union_id=union_id, source="push", dingtalk_conn_id=conn_id, kinds=kinds).shared_stream_key()
        for union_id, conn_id, kinds in (("lin", "a", None), ("chen", "a", ["deleted"]), ("lin", "b", None))
    ]
    assert keys[0] == keys[1] != keys[2]


def test_all_problems_are_named_at_once() -> None:
    """A wrong source and a wrong filter are one error."""
    with pytest.raises(InvalidInputError) as caught:
        stored(source="pull", fields=["nothing"])
    assert {problem.path for problem in caught.value.problems} == {"source", "fields"}
