"""A person authorizes the app, and tasks act for that person from then on."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from airflow_dingtalk_calendar.authorize import login_url, main
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import EVENT, ORGANIZER

REDIRECT = "https://airflow.example.com/done"
VARIABLE = "dingtalk_user_grant_secret"

Type = Callable[[Callable[[str], str]], None]


@pytest.fixture
def person(airflow_db: None, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """DingTalk, a connection for a person, and Airflow's database without a grant."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection("user")))
    yield dingtalk
    from airflow import models

    models.Variable.delete(VARIABLE)  # noqa: AIR311


class Answers(io.StringIO):
    """Standard input of somebody who does something with what was said before."""

    def __init__(self, said: Callable[[], str], answer: Callable[[str], str]) -> None:
        super().__init__()
        self._said, self._answer = said, answer

    def readline(self, size: int | None = -1) -> str:  # type: ignore[override]
        """Answer the question."""
        return self._answer(address(self._said())) + "\n"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Everything printed since it was asked last."""
    return lambda: "".join(capsys.readouterr())


@pytest.fixture
def types(said: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Type:
    """Decide what is typed, given the address printed."""
    return lambda answer: monkeypatch.setattr(sys, "stdin", Answers(said, answer))


def address(text: str) -> str:
    """Find the address of the login page."""
    found = re.search(r"http\S+/oauth2/auth\S+", text)
    assert found, text
    return found[0]


def redirected(url: str) -> str:
    """Log in, and return where that leads."""
    return httpx.get(url, trust_env=False).headers["location"]


def code(url: str) -> str:
    """Log in, and return the code alone."""
    return parse_qs(urlsplit(redirected(url)).query)["authCode"][0]


@pytest.mark.parametrize("paste", [redirected, code])
def test_a_person_authorizes(
    person: Emulator, types: Type, said: Callable[[], str], paste: Callable[[str], str]
) -> None:
    """The address leads to a code, the code to a grant in the Variable, and that into the person's calendar."""
    types(paste)
    assert main(["--redirect-uri", REDIRECT]) == 0
    text = said()
    assert VARIABLE in text
    with DingTalkCalendarHook() as hook:
        assert hook.get_me()["unionId"] == ORGANIZER
        assert hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    assert stored()["access_token"] not in text
    assert stored()["refresh_token"] not in text


def stored() -> dict[str, str]:
    """Return the grant in Airflow's database."""
    from airflow import models

    grant: dict[str, str] = json.loads(models.Variable.get(VARIABLE))  # noqa: AIR311
    return grant


def test_a_code_on_the_command_line(person: Emulator, said: Callable[[], str]) -> None:
    """With a code at hand nothing is asked."""
    assert main(["--redirect-uri", REDIRECT, "--code", person.authorization_code(ORGANIZER)]) == 0
    assert "oauth2/auth" not in said()


def test_a_grant_is_refreshed_outside_of_a_task(person: Emulator) -> None:
    """A hook on the command line writes the renewed grant into the database."""
    main(["--redirect-uri", REDIRECT, "--code", person.authorization_code(ORGANIZER)])
    before = stored()
    person.fault(kind="expire_tokens", action="GetEvent")
    with DingTalkCalendarHook() as hook:
        hook.get_event(ORGANIZER, EVENT)
    assert stored()["refresh_token"] != before["refresh_token"]


def test_the_command_itself(person: Emulator) -> None:
    """It runs as ``python -m``, in a process of its own."""
    command = [sys.executable, "-m", "airflow_dingtalk_calendar.authorize", "--redirect-uri", REDIRECT]
    given = person.authorization_code(ORGANIZER)
    plain = {**os.environ, "AIRFLOW__CORE__FERNET_KEY": ""}  # in test mode each process would make a key of its own
    done = subprocess.run(command, input=f"{given}\n", env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert given not in done.stdout
    assert stored()["refresh_token"] not in done.stdout + done.stderr


def declined(url: str) -> str:
    """Return what the login page leads to when the person declines."""
    state = parse_qs(urlsplit(url).query)["state"][0]
    return f"{REDIRECT}?error=access_denied&state={state}"


WRONG: list[tuple[Callable[[str], str], str]] = [
    (lambda url: "", "code: is blank"),
    (lambda url: "used-before", "was used before"),
    (lambda url: f"{REDIRECT}?authCode=x&state=other", "state"),
    (lambda url: f"{REDIRECT}?authCode=x", "state"),
    (declined, "declined"),
]


@pytest.mark.parametrize(("paste", "text"), WRONG)
def test_a_wrong_answer(
    person: Emulator, types: Type, said: Callable[[], str], paste: Callable[[str], str], text: str
) -> None:
    """A code that is missing, dead or of another authorization ends in one clear line, and stores nothing."""
    types(paste)
    assert main(["--redirect-uri", REDIRECT]) == 1
    assert text in said()
    with pytest.raises(KeyError):
        stored()


def test_a_connection_of_another_type(
    person: Emulator, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]
) -> None:
    """Only a connection for a person can be authorized by one."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(person.connection()))
    assert main(["--redirect-uri", REDIRECT]) == 1
    assert "auth_type" in said()


def test_a_connection_of_the_database(
    person: Emulator, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]
) -> None:
    """A connection that only Airflow's database has is found, although this is no task."""
    from airflow import models
    from airflow.utils.session import create_session

    values = json.loads(os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"])
    monkeypatch.delenv("AIRFLOW_CONN_DINGTALK_DEFAULT")
    with create_session() as session:
        given = {**values, "conn_id": "of_the_database", "extra": json.dumps(values["extra"])}
        session.add(models.Connection(**given))  # noqa: AIR311
    code = person.authorization_code(ORGANIZER)
    assert main(["--redirect-uri", REDIRECT, "--conn-id", "of_the_database", "--code", code]) == 0, said()
    with DingTalkCalendarHook("of_the_database") as hook:
        assert hook.get_event(ORGANIZER, EVENT)["id"] == EVENT


def test_a_connection_that_is_not_there(person: Emulator, said: Callable[[], str]) -> None:
    """An unknown connection is named."""
    assert main(["--redirect-uri", REDIRECT, "--conn-id", "nobodys"]) == 1
    assert "nobodys" in said()


def test_a_shadowed_variable(person: Emulator, monkeypatch: pytest.MonkeyPatch, said: Callable[[], str]) -> None:
    """A grant that tasks would not see is not called a success."""
    monkeypatch.setenv(f"AIRFLOW_VAR_{VARIABLE.upper()}", "{}")
    assert main(["--redirect-uri", REDIRECT, "--code", person.authorization_code(ORGANIZER)]) == 1
    assert "shadows it" in said()


@pytest.mark.parametrize(
    ("host", "login"),
    [
        ("https://api.dingtalk.com", "https://login.dingtalk.com"),
        ("https://api.dingtalk.io", "https://login.dingtalk.io"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
    ],
)
def test_the_login_page_is_of_the_region(host: str, login: str) -> None:
    """Each region has its login page, and the emulator its own."""
    url = login_url(ConnectionSettings("key", "secret", base_url=host), REDIRECT, "a state")
    assert url.startswith(f"{login}/oauth2/auth?")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert asked == {
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "client_id": "key",
        "scope": "openid",
        "state": "a state",
        "prompt": "consent",
    }
