"""The older host, for which the same port stands in: HTTP 200 whatever happens, and what did in ``errcode``.

Source: "Query user details".
"""

from __future__ import annotations

from ..errors import ApiError, Refusal
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.validators import read_strict_json
from ..state.store import EmulatorStore

_UNKNOWN_STAFF_REFUSALS = {"60121": Refusal.STAFF_NOT_FOUND, "33012": Refusal.INVALID_STAFF_ID}


def handle_get_staff_user(store: EmulatorStore, call: EndpointCall) -> Event:
    """Show a member of staff, among others their unionId ("Query user details")."""
    user_id = _read_legacy_body(call).get("userid")
    if not isinstance(user_id, str) or not user_id:
        raise ApiError(Refusal.LEGACY_INVALID_PARAMETER)
    union_id = store.staff.get(user_id)
    if union_id is None:
        raise ApiError(_UNKNOWN_STAFF_REFUSALS[store.settings.unknown_staff])
    if not store.in_app_range(call.app, union_id):
        raise ApiError(Refusal.STAFF_OUT_OF_RANGE)
    result = {"userid": user_id, "unionid": union_id, "name": store.names[union_id], "active": True}
    return {"errcode": 0, "errmsg": "ok", "request_id": call.request_id, "result": result}


def _read_legacy_body(call: EndpointCall) -> Event:
    # Form or JSON: the page has the one in its table and the other in its example.
    try:
        body = call.form or read_strict_json(call.body)
    except ValueError:
        raise ApiError(Refusal.LEGACY_INVALID_PARAMETER) from None
    return body if isinstance(body, dict) else {}
