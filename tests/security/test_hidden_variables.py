"""No secret is in a variable of any frame of a traceback: for each type of app, and each way to fail."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from traceback import TracebackException
from types import FrameType, TracebackType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.connection.secret import Secret, hide_frames, hide_strings
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from tests.airflow_runs import Ti
from tests.client.test_auth import (
    GRANT_VARIABLE,
    TICKET,
    TICKET_VARIABLE,
    Connect,
    authorized,
    dingtalk,
    sign_in,
    stored,
)
from tests.conftest import EVENT, ORGANIZER

__all__ = ["dingtalk", "sign_in", "stored"]  # fixtures

TESTS = Path(__file__).parent.parent
TOKEN_ACTIONS = {
    "app": "GetAccessToken",
    "unified": "GetToken",
    "corp_app": "GetCorpAccessToken",
    "user": "GetUserToken",
}
NEW_TOKEN, NEW_REFRESH_TOKEN = "the-new-access-token", "the-new-refresh-token"
OLD_TICKET = "an-old-made-up-ticket"
TOKENS = {"accessToken": NEW_TOKEN, "access_token": NEW_TOKEN, "refreshToken": NEW_REFRESH_TOKEN}
Fail = Callable[[Emulator, str, dict[str, str], pytest.MonkeyPatch], None]


def fault(action: str = "", **rule: Any) -> Fail:
    """Have requests of an action, or those for a token, meet a fault."""

    def fail(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        dingtalk.fault(action=action or TOKEN_ACTIONS[auth_type], times=None, **rule)

    return fail


class Gone(BaseException):
    """As Airflow's time-out of a task."""


