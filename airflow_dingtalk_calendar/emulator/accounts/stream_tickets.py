"""The call that a Stream connection begins with ("Stream protocol", step 1)."""

from __future__ import annotations

from ..errors import Refusal
from ..gateway.call import EndpointCall
from ..schema.event import Event
from ..schema.requests import read_connection_body
from ..state.store import EmulatorStore
from .oauth import authenticate_app, read_credentials

#: Where the WebSocket is.
STREAM_PATH = "/connect"


def handle_open_connection(store: EmulatorStore, call: EndpointCall) -> Event:
    """Issue a ticket for one connection; an app's credentials are in the body, and there is no access token.

    Whether the call is metered is not documented; here it is not, like the other calls without an access token.
    """
    given = read_credentials(call, "clientId", "clientSecret")
    app = authenticate_app(store, call, given["clientId"], given["clientSecret"], Refusal.STREAM_AUTH_FAILED)
    body = read_connection_body(call.body, call.body_place)
    events = any(subscription["type"] == "EVENT" for subscription in body["subscriptions"])
    ticket = store.stream.issue_ticket(app.key, receives_events=events, agent=body.get("ua", ""))
    # DingTalk's endpoint is wss; here it is where the client has found this call.
    return {"endpoint": f"ws://{call.headers['host']}{STREAM_PATH}", "ticket": ticket}
