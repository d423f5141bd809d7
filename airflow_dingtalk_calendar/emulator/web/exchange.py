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

from ..errors import UNKNOWN_PATH, Answer, Problem
from ..gateway import admission
from ..gateway.call import Call
from ..schema.validators import read_json
from ..state.store import Store
from .routes import ENDPOINTS

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

#: SO_LINGER with time 0: closing then sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)
_WITHOUT_BODY = (204, 304)
#: Members of bodies and queries that the log does not tell.
_SECRETS = frozenset(
    ("appSecret", "client_secret", "clientSecret", "suiteSecret", "suiteTicket", "code", "refreshToken", "access_token")
)


class Gone(Exception):  # noqa: N818
    """The emulator was reset while a request waited; it must not act on the new state."""


class Exchange:
    """One request with its socket: what the server, or a fault, does with it."""

    def __init__(self, store: Store, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        self.store, self.receive, self._send = store, receive, send
        self.transport = cast("asyncio.Transport", scope["state"]["transport"])
        self.request_id = str(uuid4()).upper()
        self.generation = store.generation
        self.call = _call(scope, body, self.request_id)
        self.entry = _entry(scope, body, self.call)
        store.requests.append(self.entry)

    async def execute(self) -> Answer:
        """Carry the request out."""
        if self.call is None:
            return UNKNOWN_PATH
        try:
            answer = await self._perform(self.call)
            return answer if isinstance(answer, Answer) else Answer(200, answer)
        except Problem as problem:
            return self.call.endpoint.refused(problem, self.request_id)
        finally:
            self.entry.update(authorized=self.call.app is not None, ignored=self.call.place.ignored)

    async def _perform(self, call: Call) -> Any:
        admission.admit(self.store, call)
        receipt = admission.receipt(self.store, call)
        if receipt.body is not None:
            return receipt.body
        body = None
        try:
            await self.pause(self.store.settings.service_time)
            body = call.endpoint.handle(self.store, call)
        finally:
            admission.settle(self.store, call, receipt, body)
        return body

    async def pause(self, seconds: float) -> None:
        """Wait, unless the emulator is reset meanwhile."""
        if seconds:
            await asyncio.sleep(seconds)
        if self.store.generation != self.generation:
            raise Gone

    async def send(self, answer: Answer, share: float = 1.0, interval: float = 0.0) -> None:
        """Send an answer, or only a share of what it announces, or byte by byte."""
        self.entry.update(status=answer.status, code=answer.code)
        body, headers = _encoded(answer, self.request_id)
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        for piece in _pieces(body[: int(len(body) * share)], single=bool(interval)):
            await self.pause(interval)
            await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        if share < 1:
            await self.write(b"")
        else:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def write(self, data: bytes) -> None:
        """Write to the socket as it is and close it."""
        self.transport.write(data)
        self.transport.close()
        await self._closed()

    async def abort(self) -> None:
        """Reset the connection."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()
        await self._closed()

    async def _closed(self) -> None:
        # Returning earlier would make the server add an answer of its own.
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _call(scope: Scope, body: bytes, request_id: str) -> Call | None:
    # Split before decoding: an event id may hold an encoded slash, or anything else.
    segments = [unquote(segment) for segment in scope["raw_path"].decode("ascii").split("/")]
    headers = _headers(scope)
    for endpoint in ENDPOINTS:
        params = endpoint.match(scope["method"], segments)
        if params is not None:
            query = scope["query_string"].decode("ascii", "replace")
            return Call(endpoint, params, query, headers, body, request_id)
    return None


def _headers(scope: Scope) -> Mapping[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _entry(scope: Scope, body: bytes, call: Call | None) -> dict[str, Any]:
    """Return a request's row in the log, as long as it has no answer; credentials do not get into it."""
    return {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("ascii"),
        "query": _masked_query(scope),
        "token_in_url": "access_token" in dict(_pairs(scope)),
        "action": call.endpoint.action if call else None,
        "status": None,
        "code": None,
        "client_token": call.client_token if call else _headers(scope).get("x-client-token"),
        "body": _masked(call.form if call and call.form else _parsed(body)),
        "headers": list(_headers(scope)),
        "authorized": False,
        "ignored": [],
        "fault": None,
    }


def _pairs(scope: Scope) -> list[tuple[str, str]]:
    query = scope["query_string"].decode("ascii", "replace")
    return [(unquote(pair.partition("=")[0]), pair) for pair in query.split("&")]


def _masked_query(scope: Scope) -> str:
    return "&".join(f"{name}=***" if name in _SECRETS else pair for name, pair in _pairs(scope))


def _parsed(body: bytes) -> Any:
    try:
        return read_json(body)
    except ValueError:
        return None


def _masked(body: Any) -> Any:
    hidden = dict.fromkeys(_SECRETS & body.keys(), "***") if isinstance(body, dict) else {}
    return {**body, **hidden} if hidden else body


def _encoded(answer: Answer, request_id: str) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    as_it_is = isinstance(answer.body, str)
    body = (answer.body if as_it_is else json.dumps(answer.body, ensure_ascii=False)).encode()
    body = b"" if answer.status in _WITHOUT_BODY else body
    defaults = {
        "content-type": "text/plain; charset=utf-8" if as_it_is else "application/json; charset=utf-8",
        "content-length": str(len(body)),
        "x-acs-request-id": request_id,
    }
    given = {name.lower(): value for name, value in answer.headers.items()}
    return body, [(name.encode(), value.encode()) for name, value in {**defaults, **given}.items()]


def _pieces(body: bytes, single: bool) -> list[bytes]:
    # Without a body the client is done with the head, and whatever it does next must not find this answer unfinished.
    return [body[n : n + 1] for n in range(len(body))] if single or not body else [body]
