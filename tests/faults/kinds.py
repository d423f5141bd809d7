"""Everything that can happen to one request, by name.

``EMULATED`` are fault rules of the emulator, which hit the request after they were set. ``HOSTED`` happen on this side
of the wire, or to the machine: functions that are given the :class:`~tests.faults.world.World` and the request, and
return another request to be sent instead, or raise.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from tests.faults.world import World

HOURS = 3600.0
TIMEOUT = 0.2  # seconds, of the connection
CORP, TICKET = "ding-test-corp", "a-made-up-ticket"
ODD_LIFETIMES = ("text", "expiresIn", "none", "year")
DENIED = "Forbidden.AccessDenied."


class Killed(BaseException):
    """The worker process is gone in the middle of something."""


def _error(status: int, code: str, **headers: str) -> dict[str, Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"kind": "error", "status": status, "code": code, "headers": names}


def _raw(head: str, body: str) -> dict[str, Any]:
    return {"kind": "raw", "text": f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{head}\r\n\r\n{body}"}


EMULATED: dict[str, dict[str, Any]] = {
    # the connection
    "reset": {"kind": "reset"},
    "applied, then reset": {"kind": "apply_then_reset"},
    "closed without an answer": {"kind": "close"},
    "read time-out": {"kind": "hang"},
    "applied, then time-out": {"kind": "apply_then_hang"},
    "applied, answer truncated": {"kind": "truncated"},
    "applied, answer drips": {"kind": "drip", "interval": 0.01},
    "shorter than announced": _raw("content-length: 900", '{"id": "'),
    "longer than announced": _raw("content-length: 2", '{"id": "x"}'),
    "no HTTP": {"kind": "raw", "text": "SSH-2.0-OpenSSH_9.6\r\n"},
    # the service
    "500": _error(500, "internalError"),
    "applied, then 500": {"kind": "applied_error", "status": 500, "code": "internalError"},
    "502 page": {"kind": "html", "status": 502},
    "503 page": {"kind": "html", "status": 503},
    "400 that is a 500": _error(400, "system.error"),
    "still processing": {"kind": "processing"},
    "still processing, often": {"kind": "processing", "times": 3},
    "tokens expired": {"kind": "expire_tokens"},
    "token endpoint fails": {"kind": "error", "action": "GetAccessToken", "status": 500, "code": "internalError"},
    "applied, another id in the answer": {"kind": "other_id"},
    "applied, an answer without its members": {"kind": "applied_body", "body": {}},
    "an error in a 200": {"kind": "body", "body": {"code": "system.error", "message": "busy"}},
    "applied, then an error in a 200": {"kind": "applied_error", "status": 200, "code": "system.error"},
    "another page": {"kind": "body", "body": "<html>please sign in</html>"},
    "redirect": {"kind": "redirect"},
    # the gateway
    "429": _error(429, "system.busy"),
    "429, wait 5 s": _error(429, "system.busy", retry_after="5"),
    "429, wait 10 min": _error(429, "system.busy", retry_after="600"),
    "rate per second": _error(403, f"{DENIED}QpsLimitForAppkeyAndApi"),
    "rate per second of an organisation": _error(403, f"{DENIED}QpsLimitForSuitekeyAndOrgAndApi"),
    "rate of all": _error(403, f"{DENIED}QpsLimitForApi"),
    "rate per minute": _error(403, f"{DENIED}QpmLimitForAppkeyAndApi"),
    "address banned, page": {"kind": "html", "status": 403},
    "address banned, 1111": {"kind": "body", "body": {"status": 1111, "wait": 5, "source": "x5", "punish": "deny"}},
    "month's quota": _error(403, f"{DENIED}ApiCountLimitForOrg"),
    "no permission": _error(403, f"{DENIED}AccessTokenPermissionDenied"),
    "address not listed": _error(403, f"{DENIED}IpNotInWhiteList"),
}


def _elsewhere(url: str) -> Callable[[World, httpx.Request], httpx.Request]:
    """Send the request where a real failure is waiting for it."""

    def redirected(world: World, request: httpx.Request) -> httpx.Request:
        return httpx.Request("GET", url.format(port=httpx.URL(world.dingtalk.url).port), extensions=request.extensions)

    return redirected


def _unanswered(world: World, request: httpx.Request) -> httpx.Request:
    """Connect to somebody who has no place left in his queue."""
    if not world.full:
        server = socket.create_server(("127.0.0.1", 0), backlog=0)
        world.full = [server, *(_caller(server) for _ in range(3))]
    port = world.full[0].getsockname()[1]
    return httpx.Request("GET", f"http://127.0.0.1:{port}", extensions=request.extensions)


def _caller(server: socket.socket) -> socket.socket:
    caller = socket.socket()
    caller.setblocking(False)
    caller.connect_ex(server.getsockname())
    return caller


def _killed_before(world: World, request: httpx.Request) -> httpx.Request:
    raise Killed("before it sent the request")


def _killed_after(world: World, request: httpx.Request) -> httpx.Request:
    world.wire.handle_request(request).read()
    raise Killed("after it sent the request")


def _jump(hours: float) -> Callable[[World, httpx.Request], httpx.Request]:
    """Set the clocks of this machine and of the service, while no time passes for the process."""

    def jumped(world: World, request: httpx.Request) -> httpx.Request:
        world.wall += hours * HOURS
        return request

    return jumped


def _on_its_way(world: World, request: httpx.Request) -> httpx.Request:
    """Give up waiting; the request arrives when time has passed."""
    world.late.append(request)
    raise httpx.ReadTimeout("the request is still on its way", request=request)


def _ended_by_newer(world: World, request: httpx.Request) -> httpx.Request:
    """Have another process get a newer token, which ends a third-party app's older ones."""
    app = {"suiteKey": world.dingtalk.app_key, "suiteSecret": world.dingtalk.app_secret}
    body = {**app, "authCorpId": CORP, "suiteTicket": TICKET}
    url = f"{world.dingtalk.url}/v1.0/oauth2/corpAccessToken"
    world.deliver(httpx.Request("POST", url, json=body))
    return request


def _odd_refresh(world: World, request: httpx.Request) -> httpx.Request:
    """Have the token end, and the next answers with one write its lifetime oddly and bring no new refresh token."""
    member = ODD_LIFETIMES[world.number % len(ODD_LIFETIMES)]
    world.dingtalk.configure(lifetime_member=member, refresh_tokens="kept")
    world.dingtalk.store.expire_tokens()
    return request


def _forked(world: World, request: httpx.Request) -> httpx.Request:
    """Fork, and have the child go on with the hook that is in use; the parent goes on when the child is done."""
    child = os.fork()
    if not child:
        try:
            signal.alarm(20)  # rather than to wait forever
            world.go_on_as_child()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the child failed"
    return request


HOSTED: dict[str, Callable[[World, httpx.Request], httpx.Request]] = {
    "refused": _elsewhere("http://127.0.0.1:1"),
    "no such host": _elsewhere("http://dingtalk.invalid"),
    "no TLS there": _elsewhere("https://127.0.0.1:{port}"),
    "connect time-out": _unanswered,
    "applied after the time-out": _on_its_way,
    "killed before sending": _killed_before,
    "killed after sending": _killed_after,
    "clock 3 h ahead": _jump(3),
    "clock 3 h back": _jump(-3),
    "token ended by a newer one": _ended_by_newer,
    "refresh with odd members": _odd_refresh,
    "forked": _forked,
}
KINDS = [*EMULATED, *HOSTED]
