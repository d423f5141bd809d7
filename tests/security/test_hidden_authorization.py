"""No secret of the authorize command is in what it prints, nor in a variable of any frame of a traceback."""

from __future__ import annotations

import io
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar import authorize
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks import airflow_compat
from tests.client.test_auth import GRANT_VARIABLE, Connect, dingtalk, sign_in, stored
from tests.conftest import ORGANIZER
from tests.security.test_hidden_variables import FAILURES, NEW_REFRESH_TOKEN, NEW_TOKEN, Fail, fault, shown

__all__ = ["dingtalk", "sign_in", "stored"]  # fixtures

REDIRECT = "https://airflow.example.com/done"


class Typing(io.StringIO):
    """Standard input of somebody who answers with the code, or with the address of it and the state that was shown."""

    def __init__(self, answer: str, printed: Callable[[], str]) -> None:
        super().__init__()
        self._answer, self._printed = answer, printed

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        """Answer the question."""
        (state,) = re.findall(r"state=([\w-]+)", self._printed())
        return self._answer.format(state=state) + "\n"


def unreadable(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Variables fail to be read, with what was written in a variable."""

    def fail(name: str) -> None:
        plain = "" + stored[GRANT_VARIABLE]
        raise OSError(len(plain))

    monkeypatch.setattr(airflow_compat, "read_variable", fail)


def unkept(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the Variable hold something else afterwards."""
    monkeypatch.setattr(airflow_compat, "read_variable", lambda name: f'{{"refresh_token": "{NEW_REFRESH_TOKEN}"')


ODD_FAILURES: dict[str, Fail] = {
    **FAILURES,
    "no refresh token": fault(kind="body", body={"accessToken": NEW_TOKEN, "expireIn": 7200}),
    "unreadable": unreadable,
    "unkept": unkept,
}
# How the code comes to the command: arguments, and what is typed.
FLOWS: dict[str, tuple[list[str], str]] = {
    "argument": (["--code", "{code}"], ""),
    "argument in one": (["--code={code}"], ""),
    "pasted code": ([], "{code}"),
    "pasted address": ([], f"{REDIRECT}?authCode={{code}}&state={{state}}"),
}
# The same with a mistake.
MISTAKES: dict[str, tuple[list[str], str]] = {
    "unknown argument": (["--code", "{code}", "--cod", "{code}", "--other={code}"], ""),
    "half a character as an argument": (["--code", "{code}\ud83d"], ""),
    "half a character": ([], "{code}\ud83d"),
    "half a character in an address": ([], f"{REDIRECT}?authCode={{code}}\ud83d&state={{state}}"),
    "state of another": ([], f"{REDIRECT}?authCode={{code}}&state=other"),
    "half a character in the state": ([], f"{REDIRECT}?authCode={{code}}&state=\ud83d"),
    "declined": ([], f"{REDIRECT}?error={{code}}&authCode={{code}}&state={{state}}"),
    "no address": ([], "http://[?authCode={code}&state={state}"),
    "another member": ([], f"{REDIRECT}?code={{code}}&state={{state}}"),
}


@pytest.fixture
def outcome(
    dingtalk: Emulator,
    sign_in: Connect,
    stored: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., tuple[str, BaseException | None]]:
    """Run the command; return what it printed, and the error it came to with all frames.

    It fails the test when a secret is in either; but what argparse says of arguments repeats them.
    """
    sign_in("user", max_attempts=2, timeout=2)
    printed: list[str] = []

    def again(text: str) -> None:
        printed.append(text)
        raise  # what the command is just handling

    def transcript() -> str:
        printed.extend(capsys.readouterr())
        return "".join(printed)

    def run(arguments: list[str], answer: str) -> tuple[str, BaseException | None]:
        code = dingtalk.authorization_code(ORGANIZER)
        monkeypatch.setattr(authorize, "_print_failure", again)
        answer = answer.replace("{code}", code)
        monkeypatch.setattr(sys, "stdin", Typing(answer, transcript))
        try:
            authorize.main(["--redirect-uri", REDIRECT, *(one.format(code=code) for one in arguments)])
        except BaseException as error:
            failed: BaseException | None = error
        else:
            failed = None
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        secrets = {code, dingtalk.app_secret, NEW_TOKEN, NEW_REFRESH_TOKEN}
        secrets |= {*map(str, dingtalk.store.tokens.access), *map(str, dingtalk.store.tokens._grants)}
        lines = [line for line in shown(failed) if not line.startswith(__file__)] if failed else []
        if isinstance(failed, SystemExit):  # what argparse says to whom made the mistake, and shown() with it
            lines = [line for line in lines if "argparse.ArgumentError" not in line]
        assert [line for line in lines if any(secret in line for secret in secrets)] == []
        if not isinstance(failed, SystemExit):
            assert [secret for secret in secrets if secret in transcript()] == []
        return transcript(), failed

    return run


@pytest.mark.parametrize("flow", FLOWS)
@pytest.mark.parametrize("failure", ODD_FAILURES)
def test_a_failed_authorization_shows_no_secret(
    dingtalk: Emulator,
    stored: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    outcome: Callable[..., Any],
    failure: str,
    flow: str,
) -> None:
    """However the exchange of a code or the write of its grant fails, and however the code came, no secret shows."""
    ODD_FAILURES[failure](dingtalk, "user", stored, monkeypatch)
    _, error = outcome(*FLOWS[flow])
    if error is None:
        pytest.skip("nothing fails for this command")


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_wrong_code_shows_no_secret(outcome: Callable[..., Any], mistake: str) -> None:
    """However a code is wrong, it is in no variable."""
    _, error = outcome(*MISTAKES[mistake])
    assert error is not None


def test_an_interrupted_question_shows_no_secret(outcome: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while something is typed ends the command, and what came before does not show."""

    def interrupt(self: Typing, size: int | None = -1) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(Typing, "readline", interrupt)
    _, error = outcome([], "{code}")
    assert isinstance(error, KeyboardInterrupt)


def test_an_unwritable_variable_is_explained(
    dingtalk: Emulator, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch, outcome: Callable[..., Any]
) -> None:
    """A grant that cannot be written is lost, and the command says what to do."""
    FAILURES["unwritable"](dingtalk, "user", stored, monkeypatch)
    text, _ = outcome(*FLOWS["argument"])
    assert f"The Variable {GRANT_VARIABLE} could not be written (OSError)" in text
    assert "start over" in text
