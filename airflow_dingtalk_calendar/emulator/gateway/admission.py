"""What DingTalk's gateway checks before the calendar service sees a call, in its order: token, permission, rate, quota.

Sources: "Global error codes", "Add API permission", "How to handle API throttling". Calls turned away here are not
metered.
"""

from __future__ import annotations

from typing import Any

from ..errors import Problem, Refusal
from ..state.data_file import App
from ..state.store import Receipt, Store
from ..state.tokens import Token
from .call import Call

_WINDOW = 1.0  # "20 requests per second": a sliding second


def admit(store: Store, call: Call) -> None:
    """Let a call through to its service, or refuse it."""
    if call.endpoint.scope:
        token = _authenticated(store, call)
        call.app, call.user = store.apps[token.app_key], token.owner if token.kind == "user" else ""
        _permitted(call.app, call)
        _own_path(store, call)
        throttle(store, call.app, call)
        if call.endpoint.metered:
            _meter(store, call)


def _authenticated(store: Store, call: Call) -> Token:
    if not call.access_token:
        raise Problem(Refusal.MISSING_TOKEN)
    token = store.tokens.known(call.access_token)
    if token is None:
        raise Problem(Refusal.INVALID_TOKEN)
    return token


def _permitted(app: App, call: Call) -> None:
    scope, caller = call.endpoint.scope, "user" if call.user else "app"
    if scope not in app.scopes:
        message = f"The app has not been granted the permission required: [{scope}]"
    elif call.endpoint.caller not in ("any", caller):
        # Which error the other kind of token gets is not documented.
        message = f"The permission required is not one of this kind of token: [{scope}]"
    else:
        return
    raise Problem(Refusal.NO_PERMISSION, message, accessdenieddetail={"requiredScopes": [scope]})


def _own_path(store: Store, call: Call) -> None:
    path = call.params.get("userId", call.user)
    if call.user and path != call.user and store.settings.user_paths == "own":
        raise Problem(Refusal.FORBIDDEN, "The token belongs to another user than the path")


def throttle(store: Store, app: App, call: Call) -> None:
    """Hold an app to its calls per second and API."""
    recent = store.recent[app.key, call.endpoint.action]
    while recent and recent[0] <= store.now() - _WINDOW:
        recent.popleft()
    if 0 < store.settings.qps_limit <= len(recent):
        raise Problem(Refusal.QPS_LIMIT)
    recent.append(store.now())


def _meter(store: Store, call: Call) -> None:
    month = store.stamp()[:7]
    if 0 < store.settings.monthly_quota <= store.months[month]:
        raise Problem(Refusal.MONTHLY_QUOTA)
    store.months[month] += 1
    store.ledger.calls[call.endpoint.action] += 1


def receipt(store: Store, call: Call) -> Receipt:
    """Return the receipt of the first request with this client token, or a new one for a call without.

    The same value from the same app is the same request ("x-client-token" of the calendar pages), whatever its body
    and its operation; what another one does is not documented for the calendar.

    :raises Problem: if the first request is still running.
    """
    if not (call.client_token and call.endpoint.idempotent and call.app):
        return Receipt()
    key = (call.app.key, call.client_token)
    known = store.receipts.get(key)
    if known is None or known.expires <= store.now():
        store.receipts[key] = known = Receipt()
    elif known.body is None:
        raise Problem(Refusal.PROCESSING)
    elif store.settings.replay == "again":
        known.body = None
    return known


def settle(store: Store, call: Call, receipt: Receipt, body: Any) -> None:
    """Close a receipt: with the answer to repeat, or with ``None`` after a failure, which frees the client token."""
    receipt.body, receipt.expires = body, store.now() + store.settings.client_token_lifetime
    if body is None and call.app and store.receipts.get((call.app.key, call.client_token or "")) is receipt:
        del store.receipts[call.app.key, call.client_token or ""]
