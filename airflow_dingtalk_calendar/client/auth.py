"""How each type of app obtains an access token, as steps that the caller performs.

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
token once, and the loser continues with what the winner writes. So the new one is written before anything else in the
answer is judged. One gap remains: when the winner ends between the refresh and the write, or its answer is lost on the
way, no valid refresh token is left, and the person has to authorize the app again.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from shlex import quote
from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.api.oauth import clamp_lifetime
from airflow_dingtalk_calendar.client.clock import Clock
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
from airflow_dingtalk_calendar.client.exchange import run_exchange
from airflow_dingtalk_calendar.connection.secret import Secret, hide_strings
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    InvalidConnectionError,
    InvalidRequestError,
    RequestError,
    ServiceError,
    TokenRejectedError,
    UnexpectedAnswerError,
)

# A worker that lost the race for a refresh sees the winner's grant when that has been written: usually at once.
GRANT_WAITS = (0.1, 0.3, 1.0, 2.0, 4.0)
WRITE_WAITS = (0.3, 1.0, 3.0)
# Another worker has written the time until which a grant is good, and its clock may differ.
RENEWAL_MARGIN = 120.0  # seconds
TokenEffects = Generator[Effect, Any, api.AccessToken]


@dataclass(frozen=True, slots=True)
class UserGrant:
    """What a person's authorization gave: an access token until a time, and what renews it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    good_until: float = field(compare=False)

    @classmethod
    def from_token(cls, token: api.AccessToken, now: float, refresh_token: str = "") -> UserGrant:
        """Make the grant of an answer.

        :param now: wall-clock time, because other processes read it.
        :param refresh_token: the one that stays when the answer brings no other.
        """
        good_until = now + token.lifetime if token.value else 0.0
        return cls(token.value, token.refresh_token or refresh_token, good_until)

    @classmethod
    def parse(cls, text: str | None) -> UserGrant | None:
        """Read what the Variable holds; None if there is no refresh token in it. The rest can be renewed."""
        try:
            grant = hide_strings(json.loads(text or ""))
        except (ValueError, RecursionError):
            return None
        if not isinstance(grant, dict) or not (refresh_token := _read_secret(grant.get("refresh_token"))):
            return None
        return cls(_read_secret(grant.get("access_token")), refresh_token, _read_time(grant.get("good_until")))

    def dump(self) -> Secret:
        """Write it for the Variable."""
        return Secret(
            json.dumps(
                {"access_token": self.access_token, "refresh_token": self.refresh_token, "good_until": self.good_until}
            )
        )


def _read_secret(value: object) -> Secret:
    """Read a secret that somebody stored; blank if it is none, or the word that an absent one was written as."""
    text = Secret(value).strip() if isinstance(value, str) else Secret()
    return text if text.isprintable() and text.lower() not in ("none", "null") else Secret()


