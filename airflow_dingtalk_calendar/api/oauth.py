"""Fetching access tokens; none of these calls is metered.

Pages ``obtain-the-access-token-of-an-internal-app``, ``api-gettoken``,
``obtain-the-access-token-of-the-authorized-enterprise-1`` and ``obtain-user-token``; SDK ``oauth2_1_0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.api.answers import parse_object
from airflow_dingtalk_calendar.api.call import Call, path_segment
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.exceptions import UnexpectedAnswerError

MAX_TOKEN_LIFETIME = 10 * 86400.0  # seconds; documented lifetimes are two hours


class AccessToken(NamedTuple):
    """An access token, its seconds to live, and what renews a user's."""

    value: str
    lifetime: float
    refresh_token: str | None = None


def get_access_token(app_key: str, app_secret: str) -> Call[AccessToken]:
    """GetAccessToken of an internal app.

    Within its validity DingTalk answers with the same token, so that several workers do not invalidate each
    other's.
    """
    body = {"appKey": app_key, "appSecret": app_secret}
    return _token_call("GetAccessToken", "/v1.0/oauth2/accessToken", body, "accessToken", "expireIn")


def get_unified_token(corp_id: str, client_id: str, client_secret: str) -> Call[AccessToken]:
    """GetToken: for an internal app, or a third-party one in an organisation that has authorised it.

    :param corp_id: that organisation's corpId.
    """
    body = {"client_id": client_id, "client_secret": client_secret, "grant_type": "client_credentials"}
    path = f"/v1.0/oauth2/{path_segment('corp_id', corp_id)}/token"
    return _token_call("GetToken", path, body, "access_token", "expires_in")


def get_corp_access_token(suite_key: str, suite_secret: str, corp_id: str, suite_ticket: str) -> Call[AccessToken]:
    """GetCorpAccessToken of a third-party enterprise app; each call issues a new token.

    :param suite_ticket: the newest ticket; DingTalk pushes one every 5 hours.
    """
    body = {"suiteKey": suite_key, "suiteSecret": suite_secret, "authCorpId": corp_id, "suiteTicket": suite_ticket}
    return _token_call("GetCorpAccessToken", "/v1.0/oauth2/corpAccessToken", body, "accessToken", "expireIn")


def get_user_token(client_id: str, client_secret: str, *, code: str = "", refresh_token: str = "") -> Call[AccessToken]:
    """GetUserToken: by the code of an authorization, or by the refresh token of the grant before.

    The answer has a new refresh token; the one used is dead from then on (so DingTalk's command-line tool treats it).
    """
    grant = {"grantType": "authorization_code", "code": code}
    if refresh_token:
        grant = {"grantType": "refresh_token", "refreshToken": refresh_token}
    body = {"clientId": client_id, "clientSecret": client_secret, **grant}
    return _token_call("GetUserToken", "/v1.0/oauth2/userAccessToken", body, "accessToken", "expireIn", renews=True)


def _token_call(
    action: str, path: str, body: Mapping[str, str], value: str, lifetime: str, *, renews: bool = False
) -> Call[AccessToken]:
    parse = partial(_parse_token, value, lifetime, renews)
    # A code or refresh token works once: sent again, it would be refused for having worked.
    return Call(action, "POST", path, parse, json=body, credential="none", writes=renews, repeatable=not renews)


def _parse_token(value: str, lifetime: str, renews: bool, payload: Any) -> AccessToken:
    answer = parse_object(payload)
    seconds = answer.get(lifetime)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= MAX_TOKEN_LIFETIME:
        raise UnexpectedAnswerError("answered without a lifetime of the access token.", retryable=True)
    refresh_token = _check_token(answer.get("refreshToken"), "refresh token") if renews else None
    return AccessToken(_check_token(answer.get(value), "access token"), float(seconds), refresh_token)


def _check_token(token: Any, what: str) -> str:
    if not isinstance(token, str) or not token.strip() or not (token.isascii() and token.isprintable()):
        raise UnexpectedAnswerError(f"answered without a usable {what}.", retryable=True)
    return Secret(token)
