"""``/_emulator/...`` and the page: what drives the emulator from outside its process."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from ..page.page import page
from ..schema.validators import read_json
from ..state.store import Store
from .routes import ACTIONS

if TYPE_CHECKING:
    from starlette.requests import Request


class Control:
    """The handlers; each answers with the state it leaves behind, and wrong input with 400 and the reason."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def reset(self, request: Request) -> Response:
        """Start over; ``data`` and ``settings`` may be given."""
        given = await _object(request, {"data": None, "settings": {}})
        self.store.reset(given["data"], **_mapping("settings", given["settings"]))
        return JSONResponse({"settings": self.store.settings.as_dict(), "events": len(self.store.events)})

    async def events(self, request: Request) -> Response:
        """Show all events, after adding or replacing those posted."""
        if request.method == "POST":
            given = await _json(request)
            self.store.put_all(given if isinstance(given, list) else [given])
        return JSONResponse([self.store.shown(event) for event in self.store.events.values()])

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
            given = await _json(request)
            rules = given if isinstance(given, list) else [given]
            self.store.faults.add(ACTIONS, *(_mapping("a rule", rule) for rule in rules))
        return JSONResponse([rule.as_dict() for rule in self.store.faults.rules])

    async def settings(self, request: Request) -> Response:
        """Show the switches, after changing those given."""
        if request.method == "PATCH":
            self.store.configure(**_mapping("settings", await _json(request)))
        return JSONResponse(self.store.settings.as_dict())

    async def clock(self, request: Request) -> Response:
        """Let time pass."""
        seconds = (await _object(request, {"advance": 0}))["advance"]
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds < 10**9:
            raise ValueError(f"advance is a number of seconds from 0 up, not {seconds!r}")
        self.store.advance(seconds)
        return JSONResponse({"now": self.store.stamp()})

    async def sign_in(self, request: Request) -> Response:
        """Show what signing in depends on, after changing what is given."""
        now = {"suite_ticket": self.store.suite_ticket, "signed_in": self.store.signed_in}
        if request.method == "PATCH":
            now = await _object(request, now)
            if not isinstance(now["suite_ticket"], str) or not isinstance(now["signed_in"], str | None):
                raise ValueError("suite_ticket is a string, and signed_in a string or null")
            self.store.suite_ticket, self.store.signed_in = now["suite_ticket"], now["signed_in"]
        return JSONResponse(now)

    async def page(self, request: Request) -> Response:
        """Show calendar and history to people."""
        return HTMLResponse(page(self.store))


def control(store: Store) -> Starlette:
    """Return the application of the emulator's own routes."""
    handlers = Control(store)
    routes = [
        Route("/", handlers.page),
        Route("/_emulator/reset", handlers.reset, methods=["POST"]),
        Route("/_emulator/events", handlers.events, methods=["GET", "POST"]),
        Route("/_emulator/requests", handlers.requests),
        Route("/_emulator/effects", handlers.effects),
        Route("/_emulator/faults", handlers.faults, methods=["GET", "POST", "DELETE"]),
        Route("/_emulator/settings", handlers.settings, methods=["GET", "PATCH"]),
        Route("/_emulator/sign_in", handlers.sign_in, methods=["GET", "PATCH"]),
        Route("/_emulator/clock", handlers.clock, methods=["POST"]),
    ]
    return Starlette(routes=routes, exception_handlers={ValueError: _refused})


async def _refused(request: Request, error: Exception) -> Response:
    return JSONResponse({"error": str(error)}, status_code=400)


async def _json(request: Request) -> Any:
    try:
        return read_json(await request.body() or b"{}")
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from None


async def _object(request: Request, members: dict[str, Any]) -> dict[str, Any]:
    given = _mapping("the body", await _json(request))
    if unknown := given.keys() - members.keys():
        raise ValueError(f"unknown member {min(unknown)!r}, there are {', '.join(members)}")
    return {**members, **given}


def _mapping(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} must be an object, not {value!r}")
    return value
