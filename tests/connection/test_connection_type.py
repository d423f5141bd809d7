"""A connection to something else is refused before its password goes anywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import EVENT, ORGANIZER

Run = Callable[..., Any]


def others(host: str) -> list[str]:
    """Write connections of other types, as JSON and as URIs."""
    given = {"login": "somebody", "password": "s3cret"}
    return [
        json.dumps({"conn_type": "http", **given}),
        json.dumps({"conn_type": "HTTP", **given, "host": host}),
        json.dumps({"conn_type": "generic", **given, "host": host}),
        json.dumps({"conn_type": "dingding", **given, "host": host}),
        "http://somebody:s3cret@",
        f"postgres://somebody:s3cret@{host.removeprefix('http://')}/db",
        f"http://somebody:s3cret@{host.removeprefix('http://')}",
    ]


@pytest.mark.parametrize("number", range(7))
def test_other_types_are_refused(run: Run, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """A connection of another type is refused by its id and type, with the remedy; nothing is sent."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", others(dingtalk.url)[number])
    with pytest.raises(InvalidConnectionError, match=r"dingtalk_default is .*: give the id of a .* dingtalk") as caught:
        run("get_event", ORGANIZER, EVENT)
    assert "s3cret" not in str(caught.value)
    good, said = DingTalkCalendarHook().test_connection()
    assert not good
    assert "conn_type" in said
    assert dingtalk.requests == []


@pytest.mark.parametrize("conn_type", [None, "", "dingtalk", "DingTalk", "absent"])
def test_types_that_are_taken(
    run: Run, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, conn_type: str | None
) -> None:
    """The type may be in capitals, or left out as JSON in the environment may leave it out."""
    connection = {**dingtalk.connection(), "conn_type": conn_type}
    if conn_type == "absent":
        del connection["conn_type"]
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(connection))
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
