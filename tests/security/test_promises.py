"""What SECURITY.md promises and no other test shows: where secrets cannot get, and what input cannot do.

Others: test_secrets.py (logs, exceptions, what Airflow stores), connection/test_settings.py (hosts),
client/test_tls.py (certificates), client/test_transport.py (memory and time).
"""

from __future__ import annotations

import gc
import json
import logging
import types
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import client_token_header
from airflow_dingtalk_calendar.client import token_cache
from airflow_dingtalk_calendar.connection.hosts import is_loopback, parse_base_url
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError, InvalidInputError, UnexpectedAnswerError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from tests.airflow_runs import Run, Ti
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.raw_server import raw_server
from tests.security.test_secrets import SECRET

# -- where secrets cannot get -------------------------------------------------------------------------------


def test_a_secret_hides_where_objects_are_shown() -> None:
    """A secret does not show in representations, alone or inside of others; what sends it gets its letters."""
    secret = Secret("made-up")
    shown = f"{secret!r} {[secret]} { {'key': secret} } {(secret,)} {Exception(secret)!r}" + "%r" % secret  # noqa: UP031
    assert "made-up" not in shown
    # Libraries write text out with str() to send it: hiding there would send three stars for a password.
    assert json.loads(json.dumps({"key": secret})) == {"key": "made-up"}
    assert (str(secret), secret.encode()) == ("made-up", b"made-up")


def reachable(root: object) -> list[object]:
    """Return all objects that hang on one, but for those on which everything hangs: classes, modules, loggers ..."""
    shared = (type, types.ModuleType, types.FunctionType, logging.Logger)  # a logger's filters know what to mask
    seen: dict[int, object] = {}
    left = [root]
    while left:
        one = left.pop()
        if id(one) not in seen and not isinstance(one, shared):
            seen[id(one)] = one
            left += gc.get_referents(one)
    return list(seen.values())


def test_an_operator_holds_no_secret(dingtalk: Emulator) -> None:
    """After its work, nothing that hangs on an operator, and so nothing that a template reaches, holds a secret."""
    operator = DingTalkCalendarPatchEventOperator(
        task_id="t", union_id=ORGANIZER, event_id=EVENT, patch={"summary": "x"}
    )
    operator.execute({"ti": Ti()})  # type: ignore[typeddict-item]
    token = token_cache.TOKEN_CACHE.get(DingTalkCalendarHook().get_conn().identity, 0.0)
    assert token is not None
    texts = [one for one in reachable(operator) if isinstance(one, str)]
    assert EVENT in texts
    assert not [one for one in texts if SECRET in one or token.value in one]


JINJA = "{{ conn.dingtalk_default.password }}"


def test_templates_do_not_get_at_secrets(dag: Callable[..., Run], dingtalk: Emulator) -> None:
    """A template sees an operator without a hook, and Jinja in what others hand in stays the text that it is.

    The DAG's author may use ``conn`` in a template, as in any Airflow; who triggers it, or writes the data, may not.
    """
    run = dag(
        f"""
        options = {{"union_id": "{ORGANIZER}", "event_id": "{EVENT}"}}
        shown = "{{{{ task }}}} {{{{ ti }}}} {{{{ task.dingtalk_conn_id }}}} {{{{ ti.task.hook is defined }}}}"
        Patch(task_id="shows", patch={{"description": shown}}, **options)
        Patch(task_id="digs", patch={{"description": "{{{{ task.execute.__globals__ }}}}"}}, **options)
        Patch(task_id="conf", patch={{"description": "{{{{ dag_run.conf.text }}}}"}}, **options)
        @task
        def plan():
            return [{{"description": {JINJA!r}}}]
        Patch.partial(task_id="mapped", **options).expand(patch=plan())
        """,
        conf={"text": JINJA},
    )
    sent = [request["body"]["description"] for request in dingtalk.requests if request["client_token"]]
    assert run.state("digs") == "failed"
    assert sent.count(JINJA) == 2
    assert [text for text in sent if text.endswith("dingtalk_default False")]
    assert len(sent) == 3
    assert SECRET not in json.dumps(sent)


# -- what input cannot do -----------------------------------------------------------------------------------

TRICKY = st.text(max_size=12) | st.text("./\\%2eEfF?#@:;~ \r\n\0\u2024\uff0e\u2215", max_size=12)


