"""Fetching access tokens; none of these calls is metered.

Pages ``obtain-the-access-token-of-an-internal-app``, ``api-gettoken``,
``obtain-the-access-token-of-the-authorized-enterprise-1`` and ``obtain-user-token``; SDK ``oauth2_1_0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from airflow_dingtalk_calendar.api.call import Call, parse_object, path_segment
from airflow_dingtalk_calendar.connection.secret import Secret

# Seconds, as all four pages have it. It is taken where an answer says nothing that makes sense, and where it says more:
# a token that is asked for early costs nothing, one that is used too long costs a refusal.
TOKEN_LIFETIME = 7200.0


class AccessToken(NamedTuple):
    """What a token endpoint answered.

    :ivar value: the access token; blank if there is none that can be used.
    :ivar lifetime: its seconds to live.
    :ivar refresh_token: what renews a user's; None if the answer has none.
    """

    value: str
    lifetime: float
    refresh_token: str | None = None


def clamp_lifetime(seconds: float) -> float:
    """Bound the seconds for which a token is kept."""
    return min(max(seconds, 0.0), TOKEN_LIFETIME)


def get_access_token(app_key: str, app_secret: str) -> Call[AccessToken]:
    """GetAccessToken of an internal app.

    Within its validity DingTalk answers with the same token, so that several workers do not invalidate each
    other's.
    """
    body = {"appKey": app_key, "appSecret": app_secret}
    return _token_call("GetAccessToken", "/v1.0/oauth2/accessToken", body)


def get_unified_token(corp_id: str, client_id: str, client_secret: str) -> Call[AccessToken]:
    """GetToken: for an internal app, or a third-party one in an organisation that has authorised it.

    :param corp_id: that organisation's corpId.
    """
    body = {"client_id": client_id, "client_secret": client_secret, "grant_type": "client_credentials"}
    path = f"/v1.0/oauth2/{path_segment('corp_id', corp_id)}/token"
    return _token_call("GetToken", path, body)


def get_corp_access_token(suite_key: str, suite_secret: str, corp_id: str, suite_ticket: str) -> Call[AccessToken]:
    """GetCorpAccessToken of a third-party enterprise app; each call issues a new token.

    :param suite_ticket: the newest ticket; DingTalk pushes one every 5 hours.
    """
    body = {"suiteKey": suite_key, "suiteSecret": suite_secret, "authCorpId": corp_id, "suiteTicket": suite_ticket}
    return _token_call("GetCorpAccessToken", "/v1.0/oauth2/corpAccessToken", body)


def get_user_token(client_id: str, client_secret: str, *, code: str = "", refresh_token: str = "") -> Call[AccessToken]:
    """GetUserToken: by the code of an authorization, or by the refresh token of the grant before.

    The answer has a new refresh token; the one used is dead from then on (so DingTalk's command-line tool treats it,
    and also reads the lifetime as ``expiresIn``).
    """
    grant = {"grantType": "authorization_code", "code": code}
    if refresh_token:
        grant = {"grantType": "refresh_token", "refreshToken": refresh_token}
    body = {"clientId": client_id, "clientSecret": client_secret, **grant}
    return _token_call("GetUserToken", "/v1.0/oauth2/userAccessToken", body, renews=True)


def _token_call(action: str, path: str, body: Mapping[str, str], *, renews: bool = False) -> Call[AccessToken]:
    # A code or refresh token works once: sent again, it would be refused for having worked.
    return Call(action, "POST", path, _parse_token, json=body, credential="none", writes=renews, repeatable=not renews)


def _parse_token(payload: Any) -> AccessToken:
    """Read a token under any of the names that these endpoints have for it; what cannot be used is left out."""
    answer = {name.replace("_", "").lower(): value for name, value in parse_object(payload).items()}
    lifetimes = (_parse_lifetime(answer.get(name)) for name in ("expirein", "expiresin"))
    return AccessToken(
        _parse_secret(answer.get("accesstoken"), header=True) or Secret(),
        next(filter(None, lifetimes), TOKEN_LIFETIME),
        _parse_secret(answer.get("refreshtoken")),
    )


def _parse_lifetime(value: Any) -> float | None:
    try:
        seconds = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return clamp_lifetime(seconds) if seconds > 0 else None


def _parse_secret(value: Any, *, header: bool = False) -> Secret | None:
    """Read a secret; None if it is none that can be sent again, in a header or else in JSON."""
    # what is not printable includes half a surrogate pair
    usable = isinstance(value, str) and value.strip() and value.isprintable() and (value.isascii() or not header)
    return Secret(value) if usable else None
