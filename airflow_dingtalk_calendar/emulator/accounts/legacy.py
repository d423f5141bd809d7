"""The older host, for which the same port stands in: HTTP 200 whatever happens, and what did in ``errcode``.

Source: "Query user details".
"""

from __future__ import annotations

from ..errors import Problem, Refusal
from ..gateway.call import Call
from ..schema.event import Event
from ..schema.validators import read_json
from ..state.store import Store

_UNKNOWN = {"60121": Refusal.STAFF_UNKNOWN, "33012": Refusal.STAFF_INVALID}


def get_staff(store: Store, call: Call) -> Event:
    """Show a member of staff, among others their unionId ("Query user details")."""
    user_id = _asked(call).get("userid")
    if not isinstance(user_id, str) or not user_id:
        raise Problem(Refusal.BAD_PARAMETER)
    union_id = store.staff.get(user_id)
    if union_id is None:
        raise Problem(_UNKNOWN[store.settings.unknown_staff])
    if not store.in_range(call.app, union_id):
        raise Problem(Refusal.STAFF_OUT_OF_RANGE)
    result = {"userid": user_id, "unionid": union_id, "name": store.names[union_id], "active": True}
    return {"errcode": 0, "errmsg": "ok", "request_id": call.request_id, "result": result}


def _asked(call: Call) -> Event:
    # Form or JSON: the page has the one in its table and the other in its example.
    try:
        body = call.form or read_json(call.body)
    except ValueError:
        raise Problem(Refusal.BAD_PARAMETER) from None
    return body if isinstance(body, dict) else {}
