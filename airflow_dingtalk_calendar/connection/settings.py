"""What an Airflow connection of type ``dingtalk`` says, checked and in plain values.

==============  =====================================================================================
connection      meaning
==============  =====================================================================================
login           app key (Client ID)
password        app secret (Client Secret)
host            base URL of the API; the region's: ``https://api.dingtalk.io`` (default) or, for China,
                ``https://api.dingtalk.com``. An app belongs to one region; there is no fallback.
extra           the options of :class:`ConnectionSettings`, all optional
==============  =====================================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from hashlib import sha256
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import urlsplit

from airflow_dingtalk_calendar.connection.hosts import parse_base_url, refuse_field
from airflow_dingtalk_calendar.connection.secret import Secret, hide_strings
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError

CONN_TYPE = "dingtalk"
DEFAULT_HOST = "https://api.dingtalk.io"


class AirflowConnection(Protocol):
    """The part of Airflow's connection that is read here."""

    conn_id: str
    conn_type: str | None
    login: str | None
    password: str | None
    host: str | None
    schema: str | None
    port: int | None
    extra: str | None


@dataclass(frozen=True)
class ConnectionSettings:
    """A checked connection.

    :ivar conn_id: its id in Airflow, for messages that name a command; empty if it is not known.
    :ivar identity: whose token and whose rate limit this is; the secret goes in as a digest.
    :ivar auth_type: type of the app: ``app``, ``unified``, ``corp_app`` or ``user``; see
        :mod:`airflow_dingtalk_calendar.client.auth`.
    :ivar corp_id: corpId of the organisation, for ``unified`` and ``corp_app``.
    :ivar suite_ticket_variable: name of the Airflow Variable with the newest suite ticket, for ``corp_app``.
    :ivar user_grant_variable: name of the Airflow Variable with a person's grant, for ``user``.
    :ivar legacy_host: base URL of the legacy API; derived from the host for DingTalk's own.
    :ivar timezone: IANA zone for times in patches that have none.
    :ivar timeout: seconds, for each wait on a socket and for the whole body of an answer; a request with its answer
        takes three times as long at most.
    :ivar max_qps: calls per second and API that one process sends at most (the service allows 20 per app).
    :ivar max_attempts: how often one call is tried within a task.
    :ivar verify: TLS: True, False, or the path of a CA bundle.
    :ivar proxy: URL of an HTTP proxy; without it, the environment's (``HTTPS_PROXY``) is used.
    """

    app_key: str
    app_secret: str = field(repr=False)
    base_url: str = DEFAULT_HOST
    auth_type: str = "app"
    corp_id: str = ""
    suite_ticket_variable: str = ""
    user_grant_variable: str = ""
    legacy_host: str = ""
    timezone: str | None = None
    timeout: float = 20.0
    max_qps: float = 20.0
    max_attempts: int = 4
    verify: bool | str = True
    proxy: str | None = field(default=None, repr=False)
    conn_id: str = "dingtalk_default"
    identity: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "app_secret", Secret(self.app_secret))
        object.__setattr__(self, "proxy", self.proxy and Secret(self.proxy))
        object.__setattr__(self, "identity", self._name_identity())

    def _name_identity(self) -> str:
        digest = sha256(self.app_secret.encode()).hexdigest()[:16]
        whose = (self.auth_type, self.corp_id, self.user_grant_variable)
        return " ".join((self.base_url, self.app_key, digest, *whose))

    @property
    def legacy_url(self) -> str:
        """The legacy API's base URL: ``oapi`` beside ``api``, and this machine's own for an emulator."""
        return self.legacy_host or self.base_url.replace("://api.dingtalk.", "://oapi.dingtalk.")

    def zone_for(self, timezone: str | None) -> str | None:
        """Say which zone times have that name none: the call's, else the connection's."""
        return timezone if timezone is not None else self.timezone


def parse_connection(connection: AirflowConnection) -> ConnectionSettings:
    """Read a connection.

    :raises InvalidConnectionError: naming the field and the remedy, never the value.
    """
    fields = _hide_fields(connection)
    del connection  # Airflow 3 shows its password where it shows variables
    _check_type(fields.conn_id, fields.conn_type)
    extra = _parse_extra(fields.extra)
    options = {
        name: read(extra[name], name) for name, read in _OPTION_PARSERS.items() if extra.get(name) not in (None, "")
    }
    allow_http = options.pop("allow_http", False)
    host = (fields.host or DEFAULT_HOST).strip()
    if "legacy_host" in options:
        options["legacy_host"] = parse_base_url(options["legacy_host"], "extra.legacy_host", allow_http=allow_http)
    _check_auth_type(options)
    return ConnectionSettings(
        app_key=_require_credential(fields.login, "login", "the app key (Client ID)"),
        app_secret=Secret(_require_credential(fields.password, "password", "the app secret (Client Secret)")),
        conn_id=fields.conn_id,
        base_url=parse_base_url(host, "host", scheme=fields.schema, port=fields.port, allow_http=allow_http),
        **options,
    )


