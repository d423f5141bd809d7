"""One line of the log at DEBUG for each exchange: what, which attempt, how it ended, how long; no content."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar.client import exchange
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import RequestError
from tests.conftest import EVENT, ORGANIZER

Run = Callable[..., Any]


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Lines about exchanges, without how long they took."""
    caplog.set_level(logging.DEBUG, logger=exchange.__name__)

    def read() -> list[str]:
        found = [record for record in caplog.records if record.name == exchange.__name__]
        assert {record.levelno for record in found} <= {logging.DEBUG}
        return [re.sub(r" \d+ ms$", " N ms", record.getMessage()) for record in found]

    return read


def test_each_exchange_has_a_line(run: Run, dingtalk: Emulator, lines: Callable[[], list[str]]) -> None:
    """A call logs the token's exchange and its own, each with DingTalk's request id."""
    run("patch_event", ORGANIZER, EVENT, {"summary": "New"})
    token, patch = lines()
    assert re.fullmatch(r"GetAccessToken, attempt 1: status 200, request id [\w-]+, N ms", token)
    assert re.fullmatch(r"PatchEvent, attempt 1: status 200, request id [\w-]+, N ms", patch)


def test_failed_exchanges_have_a_line(run: Run, dingtalk: Emulator, lines: Callable[[], list[str]]) -> None:
    """An attempt without an answer logs the kind of failure, one that was refused its status."""
    dingtalk.fault(kind="close", action="GetEvent", times=1)
    dingtalk.fault(kind="error", status=503, code="busy", action="GetEvent", times=1)
    run("get_event", ORGANIZER, EVENT)
    logged = [re.sub(r"request id [\w-]+", "request id R", line) for line in lines()[1:]]
    assert logged == [
        "GetEvent, attempt 1: RemoteProtocolError, N ms",
        "GetEvent, attempt 2: status 503, request id R, N ms",
        "GetEvent, attempt 3: status 200, request id R, N ms",
    ]


def test_lines_have_no_content(run: Run, dingtalk: Emulator, lines: Callable[[], list[str]]) -> None:
    """Neither ids, nor a query, nor event content, nor what DingTalk answers is in a line."""
    run("patch_event", ORGANIZER, EVENT, {"summary": "A made-up title"})
    list(run("list_events", ORGANIZER, time_min="2027-01-01T00:00:00Z", time_max="2027-01-02T00:00:00Z"))
    dingtalk.fault(kind="error", status=400, code="A-made-up-code", message="A made-up message", action="GetEvent")
    with pytest.raises(RequestError):
        run("get_event", ORGANIZER, EVENT)
    text = re.sub(r"request id [\w-]+", "", " ".join(lines()))  # which is random, and may have any digits
    assert text.count("status") >= 4
    for content in (ORGANIZER, EVENT, "made-up", "2027", "/v1.0", "?", dingtalk.app_key, dingtalk.app_secret):
        assert content not in text


def test_nothing_is_made_for_nobody(run: Run, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody listens at DEBUG, no line is even put together."""
    logging.getLogger(exchange.__name__).setLevel(logging.INFO)
    monkeypatch.setattr(exchange, "_describe_end", None)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    logging.getLogger(exchange.__name__).setLevel(logging.NOTSET)
