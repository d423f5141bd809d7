"""What an Airflow connection of type ``dingtalk`` says, checked and in plain values.

==============  =====================================================================================
connection      meaning
==============  =====================================================================================
login           app key (Client ID)
password        app secret (Client Secret)
host            base URL of the API; the region's: ``https://api.dingtalk.io`` (default) or, for China,
                ``https://api.dingtalk.com``. An app belongs to one region; there is no fallback.
extra           the options of :class:`Settings`, all optional
==============  =====================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from ipaddress import ip_address
from typing import Any, NoReturn, Protocol
from urllib.parse import SplitResult, urlsplit

from airflow_dingtalk_calendar.exceptions import InvalidConnectionError
from airflow_dingtalk_calendar.secret import Secret

DEFAULT_HOST = "https://api.dingtalk.io"


class Connection(Protocol):
    """The part of Airflow's connection that is read here."""

    login: str | None
    password: str | None
    host: str | None
    schema: str | None
    port: int | None
    extra: str | None


@dataclass(frozen=True)
class Settings:
    """A checked connection.

    :ivar timezone: IANA zone for times in patches that have none.
    :ivar timeout: seconds, for each wait on a socket and for the whole body of an answer.
    :ivar max_qps: calls per second and API that one process sends at most (the service allows 20 per app).
    :ivar max_attempts: how often one call is tried within a task.
    :ivar verify: TLS: True, False, or the path of a CA bundle.
    :ivar proxy: URL of an HTTP proxy; without it, the environment's (``HTTPS_PROXY``) is used.
    """

    app_key: str
    app_secret: str = field(repr=False)
    base_url: str = DEFAULT_HOST
    timezone: str | None = None
    timeout: float = 20.0
    max_qps: float = 20.0
    max_attempts: int = 4
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)

    @cached_property
    def identity(self) -> str:
        """Name whose token and whose rate limit this is; the secret goes in as a digest."""
        digest = sha256(self.app_secret.encode()).hexdigest()[:16]
        return f"{self.base_url} {self.app_key} {digest}"

    @property
    def is_local(self) -> bool:
        """Whether the host is this machine."""
        return is_loopback(urlsplit(self.base_url).hostname or "")


def from_connection(connection: Connection) -> Settings:
    """Read a connection.

    :raises InvalidConnectionError: naming the field and the remedy, never the value.
    """
    extra = _extra(connection.extra)
    options = {name: read(extra[name], name) for name, read in _OPTIONS.items() if extra.get(name) not in (None, "")}
    if options.pop("auth_type", "app") != "app":
        _refuse("extra.auth_type", "must be app, the access token of an internal app")
    allow_http = options.pop("allow_http", False)
    return Settings(
        app_key=_credential(connection.login, "login", "the app key (Client ID)"),
        app_secret=Secret(_credential(connection.password, "password", "the app secret (Client Secret)")),
        base_url=base_url(connection, allow_http=allow_http),
        **options,
    )


def base_url(connection: Connection, *, allow_http: bool = False) -> str:
    """Bring the host into the form ``https://name[:port]``; plain http only to this machine."""
    text = (connection.host or DEFAULT_HOST).strip()
    parts = _split(text if "://" in text else f"{connection.schema or 'https'}://{text}")
    if parts.scheme not in ("https", "http"):
        _refuse("host", "must begin with https://")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        _refuse("host", "must be a host only, like https://api.dingtalk.com: no path, user or query")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname or ""):
        _refuse(
            "host", "must begin with https://: plain http would send the secret readable (extra.allow_http allows it)"
        )
    port = parts.port or connection.port
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "%" in url:
        _refuse("host", "is not a host name, like https://api.dingtalk.com")
    return parts


def _extra(text: str | None) -> dict[str, Any]:
    try:
        extra = json.loads(text) if text else {}
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        _refuse("extra", "must be a JSON object")
    for name in extra:
        if name not in _OPTIONS:
            near = get_close_matches(str(name), _OPTIONS, n=1)
            known = f"did you mean {near[0]}?" if near else f"known: {', '.join(_OPTIONS)}"
            _refuse("extra", f"has an unknown option; {known}")
    return extra


def _credential(value: str | None, name: str, meaning: str) -> str:
    text = (value or "").strip()
    if not text or not text.isprintable():
        _refuse(name, f"must be {meaning}")
    return text


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        _refuse(f"extra.{name}", "must be text")
    return value.strip()


def _flag(value: Any, name: str) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        _refuse(f"extra.{name}", "must be true or false")
    return word == "true"


def _number(least: float, most: float) -> Callable[[Any, str], float]:
    def read(value: Any, name: str) -> float:
        try:
            number = float("nan") if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not least <= number <= most:
            _refuse(f"extra.{name}", f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _count(value: Any, name: str) -> int:
    return int(_number(1, 20)(value, name))


def _verify(value: Any, name: str) -> bool | str:
    return _flag(value, name) if str(value).strip().lower() in ("true", "false") else _text(value, name)


def _timezone(value: Any, name: str) -> str:
    from airflow_dingtalk_calendar.moments import as_zone  # pydantic: not at import

    try:
        return as_zone(_text(value, name))
    except ValueError as error:
        raise InvalidConnectionError((f"connection.extra.{name}", str(error))) from None


def _refuse(field: str, problem: str) -> NoReturn:
    raise InvalidConnectionError((f"connection.{field}", problem))


_OPTIONS: Mapping[str, Callable[[Any, str], Any]] = {
    "auth_type": _text,
    "timezone": _timezone,
    "timeout": _number(0.1, 600),
    "max_qps": _number(0.01, 1000),
    "max_attempts": _count,
    "proxy": _text,
    "verify": _verify,
    "allow_http": _flag,
}
