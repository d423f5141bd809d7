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

import re
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any, Protocol

from airflow_dingtalk_calendar.connection.hosts import parse_base_url, refuse_field
from airflow_dingtalk_calendar.connection.options import may_allow_http, parse_options
from airflow_dingtalk_calendar.connection.secret import Secret, hide_strings
from airflow_dingtalk_calendar.exceptions import read_all

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
    :ivar page_url: where a person's browser finds the emulator, if that is not where the workers find it.
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
    page_url: str = ""
    conn_id: str = "dingtalk_default"
    identity: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "app_secret", Secret(self.app_secret))
        object.__setattr__(self, "proxy", self.proxy and Secret(self.proxy))
        object.__setattr__(self, "identity", self._name_identity())

    def _name_identity(self) -> tuple[str, ...]:
        # A changed secret has to be another app for the caches, and must not stand in their keys.
        digest = sha256(self.app_secret.encode()).hexdigest()[:16]
        return (self.base_url, self.app_key, digest, self.auth_type, self.corp_id, self.user_grant_variable)

    @property
    def legacy_url(self) -> str:
        """The legacy API's base URL: ``oapi`` beside ``api``, and this machine's own for an emulator."""
        return self.legacy_host or self.base_url.replace("://api.dingtalk.", "://oapi.dingtalk.")

    def zone_for(self, timezone: Any) -> Any:
        """Say which zone times have that name none: the call's (an object by its name), else the connection's."""
        if timezone is None:
            return self.timezone
        from airflow_dingtalk_calendar.models.types import read_argument  # pydantic: not at import
        from airflow_dingtalk_calendar.models.zones import name_zone

        return read_argument("timezone", name_zone, timezone)


def parse_connection(connection: AirflowConnection) -> ConnectionSettings:
    """Read a connection.

    :raises InvalidConnectionError: naming each wrong field and its remedy, never a value.
    """
    fields = _hide_fields(connection)
    del connection  # Airflow 3 shows its password where it shows variables
    _check_type(fields.conn_id, fields.conn_type)
    host = (fields.host or DEFAULT_HOST).strip()
    allow_http = may_allow_http(fields.extra)
    app_key, app_secret, base_url, options = read_all(
        lambda: _require_credential(fields.login, "login", "the app key (Client ID)"),
        lambda: Secret(_require_credential(fields.password, "password", "the app secret (Client Secret)")),
        lambda: parse_base_url(host, "host", scheme=fields.schema, port=fields.port, allow_http=allow_http),
        lambda: parse_options(fields.extra),
    )
    return ConnectionSettings(app_key, app_secret, base_url, conn_id=fields.conn_id, **options)


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


def _require_credential(value: str | None, name: str, meaning: str) -> str:
    text = (value or Secret()).strip()
    if not text or not text.isprintable():
        refuse_field(name, f"must be {meaning}")
    return text


def without_test_id(settings: ConnectionSettings) -> ConnectionSettings:
    """Forget the id if it looks like the random one under which Airflow's test button tests a connection."""
    return replace(settings, conn_id="") if re.fullmatch("[A-Za-z0-9]{8}", settings.conn_id) else settings
