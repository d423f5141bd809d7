"""How each type of app comes by an access token, as steps that somebody else carries out.

========= ======================================== ====================================================
auth_type app                                      what it needs besides key and secret
========= ======================================== ====================================================
app       internal                                 nothing
unified   internal, or third-party enterprise      ``corp_id``
corp_app  third-party enterprise                   ``corp_id``, and the newest suite ticket in a Variable
user      third-party personal (acts as a person)  that person's grant in a Variable
========= ======================================== ====================================================

A ticket changes every 5 hours and a refresh token at every use, so neither can stand in a connection: they are
Airflow Variables. Something else keeps the ticket fresh; the grant is written back here.

Variables have no compare-and-set, so two processes may refresh one grant at the same time: DingTalk takes a refresh
token once, and the loser goes on with what the winner writes. One gap remains: when the winner ends between the
refresh and the write, or its answer is lost on the way, no valid refresh token is left, and the person has to
authorize the app again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.effects import (
    Effect,
    LogError,
    MaskSecret,
    ReadVariable,
    SendRequest,
    Sleep,
    WriteVariable,
)
from airflow_dingtalk_calendar.client.error_codes import GRANT_GONE_CODE
from airflow_dingtalk_calendar.client.responses import parse_response
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    InvalidConnectionError,
    InvalidRequestError,
    RequestError,
    ServiceError,
    TokenRejectedError,
)

# A worker that lost the race for a refresh sees the winner's grant when that has been written: usually at once.
GRANT_WAITS = (0.1, 0.3, 1.0, 2.0, 4.0)
RENEWAL_MARGIN = 120.0  # seconds
TokenEffects = Generator[Effect, Any, api.AccessToken]


@dataclass(frozen=True, slots=True)
class UserGrant:
    """What a person's authorization gave: an access token until a time, and what renews it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    good_until: float

    @classmethod
    def from_token(cls, token: api.AccessToken, now: float) -> UserGrant:
        """Make the grant of an answer; ``now`` is wall-clock time, because other processes read it."""
        return cls(token.value, token.refresh_token or "", now + token.lifetime)

    @classmethod
    def parse(cls, text: str | None) -> UserGrant | None:
        """Read what the Variable holds; None if that is no grant."""
        try:
            grant = json.loads(text or "")
            access_token, refresh_token = Secret(grant["access_token"]), Secret(grant["refresh_token"])
            return cls(access_token, refresh_token, float(grant["good_until"]))
        except (ValueError, TypeError, KeyError):
            return None

    def dump(self) -> str:
        """Write it for the Variable."""
        return json.dumps(
            {"access_token": self.access_token, "refresh_token": self.refresh_token, "good_until": self.good_until}
        )


def fetch_token(settings: ConnectionSettings, wall_clock: Callable[[], float], refused: str | None) -> TokenEffects:
    """Get a new access token.

    :param refused: the token that the service has just refused, if any: it is not to be had from a Variable again.
    """
    match settings.auth_type:
        case "unified":
            return _unified_effects(settings)
        case "corp_app":
            return _corp_effects(settings)
        case "user":
            return _user_effects(settings, wall_clock, refused)
        case _:
            return _request_token(settings, api.get_access_token(settings.app_key, settings.app_secret))


def _request_token(settings: ConnectionSettings, call: api.Call[api.AccessToken], *secrets: str) -> TokenEffects:
    try:
        answer = yield SendRequest(call, call.headers)
    except RequestError as error:
        error.action = call.action
        raise
    token = parse_response(call, answer, settings.app_secret, *secrets)
    for secret in filter(None, (token.value, token.refresh_token)):
        yield MaskSecret(secret)
    return token


def _unified_effects(settings: ConnectionSettings) -> TokenEffects:
    call = api.get_unified_token(settings.corp_id, settings.app_key, settings.app_secret)
    try:
        return (yield from _request_token(settings, call))
    except ServiceError as error:
        if error.code == "unknownError":  # seen on the live service
            error.hint = "DingTalk answers so, too, when there is no such corp_id: check it in the connection's extra."
        raise


def _corp_effects(settings: ConnectionSettings) -> TokenEffects:
    ticket = yield from _read_ticket(settings)
    try:
        return (yield from _request_corp_token(settings, ticket))
    except CredentialsError as error:
        if error.code != "invalidSuiteTicket" or (newer := (yield from _read_ticket(settings))) == ticket:
            raise
    return (yield from _request_corp_token(settings, newer))


