"""How each type of app obtains its token, over real sockets, once with threads and once with coroutines."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from traceback import TracebackException
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import api, authorize
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import CredentialsError, InvalidConnectionError, RequestError, ServiceError
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarGetEventOperator as Get
from tests.conftest import DATA, EVENT, ORGANIZER

Run = Callable[..., Any]
Connect = Callable[..., None]

CORPS = ["ding-test-corp", "ding-another-corp"]  # the second one has not authorised the app
TICKET, NEW_TICKET = "a-made-up-ticket", "the-next-made-up-ticket"
TICKET_VARIABLE, GRANT_VARIABLE = "dingtalk_suite_ticket_secret", "dingtalk_user_grant_secret"
HOUR = 3600.0


@pytest.fixture
def dingtalk(dingtalk: Emulator) -> Emulator:
    """DingTalk with two organisations and a suite ticket."""
    dingtalk.reset({**DATA, "corps": CORPS, "suiteTicket": TICKET})
    return dingtalk


@pytest.fixture
def sign_in(dingtalk: Emulator, connect: Connect) -> Connect:
    """Make the default connection one of this type."""

    def change(auth_type: str, **extra: Any) -> None:
        connect({**dingtalk.connection(auth_type)["extra"], **extra})

    return change


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Airflow's Variables, in a dict."""
    values: dict[str, str] = {}
    monkeypatch.setattr(airflow_compat, "read_variable", values.get)
    monkeypatch.setattr(airflow_compat, "write_variable", values.__setitem__)
    return values


@pytest.fixture
def grant(dingtalk: Emulator, sign_in: Connect, stored: dict[str, str]) -> UserGrant:
    """The organizer's grant, in its Variable."""
    sign_in("user")
    new = authorized(dingtalk)
    stored[GRANT_VARIABLE] = new.dump()
    return new


def authorized(dingtalk: Emulator) -> UserGrant:
    """Exchange a code for a grant."""
    call = api.get_user_token(dingtalk.app_key, dingtalk.app_secret, code=dingtalk.authorization_code(ORGANIZER))
    with DingTalkCalendarHook() as hook:
        return UserGrant.from_token(hook.run(call), time.time())


def ending(grant: UserGrant) -> str:
    """Write a grant whose access token ends in a minute."""
    return UserGrant(grant.access_token, grant.refresh_token, time.time() + 60).dump()


def requests(dingtalk: Emulator, action: str) -> int:
    """Count the requests of this action."""
    return [request["action"] for request in dingtalk.requests].count(action)


def refusal(run: Run, kind: type[Exception] = CredentialsError) -> Any:
    """Return the error that reading an event ends in."""
    with pytest.raises(kind) as caught:
        run("get_event", ORGANIZER, EVENT)
    return caught.value


# -- unified ------------------------------------------------------------------------------------------------


def test_a_unified_token(run: Run, dingtalk: Emulator, sign_in: Connect) -> None:
    """An app's token for an organisation opens the calendar, and is fetched once."""
    sign_in("unified")
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    run("get_event", ORGANIZER, EVENT)
    assert requests(dingtalk, "GetToken") == 1


def test_an_organisation_that_is_not_there(run: Run, sign_in: Connect) -> None:
    """The service's 500 for an unknown corp id is explained."""
    sign_in("unified", corp_id="ding-nobody")
    error = refusal(run, ServiceError)
    assert "corp_id" in str(error)
    assert error.code == "unknownError"


def test_an_organisation_that_has_not_authorised_the_app(run: Run, dingtalk: Emulator, sign_in: Connect) -> None:
    """The refusal says so, and is not tried again."""
    sign_in("unified", corp_id=CORPS[1])
    error = refusal(run)
    assert error.status_code == 401
    assert "has not authorised this app" in str(error)
    assert requests(dingtalk, "GetToken") == 1


# -- corp_app -----------------------------------------------------------------------------------------------


