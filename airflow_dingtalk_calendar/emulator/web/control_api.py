"""``/_emulator/...`` and the page: what drives the emulator from outside its process."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..page.page import render_page
from ..schema.validators import read_strict_json
from ..state.store import EmulatorStore
from ..stream.hub import DEFAULT_REASON
from .routes import ENDPOINTS_BY_ACTION

if TYPE_CHECKING:
    from starlette.requests import Request


class ControlHandlers:
    """The handlers; each answers with the state it leaves behind, and wrong input with 400 and the reason."""

    def __init__(self, store: EmulatorStore) -> None:
        self.store = store

    async def reset(self, request: Request) -> Response:
        """Start over; ``data`` and ``settings`` may be given."""
        given = await _read_object_request(request, {"data": None, "settings": {}})
        self.store.reset(given["data"], **_require_object("settings", given["settings"]))
        return JSONResponse({"settings": self.store.settings.as_dict(), "events": len(self.store.events)})

    async def events(self, request: Request) -> Response:
        """Show all events, after adding or replacing those posted."""
        if request.method == "POST":
            given = await _read_json_request(request)
            self.store.put_events(given if isinstance(given, list) else [given])
        return JSONResponse([self.store.render_for_organizer(event) for event in self.store.events.values()])

    async def requests(self, request: Request) -> Response:
        """Show the requests so far."""
        return JSONResponse(deepcopy(self.store.requests))

    async def effects(self, request: Request) -> Response:
        """Show the effects so far."""
        return JSONResponse(self.store.ledger.as_dict())

    async def faults(self, request: Request) -> Response:
        """Show the fault rules, after adding those posted or removing all."""
        if request.method == "DELETE":
            self.store.faults.rules.clear()
        if request.method == "POST":
            given = await _read_json_request(request)
            rules = given if isinstance(given, list) else [given]
            self.store.faults.add_rules(ENDPOINTS_BY_ACTION, *(_require_object("a rule", rule) for rule in rules))
        return JSONResponse([rule.as_dict() for rule in self.store.faults.rules])

    async def settings(self, request: Request) -> Response:
        """Show the switches, after changing those given."""
        if request.method == "PATCH":
            self.store.configure(**_require_object("settings", await _read_json_request(request)))
        return JSONResponse(self.store.settings.as_dict())

    async def clock(self, request: Request) -> Response:
        """Let time pass."""
        seconds = (await _read_object_request(request, {"advance": 0}))["advance"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 10**9:
            raise ValueError(f"advance is a number of seconds from 0 up, not {seconds!r}")
        self.store.advance_clock(seconds)
        return JSONResponse({"now": self.store.timestamp()})

    async def sign_in(self, request: Request) -> Response:
        """Show what signing in depends on, after changing what is given."""
        now = {"suite_ticket": self.store.suite_ticket, "signed_in": self.store.signed_in}
        if request.method == "PATCH":
            now = await _read_object_request(request, now)
            if not isinstance(now["suite_ticket"], str) or not isinstance(now["signed_in"], str | None):
                raise ValueError("suite_ticket is a string, and signed_in a string or null")
            self.store.suite_ticket, self.store.signed_in = now["suite_ticket"], now["signed_in"]
        return JSONResponse(now)

    async def stream(self, request: Request) -> Response:
        """Show the connections of Stream mode and the events that are to be acknowledged."""
        return JSONResponse(
            {"connections": self.store.stream.connections(), "unacknowledged": self.store.stream.events(True)}
        )

    async def disconnect(self, request: Request) -> Response:
        """Announce on all connections of Stream mode that they are going to be closed."""
        reason = (await _read_object_request(request, {"reason": DEFAULT_REASON}))["reason"]
        if not isinstance(reason, str):
            raise ValueError(f"reason is a string, not {reason!r}")
        self.store.stream.disconnect_all(reason)
        return await self.stream(request)

    async def page(self, request: Request) -> Response:
        """Show calendar and history to people."""
        return HTMLResponse(render_page(self.store))


def build_control_app(store: EmulatorStore) -> Starlette:
    """Return the application of the emulator's own routes."""
    handlers = ControlHandlers(store)
    routes = [
        Route("/", handlers.page),
        Route("/_emulator/reset", handlers.reset, methods=["POST"]),
        Route("/_emulator/events", handlers.events, methods=["GET", "POST"]),
        Route("/_emulator/requests", handlers.requests),
        Route("/_emulator/effects", handlers.effects),
        Route("/_emulator/faults", handlers.faults, methods=["GET", "POST", "DELETE"]),
        Route("/_emulator/settings", handlers.settings, methods=["GET", "PATCH"]),
        Route("/_emulator/sign_in", handlers.sign_in, methods=["GET", "PATCH"]),
        Route("/_emulator/stream", handlers.stream),
        Route("/_emulator/stream/disconnect", handlers.disconnect, methods=["POST"]),
        Route("/_emulator/clock", handlers.clock, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={ValueError: _answer_bad_request})


async def _answer_bad_request(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _read_json_request(request: Request) -> Any:
    try:
        return read_strict_json(await request.body() or b"{}")
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


async def _read_object_request(request: Request, members: dict[str, Any]) -> dict[str, Any]:
    given = _require_object("the body", await _read_json_request(request))
    if unknown := given.keys() - members.keys():
        raise ValueError(f"unknown member {min(unknown)!r}, there are {', '.join(members)}")
    return {**members, **given}


def _require_object(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {value!r}")
    return value