def _request_corp_token(settings: ConnectionSettings, ticket: str) -> TokenEffects:
    call = api.get_corp_access_token(settings.app_key, settings.app_secret, settings.corp_id, ticket)
    return (yield from _request_token(settings, call, ticket))


def _read_ticket(settings: ConnectionSettings) -> Generator[Effect, Any, str]:
    ticket = yield ReadVariable(settings.suite_ticket_variable)
    if not ticket or not ticket.strip():
        name = settings.suite_ticket_variable
        problem = f"the Variable {name} is empty or missing: store the newest suite_ticket that DingTalk pushed in it"
        raise InvalidConnectionError(("connection.extra.suite_ticket_variable", problem))
    return Secret(str(ticket).strip())


def _user_effects(settings: ConnectionSettings, wall_clock: Callable[[], float], refused: str | None) -> TokenEffects:
    grant = yield from _read_grant(settings)
    if not _is_usable(grant, wall_clock(), refused):
        grant = yield from _renew_grant(settings, grant, wall_clock, refused)
    for secret in (grant.access_token, grant.refresh_token):
        yield MaskSecret(secret)
    return api.AccessToken(grant.access_token, grant.good_until - wall_clock())


def _read_grant(settings: ConnectionSettings) -> Generator[Effect, Any, UserGrant]:
    grant = UserGrant.parse((yield ReadVariable(settings.user_grant_variable)))
    if grant is None:
        problem = f"the Variable {settings.user_grant_variable} holds no grant. {_authorize_hint(settings)}"
        raise InvalidConnectionError(("connection.extra.user_grant_variable", problem))
    return grant


def _authorize_hint(settings: ConnectionSettings) -> str:
    """Say how a person renews the grant; which addresses it may lead back to stands in the app's settings."""
    command = "python -m airflow_dingtalk_calendar.authorize"
    conn_id = quote(settings.conn_id) if settings.conn_id else "ID"
    return f"Authorize again: {command} --conn-id {conn_id} --redirect-uri URL"


def _is_usable(grant: UserGrant, now: float, refused: str | None) -> bool:
    return grant.access_token != refused and now < grant.good_until - RENEWAL_MARGIN


def _renew_grant(
    settings: ConnectionSettings, grant: UserGrant, wall_clock: Callable[[], float], refused: str | None
) -> Generator[Effect, Any, UserGrant]:
    """Refresh a grant and write it back; who finds its refresh token dead goes on with the winner's grant."""
    call = api.get_user_token(settings.app_key, settings.app_secret, refresh_token=grant.refresh_token)
    try:
        token = yield from _request_token(settings, call, grant.refresh_token)
    except RequestError as error:
        if not _is_grant_dead(error):
            raise
        return (yield from _await_winner(settings, grant, error))
    new, name = UserGrant.from_token(token, wall_clock()), settings.user_grant_variable
    try:
        yield WriteVariable(name, new.dump())
    except Exception:
        yield LogError(f"The new grant could not be written to the Variable {name}. {_authorize_hint(settings)}")
        raise
    seen = yield from _read_grant(settings)
    if seen.refresh_token == grant.refresh_token:
        yield LogError(
            f"The Variable {name} still holds the old grant after writing the new one: an environment variable or a "
            f"secrets backend shadows it. The old grant is dead: remove the shadow. {_authorize_hint(settings)}"
        )
    return new


def _is_grant_dead(error: RequestError) -> bool:
    """Whether it is the refresh token that was refused; which code that has is not documented, only seen."""
    return error.code == GRANT_GONE_CODE or isinstance(error, (InvalidRequestError, TokenRejectedError))


def _await_winner(
    settings: ConnectionSettings, lost: UserGrant, error: RequestError
) -> Generator[Effect, Any, UserGrant]:
    """Wait for the grant that another process has just got; without one, ours died some other way."""
    for seconds in (0.0, *GRANT_WAITS):
        if seconds:
            yield Sleep(seconds)
        grant = yield from _read_grant(settings)
        if grant.refresh_token != lost.refresh_token:
            return grant
    error.hint = (
        f"The refresh token in the Variable {settings.user_grant_variable} is dead. {_authorize_hint(settings)}"
    )
    raise error
