"""Stream mode: the call that a WebSocket is opened with.

Source: "Stream protocol" (``open-dingtalk/developerpedia``, ``docs/learn/stream/protocol.md``), step 1. The call takes
the credentials of the app (of a third-party app, suite key and secret) and no access token.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.api.answers import parse_object
from airflow_dingtalk_calendar.api.call import Call
from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.exceptions import UnexpectedAnswerError

# "For events only * is supported": which events come is ticked in DingTalk's developer console.
EVENT_SUBSCRIPTIONS = ({"type": "EVENT", "topic": "*"},)


class StreamTicket(NamedTuple):
    """Where a WebSocket may be opened, once, and within 90 seconds.

    :ivar endpoint: the address, as the service sent it; nobody has checked it yet.
    :ivar ticket: the right to open a connection there.
    """

    endpoint: str
    ticket: Secret


def open_stream_connection(client_id: str, client_secret: str) -> Call[StreamTicket]:
    """OpenConnection: the ticket for one connection of Stream mode. Whether it is metered is not documented."""
    body = {
        "clientId": client_id,
        "clientSecret": client_secret,
        "subscriptions": [dict(one) for one in EVENT_SUBSCRIPTIONS],
        "ua": f"airflow-dingtalk-calendar-python/{__version__}",
    }
    path = "/v1.0/gateway/connections/open"
    return Call("OpenConnection", "POST", path, _parse_ticket, json=body, credential="none")


def _parse_ticket(payload: Any) -> StreamTicket:
    answer = parse_object(payload)
    endpoint, ticket = (_read_text(answer.get(name)) for name in ("endpoint", "ticket"))
    if not endpoint or not ticket:
        raise UnexpectedAnswerError("answered without an endpoint and a ticket.", retryable=True)
    return StreamTicket(endpoint, ticket)


def _read_text(value: Any) -> Secret:
    return Secret(value).strip() if isinstance(value, str) and value.isprintable() else Secret()
