"""Where the contract tests run: on the emulator, or in a DingTalk tenant that environment variables describe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import BAMBOO_ROOM, CHEN, LIN

PREFIX = "DINGTALK_TEST_"
REQUIRED = ("HOST", "APP_KEY", "APP_SECRET", "UNION_ID", "GUEST_UNION_ID")
OPTIONAL = ("AUTH_TYPE", "CORP_ID", "SUITE_TICKET", "GRANT_FILE", "STAFF_ID", "ROOM_ID", "STREAM")
TICKET_VARIABLE, GRANT_VARIABLE = "contract_suite_ticket_secret", "contract_user_grant_secret"
REGIONS = ("https://api.dingtalk.com", "https://api.dingtalk.io")


@dataclass(frozen=True)
class Place:
    """A service and what is known about it.

    :ivar connection: an Airflow connection to it.
    :ivar organizer: unionId of the person in whose calendar the tests' events are; ``guest``: of another one.
    :ivar staff_id: the organizer's staff id, if known.
    :ivar room_id: a meeting room that may be booked, if there is one.
    :ivar elsewhere: the base URL of a region that does not know the app, if there is one.
    :ivar ticket: the suite ticket, for ``corp_app``.
    :ivar grant_file: file with a person's grant, for ``user``; it is written back there when it is renewed.
    :ivar stream: whether the app has Stream mode, with the event ``calendar_event_change``.
    :ivar patience: seconds to wait before each further read of something that has just been changed.
    """

    name: str
    connection: Mapping[str, Any] = field(repr=False)
    organizer: str
    guest: str
    staff_id: str = ""
    room_id: str = ""
    elsewhere: str = ""
    ticket: str = field(default="", repr=False)
    grant_file: str = ""
    stream: bool = False
    patience: tuple[float, ...] = ()

    @property
    def auth_type(self) -> str:
        """Type of the app."""
        return str(self.connection["extra"].get("auth_type", "app"))

    def read(self, name: str) -> str | None:
        """Read what would be an Airflow Variable."""
        return Path(self.grant_file).read_text() if name == GRANT_VARIABLE else self.ticket

    def write(self, name: str, value: str) -> None:
        """Write what would be an Airflow Variable: it is always the grant."""
        Path(self.grant_file).write_text(value)


def on_emulator(emulator: Emulator, elsewhere: Emulator) -> Place:
    """Describe the emulator with its sample calendar; nothing has to wait there."""
    connection = emulator.connection()
    connection["extra"].update(max_qps=1000, max_attempts=1)
    return Place("emulator", connection, LIN, CHEN, "lin-yue", BAMBOO_ROOM, elsewhere.url, stream=True)


def in_tenant(environ: Mapping[str, str]) -> Place | None:
    """Read the tenant's description; None if there is none.

    :raises ValueError: naming the variables that are missing or unknown.
    """
    given = {name.removeprefix(PREFIX): value for name, value in environ.items() if name.startswith(PREFIX) and value}
    if not given:
        return None
    if missing := [PREFIX + name for name in REQUIRED if name not in given]:
        raise ValueError(f"set {', '.join(missing)} too")
    if unknown := [PREFIX + name for name in given if name not in (*REQUIRED, *OPTIONAL)]:
        raise ValueError(f"unknown: {', '.join(unknown)}")
    return Place(
        name="tenant",
        connection=_connection(given),
        organizer=given["UNION_ID"],
        guest=given["GUEST_UNION_ID"],
        staff_id=given.get("STAFF_ID", ""),
        room_id=given.get("ROOM_ID", ""),
        elsewhere=next((url for url in REGIONS if given["HOST"] in REGIONS and url != given["HOST"]), ""),
        ticket=given.get("SUITE_TICKET", ""),
        grant_file=given.get("GRANT_FILE", ""),
        stream="STREAM" in given,
        patience=(1.0, 3.0, 10.0),
    )


def _connection(given: Mapping[str, str]) -> dict[str, Any]:
    extra = {"auth_type": given.get("AUTH_TYPE", "app"), "corp_id": given.get("CORP_ID", "")}
    variables = {"suite_ticket_variable": TICKET_VARIABLE, "user_grant_variable": GRANT_VARIABLE}
    return {
        "conn_type": "dingtalk",
        "host": given["HOST"],
        "login": given["APP_KEY"],
        "password": given["APP_SECRET"],
        "extra": {**extra, **variables},
    }
