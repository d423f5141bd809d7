"""Neither the app secret nor an access token gets anywhere but to DingTalk."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import TracebackException

import pytest

from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import DingTalkError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.airflow_runs import Run
from tests.conftest import DATA, EVENT, HOME, ORGANIZER

SECRET = DATA["apps"][0]["appSecret"]  # type: ignore[index]


def token_of(dingtalk: Emulator) -> str:
    """Fetch the token that DingTalk gives to our app while it is valid."""
    import httpx

    body = {"appKey": dingtalk.app_key, "appSecret": dingtalk.app_secret}
    answer = httpx.post(f"{dingtalk.url}/v1.0/oauth2/accessToken", json=body, trust_env=False)
    return str(answer.json()["accessToken"])


def everything_stored(home: Path) -> str:
    """Return all that Airflow stored: its database and its files."""
    with sqlite3.connect(home / "airflow.db") as database:
        dump = "\n".join(database.iterdump())
    files = [path for path in home.rglob("*") if path.is_file() and ".db" not in path.name]
    return dump + "".join(path.read_text(errors="replace") for path in files)


def without_masking(text: str) -> str:
    """Leave out the lines in which dag.test() of Airflow 3.0, at debug level, shows how it registers what to mask."""
    return "\n".join(line for line in text.splitlines() if "MaskSecret" not in line)


class Listener(logging.Handler):
    """All that is logged through the standard library, at any level."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, with the traceback if there is one."""
        self.lines.append(f"{record.name}: {self.format(record)}")

    def listen(self, *_: object) -> None:
        """Begin to listen; a task calls this, because Airflow sets up its own logging before it begins one."""
        logging.getLogger().addHandler(self)
        for name in ("", "airflow_dingtalk_calendar", "httpx", "httpcore"):
            logging.getLogger(name).setLevel(logging.DEBUG)


LISTENER = Listener()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """What tasks log whose ``on_execute_callback`` is ``LISTENER.listen``."""
    loggers = [logging.getLogger(name) for name in ("", "airflow_dingtalk_calendar", "httpx", "httpcore")]
    levels = [logger.level for logger in loggers]
    LISTENER.lines.clear()
    yield LISTENER
    logging.getLogger().removeHandler(LISTENER)
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)


def test_a_full_run_leaves_no_secret_behind(
    dag: Callable[..., Run], dingtalk: Emulator, capfd: pytest.CaptureFixture[str], listener: Listener
) -> None:
    """Logs at DEBUG, output, XCom and rendered fields of runs that succeed, fail and are echoed to hold no secret."""
    token = token_of(dingtalk)
    dingtalk.fault(
        kind="error", action="PatchEvent", skip=1, status=400, code="paramIllegal", message=f"{token} {SECRET}"
    )
    TOKEN_CACHE.clear()
    run = dag(
        f"""
        from tests.security.test_secrets import LISTENER

        def listen(context):  # a function, because Airflow 3.0 copies operators and all that they hold
            LISTENER.listen(context)

        event = {{"union_id": "{ORGANIZER}", "event_id": "{EVENT}", "on_execute_callback": listen}}
        first = Patch(task_id="good", patch={{"summary": "x"}}, **event)
        second = Patch(task_id="bad", patch={{"summary": "y"}}, **event)
        dry = Patch(task_id="dry", patch={{"summary": "y"}}, dry_run=True, **event)
        first >> dry >> second
        """
    )
    assert [run.state(task) for task in ("good", "dry", "bad")] == ["success", "success", "failed"]
    assert len(dingtalk.effects["updates"]) == 1
    output = capfd.readouterr()
    shown = without_masking(everything_stored(HOME) + output.out + output.err + "\n".join(listener.lines))
    assert EVENT in shown
    assert "patched_fields" in shown
    exchanges = [line for line in listener.lines if line.startswith("airflow_dingtalk_calendar.client.exchange")]
    assert [line.split()[1] for line in exchanges] == ["GetAccessToken,", "PatchEvent,", "PatchEvent,"]
    assert token not in shown
    assert SECRET not in shown


def shown_with_variables(error: BaseException) -> str:
    """Format a traceback with the local variables of our frames (the first one is the test's)."""
    assert error.__traceback__ is not None
    ours = error.with_traceback(error.__traceback__.tb_next)
    return "".join(TracebackException.from_exception(ours, capture_locals=True).format())


def test_exceptions_hold_no_secret(dingtalk: Emulator) -> None:
    """Errors, all that hangs on them, and the variables of their tracebacks show neither secret nor token."""
    token = token_of(dingtalk)
    for rule in (
        {"kind": "reset", "times": 4},
        {"kind": "body", "status": 400, "body": f"echo {token} {SECRET}"},
        {
            "kind": "error",
            "status": 400,
            "code": token,
            "message": SECRET,
            "accessdenieddetail": {"requiredScopes": [token]},
        },
    ):
        dingtalk.fault(action="GetEvent", **rule)
        with pytest.raises(DingTalkError) as caught:
            DingTalkCalendarHook().get_event(ORGANIZER, EVENT)
        hanging, error = "", caught.value
        while error is not None:
            hanging += f"{error!s} {error!r} {vars(error)}"
            error = error.__cause__ or error.__context__  # type: ignore[assignment]
        hanging += shown_with_variables(caught.value)
        assert token not in hanging
        assert SECRET not in hanging
    assert SECRET not in repr(DingTalkCalendarHook().get_conn())
