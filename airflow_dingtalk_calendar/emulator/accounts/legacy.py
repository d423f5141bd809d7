"""The older host: HTTP 200 whatever happens, and what did in ``errcode``.

Sources: "Server API error codes", "Query user details"; how an error about the token is wrapped is as seen on the live
service. The same port stands in for both hosts.
"""

from __future__ import annotations

from ..errors import Answer, Problem, Refusal
from ..gateway.admission import Call
from ..schema.event import Event
from ..schema.validators import read_json
from ..state.store import Store

_GATEWAY = {
    Refusal.NO_PERMISSION: 60011,
    Refusal.QPS_LIMIT: 90018,
    Refusal.MONTHLY_QUOTA: 90020,
}
_WRAPPED = {Refusal.MISSING_TOKEN: "40014", Refusal.INVALID_TOKEN: "40014"}
_UNKNOWN = {"60121": Refusal.STAFF_UNKNOWN, "33012": Refusal.STAFF_INVALID}


def told(problem: Problem, request_id: str) -> Answer:
    """Return a refusal in the words of the older host."""
    if code := _WRAPPED.get(problem.refusal):
        message = Refusal.INVALID_TOKEN.value[2]
        wrapped = {"sub_code": code, "sub_msg": message}
        told = {"errcode": 88, **wrapped, "errmsg": f"ding talk error[subcode={code},submsg={message}]"}
    else:
        told = {"errcode": _GATEWAY.get(problem.refusal) or int(problem.code), "errmsg": problem.message}
    return Answer(200, {**told, "request_id": request_id})


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
