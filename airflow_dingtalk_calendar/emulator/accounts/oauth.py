"""The calls that give out access tokens, and the login page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from ..errors import ApiError, HttpResponse, Refusal, invalid_parameter, missing_member
from ..gateway.admission import enforce_rate_limit
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.validators import read_strict_json
from ..state.data_file import RegisteredApp
from ..state.store import EmulatorStore
from ..state.tokens import IssuedToken


def handle_get_access_token(store: EmulatorStore, call: EndpointCall) -> Event:
    """Issue the access token of an internal app ("Get the access token of an internal app")."""
    body = read_credentials(call, "appKey", "appSecret")
    app = authenticate_app(store, call, body["appKey"], body["appSecret"], Refusal.INVALID_CREDENTIALS)
    return _token_response(store, store.tokens.renew_token(app.key, store.settings.token_lifetime))


def handle_get_token(store: EmulatorStore, call: EndpointCall) -> Event:
    """Issue an app's token for one organisation, whatever the kind of app ("Get the access token of an app").

    Whether it is the same one again while valid is not documented; here it is, as for an internal app.
    """
    if call.params["corpId"] not in store.corps:
        raise ApiError(Refusal.UNKNOWN_ERROR)  # as seen on the live service, before it looks at the credentials
    body = read_credentials(call, "client_id", "client_secret", "grant_type")
    if body["grant_type"] != "client_credentials":
        raise ApiError(Refusal.UNSUPPORTED_GRANT_TYPE)
    app = authenticate_app(store, call, body["client_id"], body["client_secret"], Refusal.INVALID_CLIENT)
    if call.params["corpId"] not in app.corps:
        raise ApiError(Refusal.UNAUTHORIZED_CLIENT)
    token = store.tokens.renew_token(app.key, store.settings.token_lifetime, "unified", call.params["corpId"])
    return _token_response(store, token, "access_token", "expires_in")


def handle_get_corp_access_token(store: EmulatorStore, call: EndpointCall) -> Event:
    """Issue a third-party app's token for an organisation ("Get the access token of the authorized enterprise")."""
    body = read_credentials(call, "suiteKey", "suiteSecret", "authCorpId", "suiteTicket")
    app = authenticate_app(store, call, body["suiteKey"], body["suiteSecret"], Refusal.INVALID_SUITE_KEY)
    if body["suiteTicket"] != store.suite_ticket:
        raise ApiError(Refusal.INVALID_SUITE_TICKET)
    if body["authCorpId"] not in app.corps:
        raise ApiError(Refusal.INVALID_AUTH_INFO)
    if store.settings.earlier_corp_tokens == "invalid":
        store.tokens.revoke_tokens(app.key, "corp", body["authCorpId"])
    return _token_response(
        store, store.tokens.issue_token(app.key, store.settings.token_lifetime, "corp", body["authCorpId"])
    )


_GRANT_MEMBERS = {"authorization_code": "code", "refresh_token": "refreshToken"}


def handle_get_user_token(store: EmulatorStore, call: EndpointCall) -> Event:
    """Issue a user's token for a code, or for a refresh token, which is dead then ("Get a user token").

    The error for a grant that is used up or unknown is not on the page; the code is the one others have reported.
    """
    body = read_credentials(call, "clientId", "clientSecret", "grantType")
    if body["grantType"] not in _GRANT_MEMBERS:
        raise ApiError(Refusal.UNSUPPORTED_GRANT_TYPE)
    member = _GRANT_MEMBERS[body["grantType"]]
    if not body.get(member):
        raise missing_member(member)
    app = authenticate_app(store, call, body["clientId"], body["clientSecret"], Refusal.INVALID_CREDENTIALS)
    refresh, keep = member == "refreshToken", store.settings.refresh_tokens == "kept"
    grant = store.tokens.redeem_grant(body[member], app.key, refresh, keep=refresh and keep)
    if grant is None:
        raise ApiError(Refusal.GRANT_NOT_FOUND)
    token = store.tokens.issue_token(app.key, store.settings.token_lifetime, "user", grant.union_id)
    answer = {**_token_response(store, token), "corpId": store.corps[0]}
    if refresh and keep:
        return answer
    return {**answer, "refreshToken": store.tokens.issue_refresh_token(app.key, grant.union_id)}


def handle_authorize(store: EmulatorStore, call: EndpointCall) -> HttpResponse:
    """Stand in for the login page: the user who is signed in has consented already and is sent back at once.

    What the page shows for a wrong address is not documented; here it is an ``invalidParameter``.
    """
    params = call.query
    if params.get("client_id") not in store.apps:
        raise invalid_parameter("client_id", "is not an app's")
    if params.get("response_type") != "code":
        raise invalid_parameter("response_type", "must be code")
    if "openid" not in params.get("scope", "").split():
        raise invalid_parameter("scope", "must have openid")
    address = _check_redirect_address(params.get("redirect_uri", ""))
    result = {"error": "access_denied"}
    if store.signed_in:
        result = {"authCode": store.tokens.issue_code(params["client_id"], store.signed_in)}
    state = {"state": params["state"]} if "state" in params else {}
    joint = "&" if urlsplit(address).query else "?"
    return HttpResponse(302, "", {"location": f"{address}{joint}{urlencode({**result, **state})}"})


def _check_redirect_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.netloc and not parts.fragment
    except ValueError:
        fits = False
    if not (fits and text.isascii() and text.isprintable()):
        raise invalid_parameter("redirect_uri", "must be an address")
    return text


def read_credentials(call: EndpointCall, *names: str) -> Mapping[str, str]:
    """Return the members of a body, of which some have to be there."""
    try:
        body = read_strict_json(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(Refusal.MISSING_BODY)
    for name in names:
        if not body.get(name):
            raise missing_member(name)
    return {name: str(value) for name, value in body.items() if value}


def authenticate_app(
    store: EmulatorStore, call: EndpointCall, key: str, secret: str, refusal: Refusal
) -> RegisteredApp:
    """Return the app whose credentials these are, and hold it to its calls per second."""
    app = store.apps.get(key)
    if app is None or app.secret != secret:
        raise ApiError(refusal)
    enforce_rate_limit(store, app, call)
    return app


def _token_response(
    store: EmulatorStore, token: IssuedToken, value: str = "accessToken", lifetime: str = "expireIn"
) -> Event:
    store.ledger.tokens_issued += 1
    seconds = -int(-store.settings.token_lifetime // 1)
    lifetimes: dict[str, Event] = {
        "documented": {lifetime: seconds},
        "expiresIn": {"expiresIn": seconds},
        "text": {lifetime: str(seconds)},
        "none": {},
        "year": {lifetime: 365 * 86400},
    }
    return {value: token.value, **lifetimes[store.settings.lifetime_member]}
