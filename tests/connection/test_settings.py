"""What a connection says, and what it must not say."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar.connection.hosts import is_local_url
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings, parse_connection
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook


def connection(extra: Any = None, **fields: Any) -> SimpleNamespace:
    """Make a connection as Airflow hands it over."""
    extra = extra if isinstance(extra, str) or extra is None else json.dumps(extra)
    given = {"login": "app", "password": "made-up", "host": None, "schema": None, "port": None, **fields}
    return SimpleNamespace(conn_id="dingtalk_default", conn_type="dingtalk", **given, extra=extra)


def refused(extra: Any = None, **fields: Any) -> str:
    """Read a connection that must be refused, and return the error's text."""
    with pytest.raises(InvalidConnectionError) as caught:
        parse_connection(connection(extra, **fields))
    return str(caught.value)


def test_defaults() -> None:
    """Key and secret are enough: the international host, finite time-outs, the service's own rate."""
    assert parse_connection(connection()) == ConnectionSettings("app", "made-up", "https://api.dingtalk.io")


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"host": "https://api.dingtalk.com"}, "https://api.dingtalk.com"),
        ({"host": "https://api.dingtalk.com/"}, "https://api.dingtalk.com"),
        ({"host": "api.dingtalk.com"}, "https://api.dingtalk.com"),
        ({"host": "api.dingtalk.com", "schema": "https", "port": 8443}, "https://api.dingtalk.com:8443"),
        ({"host": "https://api.dingtalk.com:443"}, "https://api.dingtalk.com:443"),
        ({"host": "http://127.0.0.1", "port": 8080}, "http://127.0.0.1:8080"),
        ({"host": "http://localhost:8080"}, "http://localhost:8080"),
        ({"host": "http://[::1]:8080"}, "http://[::1]:8080"),
        ({"host": "HTTPS://API.DingTalk.COM"}, "https://api.dingtalk.com"),
        ({"host": "", "schema": ""}, "https://api.dingtalk.io"),
    ],
    ids=str,
)
def test_hosts(fields: dict[str, Any], url: str) -> None:
    """Host, schema and port come together in every way that Airflow stores them."""
    assert parse_connection(connection(**fields)).base_url == url


@pytest.mark.parametrize(
    "host",
    [
        "http://api.dingtalk.com",
        "http://127.0.0.1.example.com",
        "ftp://api.dingtalk.com",
        "https://user@api.dingtalk.com",
        "https://api.dingtalk.com@example.com",
        "https://api.dingtalk.com/v1.0",
        "https://api.dingtalk.com?x=1",
        "https://api.dingtalk.com#x",
        "https://api.dingtalk.com\\@example.com",
        "https://api.dingtalk.com\r\nx: y",
        "https://api.dingtalk.com:99999",
        "https://api.dingtalk.com:0",
        "https://api%2edingtalk.com",
        "https://钉钉.example",
        "https://",
        "https://[::1",
    ],
)
def test_hosts_that_could_leak_are_refused(host: str) -> None:
    """Plain http beyond this machine, and hosts with user, path, query or tricks, are refused without showing them."""
    text = refused(host=host)
    assert text.startswith("connection.host: ")
    assert "example" not in text


def test_plain_http_can_be_allowed() -> None:
    """An emulator on another machine is reached with extra.allow_http."""
    settings = parse_connection(connection({"allow_http": True}, host="http://emulator.test:8080"))
    assert settings.base_url == "http://emulator.test:8080"
    assert not is_local_url(settings.base_url)


@pytest.mark.parametrize("typed", [lambda value: value, str], ids=["typed", "text"])
def test_options(typed: Any) -> None:
    """Options are read as JSON types and as the text that a URI makes of them."""
    extra = {
        "auth_type": "app",
        "timezone": "Asia/Shanghai",
        "timeout": typed(7.5),
        "max_qps": typed(40),
        "max_attempts": typed(2),
        "verify": typed(False),
        "allow_http": typed(True),
        "proxy": "http://proxy.test:3128",
    }
    settings = parse_connection(connection(extra))
    assert (settings.timezone, settings.timeout, settings.max_qps) == ("Asia/Shanghai", 7.5, 40.0)
    assert (settings.max_attempts, settings.verify, settings.proxy) == (2, False, "http://proxy.test:3128")