def _hide_fields(connection: AirflowConnection) -> Any:
    """Copy the fields of a connection; the copies of those that may hold a secret do not show it."""
    names = ("conn_id", "conn_type", "login", "schema", "port")
    hidden = {name: hide_strings(getattr(connection, name, None)) for name in ("password", "host", "extra")}
    return SimpleNamespace(**{name: getattr(connection, name, None) for name in names}, **hidden)


def _check_type(conn_id: str, conn_type: str | None) -> None:
    """Refuse a connection to something else, whose password would go to DingTalk.

    One without a type is taken: JSON in an environment variable may leave it out.
    """
    given = (conn_type or "").strip().lower()
    if given not in ("", CONN_TYPE):
        problem = f"of {conn_id} is {given}: give the id of a connection of type {CONN_TYPE}, or make it one"
        refuse_field("conn_type", problem)


def without_test_id(settings: ConnectionSettings) -> ConnectionSettings:
    """Forget the id if it looks like the random one under which Airflow's test button tests a connection."""
    return replace(settings, conn_id="") if re.fullmatch("[A-Za-z0-9]{8}", settings.conn_id) else settings


# What each type of app needs besides key and secret.
AUTH_TYPES = {
    "app": (),
    "unified": ("corp_id",),
    "corp_app": ("corp_id", "suite_ticket_variable"),
    "user": ("user_grant_variable",),
}


def _check_auth_type(options: Mapping[str, Any]) -> None:
    auth_type = options.get("auth_type", "app")
    if auth_type not in AUTH_TYPES:
        refuse_field("extra.auth_type", f"must be one of {', '.join(AUTH_TYPES)}")
    for name in AUTH_TYPES[auth_type]:
        if not options.get(name):
            refuse_field(f"extra.{name}", f"is needed for auth_type {auth_type}")


def _parse_extra(text: str | None) -> dict[str, Any]:
    try:
        extra = hide_strings(json.loads(text)) if text else {}
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        refuse_field("extra", "must be a JSON object")
    for name in extra:
        if name not in _OPTION_PARSERS:
            near = get_close_matches(str(name), _OPTION_PARSERS, n=1)
            known = f"did you mean {near[0]}?" if near else f"known: {', '.join(_OPTION_PARSERS)}"
            refuse_field("extra", f"has an unknown option; {known}")
    return extra


def _require_credential(value: str | None, name: str, meaning: str) -> str:
    text = (value or Secret()).strip()
    if not text or not text.isprintable():
        refuse_field(name, f"must be {meaning}")
    return text


def _text_option(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        refuse_field(f"extra.{name}", "must be text")
    return str(value.strip())


def _proxy_option(value: Any, name: str) -> str:
    scheme = _proxy_scheme(value)
    if not scheme:
        refuse_field(f"extra.{name}", "must be the URL of a proxy, like http://proxy.example.com:8080")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        refuse_field(f"extra.{name}", "is a SOCKS proxy, for which the workers need httpx[socks]")
    return Secret(value).strip()


def _proxy_scheme(value: Any) -> str:
    """Return the scheme of a proxy's URL; blank if it is none. The parts of the URL stay here, one is a password."""
    try:
        parts = urlsplit(value.strip() if isinstance(value, str) and value.isprintable() else "")
        known = parts.scheme in ("http", "https", "socks5", "socks5h") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return parts.scheme if known else ""


def _flag_option(value: Any, name: str) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        refuse_field(f"extra.{name}", "must be true or false")
    return word == "true"


def _number_option(least: float, most: float) -> Callable[[Any, str], float]:
    def read(value: Any, name: str) -> float:
        try:
            number = float("nan") if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not least <= number <= most:
            refuse_field(f"extra.{name}", f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _count_option(value: Any, name: str) -> int:
    return int(_number_option(1, 20)(value, name))


def _verify_option(value: Any, name: str) -> bool | str:
    return _flag_option(value, name) if str(value).strip().lower() in ("true", "false") else _text_option(value, name)


def _timezone_option(value: Any, name: str) -> str:
    from airflow_dingtalk_calendar.models.datetimes import parse_zone  # pydantic: not at import

    try:
        return parse_zone(_text_option(value, name))
    except ValueError as error:
        raise InvalidConnectionError((f"connection.extra.{name}", str(error))) from None


def _variable_option(value: Any, name: str) -> str:
    """Name a Variable whose content Airflow masks, which it decides by the name."""
    text = _text_option(value, name)
    if not any(word in text.lower() for word in ("token", "secret")):
        refuse_field(f"extra.{name}", "must name a Variable with token or secret in its name, so that Airflow masks it")
    return text


_OPTION_PARSERS: Mapping[str, Callable[[Any, str], Any]] = {
    "auth_type": _text_option,
    "corp_id": _text_option,
    "suite_ticket_variable": _variable_option,
    "user_grant_variable": _variable_option,
    "legacy_host": _text_option,
    "timezone": _timezone_option,
    "timeout": _number_option(0.1, 600),
    "max_qps": _number_option(0.01, 1000),
    "max_attempts": _count_option,
    "proxy": _proxy_option,
    "verify": _verify_option,
    "allow_http": _flag_option,
}