def interrupted(where: str) -> Fail:
    """Have a signal end the work while it waits for an answer, as a task's time-out does."""

    def fail(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        def end(number: int, frame: FrameType | None) -> None:
            raise Gone

        monkeypatch.setattr(signal, "siginterrupt", signal.siginterrupt)
        signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        dingtalk.fault(action=where or TOKEN_ACTIONS[auth_type], kind="drip", interval=0.05, times=None)

    return fail


def unwritable(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Variables refuse to be written, with what should be written in variables and in the message."""

    def fail(name: str, value: str) -> None:
        text = f"cannot write {value}"
        raise OSError(text)

    monkeypatch.setattr(airflow_compat, "write_variable", fail)
    fault("GetEvent", kind="error", status=400, code="x")(dingtalk, auth_type, stored, monkeypatch)
    fault("PatchEvent", kind="error", status=400, code="x")(dingtalk, auth_type, stored, monkeypatch)


def unmaskable(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have masking fail, with the secret in a variable."""

    def fail(secret: str) -> None:
        plain = "" + secret[:]
        raise OSError(len(plain))

    monkeypatch.setattr("airflow_dingtalk_calendar.hooks.airflow_steps.mask_secret", fail)


def old(dingtalk: Emulator, auth_type: str, stored: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what the Variables hold be old, and the app secret be another one."""
    stored[TICKET_VARIABLE] = OLD_TICKET
    if auth_type == "user":
        stored[GRANT_VARIABLE] = UserGrant(NEW_TOKEN, NEW_REFRESH_TOKEN, 0.0).dump()
    if auth_type in ("app", "unified"):
        connection = json.loads(os.environ["AIRFLOW_CONN_DINGTALK_DEFAULT"])
        monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps({**connection, "password": "Zx-another-secret"}))


FAILURES: dict[str, Fail] = {
    "old credentials": old,
    "unwritable": unwritable,
    "unmaskable": unmaskable,
    "time-out while a token comes": interrupted(""),
    "time-out while an event comes": interrupted("GetEvent"),
    "token refused": fault("PatchEvent", kind="error", status=400, code="InvalidAuthentication"),
    "reset": fault("PatchEvent", kind="reset"),
    "reset of a token": fault(kind="reset"),
    "truncated token": fault(kind="truncated"),
    "cut tokens": fault(kind="raw", text=f"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{json.dumps(TOKENS)}"),
    "no HTTP": fault(kind="raw", text="SSH-2.0"),
    "not JSON": fault(kind="body", body=f"<html>{NEW_TOKEN} {NEW_REFRESH_TOKEN}"),
    "cut JSON": fault(kind="body", body=f'{{"accessToken": "{NEW_TOKEN}", "refreshToken": "{NEW_REFRESH_TOKEN}'),
    "a list": fault(kind="body", body=[NEW_TOKEN, {"refreshToken": NEW_REFRESH_TOKEN}]),
    "a text": fault(kind="body", body=json.dumps(NEW_TOKEN)),
    "inside of another member": fault(kind="body", body={"result": TOKENS}),
    "odd token": fault(kind="body", body={**TOKENS, "accessToken": f"{NEW_TOKEN}\n", "access_token": [NEW_TOKEN]}),
    "error with tokens": fault(kind="error", status=400, **TOKENS),
    "error in a 200": fault(kind="body", body={"errcode": 88, "errmsg": "no", "sub_code": "40014", **TOKENS}),
    "a page": fault("PatchEvent", kind="body", body="<html>"),
    "redirect": fault(kind="redirect"),
}


def call_sync() -> None:
    """Patch from a thread."""
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {"summary": "x"}, client_token="c")
        hook.get_event(ORGANIZER, EVENT)


def call_async() -> None:
    """Patch from a coroutine."""

    async def call() -> None:
        async with DingTalkCalendarHook() as hook:
            await hook.apatch_event(ORGANIZER, EVENT, {"summary": "x"}, client_token="c")
            await hook.aget_event(ORGANIZER, EVENT)

    asyncio.run(call())


def run_task() -> None:
    """Patch in a task."""
    operator = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id=ORGANIZER, event_id=EVENT, patch={"summary": "x"}
    )
    operator.execute({"ti": Ti()})  # type: ignore[typeddict-item]
    DingTalkCalendarHook().get_event(ORGANIZER, EVENT)


def _skip_tests(trace: TracebackType | None) -> TracebackType | None:
    """Begin a traceback below the tests' own frames, which hold the secrets.

    And CPython 3.13.0 crashes on the variables of one of them (``framelocalsproxy_items`` in ``frameobject.c``).
    """
    while trace and Path(trace.tb_frame.f_code.co_filename).is_relative_to(TESTS):
        trace = trace.tb_next
    return trace


def shown(error: BaseException) -> Iterator[str]:
    """Render an error, and all that it came from or that was handled meanwhile, each with the variables of its frames.

    Frames of this file may show what the test made up.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        left += [one.__cause__, one.__context__]
        yield f"{one!r} {one} {vars(one) if hasattr(one, '__dict__') else ''}"
        trace = _skip_tests(one.__traceback__)
        stack = TracebackException(type(one), one, trace, capture_locals=True).stack
        yield from (f"{frame.filename} {frame.name} {frame.locals}" for frame in stack if frame.filename != __file__)


@pytest.mark.parametrize("caller", [call_sync, call_async, run_task])
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("auth_type", TOKEN_ACTIONS)
def test_no_variable_shows_a_secret(
    dingtalk: Emulator,
    sign_in: Connect,
    stored: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    auth_type: str,
    failure: str,
    caller: Callable[[], None],
) -> None:
    """However a call fails, neither app secret, token, grant, ticket nor a proxy's password is in its traceback."""
    sign_in(auth_type, max_attempts=2, timeout=2)
    stored[TICKET_VARIABLE] = TICKET
    grant = authorized(dingtalk)
    stored[GRANT_VARIABLE] = UserGrant(grant.access_token, grant.refresh_token, 0.0).dump()
    FAILURES[failure](dingtalk, auth_type, stored, monkeypatch)
    try:
        caller()
    except BaseException as error:
        text = "\n".join(shown(error))
    else:
        pytest.skip("nothing fails for this type of app")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    secrets = {
        *(dingtalk.app_secret, "Zx-another-secret", TICKET, OLD_TICKET, NEW_TOKEN, NEW_REFRESH_TOKEN),
        *(grant.access_token, grant.refresh_token, *map(str, dingtalk.store.tokens.access)),
        *map(str, dingtalk.store.tokens._grants),
    }
    assert [line for line in text.splitlines() if any(secret in line for secret in secrets)] == []


PASSWORD = "pr0xy-pass"
BAD_CONNECTIONS: list[dict[str, Any]] = [
    {"conn_type": "http"},
    {"extra": {"proxy": f"proxy://u:{PASSWORD}@proxy.test"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@proxy.test:99999"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@[proxy"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}\n@proxy.test"}},
    {"extra": {"proxy": [f"http://u:{PASSWORD}@proxy.test"]}},
    {"extra": {"proxi": f"http://u:{PASSWORD}@proxy.test"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@proxy.test", "timeout": "never"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@proxy.test", "verify": "/does/not/exist"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@proxy.test", "timezone": "Nowhere"}},
    {"extra": {"proxy": f"http://u:{PASSWORD}@127.0.0.1:9", "max_attempts": 1, "verify": False}},
    {"extra": {"proxy": f"socks5://u:{PASSWORD}@127.0.0.1:9", "max_attempts": 1, "verify": False}},
    {"extra": f'{{"proxy": "http://u:{PASSWORD}@proxy.test"'},
    {"host": f"https://u:{PASSWORD}@api.dingtalk.com"},
    {"host": f"https://u:{PASSWORD}@["},
    {"host": "https://api.dingtalk.com/path"},
    {"login": ""},
    {"password": f"{PASSWORD}\n{PASSWORD}"},
    {"password": f"{PASSWORD}\ud83d", "host": "http://127.0.0.1:9", "extra": {"max_attempts": 1}},
]


@pytest.mark.parametrize("caller", [call_sync, call_async, run_task])
@pytest.mark.parametrize("fields", BAD_CONNECTIONS, ids=lambda fields: json.dumps(fields)[:50])
def test_a_bad_connection_shows_no_password(
    monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any], caller: Callable[[], None]
) -> None:
    """However a connection is wrong, neither its password nor a proxy's is in the traceback."""
    whole = {
        "conn_type": "dingtalk",
        "login": "key",
        "password": "s3cret-of-app",
        "host": "https://x.invalid",
        **fields,
    }
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(whole))
    with pytest.raises(Exception) as caught:  # noqa: PT011
        caller()
    text = "\n".join(shown(caught.value))
    assert PASSWORD not in text
    assert "s3cret-of-app" not in text


def test_a_broken_connection_shows_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that Airflow cannot read leaves its text in no frame, either."""
    for text in ('{"conn_type": "dingtalk", "password": "s3cret-of-app"', "dingtalk://u:s3cret-of-app@://://x"):
        monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", text)
        with pytest.raises(Exception) as caught:  # noqa: PT011
            call_sync()
        frames = [line for line in shown(caught.value) if " " in line and "/" in line.split(" ")[0]]
        assert not [line for line in frames if "s3cret-of-app" in line]


def test_frames_are_cut_and_what_was_handled_before_is_not() -> None:
    """Cutting frames leaves types, messages and causes, and nothing is cut off what the caller handles already."""

    def lower(plain: str) -> None:
        try:
            raise ValueError("why")
        except ValueError as error:
            raise OSError("what") from error

    def upper() -> None:
        with hide_frames():
            lower("made-up")

    try:
        raise KeyError("mine")
    except KeyError as mine:
        with pytest.raises(OSError, match="what") as caught:
            upper()
        assert mine.__traceback__ is not None
    cause = caught.value.__cause__
    assert isinstance(cause, ValueError)
    assert cause.__traceback__ is None
    assert "made-up" not in "".join(shown(caught.value))


JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@given(JSON)
def test_hidden_strings_are_the_same_strings(value: Any) -> None:
    """Hiding the texts of a JSON value changes nothing but how they are shown, and stripping shows none of them."""
    hidden = hide_strings(value)
    assert hidden == value
    assert json.dumps(hidden) == json.dumps(value)
    if isinstance(hidden, str):
        assert repr(hidden) == repr(hidden.strip()) == "'***'"


def test_the_parts_of_a_call_do_not_show(dingtalk: Emulator) -> None:
    """Steps, calls and what they bring hide their secrets."""
    call = api.get_user_token("key", "s3cret-of-app", refresh_token="made-up")
    token = call.parse(hide_strings({"accessToken": "made-up", "refreshToken": "made-up"}))
    text = f"{call!r} {token!r} {UserGrant.from_token(token, 0.0)!r} {UserGrant.from_token(token, 0.0).dump()!r}"
    assert "made-up" not in text
    assert isinstance(token.value, Secret)