def test_verify_may_be_a_file() -> None:
    """A CA bundle is a path."""
    assert parse_connection(connection({"verify": "/etc/ssl/company.pem"})).verify == "/etc/ssl/company.pem"


def test_empty_form_fields_are_absent() -> None:
    """What the form leaves empty takes its default."""
    assert parse_connection(connection({"timeout": "", "timezone": None})).timeout == 20.0


@pytest.mark.parametrize(
    ("extra", "where"),
    [
        ({"timezone": "Asia/Shangai"}, "connection.extra.timezone: is not a zone"),
        ({"timeout": 0}, "connection.extra.timeout"),
        ({"timeout": "never"}, "connection.extra.timeout"),
        ({"timeout": True}, "connection.extra.timeout"),
        ({"timeout": "nan"}, "connection.extra.timeout"),
        ({"max_qps": 0}, "connection.extra.max_qps"),
        ({"max_attempts": 0}, "connection.extra.max_attempts"),
        ({"max_attempts": 21}, "connection.extra.max_attempts"),
        ({"allow_http": "maybe"}, "connection.extra.allow_http"),
        ({"proxy": 5}, "connection.extra.proxy"),
        ({"proxy": "proxy.test:3128"}, "connection.extra.proxy: must be the URL of a proxy, like http://"),
        ({"proxy": "user:s3cret@proxy.test:3128"}, "connection.extra.proxy: must be the URL of a proxy, like http://"),
        ({"proxy": "http://proxy.test:port"}, "connection.extra.proxy: must be the URL of a proxy"),
        ({"proxy": "http://"}, "connection.extra.proxy: must be the URL of a proxy"),
        ({"proxy": "socks5://proxy.test:1080"}, "connection.extra.proxy: is a SOCKS proxy, for which the workers need"),
        ({"auth_type": "robot"}, "connection.extra.auth_type"),
        ({"timezon": "Asia/Shanghai"}, "did you mean timezone?"),
        ("[1]", "connection.extra: must be a JSON object"),
        ("{", "connection.extra: must be a JSON object"),
    ],
    ids=str,
)
def test_wrong_options_are_named(extra: Any, where: str) -> None:
    """A wrong option is named with what it may be, and not shown."""
    text = refused(extra)
    assert where in text
    assert "s3cret" not in text


@pytest.mark.parametrize("name", ["login", "password"])
@pytest.mark.parametrize("value", [None, "", "  ", "a\r\nb"])
def test_credentials_are_needed(name: str, value: str | None) -> None:
    """Without app key or secret nothing is sent, and the error says which is missing."""
    assert refused(**{name: value}).startswith(f"connection.{name}: must be the app")


def test_secrets_do_not_show() -> None:
    """Neither the secret nor a proxy's password is in the settings' text or identity."""
    settings = parse_connection(connection({"proxy": "http://u:proxy-pass@p:1"}))
    assert "made-up" not in repr(settings) + repr(settings.identity)
    assert "proxy-pass" not in repr(settings)


@pytest.mark.parametrize(
    "uri",
    [
        "dingtalk://app:made-up@https%3A%2F%2Fapi.dingtalk.com/?timezone=Asia%2FShanghai",
        "dingtalk://https://app:made-up@api.dingtalk.com:443/?timezone=Asia%2FShanghai",
    ],
)
def test_uri_connections(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of writing a host with a scheme in a connection URI arrive."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_URI", uri)
    settings = DingTalkCalendarHook("dingtalk_uri").get_conn()
    assert settings.base_url.startswith("https://api.dingtalk.com")
    assert (settings.app_key, settings.timezone) == ("app", "Asia/Shanghai")


@given(host=st.text(max_size=40), extra=st.text(max_size=30), schema=st.none() | st.text(max_size=8))
def test_reading_never_fails_otherwise(host: str, extra: str, schema: str | None) -> None:
    """Whatever a connection holds, it is read or refused with InvalidConnectionError."""
    try:
        settings = parse_connection(connection(extra, host=host, schema=schema))
    except InvalidConnectionError:
        return
    assert settings.base_url.startswith(("https://", "http://localhost", "http://127.", "http://[::1]"))
