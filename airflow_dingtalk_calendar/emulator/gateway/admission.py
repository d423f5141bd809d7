"""What DingTalk's gateway checks before the calendar service sees a call, in its order: token, permission, rate, quota.

Sources: "Global error codes", "Add API permission", "How to handle API throttling". Calls turned away here are not
metered.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ..errors import ApiError, Refusal
from ..state.data_file import RegisteredApp
from ..state.store import EmulatorStore, IdempotencyRecord
from ..state.tokens import IssuedToken
from .call import EndpointCall

_RATE_WINDOW = 1.0  # "20 requests per second": a sliding second


def admit_call(store: EmulatorStore, call: EndpointCall) -> None:
    """Let a call through to its service and count it, or refuse it."""
    if app := _authorize_call(store, call):
        _check_limits(store, app, call)
        _recent_calls(store, app, call).append(store.now())
        if call.endpoint.metered:
            store.monthly_calls[_current_month(store)] += 1
            store.ledger.calls[call.endpoint.action] += 1


def can_admit(store: EmulatorStore, call: EndpointCall) -> bool:
    """Return whether a call would be let through to its service."""
    try:
        if app := _authorize_call(store, call):
            _check_limits(store, app, call)
    except ApiError:
        return False
    return True


def _authorize_call(store: EmulatorStore, call: EndpointCall) -> RegisteredApp | None:
    """Check token and permission, and note whose they are; None if the endpoint takes no token."""
    call.app, call.user = None, ""
    if not call.endpoint.scope:
        return None
    token = _authenticate_call(store, call)
    call.app, call.user = store.apps[token.app_key], token.owner if token.kind == "user" else ""
    _check_permission(call.app, call)
    _check_token_user(store, call)
    return call.app


def _authenticate_call(store: EmulatorStore, call: EndpointCall) -> IssuedToken:
    if not call.access_token:
        raise ApiError(Refusal.MISSING_TOKEN)
    token = store.tokens.find_valid(call.access_token)
    if token is None:
        raise ApiError(Refusal.INVALID_TOKEN)
    return token


def _check_permission(app: RegisteredApp, call: EndpointCall) -> None:
    scope, caller = call.endpoint.scope, "user" if call.user else "app"
    if scope not in app.scopes:
        message = f"The app has not been granted the permission required: [{scope}]"
    elif call.endpoint.caller not in ("any", caller):
        # Which error the other kind of token gets is not documented.
        message = f"The permission required is not one of this kind of token: [{scope}]"
    else:
        return
    raise ApiError(Refusal.NO_PERMISSION, message, accessdenieddetail={"requiredScopes": [scope]})


def _check_token_user(store: EmulatorStore, call: EndpointCall) -> None:
    path = call.params.get("userId", call.user)
    if call.user and path != call.user and store.settings.user_paths == "own":
        raise ApiError(Refusal.FORBIDDEN, "The token belongs to another user than the path")


def enforce_rate_limit(store: EmulatorStore, app: RegisteredApp, call: EndpointCall) -> None:
    """Hold an app to its calls per second and API, and count this one."""
    _check_rate(store, app, call)
    _recent_calls(store, app, call).append(store.now())


def _check_limits(store: EmulatorStore, app: RegisteredApp, call: EndpointCall) -> None:
    _check_rate(store, app, call)
    if call.endpoint.metered and 0 < store.settings.monthly_quota <= store.monthly_calls[_current_month(store)]:
        raise ApiError(Refusal.MONTHLY_QUOTA)


def _check_rate(store: EmulatorStore, app: RegisteredApp, call: EndpointCall) -> None:
    if 0 < store.settings.qps_limit <= len(_recent_calls(store, app, call)):
        raise ApiError(Refusal.QPS_LIMIT)


def _recent_calls(store: EmulatorStore, app: RegisteredApp, call: EndpointCall) -> deque[float]:
    recent = store.recent_calls[app.key, call.endpoint.action]
    while recent and recent[0] <= store.now() - _RATE_WINDOW:
        recent.popleft()
    return recent


def _current_month(store: EmulatorStore) -> str:
    return store.timestamp()[:7]


def begin_idempotent_call(store: EmulatorStore, call: EndpointCall) -> IdempotencyRecord:
    """Return the record of the first request with this client token, or a new one for a call without.

    The same value from the same app is the same request ("x-client-token" of the calendar pages), whatever its body
    and its operation; what another one does is not documented for the calendar.

    :raises ApiError: if the first request is still running.
    """
    if not (call.client_token and call.endpoint.idempotent and call.app):
        return IdempotencyRecord()
    key = (call.app.key, call.client_token)
    known = store.idempotency_records.get(key)
    if known is None or known.expires <= store.now():
        store.idempotency_records[key] = known = IdempotencyRecord()
    elif known.body is None:
        raise ApiError(Refusal.IDEMPOTENCY_PROCESSING)
    elif store.settings.replay == "again":
        known.body = None
    return known


def finish_idempotent_call(store: EmulatorStore, call: EndpointCall, record: IdempotencyRecord, body: Any) -> None:
    """Close a record: with the answer to repeat, or with ``None`` after a failure, which frees the client token."""
    record.body, record.expires = body, store.now() + store.settings.client_token_lifetime
    if body is None and call.app and store.idempotency_records.get((call.app.key, call.client_token or "")) is record:
        del store.idempotency_records[call.app.key, call.client_token or ""]