def test_a_corp_token(run: Run, sign_in: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third-party app's token is fetched with the ticket in the Variable."""
    monkeypatch.setenv(f"AIRFLOW_VAR_{TICKET_VARIABLE.upper()}", f" {TICKET}\n")
    sign_in("corp_app")
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT


def test_a_ticket_that_changed_meanwhile(
    run: Run, dingtalk: Emulator, sign_in: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused ticket is read again, and the newer one used."""
    sign_in("corp_app")
    dingtalk.suite_ticket = NEW_TICKET
    tickets = iter([TICKET, NEW_TICKET])
    monkeypatch.setattr(airflow_compat, "read_variable", lambda name: next(tickets))
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert requests(dingtalk, "GetCorpAccessToken") == 2


def test_a_ticket_that_stays_old(run: Run, dingtalk: Emulator, sign_in: Connect, stored: dict[str, str]) -> None:
    """An old ticket that nobody renews is a permanent error that says what is old."""
    sign_in("corp_app")
    stored[TICKET_VARIABLE] = "yesterdays-made-up-ticket"
    error = refusal(run)
    assert (error.code, error.retryable) == ("invalidSuiteTicket", False)
    assert "suite_ticket_variable" in str(error)
    assert requests(dingtalk, "GetCorpAccessToken") == 1


@pytest.mark.parametrize("content", [None, "  "])
def test_a_ticket_that_is_missing(
    run: Run, dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], content: str | None
) -> None:
    """Without a ticket nothing is sent, and the Variable is named."""
    sign_in("corp_app")
    if content:
        stored[TICKET_VARIABLE] = content
    assert TICKET_VARIABLE in str(refusal(run, InvalidConnectionError))
    assert dingtalk.requests == []


def test_an_organisation_without_the_app(run: Run, sign_in: Connect, stored: dict[str, str]) -> None:
    """An organisation that has not opened a third-party app is distinguished from a wrong ticket."""
    sign_in("corp_app", corp_id=CORPS[1])
    stored[TICKET_VARIABLE] = TICKET
    error = refusal(run)
    assert error.code == "invalidAuthInfo"
    assert "has not opened this app" in str(error)


# -- user ---------------------------------------------------------------------------------------------------


def test_a_grant_is_used_as_it_is(run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str]) -> None:
    """While the access token is good, it is used, and nothing is refreshed or written."""
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert run("get_me")["unionId"] == ORGANIZER
    assert requests(dingtalk, "GetUserToken") == 1  # the exchange of the code
    assert stored == {GRANT_VARIABLE: grant.dump()}


def test_a_grant_near_its_end_is_refreshed(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str]
) -> None:
    """The new grant is written back, with its end, and the old one is gone."""
    stored[GRANT_VARIABLE] = ending(grant)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    new = UserGrant.parse(stored[GRANT_VARIABLE])
    assert {new.access_token, new.refresh_token}.isdisjoint({grant.access_token, grant.refresh_token})
    assert new.good_until == pytest.approx(time.time() + 2 * HOUR, abs=60)


def test_a_refreshed_grant_serves_the_next_process(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], forget: Callable[[], None]
) -> None:
    """Another process, which has no token in memory, goes on with the grant in the Variable."""
    stored[GRANT_VARIABLE] = ending(grant)
    run("get_event", ORGANIZER, EVENT)
    forget()
    run("get_event", ORGANIZER, EVENT)
    assert requests(dingtalk, "GetUserToken") == 2


@pytest.fixture
def forget() -> Callable[[], None]:
    """Forget the tokens of this process."""
    from airflow_dingtalk_calendar.client import token_cache

    return token_cache.TOKEN_CACHE.clear


def test_a_refused_access_token_is_refreshed(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str]
) -> None:
    """An access token that the service refuses before its time is not taken from the Variable again."""
    dingtalk.fault(kind="expire_tokens", action="GetEvent")
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert UserGrant.parse(stored[GRANT_VARIABLE]).access_token != grant.access_token
    assert requests(dingtalk, "GetUserToken") == 2


def test_the_loser_goes_on_with_the_winners_grant(
    run: Run, dingtalk: Emulator, grant: UserGrant, monkeypatch: pytest.MonkeyPatch, naps: list[float]
) -> None:
    """Who finds its refresh token dead waits for the grant that another process is about to write."""
    call = api.get_user_token(dingtalk.app_key, dingtalk.app_secret, refresh_token=grant.refresh_token)
    with DingTalkCalendarHook() as hook:
        winners = UserGrant.from_token(hook.run(call), time.time())
    monkeypatch.setattr(
        airflow_compat, "read_variable", lambda name: winners.dump() if len(naps) == 3 else ending(grant)
    )
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    assert len(naps) == 3


def test_a_dead_refresh_token(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], naps: list[float]
) -> None:
    """When nobody writes a newer grant, the error is permanent and says what to do."""
    stored[GRANT_VARIABLE] = UserGrant(grant.access_token, "a-made-up-dead-token", 0).dump()
    error = refusal(run)
    assert not error.retryable
    assert "python -m airflow_dingtalk_calendar.authorize" in str(error)
    assert GRANT_VARIABLE in str(error)
    assert 5 < sum(naps) < 10
    assert requests(dingtalk, "GetUserToken") == 2


def test_a_wrong_secret_does_not_blame_the_grant(
    run: Run, grant: UserGrant, stored: dict[str, str], connect: Connect, dingtalk: Emulator, naps: list[float]
) -> None:
    """A refresh that fails for another reason says that reason at once."""
    stored[GRANT_VARIABLE] = ending(grant)
    connect(dingtalk.connection("user")["extra"], password="not-the-secret")
    error = refusal(run)
    assert "app secret" in str(error)
    assert "authorize" not in str(error)
    assert naps == []


def test_a_refresh_with_a_transient_failure_is_tried_again(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str]
) -> None:
    """A failure of the service at a refresh costs an attempt, not the grant."""
    stored[GRANT_VARIABLE] = ending(grant)
    dingtalk.fault(kind="error", action="GetUserToken", status=503, code="serviceBusy")
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT


@pytest.mark.parametrize("content", [None, "", "x", "[]", "{}", '{"access_token": "x"}'])
def test_a_variable_without_a_grant(run: Run, grant: UserGrant, stored: dict[str, str], content: str | None) -> None:
    """A Variable that holds no grant is named, without its content, and the remedy too."""
    stored.pop(GRANT_VARIABLE)
    if content is not None:
        stored[GRANT_VARIABLE] = content
    error = refusal(run, InvalidConnectionError)
    assert GRANT_VARIABLE in str(error)
    assert "airflow_dingtalk_calendar.authorize" in str(error)


def test_the_command_to_authorize_again(
    grant: UserGrant, stored: dict[str, str], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy is a command that the shell and its own parser take, for the connection in question."""
    stored.clear()
    monkeypatch.setenv("AIRFLOW_CONN_LINS(OWN)", json.dumps(dingtalk.connection("user")))
    with DingTalkCalendarHook("lins(own)") as hook, pytest.raises(InvalidConnectionError) as caught:
        hook.get_me()
    command = shlex.split(str(caught.value).split("Authorize again: ")[1])
    assert command[:3] == ["python", "-m", authorize.__name__]
    assert authorize._argument_parser().parse_args(command[3:]).conn_id == "lins(own)"


@pytest.mark.parametrize(("given", "said"), [("pQ7xW2aB", "ID"), ("lins_own", "lins_own")])
def test_the_test_button_names_no_id_that_nobody_knows(
    given: str, said: str, grant: UserGrant, stored: dict[str, str], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The remedy that a connection test names has no random id, as the button gives the connection for the test."""
    stored.clear()
    monkeypatch.setenv(f"AIRFLOW_CONN_{given.upper()}", json.dumps(dingtalk.connection("user")))
    with DingTalkCalendarHook(given) as hook:
        good, message = hook.test_connection()
    assert not good
    assert f"--conn-id {said} --redirect-uri" in message


def test_a_write_without_effect_is_said(
    run: Run, grant: UserGrant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: Any
) -> None:
    """When an environment variable shadows the Variable, the log says so, however that JSON is written."""
    shadow = json.dumps(json.loads(ending(grant)), indent=2)
    monkeypatch.setattr(airflow_compat, "read_variable", lambda name: shadow)
    monkeypatch.setattr(airflow_compat, "write_variable", lambda name, value: None)
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT
    said = caplog.text + "".join(capsys.readouterr())
    assert "shadows it" in said
    assert grant.refresh_token not in said


def test_a_write_that_fails_is_said(
    run: Run, grant: UserGrant, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the new grant is lost because it cannot be written, not even later, the error says so and what to do."""

    tries = []

    def fail(name: str, value: str) -> None:
        tries.append(name)
        raise OSError(f"no database for {value}")

    stored[GRANT_VARIABLE] = ending(grant)
    monkeypatch.setattr(airflow_compat, "write_variable", fail)
    error = refusal(run)
    assert not error.retryable
    assert "(OSError)" in str(error)
    assert "the grant is lost. Authorize again: python -m airflow_dingtalk_calendar.authorize" in str(error)
    assert len(tries) == 4


# -- what test_connection and tasks say -----------------------------------------------------------------------

# DingTalk's answer is the same for a wrong key, a wrong secret, and a region that does not know the app.
KEY = "Check login (app key) and password (app secret) of the connection. The app may belong to the other region"
OLD_VARIABLE = {"suite_ticket_variable": "old_ticket_token"}
WRONG: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "secret": ("app", {}, {"password": "not-the-secret"}, KEY),
    "key": ("unified", {}, {"login": "not-the-key"}, KEY),
    "region": ("app", {}, {"login": "a-key-of-the-other-region"}, KEY),
    "scope": ("app", {}, {"login": "a-blind-app"}, "Calendar.Event.Read"),
    "corp id": ("unified", {"corp_id": "ding-nobody"}, {}, "no such corp_id"),
    "corp not authorised": ("unified", {"corp_id": CORPS[1]}, {}, "has not authorised this app"),
    "corp without the app": ("corp_app", {"corp_id": CORPS[1]}, {}, "has not opened this app"),
    "ticket": ("corp_app", OLD_VARIABLE, {}, "suite ticket"),
    "no ticket": ("corp_app", {"suite_ticket_variable": "another_token"}, {}, "another_token is empty or missing"),
    "no grant": ("user", {"user_grant_variable": "another_grant_token"}, {}, "another_grant_token holds no grant"),
}


@pytest.fixture(params=["connection test", "task"])
def complaint(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Say what the connection test says is wrong, or what a task fails with."""

    def tested() -> str:
        with DingTalkCalendarHook() as hook:
            good, said = hook.test_connection()
        assert not good
        return said

    def failed() -> str:
        with pytest.raises((AirflowFailException, ServiceError)) as caught:
            Get(task_id="get", union_id=ORGANIZER, event_id=EVENT).execute({})
        return str(caught.value)

    return tested if request.param == "connection test" else failed


@pytest.mark.parametrize("wrong", WRONG)
def test_each_mistake_has_a_text_of_its_own(
    dingtalk: Emulator, connect: Connect, stored: dict[str, str], complaint: Callable[[], str], wrong: str
) -> None:
    """Connection test and task name the one thing that is wrong, and no other."""
    auth_type, extra, fields, text = WRONG[wrong]
    blind = {**DATA["apps"][0], "appKey": "a-blind-app", "scopes": ["Calendar.Event.Write"]}  # type: ignore[index]
    apps = [*DATA["apps"], blind]  # type: ignore[misc]
    dingtalk.reset({**DATA, "corps": CORPS, "suiteTicket": TICKET, "apps": apps})
    stored.update({TICKET_VARIABLE: TICKET, "old_ticket_token": "an-old-made-up-ticket"})
    connect({**dingtalk.connection(auth_type)["extra"], **extra}, **fields)
    said = complaint()
    assert {other for *_, other in WRONG.values() if other in said} == {text}


def test_a_key_of_the_other_region(dingtalk: Emulator, connect: Connect) -> None:
    """Refused credentials come with the two regions' hosts, for an app exists in one only."""
    connect(login="a-key-of-the-other-region")
    said = DingTalkCalendarHook().test_connection()[1]
    assert "api.dingtalk.com" in said
    assert "api.dingtalk.io" in said


@pytest.mark.parametrize("auth_type", ["app", "unified", "corp_app"])
def test_a_permission_that_is_missing(
    dingtalk: Emulator, sign_in: Connect, stored: dict[str, str], auth_type: str
) -> None:
    """The connection test names the permission, whatever the type of app."""
    stored[TICKET_VARIABLE] = TICKET
    app = {**DATA["apps"][0], "scopes": ["Calendar.Event.Read"]}  # type: ignore[index]
    dingtalk.reset({**DATA, "apps": [app], "corps": CORPS, "suiteTicket": TICKET})
    sign_in(auth_type)
    good, said = DingTalkCalendarHook().test_connection()
    assert not good
    assert "Calendar.Event.Write" in said


@pytest.mark.parametrize("auth_type", ["app", "unified", "corp_app"])
def test_a_good_connection(sign_in: Connect, stored: dict[str, str], auth_type: str) -> None:
    """The connection test succeeds for each type of app."""
    stored[TICKET_VARIABLE] = TICKET
    sign_in(auth_type)
    good, said = DingTalkCalendarHook().test_connection()
    assert good, said


def test_no_error_shows_a_secret(
    run: Run, dingtalk: Emulator, grant: UserGrant, stored: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An answer that echoes the request puts neither secret nor tokens into the error, not even with variables."""
    stored[GRANT_VARIABLE] = ending(grant)
    echo = f"{dingtalk.app_secret} {grant.refresh_token}"
    dingtalk.fault(kind="error", action="GetUserToken", status=400, code="invalid.client", message=echo, times=None)
    error = refusal(run, RequestError)
    shown = "".join(TracebackException.from_exception(error, capture_locals=True).format())
    said = str(error) + repr(error) + "".join(capsys.readouterr())
    for secret in (dingtalk.app_secret, grant.refresh_token, grant.access_token):
        assert secret not in said + shown


# -- two processes --------------------------------------------------------------------------------------------

WORKER = """
import sqlite3, sys, time
from dataclasses import replace
from airflow_dingtalk_calendar.client.token_cache import TOKEN_CACHE
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarGetEventOperator as Get

path, union_id, event_id = sys.argv[1:]
DingTalkCalendarHook.clock = replace(DingTalkCalendarHook.clock, sleep=lambda seconds: time.sleep(seconds / 5))

def execute(*query):
    with sqlite3.connect(path, timeout=30) as database:
        return database.execute(*query).fetchone()

airflow_compat.read_variable = lambda name: execute("SELECT value FROM variable")[0]
airflow_compat.write_variable = lambda name, value: execute("UPDATE variable SET value = ?", (value,))
hook = DingTalkCalendarHook()
print("> ready", flush=True)
for line in sys.stdin:
    TOKEN_CACHE.clear()
    try:
        print(">", hook.get_event(union_id, event_id)["id"], flush=True)
    except Exception as error:
        print(">", error, flush=True)
"""

Worker = subprocess.Popen[str]


@pytest.fixture
def workers(dingtalk: Emulator, grant: UserGrant, tmp_path: Path) -> Iterator[list[Worker]]:
    """Two processes that share the Variable, in a database."""
    import sqlite3

    path = tmp_path / "variables.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE variable (value TEXT)")
        database.execute("INSERT INTO variable VALUES (?)", (ending(grant),))
    command = [sys.executable, "-c", WORKER, str(path), ORGANIZER, EVENT]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with ExitStack() as stack:
        yield [
            stack.enter_context(subprocess.Popen(command, env=dict(os.environ), **pipes))  # type: ignore[call-overload]
            for _ in range(2)
        ]


def next_line(worker: Worker) -> str:
    """Read what a worker says next, between the lines of Airflow's log."""
    assert worker.stdout
    said = next((line for line in worker.stdout if line.startswith("> ")), "> nothing")
    return said.removeprefix("> ").strip()


def test_two_processes_refresh_one_grant(dingtalk: Emulator, workers: list[Worker]) -> None:
    """In 50 rounds of both refreshing at the same time each ends with a working token, and nobody must authorise."""
    dingtalk.configure(token_lifetime=100)  # so short that every fetch is a refresh
    assert [next_line(worker) for worker in workers] == ["ready"] * 2
    for _ in range(50):
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        assert [next_line(worker) for worker in workers] == [EVENT] * 2
    refused = [one for one in dingtalk.requests if one["action"] == "GetUserToken" and one["status"] == 400]
    assert refused, "they never met"


def test_a_persons_grant_tests_well(dingtalk: Emulator, grant: UserGrant) -> None:
    """The connection of a person's grant is tested in that person's own calendar."""
    assert DingTalkCalendarHook().test_connection()[0]
    assert "GetUser" in {request["action"] for request in dingtalk.requests}
    assert dingtalk.effects["updates"] == []
