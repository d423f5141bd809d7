"""The calls that give out access tokens, and the login page."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from ..errors import Answer, Problem, Refusal, invalid, missing
from ..gateway import admission
from ..gateway.call import Call
from ..schema.event import Event
from ..schema.validators import read_json
from ..state.data_file import App
from ..state.store import Store
from ..state.tokens import Token


def get_access_token(store: Store, call: Call) -> Event:
    """Issue the access token of an internal app ("Get the access token of an internal app")."""
    body = _given(call, "appKey", "appSecret")
    app = _app(store, call, body["appKey"], body["appSecret"], Refusal.BAD_CREDENTIALS)
    return _answer(store, store.tokens.renew(app.key, store.settings.token_lifetime))


def get_token(store: Store, call: Call) -> Event:
    """Issue an app's token for one organisation, whatever the kind of app ("Get the access token of an app").

    Whether it is the same one again while valid is not documented; here it is, as for an internal app.
    """
    if call.params["corpId"] not in store.corps:
        raise Problem(Refusal.UNKNOWN_ERROR)  # as seen on the live service, before it looks at the credentials
    body = _given(call, "client_id", "client_secret", "grant_type")
    if body["grant_type"] != "client_credentials":
        raise Problem(Refusal.GRANT_TYPE)
    app = _app(store, call, body["client_id"], body["client_secret"], Refusal.INVALID_CLIENT)
    if call.params["corpId"] not in app.corps:
        raise Problem(Refusal.UNAUTHORIZED_CLIENT)
    token = store.tokens.renew(app.key, store.settings.token_lifetime, "unified", call.params["corpId"])
    answer = _answer(store, token)
    return {"access_token": answer["accessToken"], "expires_in": answer["expireIn"]}


def get_corp_access_token(store: Store, call: Call) -> Event:
    """Issue a third-party app's token for an organisation ("Get the access token of the authorized enterprise")."""
    body = _given(call, "suiteKey", "suiteSecret", "authCorpId", "suiteTicket")
    app = _app(store, call, body["suiteKey"], body["suiteSecret"], Refusal.SUITE_KEY)
    if body["suiteTicket"] != store.suite_ticket:
        raise Problem(Refusal.SUITE_TICKET)
    if body["authCorpId"] not in app.corps:
        raise Problem(Refusal.AUTH_INFO)
    if store.settings.earlier_corp_tokens == "invalid":
        store.tokens.drop(app.key, "corp", body["authCorpId"])
    return _answer(store, store.tokens.issue(app.key, store.settings.token_lifetime, "corp", body["authCorpId"]))


_GRANTS = {"authorization_code": "code", "refresh_token": "refreshToken"}


def get_user_token(store: Store, call: Call) -> Event:
    """Issue a user's token for a code, or for a refresh token, which is dead then ("Get a user token").

    What a grant that is used up or unknown is told is not on the page; the code is the one others have reported.
    """
    body = _given(call, "clientId", "clientSecret", "grantType")
    if body["grantType"] not in _GRANTS:
        raise Problem(Refusal.GRANT_TYPE)
    member = _GRANTS[body["grantType"]]
    if not body.get(member):
        raise missing(member)
    app = _app(store, call, body["clientId"], body["clientSecret"], Refusal.BAD_CREDENTIALS)
    grant = store.tokens.redeem(body[member], app.key, refresh=member == "refreshToken")
    if grant is None:
        raise Problem(Refusal.GRANT_GONE)
    token = store.tokens.issue(app.key, store.settings.token_lifetime, "user", grant.union_id)
    refresh = store.tokens.refresh_token(app.key, grant.union_id)
    return {**_answer(store, token), "refreshToken": refresh, "corpId": store.corps[0]}


def authorize(store: Store, call: Call) -> Answer:
    """Stand in for the login page: whoever is signed in has consented already and is sent back at once.

    What the page shows for a wrong address is not documented; here it is an ``invalidParameter``.
    """
    params = call.query
    if params.get("client_id") not in store.apps:
        raise invalid("client_id", "is not an app's")
    if params.get("response_type") != "code":
        raise invalid("response_type", "must be code")
    if "openid" not in params.get("scope", "").split():
        raise invalid("scope", "must have openid")
    address = _web_address(params.get("redirect_uri", ""))
    result = {"error": "access_denied"}
    if store.signed_in:
        result = {"authCode": store.tokens.code(params["client_id"], store.signed_in)}
    state = {"state": params["state"]} if "state" in params else {}
    joint = "&" if urlsplit(address).query else "?"
    return Answer(302, "", {"location": f"{address}{joint}{urlencode({**result, **state})}"})


def _web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        fits = parts.scheme in ("http", "https") and parts.netloc and not parts.fragment
    except ValueError:
        fits = False
    if not (fits and text.isascii() and text.isprintable()):
        raise invalid("redirect_uri", "must be an address")
    return text


def _given(call: Call, *names: str) -> Mapping[str, str]:
    try:
        body = read_json(call.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Problem(Refusal.NOT_JSON)
    for name in names:
        if not body.get(name):
            raise missing(name)
    return {name: str(value) for name, value in body.items() if value}


def _app(store: Store, call: Call, key: str, secret: str, refusal: Refusal) -> App:
    app = store.apps.get(key)
    if app is None or app.secret != secret:
        raise Problem(refusal)
    admission.throttle(store, app, call)
    return app


def _answer(store: Store, token: Token) -> Event:
    store.ledger.tokens_issued += 1
    return {"accessToken": token.value, "expireIn": -int(-store.settings.token_lifetime // 1)}
