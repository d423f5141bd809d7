"""One request and its socket: what the server, or a fault, does with it, and its row in the log."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from uuid import uuid4

from ..errors import UNKNOWN_PATH_RESPONSE, ApiError, HttpResponse
from ..gateway.admission import admit_call, begin_idempotent_call, finish_idempotent_call
from ..gateway.call import EndpointCall
from ..schema.responses import without_empty_lists
from ..schema.validators import read_strict_json
from ..state.store import EmulatorStore
from .routes import ENDPOINTS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

#: SO_LINGER with time 0: closing then sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)
_STATUSES_WITHOUT_BODY = (204, 304)
#: Members of bodies and queries that the log does not show.
_SECRET_MEMBERS = frozenset(
    ("appSecret", "client_secret", "clientSecret", "suiteSecret", "suiteTicket", "code", "refreshToken", "access_token")
)


class StateResetError(Exception):
    """The emulator was reset while a request waited; it must not act on the new state."""


class HttpExchange:
    """One request with its socket: what the server, or a fault, does with it."""

    def __init__(self, store: EmulatorStore, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self.store, self.receive, self._send = store, receive, send
        self.transport = cast("asyncio.Transport", scope["state"]["transport"])
        self.request_id = str(uuid4()).upper()
        self.generation = store.generation
        self.call = _match_call(scope, body, self.request_id)
        self.log_entry = _new_log_entry(scope, body, self.call)
        store.requests.append(self.log_entry)

    async def execute_call(self) -> HttpResponse:
        """Process the request, and return its answer."""
        if self.call is None:
            return UNKNOWN_PATH_RESPONSE
        try:
            response = await self._perform_call(self.call)
            if isinstance(response, HttpResponse):
                return response
            left_out = self.store.settings.empty_lists == "left_out"
            return HttpResponse(200, without_empty_lists(response) if left_out else response)
        except ApiError as error:
            return self.call.endpoint.error_response(error, self.request_id)
        finally:
            self.log_entry.update(authorized=self.call.app is not None, ignored=self.call.body_place.ignored)

    async def _perform_call(self, call: EndpointCall) -> Any:
        admit_call(self.store, call)
        # Before the pause, so that another request with this client token is answered that it is being processed.
        record = begin_idempotent_call(self.store, call)
        if record.body is not None:
            return record.body
        body = None
        try:
            await self.pause(self.store.settings.service_time)
            body = call.endpoint.handle(self.store, call)
        finally:
            finish_idempotent_call(self.store, call, record, body)
        return body

    async def pause(self, seconds: float) -> None:
        """Wait, unless the emulator is reset meanwhile."""
        if seconds:
            await asyncio.sleep(seconds)
        if self.store.generation != self.generation:
            raise StateResetError

    async def send_response(self, response: HttpResponse, share: float = 1.0, interval: float = 0.0) -> None:
        """Send a response, or only a share of what it announces, or byte by byte."""
        self.log_entry.update(status=response.status, code=response.code)
        body, headers = _encode_response(response, self.request_id)
        await self._send({"type": "http.response.start", "status": response.status, "headers": headers})
        for piece in _split_body(body[: int(len(body) * share)], single=bool(interval)):
            await self.pause(interval)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if share < 1:
            await self.write_and_close(b"")
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def write_and_close(self, data: bytes) -> None:
        """Write to the socket as it is and close it."""
        self.transport.write(data)
        self.transport.close()
        await self._wait_for_disconnect()

    async def reset_connection(self) -> None:
        """Reset the connection."""
        reset_transport(self.transport)
        await self._wait_for_disconnect()

    async def _wait_for_disconnect(self) -> None:
        # Returning earlier would make the server add a response of its own.
        while (await self.receive())["type"] != "http.disconnect":
            pass


def reset_transport(transport: asyncio.Transport) -> None:
    """Reset a connection (TCP RST)."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    transport.abort()


def _match_call(scope: Scope, body: bytes, request_id: str) -> EndpointCall | None:
    # Split before decoding: an event id may hold an encoded slash, or anything else.
    segments = [unquote(segment) for segment in scope["raw_path"].decode("ascii").split("/")]
    headers = _decode_headers(scope)
    for endpoint in ENDPOINTS:
        params = endpoint.match_request(scope["method"], segments)
        if params is not None:
            query = scope["query_string"].decode("ascii", "replace")
            return EndpointCall(endpoint, params, query, headers, body, request_id)
    return None


def _decode_headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _new_log_entry(scope: Scope, body: bytes, call: EndpointCall | None) -> dict[str, Any]:
    """Return a request's row in the log, as long as it has no answer; credentials do not get into it."""
    return {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("ascii"),
        "query": _mask_query(scope),
        "token_in_url": "access_token" in dict(_query_pairs(scope)),
        "action": call.endpoint.action if call else None,
        "status": None,
        "code": None,
        "client_token": call.client_token if call else _decode_headers(scope).get("x-client-token"),
        "body": _mask_body(call.form if call and call.form else _try_read_json(body)),
        "headers": list(_decode_headers(scope)),
        "authorized": False,
        "ignored": [],
        "fault": None,
    }


def _query_pairs(scope: Scope) -> list[tuple[str, str]]:
    query = scope["query_string"].decode("ascii", "replace")
    return [(unquote(pair.partition("=")[0]), pair) for pair in query.split("&")]


def _mask_query(scope: Scope) -> str:
    return "&".join(f"{name}=***" if name in _SECRET_MEMBERS else pair for name, pair in _query_pairs(scope))


def _try_read_json(body: bytes) -> Any:
    try:
        return read_strict_json(body)
    except ValueError:
        return None


def _mask_body(body: Any) -> Any:
    hidden = dict.fromkeys(_SECRET_MEMBERS & body.keys(), "***") if isinstance(body, dict) else {}
    return {**body, **hidden} if hidden else body


def _encode_response(response: HttpResponse, request_id: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    as_it_is = isinstance(response.body, str)
    body = (response.body if as_it_is else json.dumps(response.body, ensure_ascii=False)).encode()
    body = b"" if response.status in _STATUSES_WITHOUT_BODY else body
    defaults = {
        "content-type": "text/plain; charset=utf-8" if as_it_is else "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "x-acs-request-id": request_id,
    }
    given = {name.lower(): value for name, value in response.headers.items()}
    return body, [(name.encode(), value.encode()) for name, value in {**defaults, **given}.items()]


def _split_body(body: bytes, single: bool) -> list[bytes]:
    # Without a body the client is done with the head, and whatever it does next must not find this response open.
    return [body[n : n + 1] for n in range(len(body))] if single or not body else [body]