def _read_time(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return 0.0


def fetch_token(settings: ConnectionSettings, clock: Clock, refused: str | None) -> TokenEffects:
    """Get a new access token.

    :param refused: the token that the service has just refused, if any: it is not to be had from a Variable again.
    """
    match settings.auth_type:
        case "unified":
            return _unified_effects(settings, clock)
        case "corp_app":
            return _corp_effects(settings, clock)
        case "user":
            return _user_effects(settings, clock, refused)
        case _:
            return _request_token(settings, clock, api.get_access_token(settings.app_key, settings.app_secret))


def _request_token(
    settings: ConnectionSettings, clock: Clock, call: api.Call[api.AccessToken], *secrets: str
) -> TokenEffects:
    token = yield from _exchange_token(settings, clock, call, *secrets)
    return _require_value(token, call.action)


def _require_value(token: api.AccessToken, action: str) -> api.AccessToken:
    if not token.value:
        raise UnexpectedAnswerError("answered without a usable access token.", action=action, retryable=True)
    return token


def _exchange_token(
    settings: ConnectionSettings, clock: Clock, call: api.Call[api.AccessToken], *secrets: str
) -> TokenEffects:
    found = yield from run_exchange(SendRequest(call, call.headers), clock, settings.app_secret, *secrets)
    token = found.result if isinstance(found, Odd) else found
    for secret in filter(None, (token.value, token.refresh_token)):
        yield MaskSecret(secret)
    return token


def _unified_effects(settings: ConnectionSettings, clock: Clock) -> TokenEffects:
    call = api.get_unified_token(settings.corp_id, settings.app_key, settings.app_secret)
    try:
        return (yield from _request_token(settings, clock, call))
    except ServiceError as error:
        if error.code != "unknownError":  # seen on the live service
            raise
        hint = "DingTalk answers so, too, when there is no such corp_id: check it in the connection's extra."
        raise error.with_details(hint=hint) from error.__cause__


def _corp_effects(settings: ConnectionSettings, clock: Clock) -> TokenEffects:
    ticket = yield from _read_ticket(settings)
    try:
        return (yield from _request_corp_token(settings, clock, ticket))
    except CredentialsError as error:
        # DingTalk pushes a new ticket every 5 hours: one may have been stored since this one was read.
        if error.code != "invalidSuiteTicket" or (newer := (yield from _read_ticket(settings))) == ticket:
            raise
    return (yield from _request_corp_token(settings, clock, newer))


def _request_corp_token(settings: ConnectionSettings, clock: Clock, ticket: str) -> TokenEffects:
    call = api.get_corp_access_token(settings.app_key, settings.app_secret, settings.corp_id, ticket)
    return (yield from _request_token(settings, clock, call, ticket))


def _read_ticket(settings: ConnectionSettings) -> Generator[Effect, Any, str]:
    ticket = _read_secret((yield ReadVariable(settings.suite_ticket_variable)))
    if not ticket:
        name = settings.suite_ticket_variable
        problem = f"the Variable {name} is empty or missing: store the newest suite_ticket that DingTalk pushed in it"
        raise InvalidConnectionError(("connection.extra.suite_ticket_variable", problem))
    return ticket


def _user_effects(settings: ConnectionSettings, clock: Clock, refused: str | None) -> TokenEffects:
    grant = yield from _read_grant(settings)
    if not _is_usable(grant, clock.time(), refused):
        grant = yield from _renew_grant(settings, grant, clock)
    for secret in filter(None, (grant.access_token, grant.refresh_token)):
        yield MaskSecret(secret)
    return api.AccessToken(grant.access_token, clamp_lifetime(grant.good_until - clock.time()))


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
    return bool(grant.access_token) and grant.access_token != refused and now < grant.good_until - RENEWAL_MARGIN


def _renew_grant(settings: ConnectionSettings, grant: UserGrant, clock: Clock) -> Generator[Effect, Any, UserGrant]:
    """Refresh a grant and write it back; a process whose refresh token is used up continues with the winner's grant."""
    call = api.get_user_token(settings.app_key, settings.app_secret, refresh_token=grant.refresh_token)
    try:
        token = yield from _exchange_token(settings, clock, call, grant.refresh_token)
    except RequestError as error:
        if not _is_grant_dead(error):
            raise
        return (yield from _await_winner(settings, grant, error))
    new = UserGrant.from_token(token, clock.time(), grant.refresh_token)
    yield from _store_grant(settings, grant, new)
    _require_value(token, call.action)
    return new


def _store_grant(settings: ConnectionSettings, old: UserGrant, new: UserGrant) -> Generator[Effect, Any, None]:
    """Write a grant, and see whether it can be read."""
    failure = yield from _write_grant(settings.user_grant_variable, new)
    if new.refresh_token == old.refresh_token:  # the Variable has it, whatever the outcome of the write
        return
    if failure:
        raise CredentialsError(
            f"The Variable {settings.user_grant_variable} could not be written ({failure}) after a refresh, "
            f"which used its refresh token up: the grant is lost. {_authorize_hint(settings)}"
        )
    seen = yield from _read_grant(settings)
    if seen.refresh_token == old.refresh_token:
        yield LogError(
            f"The Variable {settings.user_grant_variable} still holds the old grant after writing the new one: an "
            "environment variable or a secrets backend shadows it. The old grant is dead: remove the shadow. "
            f"{_authorize_hint(settings)}"
        )


def _write_grant(name: str, grant: UserGrant) -> Generator[Effect, Any, str]:
    """Write a grant, several times if need be: nothing else has it. Return the kind of the last failure, or nothing."""
    failure = None
    for seconds in (0.0, *WRITE_WAITS):
        if seconds:
            yield Sleep(seconds)
        failure = yield WriteVariable(name, grant.dump())
        if not failure:
            break
    return str(failure or "")


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
        if grant != lost and grant.access_token:
            return grant
    hint = f"The refresh token in the Variable {settings.user_grant_variable} is dead. {_authorize_hint(settings)}"
    raise error.with_details(hint=hint) from error.__cause__
