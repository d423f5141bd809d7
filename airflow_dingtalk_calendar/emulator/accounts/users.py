"""The calls about people themselves, and the calendars they have."""

from __future__ import annotations

from hashlib import sha256

from ..endpoints.permissions import require_user_id
from ..errors import ApiError, Refusal, report_invalid_as
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..state.store import EmulatorStore


def handle_list_calendars(store: EmulatorStore, call: EndpointCall) -> Event:
    """List somebody's calendars ("Query a calendar"), which here is the primary one."""
    with report_invalid_as(Refusal.ILLEGAL_PARAMETER):
        require_user_id(call)
    user = call.params["userId"]
    if not store.in_app_range(call.app, user):
        raise ApiError(Refusal.ILLEGAL_PARAMETER, "userId: does not exist")
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


def handle_get_user(store: EmulatorStore, call: EndpointCall) -> Event:
    """Show somebody in the directory, or the token's user as ``me`` ("Query the personal information of a user")."""
    named = call.params["unionId"]
    user = call.user if named == "me" else named
    if user not in store.names:
        raise ApiError(Refusal.USER_NOT_FOUND)
    email = next((email for email, union_id in store.emails.items() if union_id == user), None)
    user_info = {"nick": store.names[user], "unionId": user, "openId": sha256(user.encode()).hexdigest()[:24]}
    return {**user_info, "email": email} if email else user_info
