"""The emulator as a running server: a socket on loopback, uvicorn in a thread, and what tests say to it."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from copy import deepcopy
from types import TracebackType
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from .schema.event import Event
from .settings import unknown_name_message
from .state.data_file import RegisteredApp
from .state.store import EmulatorStore
from .web.app import DingTalkApplication
from .web.control_api import build_control_app
from .web.routes import ENDPOINTS_BY_ACTION
from .web.stream_socket import StreamApplication

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


# Airflow masks a Variable by its name: "secret" and "token" are words it looks for.
_CONNECTION_EXTRAS: dict[str, dict[str, str]] = {
    "app": {},
    "unified": {"auth_type": "unified"},
    "corp_app": {"auth_type": "corp_app", "suite_ticket_variable": "dingtalk_suite_ticket_secret"},
    "user": {"auth_type": "user", "user_grant_variable": "dingtalk_user_grant_secret"},
}


#: The kinds of apps a connection can be for.
AUTH_TYPES = tuple(_CONNECTION_EXTRAS)


class EmulatorConnection(H11Protocol):
    """uvicorn's HTTP protocol that hands its socket to the application, so that a fault can get at it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Put the transport where the scope of each request on it gets its state from."""
        super().connection_made(transport)
        # asyncio does this only for sockets made with an explicit protocol number; without it each answer takes 40 ms.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.app_state = {**self.app_state, "transport": transport}


class EmulatorServer(uvicorn.Server):
    """uvicorn that signals when it is ready and stops at once: what still hangs when it stops hangs on purpose."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Cut all connections, then stop."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


def build_application(store: EmulatorStore) -> ASGIApp:
    """Return the whole application: its own routes, and DingTalk's for everything else, WebSockets among it."""
    ours, dingtalk, stream = build_control_app(store), DingTalkApplication(store), StreamApplication(store)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            return await stream(scope, receive, send)
        own = scope["raw_path"] == b"/" or scope["raw_path"].startswith(b"/_emulator/")
        return await (ours if own else dingtalk)(scope, receive, send)

    return app


class Emulator:
    """A DingTalk calendar that runs as long as the ``with`` block.

    :param data: apps, users, rooms and events, see :mod:`~.state.data_file`; the sample if absent.
    :param port: 0 for any free one.
    :param host: the address to listen on.
    :param clock: seconds since the epoch; tests may inject their own.
    :param settings: switches, see :class:`~.settings.EmulatorSettings`.
    """

    def __init__(
        self,
        data: Any = None,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        clock: Callable[[], float] = time.time,
        **settings: Any,
    ) -> None:
        self.store = EmulatorStore(data, clock, **settings)
        self._address = (host, port)

    def __enter__(self) -> Emulator:
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.create_server(self._address, family=family, backlog=128)
        self._server = EmulatorServer(_uvicorn_config(build_application(self.store)))
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="dingtalk", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def url(self) -> str:
        """Base URL, for the connection's host."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @property
    def app_key(self) -> str:
        """App key of the first app in the data."""
        return self._app.key

    @property
    def app_secret(self) -> str:
        """App secret of the first app in the data."""
        return self._app.secret

    @property
    def _app(self) -> RegisteredApp:
        return next(iter(self.store.apps.values()))

    @property
    def corp_id(self) -> str:
        """CorpId of the organisation whose calendar this is."""
        return self.store.corps[0]

    @property
    def suite_ticket(self) -> str:
        """The ticket DingTalk has sent to third-party apps last; setting it makes the one before invalid."""
        return self.store.suite_ticket

    @suite_ticket.setter
    def suite_ticket(self, ticket: str) -> None:
        self.store.suite_ticket = ticket

    @property
    def signed_in(self) -> str | None:
        """UnionId of who is at the login page, at first the first user of the data; ``None`` does not consent."""
        return self.store.signed_in

    @signed_in.setter
    def signed_in(self, union_id: str | None) -> None:
        self.store.signed_in = union_id

    def authorization_code(self, union_id: str) -> str:
        """Return the code that the login page would send the app for a user."""
        return self.store.tokens.issue_code(self.app_key, union_id)

    def connection(self, auth_type: str = "app") -> dict[str, Any]:
        """Return an Airflow connection to this emulator, for ``AIRFLOW_CONN_...`` as JSON.

        :param auth_type: ``app``, ``unified``, ``corp_app`` or ``user``. The last two name an Airflow Variable each,
            which is for you to fill, with :attr:`suite_ticket` or with the grant of a user.
        """
        if auth_type not in _CONNECTION_EXTRAS:
            raise ValueError(unknown_name_message(auth_type, _CONNECTION_EXTRAS, "auth_type"))
        corp = {"corp_id": self.corp_id} if auth_type in ("unified", "corp_app") else {}
        return {
            "conn_type": "dingtalk",
            "login": self.app_key,
            "password": self.app_secret,
            "host": self.url,
            "extra": {"timezone": "Asia/Shanghai", **_CONNECTION_EXTRAS[auth_type], **corp},
        }

    def reset(self, data: Any = None, **settings: Any) -> None:
        """Go back to the initial data and settings, or to those given; nothing has happened yet, no fault is set."""
        self.store.reset(data, **settings)

    def configure(self, **settings: Any) -> None:
        """Change switches."""
        self.store.configure(**settings)

    def fault(self, **rule: Any) -> None:
        """Add a fault rule, see :mod:`~.state.fault_rules`."""
        self.store.faults.add_rules(ENDPOINTS_BY_ACTION, rule)

    def event(self, event_id: str) -> Event:
        """Return a copy of an event as GetEvent shows it to its organizer."""
        return self.store.render_for_organizer(self.store.events[event_id])

    def advance_clock(self, seconds: float) -> None:
        """Let time pass, without waiting: tokens and tickets expire, and in Stream mode what is due is pushed."""
        self.store.advance_clock(seconds)

    def connections(self) -> list[dict[str, Any]]:
        """Return the open connections of Stream mode, oldest first, and what has come of each."""
        return self.store.stream.connections()

    def unacknowledged(self) -> list[dict[str, Any]]:
        """Return the events of Stream mode that are still to be acknowledged, oldest first."""
        return self.store.stream.events(pending_only=True)

    def pushed_events(self) -> list[dict[str, Any]]:
        """Return all events of Stream mode so far, oldest first, with the outcome of each (``status``)."""
        return self.store.stream.events()

    def disconnect_all(self) -> None:
        """Send a ``disconnect`` on all connections of Stream mode; they are closed 10 seconds later."""
        self.store.stream.disconnect_all()

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Every request to DingTalk's paths so far, oldest first, without secrets.

        ``token_in_url`` says whether there was an access token where logs and proxies see it.
        """
        return deepcopy(list(self.store.requests))

    @property
    def effects(self) -> dict[str, Any]:
        """Every effect so far, see :class:`~.state.ledger.EffectsLedger`."""
        return self.store.ledger.as_dict()


def _uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=EmulatorConnection,
        loop="asyncio",
        # Pings and closing are what the gateway says in frames of its own; plain frames, so that half of one is one.
        ws="websockets-sansio",
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=0,
    )