@given(union_id=TRICKY, calendar_id=TRICKY, event_id=TRICKY)
def test_ids_stay_in_their_segments(union_id: str, calendar_id: str, event_id: str) -> None:
    """Whatever an id is, it is one segment of the path that is sent, or refused."""
    try:
        call = api.get_event(union_id, event_id, calendar_id=calendar_id)
    except InvalidInputError:
        return
    sent = httpx.Request(call.method, f"https://api.dingtalk.com{call.path}").url
    assert sent.host == "api.dingtalk.com"
    assert sent.raw_path.decode("ascii") == call.path
    segments = [unquote(segment) for segment in call.path.split("/")]
    assert segments[1:4] == ["v1.0", "calendar", "users"]
    assert segments[4:] == [union_id.strip(), "calendars", calendar_id.strip(), "events", event_id.strip()]


@given(token=st.text(max_size=20) | st.text("ab\r\n\t\0\x7f\x80: ", max_size=20))
def test_client_tokens_stay_in_their_header(token: str) -> None:
    """Whatever a client token is, it is one printable header value, or refused."""
    try:
        (value,) = client_token_header(token).values()
    except InvalidInputError:
        return
    assert value.isascii()
    assert value.isprintable()


HOSTS = st.text("aA1.:/\\@#?%[]-_~ \t\n\0\u3002\uff0fhtps", max_size=20)
PREFIXES = st.sampled_from(
    ["", "https://", "http://", "https://api.dingtalk.com", "http://127.0.0.1", "//", "http://localhost"]
)


@given(host=st.builds(str.__add__, PREFIXES, HOSTS), port=st.none() | st.integers(1, 65535))
def test_all_agree_on_the_host(host: str, port: int | None) -> None:
    """A host that is accepted is the same one to the check and to the HTTP library, and plain http stays here."""
    try:
        base = parse_base_url(host, "host", port=port)
    except InvalidConnectionError:
        return
    try:
        url = httpx.URL(f"{base}/v1.0/x")
    except httpx.InvalidURL:
        return  # refused later, before anything is sent
    assert (url.host, url.path, url.userinfo) == (urlsplit(base).hostname, "/v1.0/x", b"")
    assert url.scheme == "https" or is_loopback(url.host)


def test_no_other_host_receives_a_redirect(run: Callable[..., Any], dingtalk: Emulator) -> None:
    """A redirect to another host is not followed, so that host gets neither request nor token."""
    reads: list[bool] = []

    def listen() -> Any:
        reads.append(True)
        yield b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"

    answer = type("Body", (), {"__iter__": lambda _: listen()})()
    with raw_server(answer) as elsewhere:
        for status in (301, 302, 303, 307, 308):
            dingtalk.fault(kind="redirect", status=status, location=f"{elsewhere}/v1.0/x", action="GetEvent")
            with pytest.raises(UnexpectedAnswerError, match="redirect"):
                run("get_event", ORGANIZER, EVENT)
    assert reads == []


def test_cookies_are_not_sent_back(dingtalk: Emulator) -> None:
    """What a server asks to be remembered is not sent to it again."""
    dingtalk.fault(kind="body", action="GetEvent", body={"id": EVENT}, headers={"set-cookie": "a=b; path=/"})
    with DingTalkCalendarHook() as hook:
        for _ in range(2):
            hook.get_event(ORGANIZER, EVENT)
    assert not [request for request in dingtalk.requests if "cookie" in request["headers"]]


def test_no_address_is_logged(dingtalk: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO no log has the address of a request, which the HTTP client's own line would show."""
    caplog.set_level(logging.INFO)
    with DingTalkCalendarHook() as hook:
        hook.get_event(ORGANIZER, EVENT)
    assert urlsplit(dingtalk.url).netloc not in caplog.text


def test_the_token_goes_into_its_header_only(dingtalk: Emulator) -> None:
    """Neither token nor secret is in any address, which servers on the way would log."""
    DingTalkCalendarHook().get_event(ORGANIZER, EVENT)
    token = token_cache.TOKEN_CACHE.get(DingTalkCalendarHook().get_conn().identity, 0.0)
    assert token is not None
    seen = json.dumps([[request["raw_path"], request["query"], request["body"]] for request in dingtalk.requests])
    assert DATA["apps"][0]["appKey"] in seen  # type: ignore[index]
    assert token.value not in seen
    assert not any(request["token_in_url"] for request in dingtalk.requests)
