"""The calls about people themselves, and the calendars they have."""

from __future__ import annotations

from hashlib import sha256

from ..endpoints.permissions import named_user
from ..errors import Problem, Refusal, invalid_is
from ..gateway.call import Call
from ..schema.event import Event
from ..state.store import Store


def list_calendars(store: Store, call: Call) -> Event:
    """List somebody's calendars ("Query a calendar"), which here is the primary one."""
    with invalid_is(Refusal.PARAM_ILLEGAL):
        named_user(call)
    user = call.params["userId"]
    if not store.in_range(call.app, user):
        raise Problem(Refusal.PARAM_ILLEGAL, "userId: does not exist")
    calendar = {
        "id": "primary",
        "summary": store.names.get(user, ""),
        "description": "",
        "timeZone": "Asia/Shanghai",
        "eTag": sha256(f"{user}{len(store.changes)}".encode()).hexdigest()[:16],
        "type": "primary",
        "privilege": "owner",
    }
    return {"response": {"calendars": [calendar]}}


def get_user(store: Store, call: Call) -> Event:
    """Show somebody in the directory, or the token's user as ``me`` ("Query the personal information of a user")."""
    named = call.params["unionId"]
    user = call.user if named == "me" else named
    if user not in store.names:
        raise Problem(Refusal.USER_NOT_FOUND)
    email = next((email for email, union_id in store.emails.items() if union_id == user), None)
    shown = {"nick": store.names[user], "unionId": user, "openId": sha256(user.encode()).hexdigest()[:24]}
    return {**shown, "email": email} if email else shown
